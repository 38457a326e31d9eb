"""What a process has before it forks into workers: all that a training imports.

The collector waits until all is there, and leaves it alone from then on: each training would go through it, for a fifth
of a short one's time, and each worker would have a copy of its own of what is now shared. It is not run before: what
imports leave for it is a few hundred objects, and to find them takes a twelfth of this process's start.
"""

from __future__ import annotations

import contextlib
import gc

gc.disable()
with contextlib.suppress(Exception):  # a worker that needs what is broken says so itself
    import archsim.studies.workers.points  # noqa: F401

gc.freeze()
gc.enable()
