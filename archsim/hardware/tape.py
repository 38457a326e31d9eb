"""Work done ahead of its time, onto a tape that keeps how long it takes in which slots; and its parts played later.

What a batch computes does not hang on when each of its samples is worked on, but when does hang on what is counted. So
a call is done once for the whole batch while the clock stands still, and its time is played afterwards, a part for each
micro-burst of samples, on the very slots that the units contend for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from archsim.base.errors import ModelError
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock, Slot

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """The samples of a batch from `begin` up to `end`, of `whole`; parts that follow each other add up to the whole."""

    begin: int
    end: int
    whole: int

    @property
    def share(self) -> float:
        """Of the whole."""
        return (self.end - self.begin) / self.whole

    def of(self, hold: Hold) -> int:
        """Return the part of a time [ps]: all of what passes once, and its share of the rest."""
        rest = hold.ps - hold.once_ps
        return hold.once_ps + rest * self.end // self.whole - rest * self.begin // self.whole


WHOLE = Part(0, 1, 1)


@dataclass(frozen=True, slots=True)
class Hold:
    """Time that passes [ps], and the part of it that passes however little of the work there is."""

    ps: int
    once_ps: int = 0


@dataclass(slots=True, eq=False)
class Kept:
    """A slot, what is done while it is held, and what was booked by its unit (for whoever looks on)."""

    slot: Slot
    by: str
    inside: list[Node] = field(default_factory=list)
    booked: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Beside:
    """Strands that go side by side."""

    strands: list[list[Node]]


@dataclass(slots=True, eq=False)
class Instant:
    """What a unit booked without holding its slot."""

    slot: Slot
    booked: list[Any]


Node = Hold | Kept | Beside | Instant


class Tape:
    """What some work took: a tree of holds. Filled by `taped`."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._lists: list[list[Node]] = [self.nodes]
        self._open: list[Kept] = []
        self._last: dict[Slot, Kept] = {}

    # --- what the clock and slots call ----------------------------------------------------------------------------
    def hold(self, ps: int, once_ps: int = 0) -> Tape:
        """Note that time passes."""
        if ps:
            self._lists[-1].append(Hold(ps, once_ps))
        return self

    def take(self, slot: Slot, by: str) -> None:
        """Note that a slot is taken."""
        kept = Kept(slot, by)
        self._lists[-1].append(kept)
        self._lists.append(kept.inside)
        self._open.append(kept)

    def give(self, slot: Slot) -> None:
        """Note that the slot that was taken last is given back.

        Raises
        ------
        ModelError
            If it is another one.
        """
        if not self._open or self._open[-1].slot is not slot:
            raise ModelError(f"{slot.name}: given back ahead of its time, but not the last that was taken")
        self._last[slot] = self._open.pop()
        self._lists.pop()

    def together(self, work: Sequence[Work[Any]]) -> list[Any]:
        """Do strands one after the other; they are played side by side."""
        beside = Beside([[] for _ in work])
        self._lists[-1].append(beside)
        results = []
        for strand, each in zip(beside.strands, work, strict=True):
            self._lists.append(strand)
            results.append(self.drive(each))
            self._lists.pop()
        return results

    # --- what a recorder calls ------------------------------------------------------------------------------------
    def note(self, slot: Slot, booked: Any, *, instant: bool) -> None:
        """Note a booking of a slot's unit: with the hold that is going on, or the one that just ended, or by itself."""
        kept = next((each for each in reversed(self._open) if each.slot is slot), None)
        if kept is None and (last := self._last.get(slot)) is not None and not last.booked:
            kept = last
        if kept is None or instant:
            self._lists[-1].append(Instant(slot, [booked]))
        else:
            kept.booked.append(booked)

    # --- filling --------------------------------------------------------------------------------------------------
    def drive(self, work: Work[T]) -> T:
        """Do some work to its end and return its result.

        Raises
        ------
        ModelError
            If it waits for anything but time and slots.
        """
        try:
            while True:
                if (event := next(work)) is not self:
                    raise ModelError(f"work ahead of its time waits for {event}")
        except StopIteration as stop:
            result: T = stop.value
            return result


def taped(clock: Clock, work: Work[T]) -> tuple[T, Tape]:
    """Do some work while the clock stands still; return its result and what it would have taken."""
    tape = Tape()
    eager, clock.eager, clock.tape = clock.eager, False, tape
    try:
        return tape.drive(work), tape
    finally:
        clock.eager, clock.tape = eager, None


def play(clock: Clock, nodes: Sequence[Node], part: Part) -> Work[None]:
    """Let the time of a part of taped work pass, in the slots that it takes."""
    for node in nodes:
        if isinstance(node, Hold):
            if (ps := part.of(node)) and not clock.passes(ps):
                yield clock.timeout(ps)
        elif isinstance(node, Kept):
            slot = node.slot
            if not slot.take(node.by):
                yield from slot.wait(node.by)
            try:
                if slot.watcher is not None:
                    slot.watcher.did(slot, node.booked, part.share, holds=True)
                yield from play(clock, node.inside, part)
            finally:
                slot.give()
        elif isinstance(node, Beside):
            yield from clock.together([play(clock, strand, part) for strand in node.strands])
        elif node.slot.watcher is not None:
            node.slot.watcher.did(node.slot, node.booked, part.share, holds=False)
