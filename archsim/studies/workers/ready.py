"""What a process has before it forks into workers: all that a training imports, and Numba's tables.

The collector leaves all of it alone from then on: each training would go through it, for a fifth of a short one's time,
and each worker would have a copy of its own of what is now shared.
"""

from __future__ import annotations

import contextlib
import gc

with contextlib.suppress(Exception):  # a worker that needs what is broken says so itself
    from numba.core.registry import cpu_target

    import archsim.studies.workers.points  # noqa: F401

    cpu_target.target_context.refresh()

gc.collect()
gc.freeze()
