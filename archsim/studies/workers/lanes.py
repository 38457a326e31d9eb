"""Processes of this machine, each a lane of its own: one that dies takes its own task along, and no other.

On Linux they are forked from one process that has imported what a training needs, which takes most of a start; it
begins when the first pool is opened and ends with the program. Elsewhere each imports it for itself.

Light on purpose, as `perform`: a worker imports this module before NumPy, and with it the number of its threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from types import ModuleType
from typing import Any

from archsim.studies.workers.perform import THREADS

READY = ("archsim.studies.workers.quiet", "archsim.studies.workers.ready")
"""What the process imports that workers are forked from."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(eq=False)
class _Lane:
    """A pool of one process; it ends when the parent's end of the pipe closes, however that happens."""

    pool: ProcessPoolExecutor
    parent: Connection
    busy: int = 0
    broken: bool = False

    def close(self, *, wait: bool) -> None:
        self.parent.close()
        self.pool.shutdown(wait=wait, cancel_futures=True)


class Lanes(Executor):
    """An executor of so many processes, begun when they are needed; a task goes to the one with the least to do.

    Processes see the environment as it is when they begin. At the end, or when the program ends in whatever way, they
    end at once: what they were doing is lost.
    """

    def __init__(self, number: int) -> None:
        self._lanes: list[_Lane | None] = [None] * number
        self._lock = threading.Lock()
        self._context = prepared()

    def __len__(self) -> int:
        return len(self._lanes)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Give a task to a lane; one whose process has died gets a new one first."""
        with self._lock:
            place = min(range(len(self._lanes)), key=self._busy)
            lane = self._lanes[place]
            if lane is None or lane.broken:
                lane = self._lanes[place] = self._renewed(lane)
            try:
                future = lane.pool.submit(function, *args, **kwargs)
            except BrokenProcessPool:  # it died with nothing to do
                lane = self._lanes[place] = self._renewed(lane)
                future = lane.pool.submit(function, *args, **kwargs)
            lane.busy += 1
        future.add_done_callback(lambda ended: self._free(lane, ended))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all processes at once."""
        del cancel_futures
        for lane in self._lanes:
            if lane:
                lane.close(wait=wait)

    def _busy(self, place: int) -> int:
        lane = self._lanes[place]
        return lane.busy if lane else 0

    def _free(self, lane: _Lane, ended: Future[Any]) -> None:
        with self._lock:
            lane.busy -= 1
        if not ended.cancelled() and isinstance(ended.exception(), BrokenProcessPool):
            lane.broken = True

    def _renewed(self, before: _Lane | None) -> _Lane:
        if before:
            before.close(wait=False)
        child, parent = multiprocessing.Pipe(duplex=False)
        pool = ProcessPoolExecutor(1, mp_context=self._context, initializer=_begin, initargs=(child, dict(os.environ)))
        with _no_program():
            pool.submit(int)  # the process begins here
        child.close()
        return _Lane(pool, parent)


@contextmanager
def _no_program() -> Iterator[None]:
    """Keep the program's own module from processes that begin here: none of their tasks needs it.

    Spawning would import it again, which takes time, and ends in an error where a script says what it does at its top.
    """
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def prepared() -> BaseContext:
    """Return how processes begin, and let the one that they are forked from begin its imports."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(READY))
    before = dict(os.environ)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ["PYTHONPATH"] = os.pathsep.join(path or "." for path in sys.path)
    try:
        with _no_program():
            forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return context


def _begin(alive: Connection, environment: dict[str, str]) -> None:
    """Leave Ctrl-C to the parent, which ends the process; end with the parent, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(environment, **dict.fromkeys(THREADS, "1"))
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()


def _end_with(alive: Connection) -> None:
    """End the process when the other end of the pipe closes, by the parent or because it is no more."""
    alive.poll(None)
    os._exit(1)
