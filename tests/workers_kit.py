"""Tasks for workers, in a module that they can import, and what is known of processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from archsim.base.errors import InputError


def nap(seconds: float, value: Any) -> Any:
    time.sleep(seconds)
    return value


def process() -> int:
    time.sleep(0.05)
    return os.getpid()


def threads() -> list[int]:
    """Return the threads of each BLAS that is loaded."""
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


def fail(value: int) -> None:
    raise InputError(key="--steps", value=value, expected="a better one")


class OddError(Exception):
    """One that cannot be unpickled: its arguments are not those it was made with."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_oddly() -> None:
    raise OddError(1, 2)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(mark: Path) -> str:
    """Die at the first call, and leave a mark; do it at the second."""
    if not mark.exists():
        mark.touch()
        die()
    return "done"


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def below(parent: int) -> list[int]:
    """Return all processes below one."""
    own = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _parent(path) == parent]
    return [*own, *(pid for each in own for pid in below(each))]


def _parent(path: Path) -> int:
    try:
        return int(path.joinpath("stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return -1


def gone(pids: list[int], within_s: float) -> bool:
    """Whether processes end within so many seconds."""
    until = time.monotonic() + within_s
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(alive, pids))
