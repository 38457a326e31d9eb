"""Who did what when: looks on while components take their slots and book, and changes nothing.

While a recorder looks on, every hold is made an event (`Clock.eager` is off) and every tile's converters a resource, so
that nothing passes unseen; the schedule is the same to the picosecond (a test compares). Without one, a slot tests one
attribute more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from archsim.accounting.ledger import Account, Job
from archsim.base.errors import ModelError
from archsim.base.signal import Tag
from archsim.hardware.clock import Clock, Slot
from archsim.hardware.component import Component
from archsim.hardware.tile import Tile

WAITING = "waiting"
BURST = 16
"""A tile's read of more vectors is one slice, where nobody else wants its converters."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one lane did between two moments, or that it waited.

    Parameters
    ----------
    lane : str
        The unit, or the resource that units share.
    component : str
        The unit's name in the ledger; "" for a shared resource without a page of its own.
    what : str
        The job, the work or the action; `WAITING` if nothing was done.
    phase, layer : str
    begin_ps, end_ps : int
        Equal for what takes no time of its own.
    amounts : (component, action) -> amount
        What was booked for it.
    waits_for : str
        The lane whose slot was not free, while waiting.
    by : str
        The other lane: whom a shared resource serves, who holds what is waited for, for whom a unit is kept.
    """

    lane: str
    component: str
    what: str
    phase: str
    layer: str
    begin_ps: int
    end_ps: int
    amounts: Mapping[tuple[str, str], float] = field(default_factory=dict)
    waits_for: str = ""
    by: str = ""


@dataclass(slots=True, eq=False)
class _Note:
    """A booking: amounts are filled in by the component after it has asked for the row."""

    component: Component
    tag: Tag
    amounts: dict[str, float]
    job: Job | None
    at_ps: int


@dataclass(slots=True, eq=False)
class _Hold:
    """A slot between taking and giving back; `since_ps` is when it was asked for."""

    slot: Slot
    by: str
    since_ps: int
    begin_ps: int
    end_ps: int = -1
    notes: list[_Note] = field(default_factory=list)


class _Jobs(defaultdict[tuple[Tag, Job], int]):
    """Sees every job that is booked."""

    def __init__(self, note: Callable[[Tag, Job], None]) -> None:
        super().__init__(int)
        self._note = note

    def __missing__(self, key: tuple[Tag, Job]) -> int:
        return 0

    def __setitem__(self, key: tuple[Tag, Job], times: int) -> None:
        del times  # always one more
        self._note(*key)


class _Page(Account):
    """A page that notes every booking by itself; the recorder copies them to the ledger's own page."""

    __slots__ = ("_note",)

    def __init__(self, actions: Iterable[str], note: Callable[[Tag, dict[str, float], Job | None], None]) -> None:
        super().__init__(actions)
        self._note = note
        self.jobs = _Jobs(lambda tag, job: note(tag, dict(job.amounts), job))

    def row(self, tag: Tag) -> dict[str, float]:
        """Return a row of its own for this booking."""
        row: dict[str, float] = dict.fromkeys(self.actions, 0)
        self._note(tag, row, None)
        return row


class Recorder:
    """Records while its block runs: `with Recorder(clock, components, slots) as recorder: chip.run(...)`.

    Parameters
    ----------
    clock : Clock
    components : sequence of Component
        All units on the clock.
    slots : sequence of Slot
        All their resources, those that units share among them.
    by_vector : bool
        Whether a tile's read is recorded vector by vector, or as a whole.
    """

    def __init__(
        self, clock: Clock, components: Sequence[Component], slots: Iterable[Slot], *, by_vector: bool = True
    ) -> None:  # fmt: skip
        self.clock, self.components, self._by_vector = clock, list(components), by_vector
        self._slots = list(slots)
        self._units = {component.slot: component for component in self.components}
        self._open: dict[Slot, _Hold] = {}
        self._last: dict[Slot, _Hold] = {}
        self._holds: list[_Hold] = []
        self._notes: list[_Note] = []
        self._instants: list[_Note] = []
        self._pages: dict[Component, Account] = {}
        self._own: dict[Slot, Tile] = {}
        self._eager = clock.eager
        self._before: dict[Slot, list[_Hold]] = {}
        self._lanes: dict[_Hold, str] = {}

    # --- looking on -----------------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        """Begin."""
        for component in self.components:
            if self._by_vector and isinstance(component, Tile) and component.bank is None:
                component.bank = Slot(self.clock, f"{component.slot.name}: converters")
                self._own[component.bank] = component
            self._pages[component] = component.book_on(_Page(component.ACTIONS, self._noting(component)))
        for slot in (*self._slots, *self._own):
            slot.watcher = self
        self._eager, self.clock.eager = self.clock.eager, False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; book in the ledger what was noted, in the order in which it was."""
        self.clock.eager = self._eager
        for slot in (*self._slots, *self._own):
            slot.watcher = None
        for tile in self._own.values():
            tile.bank = None
        for component, page in self._pages.items():
            component.book_on(page)
        for note in self._notes:
            page = self._pages[note.component]
            if note.job is None:
                page.count(note.tag, note.amounts)
            else:
                page.jobs[note.tag, note.job] += 1

    def _noting(self, component: Component) -> Callable[[Tag, dict[str, float], Job | None], None]:
        def note(tag: Tag, amounts: dict[str, float], job: Job | None) -> None:
            self._booked(_Note(component, tag, amounts, job, self.clock.now))

        return note

    def _booked(self, note: _Note) -> None:
        """Give a booking to the hold that is going on, or to the one that just ended; else it is an instant.

        What is booked ahead of its time goes on the tape, and is done when that is played.
        """
        self._notes.append(note)
        slot = note.component.slot
        if self.clock.tape is not None:
            self.clock.tape.note(slot, note, instant=note.job is not None and note.job.hold_ps == 0)
            return
        hold = self._open.get(slot)
        if hold is None and (last := self._last.get(slot)) and last.end_ps == note.at_ps and not last.notes:
            hold = last
        if hold is None or (note.job is not None and note.job.hold_ps == 0):
            self._instants.append(note)
        else:
            hold.notes.append(note)

    def did(self, slot: Slot, booked: Sequence[_Note], part: float, *, holds: bool) -> None:
        """Note a part of what was booked ahead of its time, done now."""
        for note in booked:
            amounts = {action: amount * part for action, amount in note.amounts.items()}
            done = _Note(note.component, note.tag, amounts, note.job, self.clock.now)
            (self._open[slot].notes if holds else self._instants).append(done)

    def took(self, slot: Slot, by: str, since_ps: int) -> None:
        """Note that a slot is held from now on."""
        hold = self._open[slot] = _Hold(slot, by, since_ps, self.clock.now)
        self._holds.append(hold)

    def gave(self, slot: Slot) -> None:
        """Note that it is held no longer."""
        hold = self._last[slot] = self._open.pop(slot)
        hold.end_ps = self.clock.now

    # --- what was seen --------------------------------------------------------------------------------------------
    def lanes(self) -> list[str]:
        """Return every lane in the order of the chip: units, shared resources, queues of those who did not say who."""
        shared = [slot.name for slot in self._slots if slot not in self._units]
        return [*(slot.name for slot in self._units), *shared, *dict.fromkeys(self._queues().values())]

    def _queues(self) -> dict[_Hold, str]:
        """Return the lane of each wait of somebody who did not say who: a place in the slot's queue."""
        places: dict[Slot, list[int]] = defaultdict(list)
        found = {}
        for hold in sorted(self._holds, key=lambda hold: hold.since_ps):
            if hold.by or hold.begin_ps == hold.since_ps:
                continue
            ends = places[hold.slot]
            place = next((k for k, end_ps in enumerate(ends) if end_ps <= hold.since_ps), len(ends))
            ends[place : place + 1] = [hold.begin_ps]
            found[hold] = f"queue of {hold.slot.name}" + (f", {place + 1}" if place else "")
        return found

    def slices(self) -> list[Slice]:
        """Return everything that was done and waited for, by begin; what a lane does never overlaps.

        Raises
        ------
        ModelError
            If something is still held.
        """
        if self._open:
            raise ModelError(f"recorded while {next(iter(self._open)).name} is held")
        served: dict[str, list[_Hold]] = defaultdict(list)
        before: dict[Slot, list[_Hold]] = defaultdict(list)
        for hold in self._holds:
            before[hold.slot].append(hold)
            if hold.slot not in self._units:
                served[hold.by].append(hold)
        self._before, self._lanes = before, self._queues()
        found = [_instant(note) for note in self._instants]
        for hold in self._holds:
            unit = self._units.get(hold.slot)
            if unit is None or (hold.begin_ps == hold.end_ps and not hold.notes):
                continue
            inner = [h for h in served[hold.slot.name] if hold.begin_ps <= h.begin_ps and h.end_ps <= hold.end_ps]
            found += self._waits(hold)
            found += self._cut(unit, hold, inner) if inner and hold.notes else [self._whole(unit, hold)]
        return sorted(found, key=lambda one: (one.begin_ps, one.end_ps))

    def _whole(self, unit: Component, hold: _Hold) -> Slice:
        """Return a hold as one slice; a unit kept for another's work carries that work's labels."""
        what, tag, amounts = _merged(unit, hold)
        by = hold.by
        if tag is None:
            first, last = (  # holds stand in the order in which they began
                bisect(self._holds, at, key=lambda h: h.begin_ps)
                for bisect, at in ((bisect_left, hold.begin_ps), (bisect_right, hold.end_ps))
            )  # fmt: skip
            inside = (h for h in self._holds[first:last] if h.notes and _within(h, hold))
            other = max(inside, key=lambda h: h.end_ps - h.begin_ps, default=None)
            tag = other.notes[0].tag if other else Tag("", "")
            by = other.slot.name if other else by
            what = f"kept for {by}" if by else "kept"
        return Slice(hold.slot.name, unit.name, what, *tag, hold.begin_ps, hold.end_ps, amounts, by=by)

    def _waits(self, hold: _Hold, tag: Tag | None = None) -> Iterator[Slice]:
        """Yield the wait before a hold, if there was one."""
        if hold.begin_ps == hold.since_ps:
            return
        tag = tag or (hold.notes[0].tag if hold.notes else Tag("", ""))
        of_slot = self._before[hold.slot]
        first = bisect_right(of_slot, hold.since_ps, key=lambda h: h.begin_ps) - 1  # they follow each other
        ahead = (h for h in reversed(of_slot[: first + 1]) if h.begin_ps <= hold.since_ps < h.end_ps)
        lane = hold.by or self._lanes[hold]
        yield Slice(
            lane, "", WAITING, *tag, hold.since_ps, hold.begin_ps, waits_for=hold.slot.name,
            by=next((h.by for h in ahead), ""),
        )  # fmt: skip

    def _cut(self, unit: Component, hold: _Hold, inner: list[_Hold]) -> Iterator[Slice]:
        """Yield the parts of a tile's read: integration, waiting for the converters, conversion, vector by vector.

        A vector's share is an even one. A vector that is integrated while the one before is converted has no slice of
        its own for it; its conversion carries both. A burst of many vectors is one slice.
        """
        _, tag, amounts = _merged(unit, hold)
        tag, lane = tag or Tag("", ""), hold.slot.name
        if len(inner) > BURST and all(bank.slot in self._own for bank in inner):
            what = f"read {len(inner):,} vectors"
            yield Slice(lane, unit.name, what, *tag, hold.begin_ps, hold.end_ps, amounts, by=hold.by)
            return
        converted = {key: amount / len(inner) for key, amount in amounts.items() if key[1].startswith("adc.")}
        driven = {key: amount / len(inner) for key, amount in amounts.items() if key not in converted}
        begin = hold.begin_ps
        for bank in inner:
            own = bank.slot in self._own
            here = converted if own else {}
            if bank.since_ps > begin:
                yield Slice(lane, unit.name, "integrate", *tag, begin, bank.since_ps, driven)
            else:
                here = {**here, **driven}
            yield from self._waits(bank, tag)
            by = "" if own else bank.slot.name
            yield Slice(lane, unit.name, "convert", *tag, bank.begin_ps, bank.end_ps, here, by=by)
            if not own:
                yield Slice(by, unit.name, "convert", *tag, bank.begin_ps, bank.end_ps, converted, by=lane)
            begin = bank.end_ps


def _within(inner: _Hold, outer: _Hold) -> bool:
    return inner is not outer and outer.begin_ps <= inner.begin_ps and inner.end_ps <= outer.end_ps


def _instant(note: _Note) -> Slice:
    unit = note.component
    amounts = _amounts([note])
    return Slice(unit.slot.name, unit.name, _name(unit, note, amounts), *note.tag, note.at_ps, note.at_ps, amounts)


def _merged(unit: Component, hold: _Hold) -> tuple[str, Tag | None, dict[tuple[str, str], float]]:
    """Return the name, the labels and the amounts of a hold; no labels if nothing was booked."""
    if not hold.notes:
        return "", None, {}
    amounts = _amounts(hold.notes)
    return _name(unit, hold.notes[0], amounts), hold.notes[0].tag, amounts


def _amounts(notes: list[_Note]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for note in notes:
        for action, amount in note.amounts.items():
            if amount:
                key = note.component.name, action
                found[key] = found.get(key, 0) + amount
    return found


def _name(unit: Component, note: _Note, amounts: Mapping[tuple[str, str], float]) -> str:
    """Return the job's name, the unit's word for its work in the phase, or the first action that was booked."""
    job = note.job.name if note.job else ""
    return job or unit.WORK.get(note.tag.phase) or next((action for _, action in amounts), unit.kind)
