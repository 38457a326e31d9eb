"""Jobs of a study: what is not known yet is done, what comes back is kept at once, and a table grows with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from archsim.base.errors import ArchsimError, SystemFault
from archsim.base.progress import Counted
from archsim.studies.sweeps.store import Pace, Store, owned
from archsim.studies.workers.finished import Finished, Task, finished
from archsim.studies.workers.pool import Pool

_RECENT = 64
"""Outcomes that are kept in memory: thousands would fill it."""


class Job(Protocol):
    """One thing to be done: under which key its outcome is kept, and what it is in words."""

    @property
    def key(self) -> str:
        """The hash of all that decides its outcome."""

    @property
    def named(self) -> str:
        """It in words."""


J = TypeVar("J", bound=Job)


class Jobs:
    """The jobs of a study. Sole owner of what is known of them.

    Parameters
    ----------
    store : Store
    write : callable
        Writes the table as far as it is known; called now and then.
    """

    def __init__(self, store: Store, write: Callable[[], object]) -> None:
        self.store, self._write = store, write
        self._unkept: dict[str, dict[str, Any]] = {}
        self._recent: dict[str, dict[str, Any]] = {}
        self._pace = Pace()
        self._count = 0

    def get(self, key: str) -> dict[str, Any] | None:
        """Return what came of a job: its "state", "done" or "failed", beside what it gave or the reason; or None."""
        if (found := self._unkept.get(key) or self._recent.pop(key, None) or self.store.get(key)) is not None:
            self._recent[key] = found  # the baseline is asked for again and again, most others once
            if len(self._recent) > _RECENT:
                del self._recent[next(iter(self._recent))]
        return found

    def missing(self, jobs: Iterable[J]) -> list[J]:
        """Return those of which nothing is known."""
        return [job for job in jobs if self.get(job.key) is None]

    def from_zero(self) -> None:
        """Count what is done from 0 again."""
        self._count = 0

    def do(
        self, jobs: Sequence[J], task: Callable[[J], Task], place: Pool, done: Counted, *,
        told: Callable[[J, Any], Mapping[str, Any]] = lambda _, value: value, later: int = 0,
    ) -> None:  # fmt: skip
        """Do jobs and keep what comes of each.

        Parameters
        ----------
        jobs
        task : callable
            Gives the task of a job: it is made when it is sent, for a thousand of them are not to be held.
        place : where tasks run
        done : called with what is finished, how many are, and how many there are
        told : callable
            Says of a job and of what its task returned what is kept.
        later : int
            How many jobs are known to follow these.
        """
        by_key = {job.key: job for job in jobs}
        due = self._count + len(jobs) + later
        for came in finished(((job.key, task(job)) for job in jobs), place):
            job = by_key[came.name]
            self._keep(came, {} if came.error is not None else told(job, came.value))
            self._count += 1
            done(job.named, self._count, due)
            if self._pace.due():
                begin = time.monotonic()
                self._write()
                self._pace.took(begin)

    def _keep(self, came: Finished, told: Mapping[str, Any]) -> None:
        """Keep what came; what the inputs are not to blame for is done again by the same command."""
        error, by = came.error, {"seconds": came.seconds, "by": came.by}
        if error is None:
            self.store.put(came.name, {"state": "done", **told, **by})
            return
        own = isinstance(error, ArchsimError)
        content = {"state": "failed", "reason": str(error) if own else f"{type(error).__name__}: {error}", **by}
        if own and not isinstance(error, SystemFault):
            self.store.put(came.name, content)
        else:
            self._unkept[came.name] = content


@contextmanager
def begun(path: Path, definition: Mapping[str, Any]) -> Iterator[Store]:
    """Begin a study in a directory, or go on with the same one; whatever ends it, its state is written.

    Raises
    ------
    InputError
        If the directory cannot be used, or another process writes there.
    """
    with owned(path, definition), Store(path, definition).begun() as store:
        state = "partial"
        try:
            yield store
            state = "finished"
        finally:
            store.mark(state)
