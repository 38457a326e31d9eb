"""What all chips share: the clock, the ledger, the digital unit, the way in, and the check that all is at rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, Self, TypeVar

from archsim.accounting.ledger import Entry, Ledger
from archsim.base.errors import DoesNotFitError, ModelError
from archsim.base.signal import Signal, Tag
from archsim.base.units import picoseconds
from archsim.base.verbs import Work
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture
from archsim.hardware.bus import Bus, HostLink
from archsim.hardware.clock import Clock, Slot
from archsim.hardware.component import Component
from archsim.hardware.digital_unit import DigitalUnit
from archsim.hardware.sram import Sram
from archsim.learning.network import Network

T = TypeVar("T")


class Times(Protocol):
    """Time figures of a technology."""

    def time_s(self, key: str) -> float:
        """Return a time [s] by its key."""


class Chip(ABC):
    """A chip on its own clock. Subclasses build their units and implement the verbs (`archsim.base.verbs`).

    Parameters
    ----------
    architecture : Architecture
    network : Network
        Whose weights the chip holds.
    times : Times
        Bound once, into whole picoseconds.
    now_ps : int
        Where the clock starts.

    Raises
    ------
    DoesNotFitError
        If the signal buffer does not hold what one sample needs between its forward pass and its update.
    """

    SCHEMA: type[Architecture]

    def __init__(self, architecture: Architecture, network: Network, times: Times, *, now_ps: int = 0) -> None:
        self.clock = Clock(now_ps)
        self.ledger = Ledger()
        self.network, self.times, self.architecture = network, times, architecture
        bus, host, unit = architecture.bus, architecture.host, architecture.digital_unit
        self.input_bits = host.input_bits
        demand = sum(layer.shape[0] + 2 * layer.units for layer in network.layers)
        if demand > unit.buffer_words:
            raise DoesNotFitError(
                f"one sample's signals (inputs, sums and outputs of each layer) take {demand} words of the buffer, "
                f"it has {unit.buffer_words}: {demand - unit.buffer_words} short",
                key="digital_unit.buffer_words", expected=f"at least {demand} words",
                hint=f"--set digital_unit.buffer_words={demand} makes it fit",
            )  # fmt: skip
        self.bus = Bus(
            self.clock, self.ledger, "bus", width_bit=bus.width, cycle_ps=self.ps("bus.cycle"),
            arbitration_cycles=bus.arbitration_cycles, length_m=bus.length,
        )  # fmt: skip
        self.host = HostLink(
            self.clock, self.ledger, "host", width_bit=host.width, cycle_ps=self.ps("host.cycle"),
            arbitration_cycles=0, length_m=0.0,
        )  # fmt: skip
        self.digital_unit = DigitalUnit(
            self.clock, self.ledger, lanes=unit.lanes, cycle_ps=self.ps("digital.cycle"),
            buffer=self.sram(unit.buffer_words, banks=unit.buffer_banks),
        )  # fmt: skip

    @classmethod
    def check(cls, source: Document, architecture: Architecture) -> None:
        """Refuse what a schema cannot: files that the architecture names and that are not there or not right."""
        del source, architecture  # a chip kind that names no files has no more to check

    # --- building -----------------------------------------------------------------------------------------------
    def ps(self, key: str) -> int:
        """Return a time figure in whole picoseconds."""
        return picoseconds(self.times.time_s(key), key)

    def sram(self, words: int, *, banks: int = 1, word_bit: int = 32) -> Sram:
        """Return a memory for so many words, with this technology's access time."""
        return Sram.for_words(words, word_bit=word_bit, banks=banks, access_ps=self.ps("sram.access"))

    def components(self) -> Sequence[Component]:
        """Return every unit of the chip."""
        return [self.bus, self.host, self.digital_unit]

    def slots(self) -> Iterable[Slot]:
        """Return every resource of the chip."""
        return (component.slot for component in self.components())

    def diagnostics(self) -> dict[str, float]:
        """Return what happened beside the ledger: picoseconds that work waited for a taken resource."""
        return {"waited_ps": sum(slot.waited_ps for slot in self.slots())}

    @abstractmethod
    def twin(self) -> Self:
        """Return a chip with the same weights on a clock and a ledger of its own, for evaluation.

        It reads the same cells through equal converters from the same moment on; training does not notice.
        """

    # --- verbs that are the same everywhere -----------------------------------------------------------------------
    def receive(self, x: Signal, tag: Tag) -> Work[Signal]:
        """Bring a sample over the host link into the signal buffer."""
        job = self.host.send(x.elements * x.bits)
        if not self.host.does(job, tag):
            yield from self.host.perform(job, tag)
        self.digital_unit.store(x.elements, tag)
        return x

    def elementwise(self, op: str, signals: Iterable[Signal], tag: Tag) -> Work[Signal]:
        """Apply a named operation of `learning.maths` in the digital unit."""
        result, job = self.digital_unit.elementwise(op, [signal.values for signal in signals])
        if not self.digital_unit.does(job, tag):
            yield from self.digital_unit.perform(job, tag)
        return Signal(result)

    @abstractmethod
    def multiply(self, layer: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Return x W."""

    @abstractmethod
    def multiply_transposed(self, layer: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Return d W^T."""

    @abstractmethod
    def update(self, layer: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Move the weights along the mean outer product, times the rate."""

    @abstractmethod
    def maintain(self, layer: str, tag: Tag) -> Work[None]:
        """Do what the layer's devices need now and then."""

    # --- running --------------------------------------------------------------------------------------------------
    def run(self, work: Work[T]) -> T:
        """Run a generator of the chip's events to its end and return its result.

        Raises
        ------
        ModelError
            If it stops half-way (a deadlock) or leaves something held or queued; with who waits for what.
        """
        process = self.clock.process(work)
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
                row[action] = row.get(action, 0.0) + rate
        for phase, time_ps in self.ledger.time_ps.items():
            if time_ps:
                for name, row in rates.items():
                    amounts = {action: rate * time_ps * 1e-12 for action, rate in row.items()}
                    self.ledger.open(name, row).row(Tag(phase, "chip")).update(amounts)

    def entries(self) -> list[Entry]:
        """Return every action of the chip, once a component name."""
        return list({(e.component, e.key): e for component in self.components() for e in component.entries()}.values())
