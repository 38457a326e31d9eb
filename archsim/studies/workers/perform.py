"""What a worker does with a task: check that it is the same archsim, do it on one thread of BLAS, say who did it.

Light on purpose: a worker imports this module before it knows what it is to do.
"""

from __future__ import annotations

import os
import pickle
import platform
import socket
import time
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from archsim.base.errors import SystemFault

PACKAGES = ("archsim", "numpy", "scipy", "numba", "llvmlite")
"""What decides the bits of a number, beside Python: the program, its arithmetic, and what compiles its kernels."""
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""What libraries read when they are loaded: a thread each, for there is a process a core."""
Answer = dict[str, Any]
"""by: HOST:PID; then value, or error, or unlike: what is of another version there; seconds: how long it took."""


@cache
def versions() -> dict[str, str]:
    """Return name -> version of all that a worker must have as the study has it."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def here() -> str:
    """Return what this process is called: HOST:PID."""
    return f"{socket.gethostname()}:{os.getpid()}"


def packed(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """Return a task as bytes, which are unpacked only once versions were compared."""
    return pickle.dumps((function, arguments))


def perform(told: Mapping[str, str], sender: str, task: bytes) -> Answer:
    """Do a task and return what came of it, a failure too.

    Parameters
    ----------
    told : versions as the sender has them
    sender : the sender's HOST:PID
    task : as `packed` made it
    """
    own = versions()
    if unlike := {name: (own.get(name, "none"), is_) for name, is_ in told.items() if own.get(name) != is_}:
        return {"by": here(), "unlike": unlike}
    begin = time.perf_counter()
    try:
        function, arguments = pickle.loads(task)  # noqa: S301  from the study itself, over its own executor
        begin = time.perf_counter()  # imports belong to the worker's start
        if here() != sender:
            _one_thread()
        came: Answer = {"value": function(*arguments)}
    except Exception as error:  # noqa: BLE001  it is the study's to judge
        came = {"error": _portable(error)}
    return {"by": here(), "seconds": time.perf_counter() - begin, **came}


@cache
def _one_thread() -> None:
    """Let BLAS of this process compute on one thread from now on: a worker is one of many, and bits depend on it."""
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(THREADS, "1"))  # for what a later task loads
    threadpool_limits(limits=1, user_api="blas")


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent, with the lines that it came from as a note."""
    error.add_note(f"on {here()}:\n{''.join(traceback.format_exception(error))}")
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  its own
    except Exception:  # noqa: BLE001  whatever its class lacks
        return SystemFault(f"{type(error).__name__}: {error}")
    return error
