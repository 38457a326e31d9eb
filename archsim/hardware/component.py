"""What all components have in common: a slot, declared actions, counting."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import ClassVar, TypeVar

from archsim.accounting.circuits import Circuit, PartKind
from archsim.accounting.ledger import Account, Action, Entry, Job, Ledger
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock, Slot

T = TypeVar("T")
CONTROL = {
    "control.cycle": Action(
        "one busy cycle of control and clock", "control and clock", part="control and clock", circuit="logic"
    ),
    "logic.powered": Action(
        "the unit's logic powered for a second", "control and clock", "s", part="control and clock", circuit="leakage"
    ),
}
"""What every digital unit declares of its control."""


def fp32(function: str) -> dict[str, Action]:
    """Return what lanes of 32-bit floating point do, for a function of the account: "add" and "multiply"."""
    return {
        name: Action(
            f"one 32-bit floating-point {what}", function, part="arithmetic", circuit="logic", row=f"fp32.{name}"
        )
        for name, what in (("add", "addition"), ("multiply", "multiplication"))
    }


def memory(name: str, function: str, part: str, *, of: str, one: str, written: str = "") -> dict[str, Action]:
    """Return what a memory within a unit does: "NAME.read", "NAME.write", and "NAME.powered", a bit of it for a second.

    Parameters
    ----------
    name : str
    function : str
        Of the account.
    part : str
        Of the chip, for charts.
    of : str
        The memory, in words.
    one, written : str
        What one access reads, and what it writes if that is something else.
    """
    powered = f"one bit of {of} powered for a second"
    return {
        f"{name}.read": Action(f"{one} read", function, part=part, circuit="memory"),
        f"{name}.write": Action(f"{written or one} written", function, part=part, circuit="memory"),
        f"{name}.powered": Action(powered, function, "bit*s", part=part, circuit="leakage"),
    }


class Component:
    """A unit of the chip on its clock.

    A subclass names its `kind`, declares its `ACTIONS` and counts exactly these; it declares the `PARTS` that take
    area, each with the unit of its amount ("" for a plain count, "bit" for a memory), and says in `parts` how many.
    `WORK` names, by phase, what it does other than jobs, for the time line. Units of one name share one page of the
    ledger: all tiles of a chip are booked under "tile".

    Parameters
    ----------
    clock : Clock
        The chip's clock, in whole picoseconds.
    ledger : Ledger
    name : str
        The component's name in the ledger.
    label : str
        The instance's own name, for the time line and for errors; the component's name if not given.
    """

    kind: str
    ACTIONS: ClassVar[dict[str, Action]]
    PARTS: ClassVar[dict[str, PartKind]] = {}
    TIMES: ClassVar[dict[str, Circuit]] = {}
    WORK: ClassVar[dict[str, str]] = {}

    def __init__(self, clock: Clock, ledger: Ledger, name: str, *, label: str | None = None) -> None:
        self.clock, self.name = clock, name
        self.slot = Slot(clock, label or name)
        self._account = ledger.open(name, self.ACTIONS)
        self._jobs: dict[Hashable, Job] = {}

    def job(
        self, key: Hashable, hold_ps: int, amounts: Mapping[str, float], *, name: str = "", once_ps: int = 0
    ) -> Job:  # fmt: skip
        """Keep a job under a key of its size, and return it; its name, if not given, is the first word of the key."""
        name = name or (str(key[0]) if isinstance(key, tuple) else "")
        counted = {action: amount for action, amount in amounts.items() if amount}
        made = self._jobs[key] = Job(hold_ps, counted, name, once_ps)
        return made

    def book_on(self, page: Account) -> Account:
        """Book on another page from now on; return the one so far."""
        before, self._account = self._account, page
        return before

    def count(self, tag: Tag, amounts: Mapping[str, float]) -> None:
        """Count amounts of declared actions that depend on data."""
        self._account.count(tag, amounts)

    def perform(self, job: Job, tag: Tag, result: T) -> Work[T]:
        """Take the slot, hold for the job's time, book it, and return the result that the job stands for.

        While the slot is free and nothing else can happen meanwhile, nobody could see it taken: it is left alone.
        """
        if self.slot.taken or not self.clock.passes(job.hold_ps):
            if not self.slot.take():
                yield from self.slot.wait()
            try:
                yield self.clock.pause(job.hold_ps, job.once_ps)
                self._account.jobs[tag, job] += 1
            finally:
                self.slot.give()
        else:
            self._account.jobs[tag, job] += 1
        return result

    def hold(self, ps: int) -> Work[None]:
        """Take the slot for so long."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            yield self.clock.timeout(ps)
        finally:
            self.slot.give()

    def entries(self) -> list[Entry]:
        """Return every declared action with the sizes its cost law may need."""
        return [
            Entry(self.name, f"{self.kind}.{name}", action, self.sizes(name), tuple(self.TIMES))
            for name, action in self.ACTIONS.items()
        ]

    def sizes(self, action: str) -> dict[str, float]:
        """Return the sizes of an action, in SI, by the names that cost laws know."""
        del action
        return {}

    def powered(self) -> dict[str, float]:
        """Return the amount each leakage action grows by in one second (its unit is per second less)."""
        return {}

    def parts(self) -> dict[str, float]:
        """Return the amount of each of the unit's `PARTS`; it follows from the architecture, not from what is done."""
        return {}
