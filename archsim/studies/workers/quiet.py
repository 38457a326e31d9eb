"""Leave Ctrl-C to whoever asked for workers: imported first by the process that they are forked from."""

from __future__ import annotations

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
