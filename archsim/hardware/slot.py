"""Resources that cost no event while they are free, and joining of parallel work."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from typing import Any

import simpy

from archsim.base.errors import ModelError


class Slot:
    """One or more equal servers, granted first come, first served.

    Granting a free server makes no event (SimPy's own resource makes one for the request and one for the release, which
    is half of the time of a step); a busy one makes the one event that the waiting process needs.

    Use::

        if not slot.take():
            yield slot.wait()
        ...
        slot.give()
    """

    __slots__ = ("_env", "_waiting", "free", "name", "servers", "waited_ps")

    def __init__(self, env: simpy.Environment, name: str, servers: int = 1) -> None:
        self._env, self.name, self.servers, self.free = env, name, servers, servers
        self._waiting: deque[tuple[simpy.Event, int]] = deque()
        self.waited_ps = 0

    def take(self) -> bool:
        """Take a free server now, or return False."""
        if self.free:
            self.free -= 1
            return True
        return False

    def wait(self) -> simpy.Event:
        """Return the event at which a server will have been taken for the caller."""
        turn = self._env.event()
        self._waiting.append((turn, self._env.now))
        return turn

    def give(self) -> None:
        """Give a server back; the first in the queue gets it at this very picosecond."""
        if self._waiting:
            turn, since = self._waiting.popleft()
            self.waited_ps += self._env.now - since
            turn.succeed()
        else:
            if self.free == self.servers:
                raise ModelError(f"{self.name}: given back more often than taken")
            self.free += 1

    @property
    def state(self) -> str | None:
        """Say who is held or waited for, or None if the slot is at rest."""
        if self.free == self.servers and not self._waiting:
            return None
        return f"{self.name}: {self.servers - self.free} of {self.servers} taken, {len(self._waiting)} waiting"


class _Strand:
    """A generator driven by its own events, without a SimPy process around it."""

    __slots__ = ("_generator", "_index", "_join")

    def __init__(self, generator: Generator[Any, Any, Any], index: int, join: _Join) -> None:
        self._generator, self._index, self._join = generator, index, join

    def step(self, event: simpy.Event | None) -> None:
        """Go on to the next event that is still to come."""
        value = None if event is None else event.value
        while True:
            try:
                target = self._generator.send(value)
            except StopIteration as stop:
                self._join.arrive(self._index, stop.value)
                return
            if target.callbacks is not None:
                target.callbacks.append(self.step)
                return
            value = target.value


class _Join:
    __slots__ = ("_missing", "done", "results")

    def __init__(self, env: simpy.Environment, count: int) -> None:
        self.done = env.event()
        self.results: list[Any] = [None] * count
        self._missing = count

    def arrive(self, index: int, value: object) -> None:
        self.results[index] = value
        self._missing -= 1
        if not self._missing:
            self.done.succeed()


def together(
    env: simpy.Environment, work: Sequence[Generator[Any, Any, Any]]
) -> Generator[Any, Any, list[Any]]:
    """Run generators side by side and return their results in order, when the last has finished.

    The same as one SimPy process each joined by `all_of`, at a tenth of the price (measured 5 against 53 us for four).
    """
    if len(work) == 1:
        return [(yield from work[0])]
    join = _Join(env, len(work))
    for index, generator in enumerate(work):
        _Strand(generator, index, join).step(None)
    yield join.done
    return join.results
