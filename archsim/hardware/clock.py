"""The chip's clock, resources that cost no event while they are free, and joining of parallel work.

The clock is SimPy's environment in whole picoseconds with one addition: a process that holds while nothing else can
happen moves the clock itself. The schedule is the same to the picosecond (a test runs both ways); only the event that
nobody else could have noticed is not made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from typing import Any, Protocol

import simpy

from archsim.base.errors import ModelError


class Clock(simpy.Environment):
    """A SimPy environment that counts its events and lets a lone process pass time without one.

    Parameters
    ----------
    now_ps : int
    eager : bool
        False makes an event of every hold.
    """

    def __init__(self, now_ps: int = 0, *, eager: bool = True) -> None:
        super().__init__(initial_time=now_ps)
        self._now: int = now_ps
        self.eager = eager
        self.holds = 0
        self.events = 0
        self._branches = 0

    @property
    def now(self) -> int:
        """The time [ps]."""
        return self._now

    def passes(self, ps: int) -> bool:
        """Move the clock by `ps` and return True if nothing else can happen until then; else return False.

        Use::

            if not clock.passes(ps):
                yield clock.timeout(ps)
        """
        self.holds += 1
        if self._branches or not self.eager:
            return False
        then = self._now + ps
        if self._queue and self._queue[0][0] <= then:
            return False
        self._now = then
        return True

    def schedule(self, event: simpy.Event, priority: Any = simpy.events.NORMAL, delay: Any = 0) -> None:
        """Schedule an event as SimPy does, and count it."""
        self.events += 1
        super().schedule(event, priority, delay)

    def step(self) -> None:
        """Process the next event; while it wakes more than one, none of them may move the clock by itself."""
        many = bool(self._queue) and len(self._queue[0][-1].callbacks or ()) > 1
        self._branches += many
        try:
            super().step()
        finally:
            self._branches -= many

    def together(self, work: Sequence[Generator[Any, Any, Any]]) -> Generator[Any, Any, list[Any]]:
        """Run generators side by side and return their results in order, when the last has finished.

        The same as one SimPy process each joined by `all_of`, at a fraction of its price.
        """
        if len(work) == 1:
            return [(yield from work[0])]
        join = _Join(self, len(work))
        self._branches += 1
        for index, generator in enumerate(work):
            _Strand(generator, index, join).step(None)
        yield join.done
        self._branches -= 1
        return join.results


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
    """Counts strands down and succeeds with the last."""

    __slots__ = ("_missing", "done", "results")

    def __init__(self, clock: Clock, count: int) -> None:
        self.done = clock.event()
        self.results: list[Any] = [None] * count
        self._missing = count

    def arrive(self, index: int, value: object) -> None:
        """Note a strand's result."""
        self.results[index] = value
        self._missing -= 1
        if not self._missing:
            self.done.succeed()


class Watcher(Protocol):
    """Whoever looks on while slots are taken and given back; it changes nothing."""

    def took(self, slot: Slot, by: str, since_ps: int) -> None:
        """See a slot taken, now, by someone who asked for it at `since_ps`."""

    def gave(self, slot: Slot) -> None:
        """See a slot given back."""


class Slot:
    """A server, granted first come, first served.

    Granting a free server makes no event (SimPy's own resource makes one for the request and one for the release); a
    busy one makes the one event that the waiting process needs.

    Use::

        if not slot.take():
            yield slot.wait()
        ...
        slot.give()

    A unit that uses another's server says its own name: `slot.take(name)`, `slot.wait(name)`.
    """

    __slots__ = ("_clock", "_waiting", "name", "taken", "waited_ps", "watcher")

    def __init__(self, clock: Clock, name: str) -> None:
        self._clock, self.name, self.taken = clock, name, False
        self._waiting: deque[tuple[simpy.Event, int, str]] = deque()
        self.waited_ps = 0
        self.watcher: Watcher | None = None

    def take(self, by: str = "") -> bool:
        """Take the server if it is free, or return False."""
        if self.taken:
            return False
        self.taken = True
        if self.watcher is not None:
            self.watcher.took(self, by, self._clock.now)
        return True

    def wait(self, by: str = "") -> simpy.Event:
        """Return the event at which the server will have been taken for the caller."""
        turn = self._clock.event()
        self._waiting.append((turn, self._clock.now, by))
        return turn

    def give(self) -> None:
        """Give the server back; the first in the queue gets it at this very picosecond.

        Raises
        ------
        ModelError
            If it was not taken.
        """
        if self.watcher is not None:
            self.watcher.gave(self)
        if self._waiting:
            turn, since, by = self._waiting.popleft()
            self.waited_ps += self._clock.now - since
            if self.watcher is not None:
                self.watcher.took(self, by, since)
            turn.succeed()
        elif self.taken:
            self.taken = False
        else:
            raise ModelError(f"{self.name}: given back but not taken")

    @property
    def state(self) -> str | None:
        """Say that the server is held and how many wait for it, or None if it is at rest."""
        if not self.taken:
            return None
        return f"{self.name} is held, {len(self._waiting)} waiting"
