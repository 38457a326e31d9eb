"""Open the place where tasks run, by one option: `--on`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from archsim.base.errors import InputError, SystemFault, nearest
from archsim.studies.workers.lanes import Lanes, cores, prepared

PROCESSES = "processes"
AHEAD = 2
"""Tasks that each worker has, where workers take them from a queue: one to do, one to go on with."""
PLACES = (PROCESSES, f"{PROCESSES}:N", "dask://HOST:PORT", "slurm", "flux")
On = str | Executor
"""One of `PLACES`, or an executor."""
_UNKNOWN = 64
"""Tasks at a time of an executor that does not say how many workers it has."""


def _nothing() -> None:
    """Do nothing."""


@dataclass(eq=False)
class Pool(Executor):
    """An executor with what must be known of it.

    Parameters
    ----------
    executor : Executor
    name : str
        In words.
    ahead : callable
        How many tasks it should have at a time, now.
    shared : bool
        Whether its workers see the files of this machine by the same paths.
    lost : exceptions with which a task ends whose worker died
    again : bool
        Whether such a task is to be sent again; if not, the executor has done so.
    mortal : bool
        Whether such an end means that no worker is left at all.
    check : callable
        Raises SystemFault if nothing can come of it any more.
    """

    executor: Executor
    name: str
    ahead: Callable[[], int]
    shared: bool
    lost: tuple[type[BaseException], ...] = (BrokenExecutor,)
    again: bool = True
    mortal: bool = False
    check: Callable[[], None] = _nothing

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a task."""
        try:
            return self.executor.submit(function, *args, **kwargs)
        except BrokenExecutor as error:  # one of the caller's, which only the caller can make anew
            raise SystemFault(
                f"a worker of {self.name} ended before its work was done: killed, or out of memory; what was finished "
                "is kept, the same command goes on with the rest"
            ) from error


@contextmanager
def pool(on: On = PROCESSES, *, most: int) -> Iterator[Pool]:
    """Yield where tasks run, and end it, whatever happens. An executor that was given is left as it is.

    Parameters
    ----------
    on : str or Executor
        "processes": of this machine, as many as it has cores, or "processes:N"; "dask://HOST:PORT": the workers of a
        scheduler of Dask's; "slurm" or "flux", also "slurm:workers=8,partition=short": what `clusters.jobs` says; or
        any executor of Python's form. The numbers do not depend on it.
    most : int
        Tasks at most: no more processes are begun.

    Raises
    ------
    InputError
        If it is none of these, its extra is not installed, or an option of it is wrong.
    SystemFault
        If it does not answer.
    """
    if isinstance(on, Pool):
        yield on
        return
    if isinstance(on, Executor):
        yield given(on)
        return
    kind, rest = _words(on)
    if kind == PROCESSES:
        lanes = Lanes(min(_number(on, rest), max(most, 1)))
        try:
            yield Pool(lanes, "processes of this machine", lanes.__len__, shared=True)
        finally:
            lanes.shutdown(cancel_futures=True)
        return
    from archsim.studies.workers import clusters

    if kind == "dask" and rest.startswith("//"):
        with clusters.dask(on, rest.removeprefix("//")) as found:
            yield found
    elif kind in ("slurm", "flux"):
        with clusters.jobs(on, kind, rest, most=most) as found:
            yield found
    else:
        raise _unknown(on)


def check(on: On) -> None:
    """Refuse what `pool` would refuse; no process and no job is begun, but Dask's scheduler is asked for an answer.

    Raises
    ------
    InputError, SystemFault
        As `pool`.
    """
    if isinstance(on, Executor):
        return
    kind, rest = _words(on)
    if kind in ("slurm", "flux"):
        from archsim.studies.workers import clusters

        clusters.check_jobs(on, kind, rest)
    elif kind == PROCESSES:
        _number(on, rest)
    else:
        with pool(on, most=1):
            pass


def check_words(on: str) -> None:
    """Refuse what is none of `PLACES`; whether anything answers there is not asked.

    Raises
    ------
    InputError
        As `pool`.
    """
    kind, rest = _words(on)
    if kind == PROCESSES:
        _number(on, rest)
        return
    from archsim.studies.workers import clusters

    if kind not in ("slurm", "flux") and not on.startswith("dask://"):
        raise _unknown(on)
    clusters.check_words(on, kind, rest.removeprefix("//"))


def _words(on: str) -> tuple[str, str]:
    """Return what stands before the first colon, and behind it; from Python it may be no text at all."""
    if not isinstance(on, str):
        raise InputError(
            key="on", value=on, expected=f"one of {', '.join(PLACES)}, or an executor of concurrent.futures' form"
        )
    kind, _, rest = on.partition(":")
    return kind, rest


def _unknown(on: str) -> InputError:
    return InputError(key="--on", value=on, expected=f"one of {', '.join(PLACES)}", hint=nearest(_words(on)[0], PLACES))


def soon(on: On) -> None:
    """Let what processes of this machine are forked from begin its imports, if a study will ask for them.

    A command says so before its own imports and its plan, which another core does meanwhile.
    """
    if isinstance(on, str) and on.partition(":")[0] == PROCESSES and cores() > 1:
        prepared()


def _number(on: str, told: str) -> int:
    if on == PROCESSES:
        return cores()
    if not told.isdecimal() or int(told) < 1:
        raise InputError(key="--on", value=on, expected=f"a number of processes from 1 on, such as {PROCESSES}:4")
    return int(told)


def given(executor: Executor) -> Pool:
    """Return an executor of the caller's as a pool; those of the standard library run on this machine."""
    home = type(executor).__module__.partition(".")[0]
    if home in ("distributed", "executorlib"):
        from archsim.studies.workers import clusters

        return {"distributed": clusters.of_dask, "executorlib": clusters.of_executorlib}[home](executor)
    workers = getattr(executor, "_max_workers", None) or _UNKNOWN
    shared = isinstance(executor, ThreadPoolExecutor | ProcessPoolExecutor)
    return Pool(executor, type(executor).__name__, lambda: AHEAD * workers, shared=shared)
