"""What all chips share: the clock, the ledger, the digital unit, the way in, and the check that all is at rest."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

from numpy.typing import NDArray

from archsim.analog.cells import Cells
from archsim.base.arrays import F32, Arrays, nested, stored
from archsim.base.signal import Signal, Tag
from archsim.base.verbs import Work
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture
from archsim.chips.board import Board, Times
from archsim.chips.buffers import buffer_demand, words_alive
from archsim.chips.demands import Demand, require
from archsim.hardware.bus import Bus, HostLink
from archsim.hardware.component import Component
from archsim.hardware.digital_unit import DigitalUnit
from archsim.hardware.sram import Sram, bank_bit
from archsim.learning.functions import Function
from archsim.networks.network import Network


class Chip(Board):
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
    """

    SCHEMA: type[Architecture]

    def __init__(self, architecture: Architecture, network: Network, times: Times, *, now_ps: int = 0) -> None:
        super().__init__(times, now_ps=now_ps)
        self.network, self.architecture = network, architecture
        self.parameters: dict[str, F32] = {}
        bus, host, unit = architecture.bus, architecture.host, architecture.digital_unit
        self.input_bits = host.input_bits
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
    @classmethod
    def demands(cls, architecture: Architecture, network: Network, samples: int) -> list[Demand]:
        """Return what a network asks of a chip of this architecture while batches of `samples` are trained on."""
        return [buffer_demand(network, samples, architecture.digital_unit.buffer_words)]

    @classmethod
    def fit(cls, architecture: Architecture, network: Network, samples: int) -> None:
        """Refuse a network that the chip cannot hold: what every `start` does before it builds anything.

        Raises
        ------
        DoesNotFitError
            With all demands that are not met, and the settings that make them fit.
        """
        require({architecture.name: cls.demands(architecture, network, samples)})

    def sram(self, words: int, *, banks: int = 1, word_bit: int = 32) -> Sram:
        """Return a memory for so many words, with this technology's access time for a bank of its capacity."""
        access_ps = self.ps("sram.access", bank_bit(words, word_bit=word_bit, banks=banks))
        return Sram.for_words(words, word_bit=word_bit, banks=banks, access_ps=access_ps)

    def components(self) -> Sequence[Component]:
        """Return every unit of the chip."""
        return [self.bus, self.host, self.digital_unit]

    @abstractmethod
    def twin(self) -> Self:
        """Return a chip with the same weights on a clock and a ledger of its own, for evaluation.

        It reads the same cells through equal converters from the same moment on; training does not notice.
        """

    # --- keeping --------------------------------------------------------------------------------------------------
    def cells(self) -> dict[str, Cells]:
        """Return the chip's arrays of devices by "LAYER/ROW,COLUMN" of their tile; none where weights lie in SRAM."""
        return {}

    def holding(self, parameters: dict[str, F32], *, samples: int | None = None) -> Self:
        """Take over the network's digital parameters, and return the chip: the sole owner of them, or its twin.

        Banks of the signal buffer that a batch of `samples` does not fill are switched off.
        """
        self.parameters = parameters
        if samples is not None:
            self.digital_unit.fill(words_alive(self.network, samples))
        return self

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that decide what the chip computes, by name, cells under their names in `cells`.

        Views, not copies. The clock, the ledger and the streams of training are no part of it.
        """
        return nested("parameters", self.parameters)

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` of a chip of the same architecture and network returned, in place.

        Raises
        ------
        InputError
            If an array is missing or of another shape or type.
        """
        for name, mine in nested("parameters", self.parameters).items():
            mine[...] = stored(name, mine, arrays)

    def tallies(self) -> dict[str, int]:
        """Return what units count beside the ledger, by name: picoseconds waited for each resource."""
        return {f"waited {k}": slot.waited_ps for k, slot in enumerate(self.slots())}

    def clipped_shares(self) -> dict[str, float]:
        """Return the share of a matrix's conversions that were clipped, by matrix; none without converters."""
        return {}

    def go_on(self, tallies: Mapping[str, int]) -> None:
        """Take up what `tallies` returned."""
        for k, slot in enumerate(self.slots()):
            slot.waited_ps = tallies[f"waited {k}"]

    def wait(self, ps: int) -> Work[None]:
        """Let time pass in which the chip does nothing; it is booked under no phase."""
        if not self.clock.passes(ps):
            yield self.clock.timeout(ps)

    def age(self) -> None:
        """Let every device see the clock, so that the next reads are those of this very moment."""
        for cells in self.cells().values():
            cells.renew(self.clock.now)

    # --- verbs that are the same everywhere -----------------------------------------------------------------------
    def receive(self, x: Signal, tag: Tag) -> Work[Signal]:
        """Bring a sample over the host link into the signal buffer."""
        yield from self.host.send(x.elements * x.bits, tag)
        self.digital_unit.store(x.elements, tag)
        return x

    def compute(self, function: Function, signals: Sequence[Signal], tag: Tag) -> Work[Signal]:
        """Apply a function in the digital unit."""
        return Signal((yield from self.digital_unit.compute(function, [signal.values for signal in signals], tag)))

    def adjust(self, parameter: str, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Move a parameter in the digital unit."""
        return self.digital_unit.adjust(self.parameters[parameter], d.values, rate, tag)

    @abstractmethod
    def multiply(self, matrix: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Return x W."""

    @abstractmethod
    def multiply_transposed(self, matrix: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Return d W^T."""

    @abstractmethod
    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Note the sum over vectors of the outer products, times the rate."""

    @abstractmethod
    def apply(self, matrix: str, samples: int, tag: Tag) -> Work[None]:
        """Move the weights by what was accumulated over so many samples."""

    @abstractmethod
    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Do what the matrix's devices need now and then."""
