"""What a process has before it forks into workers: all that a training imports, and Numba's tables."""

from __future__ import annotations

import contextlib

with contextlib.suppress(Exception):  # a worker that needs what is broken says so itself
    from numba.core.registry import cpu_target

    import archsim.studies.workers.points  # noqa: F401

    cpu_target.target_context.refresh()
