"""The chip's clock, resources that cost no event while they are free, and joining of parallel work.

The clock is SimPy's environment in whole picoseconds with one addition: a process that holds while nothing else can
happen moves the clock itself. The schedule is the same to the picosecond (a test runs both ways); only the event that
nobody else could have noticed is not made.

Work can also be done ahead of its time: onto a tape, while the clock stands still (`archsim.hardware.tape`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import simpy

from archsim.base.errors import ModelError
from archsim.base.verbs import Work

T = TypeVar("T")


class Taping(Protocol):
    """What notes the time that work would take, and in which slots, while the clock stands still."""

    def hold(self, ps: int, once_ps: int = 0) -> object:
        """Note that time passes; return what the work is to yield in place of an event."""

    def take(self, slot: Slot, by: str) -> None:
        """Note that a slot is taken."""

    def give(self, slot: Slot) -> None:
        """Note that it is given back."""

    def together(self, work: Sequence[Work[Any]]) -> list[Any]:
        """Do work that goes side by side, and return the results."""

    def note(self, slot: Slot, booked: Any, *, instant: bool) -> None:
        """Note what a slot's unit books, with the holding of its slot or by itself (for whoever looks on)."""


class Clock(simpy.Environment):
    """A SimPy environment that counts its events and lets a lone process pass time without one.

    Parameters
    ----------
    now_ps : int
    eager : bool
        False makes an event of every hold.

    Attributes
    ----------
    tape : Taping or None
        While there is one the clock stands still, slots are always free, and the tape notes what is asked of both.
    """

    def __init__(self, now_ps: int = 0, *, eager: bool = True) -> None:
        super().__init__(initial_time=now_ps)
        self._now: int = now_ps
        self.eager = eager
        self.holds = 0
        self.events = 0
        self.tape: Taping | None = None
        self._branches = 0
        self._spawned: dict[simpy.Event, None] = {}

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

    def timeout(self, delay: float = 0, value: Any = None) -> Any:
        """Return the event of so many picoseconds, a whole number, having passed."""
        return simpy.Timeout(self, delay, value) if self.tape is None else self.tape.hold(int(delay))

    def pause(self, ps: int, once_ps: int) -> Any:
        """Return a timeout of which a part passes once, into however many parts the work is cut."""
        return simpy.Timeout(self, ps) if self.tape is None else self.tape.hold(ps, once_ps)

    def spawn(self, work: Work[Any]) -> None:
        """Start work that nobody waits for; it is `unfinished` until it ends, and what it raises ends the run."""
        process = self.process(work)
        self._spawned[process] = None
        process.callbacks.append(self._ended)

    def _ended(self, process: simpy.Event) -> None:
        del self._spawned[process]

    @property
    def unfinished(self) -> int:
        """How much of what was spawned has not ended."""
        return len(self._spawned)

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

    def together(self, work: Sequence[Work[Any]]) -> Work[list[Any]]:
        """Run generators side by side and return their results in order, when the last has finished.

        The same as one SimPy process each joined by `all_of`, at a fraction of its price. What one of them raises is
        raised here at that moment, and the others are closed.
        """
        if self.tape is not None:
            return self.tape.together(work)
        if len(work) == 1:
            return [(yield from work[0])]
        join = _Join(self, len(work))
        self._branches += 1
        try:
            for index, generator in enumerate(work):
                _Strand(generator, index, join).step(None)
            yield join.done
        finally:
            self._branches -= 1
            join.over = True
            for generator in work:
                generator.close()
        return join.results


class _Strand:
    """A generator driven by its own events, without a SimPy process around it."""

    __slots__ = ("_generator", "_index", "_join")

    def __init__(self, generator: Work[Any], index: int, join: _Join) -> None:
        self._generator, self._index, self._join = generator, index, join

    def step(self, event: simpy.Event | None) -> None:
        """Go on to the next event that is still to come; an event that failed raises its exception in the generator."""
        if self._join.over:
            return
        while True:
            try:
                if event is None:
                    target = self._generator.send(None)
                elif event.ok:
                    target = self._generator.send(event.value)
                else:
                    event.defused = True
                    failure: Any = event.value
                    target = self._generator.throw(failure)
            except StopIteration as stop:
                self._join.arrive(self._index, stop.value)
                return
            except BaseException as error:  # noqa: BLE001  as in SimPy's own processes: whoever waits gets it
                self._join.fail(error)
                return
            if target.callbacks is not None:
                target.callbacks.append(self.step)
                return
            event = target


class _Join:
    """Counts strands down and succeeds with the last, or fails with the first that raises."""

    __slots__ = ("_missing", "done", "over", "results")

    def __init__(self, clock: Clock, count: int) -> None:
        self.done = clock.event()
        self.results: list[Any] = [None] * count
        self.over = False
        self._missing = count

    def arrive(self, index: int, value: object) -> None:
        """Note a strand's result."""
        self.results[index] = value
        self._missing -= 1
        if not self._missing:
            self.done.succeed()

    def fail(self, error: Any) -> None:
        """Pass on what a strand raised; the others go no further."""
        self.over = True
        self.done.fail(error)


class Watcher(Protocol):
    """Whoever looks on while slots are taken and given back; it changes nothing."""

    def took(self, slot: Slot, by: str, since_ps: int) -> None:
        """See a slot taken, now, by someone who asked for it at `since_ps`."""

    def gave(self, slot: Slot) -> None:
        """See a slot given back."""

    def did(self, slot: Slot, booked: Sequence[Any], part: float, *, holds: bool) -> None:
        """See a part of what was booked ahead of its time done now, by whoever holds the slot, or by nobody."""


class Slot:
    """A server, granted first come, first served.

    Granting a free server makes no event (SimPy's own resource makes one for the request and one for the release); a
    busy one makes the one event that the waiting process needs.

    Use::

        if not slot.take():
            yield from slot.wait()
        try:
            ...
        finally:
            slot.give()

    or `yield from slot.during(work)`. A unit that uses another's server says its own name: `slot.take(name)`,
    `slot.wait(name)`.
    """

    __slots__ = ("_clock", "_waiting", "name", "taken", "waited_ps", "watcher")

    def __init__(self, clock: Clock, name: str) -> None:
        self._clock, self.name, self.taken = clock, name, False
        self._waiting: deque[tuple[simpy.Event, int, str]] = deque()
        self.waited_ps = 0
        self.watcher: Watcher | None = None

    def take(self, by: str = "") -> bool:
        """Take the server if it is free, or return False."""
        if self._clock.tape is not None:
            self._clock.tape.take(self, by)
            return True
        if self.taken:
            return False
        self.taken = True
        if self.watcher is not None:
            self.watcher.took(self, by, self._clock.now)
        return True

    def wait(self, by: str = "") -> Work[None]:
        """Wait in the queue until the server has been taken for the caller; who is stopped while waiting leaves it."""
        asked = self._clock.event(), self._clock.now, by
        self._waiting.append(asked)
        try:
            yield asked[0]
        except BaseException:
            if asked in self._waiting:
                self._waiting.remove(asked)
            else:
                self.give()
            raise

    def during(self, work: Work[T], by: str = "") -> Work[T]:
        """Take the server, do the work, give the server back however that ends, and return the work's result."""
        if not self.take(by):
            yield from self.wait(by)
        try:
            return (yield from work)
        finally:
            self.give()

    def give(self) -> None:
        """Give the server back; the first in the queue gets it at this very picosecond.

        Raises
        ------
        ModelError
            If it was not taken.
        """
        if self._clock.tape is not None:
            self._clock.tape.give(self)
            return
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
