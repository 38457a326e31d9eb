"""Say nothing of how a study is ended: imported first by the process that workers are forked from.

Ctrl-C is left to whoever asked for workers. A worker that is forked when that process has ended, or was killed, finds
nothing of what it was to begin with: it ends, as it is to, and has nothing to tell.
"""

from __future__ import annotations

import signal
import sys
from types import TracebackType

signal.signal(signal.SIGINT, signal.SIG_IGN)


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print what ends a process, but for what is missing because its parent is gone."""
    if not issubclass(kind, FileNotFoundError | EOFError | ConnectionError):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _told
