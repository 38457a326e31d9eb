"""What any set of components on one clock needs: running to rest, booking time and leakage, its entries and parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from archsim.accounting.area import Part
from archsim.accounting.ledger import Entry, Ledger
from archsim.base.blas import one_thread
from archsim.base.errors import ModelError
from archsim.base.signal import Tag
from archsim.base.units import picoseconds
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock, Slot
from archsim.hardware.component import Component

T = TypeVar("T")


class Times(Protocol):
    """Time figures of a technology."""

    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        """Return a time [s] by its key, of a memory's bank of a capacity [bit] where it depends on that."""


class Board(ABC):
    """Components with a clock and a ledger of their own.

    Parameters
    ----------
    times : Times
        Bound once, into whole picoseconds.
    now_ps : int
        Where the clock starts.
    """

    def __init__(self, times: Times, *, now_ps: int = 0) -> None:
        self.clock = Clock(now_ps)
        self.ledger = Ledger()
        self.times = times

    def ps(self, key: str, capacity_bit: float | None = None) -> int:
        """Return a time figure in whole picoseconds, of a memory's bank where a capacity [bit] is given."""
        return picoseconds(self.times.time_s(key, capacity_bit), key)

    @abstractmethod
    def components(self) -> Sequence[Component]:
        """Return every unit of the chip."""

    def copies(self, component: Component) -> int:
        """Return how many of a unit stand side by side, of which one is simulated."""
        del component
        return 1

    def slots(self) -> Iterable[Slot]:
        """Return every resource of the chip."""
        return (component.slot for component in self.components())

    def diagnostics(self) -> dict[str, float]:
        """Return what happened beside the ledger: picoseconds that work waited for a taken resource."""
        return {"waited_ps": sum(slot.waited_ps for slot in self.slots())}

    # --- running --------------------------------------------------------------------------------------------------
    def run(self, work: Work[T]) -> T:
        """Run a generator of the chip's events to its end and return its result; BLAS computes on one thread in it.

        Raises
        ------
        ModelError
            If it stops half-way (a deadlock) or leaves something held or queued; with who waits for what.
        """
        process = self.clock.process(work)
        with one_thread():
            self.clock.run()  # until nothing is queued any more, so that only a deadlock can leave the process alive
        restless = "; ".join(state for slot in self.slots() if (state := slot.state))
        if process.is_alive:
            raise ModelError(f"deadlock at {self.clock.now} ps: {restless or 'nothing is held'}")
        if restless:
            raise ModelError(f"not at rest after a run, at {self.clock.now} ps: {restless}")
        result: Any = process.value
        return result  # type: ignore[no-any-return]

    def book_time(self, phase: str, begin_ps: int) -> int:
        """Book the time since `begin_ps` under a phase; return now."""
        now = self.clock.now
        self.ledger.time_ps[phase] += now - begin_ps
        return now

    def settle(self) -> None:
        """Book leakage: what each unit is powered for, over all time booked so far; settling again changes nothing."""
        rates: dict[str, dict[str, float]] = {}
        for component in self.components():
            row = rates.setdefault(component.name, {})
            for action, rate in component.powered().items():
                row[action] = row.get(action, 0.0) + rate * self.copies(component)
        for phase, time_ps in self.ledger.time_ps.items():
            if time_ps:
                for name, row in rates.items():
                    amounts = {action: rate * time_ps * 1e-12 for action, rate in row.items()}
                    self.ledger.open(name, row).row(Tag(phase, "chip")).update(amounts)

    def entries(self) -> list[Entry]:
        """Return every action of the chip, once a component name."""
        return list({(e.component, e.key): e for component in self.components() for e in component.entries()}.values())

    def parts(self) -> list[Part]:
        """Return every part of the chip that takes area, summed over units of one name; running changes none of it."""
        amounts: dict[tuple[str, str], float] = {}
        kinds: dict[str, Component] = {}
        for component in self.components():
            kinds[component.name] = component
            for name, amount in component.parts().items():
                whole = amount * self.copies(component)
                amounts[component.name, name] = amounts.get((component.name, name), 0) + whole
        return [
            Part(component, f"{unit.kind}.{name}", amount, unit.PARTS[name].unit, unit.PARTS[name].part)
            for (component, name), amount in amounts.items()
            for unit in [kinds[component]]
        ]
