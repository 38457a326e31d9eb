"""What all chips share: the clock, the ledger, the digital unit, the way in, and the check that all is at rest."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from archsim.analog.cells import Cells
from archsim.base.arrays import F32, Arrays, nested, stored
from archsim.base.errors import InputError, ModelError
from archsim.base.expected import expected
from archsim.base.signal import Signal, Tag
from archsim.base.verbs import Work
from archsim.chips.architecture import Architecture
from archsim.chips.board import Times
from archsim.chips.fitting.beyond import Beyond
from archsim.chips.fitting.buffers import words_alive
from archsim.chips.kind import ChipKind
from archsim.chips.pipeline import Pipeline
from archsim.chips.plan import plan
from archsim.hardware.bus import Bus, HostLink
from archsim.hardware.component import Component
from archsim.hardware.digital_unit import DigitalUnit
from archsim.hardware.sram import Sram, bank_bit
from archsim.hardware.updating.optimiser_unit import WORD_BIT, OptimiserUnit
from archsim.learning.expected import ExpectedLearnt
from archsim.learning.functions import Function, words
from archsim.learning.optimisers.rules import Learnt, Optimiser
from archsim.networks.network import Network

T = TypeVar("T")


class Chip(ChipKind):
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

    pipeline: Pipeline | None = None
    """Over which batches flow, if they do."""

    def __init__(self, architecture: Architecture, network: Network, times: Times, *, now_ps: int = 0) -> None:
        super().__init__(times, now_ps=now_ps)
        self.network, self.architecture = network, architecture
        self.parameters: dict[str, F32] = {}
        self.optimiser: Optimiser | None = None
        self.learnt: dict[str, Learnt] = {}
        self.optimiser_units: dict[str, OptimiserUnit] = {}
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
        self.beyond = self.joined({})

    # --- building -----------------------------------------------------------------------------------------------
    def sram(self, words: int, *, banks: int = 1, word_bit: int = 32) -> Sram:
        """Return a memory for so many words, with this technology's access time for a bank of its capacity."""
        access_ps = self.ps("sram.access", bank_bit(words, word_bit=word_bit, banks=banks))
        return Sram.for_words(words, word_bit=word_bit, banks=banks, access_ps=access_ps)

    def components(self) -> Sequence[Component]:
        """Return every unit of the chip."""
        return [self.bus, self.host, self.digital_unit, *self.beyond.components]

    def copies(self, component: Component) -> int:
        """Return how often a unit stands on all chips that hold the network together."""
        return self.beyond.copies(component)

    @abstractmethod
    def twin(self) -> Self:
        """Return a chip with the same weights on a clock and a ledger of its own, for evaluation.

        It reads the same cells through equal converters from the same moment on; training does not notice.
        """

    def run(self, work: Work[T]) -> T:
        """Run a generator to its end, and what a batch that flows has put off, and return its result."""
        return super().run(work if self.pipeline is None else self.pipeline.finishing(work))

    # --- keeping --------------------------------------------------------------------------------------------------
    def cells(self) -> dict[str, Cells]:
        """Return the chip's arrays of devices by "LAYER/ROW,COLUMN" of their tile; none where weights lie in SRAM."""
        return {}

    def holding(
        self, parameters: dict[str, F32], optimiser: Optimiser | None = None,
        learnt: dict[str, Learnt] | None = None, *, samples: int | None = None,
    ) -> Self:  # fmt: skip
        """Take over the network's digital parameters and its optimiser, and return the chip.

        It is the sole owner of the parameters and of what the optimiser remembers, `learnt`, or the twin of one. Banks
        of the signal buffer that a batch of `samples` does not fill are switched off.
        """
        self.parameters, self.optimiser = parameters, optimiser
        if samples is not None:
            words, flow = words_alive(self.network, samples), self.architecture.flow
            words *= 1 + (0 if flow is None else flow.staleness)  # one batch is on its way back, one forward
            self.digital_unit.fill(words)
            if flow is not None:
                apart = self.SUMS_APART or optimiser is not None
                if flow.staleness and not apart:
                    raise InputError(
                        f"weights of {self.architecture.name} move while they are summed", key="flow.staleness",
                        value=flow.staleness, expected="0",
                    )  # fmt: skip
                cut = partial(
                    plan, gathers=partial(self.gathers, self.architecture, self.network), apart=apart,
                    staleness=flow.staleness,
                )  # fmt: skip
                words = min(words, self.beyond.room)
                self.pipeline = Pipeline(self.clock, self.ledger.time_ps, words=words, burst=flow.samples, cut=cut)
        if optimiser is not None:
            kept = {name: array for name, array in parameters.items() if name not in self.network.graph.tracks}
            self.learnt = learnt or {
                **{name: Learnt(optimiser, self.gradient(name)) for name in self.network.shapes},
                **{name: Learnt(optimiser, np.zeros_like(array)) for name, array in kept.items()},
            }
            self.optimiser_units = self._optimiser_units(optimiser)
        return self

    def expecting(self, optimiser: Optimiser | None, samples: int) -> Self:
        """Hold parameters, and for an optimiser gradients and states, of which only the shape is known."""
        parameters = {
            name: expected((words(one.shape[:-1]), one.shape[-1]))
            for name, one in self.network.graph.parameters.items()
        }
        shapes = {**self.network.shapes, **{name: array.shape for name, array in parameters.items()}}
        learnt: dict[str, Any] = {}
        if optimiser is not None:
            learnt = {name: ExpectedLearnt(optimiser, expected(shape)) for name, shape in shapes.items()}
        return self.holding(parameters, optimiser, learnt, samples=samples)

    def steady(self, samples: int, kind: int = 0) -> tuple[float, ...]:
        """Be as after long training, before a step of so many samples of one kind, of those in which steps differ.

        Returns
        -------
        tuple of float : the share of all steps that each kind has.
        """
        del samples, kind
        return (1.0,)

    def tile_counts(self) -> dict[str, int]:
        """Return matrix -> tiles; none where weights lie in memory."""
        return {}

    def gradient(self, matrix: str) -> F32:
        """Return where gradients of a matrix are summed for an optimiser, in the order of the chip's own sums."""
        raise ModelError(f"{type(self).__name__} sums no gradient of {matrix}")

    def _optimiser_units(self, optimiser: Optimiser) -> dict[str, OptimiserUnit]:
        """Return what turns the gradient of each matrix into a step."""
        raise ModelError(f"{type(self).__name__} has no unit for {optimiser}")

    def optimiser_unit(
        self, optimiser: Optimiser, words: int, *, lanes: int, banks: int, together: int = 1, below: bool = False,
        **given: Any,
    ) -> OptimiserUnit:  # fmt: skip
        """Return a unit for so many weights, `together` of which lie in one word of its memories.

        States that lie `below` the chip pass through the smallest memory that there is.
        """
        bits, kept = WORD_BIT * together, optimiser.states
        sizes = words, together if below else words * kept
        gradients, states = (self.sram(-(-n // together), banks=banks, word_bit=bits) for n in sizes)
        return OptimiserUnit(
            self.clock, self.ledger, lanes=lanes, cycle_ps=self.ps("digital.cycle"), gradients=gradients,
            states=states, cost=optimiser.cost, kept=kept, **given,
        )  # fmt: skip

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that decide what the chip computes, by name, cells under their names in `cells`.

        Views, not copies. The clock, the ledger and the streams of training are no part of it.
        """
        return {**nested("parameters", self.parameters), **self._remembered()}

    def _remembered(self) -> dict[str, NDArray[Any]]:
        """Return what the optimiser remembers, by matrix and parameter."""
        learnt = ((f"optimiser/{name}", one.arrays()) for name, one in self.learnt.items())
        return {key: array for name, arrays in learnt for key, array in nested(name, arrays).items()}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` of a chip of the same architecture and network returned, in place.

        Raises
        ------
        InputError
            If an array is missing or of another shape or type.
        """
        mine = {**nested("parameters", self.parameters), **self._remembered()}
        found = {name: stored(name, like, arrays) for name, like in mine.items()}
        for name, array in mine.items():
            array[...] = found[name]

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

    def joined(self, holders: Mapping[str, range]) -> Beyond:
        """Return what lies beyond chips that hold matrices as told, and take over its verbs."""
        found = Beyond(
            self.architecture, self.clock, self.ledger, self.digital_unit, ps=self.ps, holders=holders
        )  # fmt: skip
        self.spill, self.fill, self.cross = found.spill, found.fill, found.cross
        return found

    # --- verbs that are the same everywhere -----------------------------------------------------------------------
    def receive(self, x: Signal, tag: Tag) -> Work[Signal]:
        """Bring a sample over the host link into the signal buffer."""
        yield from self.host.send(x.elements * x.bits, tag)
        self.digital_unit.store(x.elements, tag)
        return x

    def compute(self, function: Function, signals: Sequence[Signal], tag: Tag) -> Work[Signal]:
        """Apply a function in the digital unit."""
        return self.digital_unit.compute(function, signals, tag)

    def adjust(self, parameter: str, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Move a parameter in the digital unit."""
        return self.digital_unit.adjust(self.parameters[parameter], d.values, rate, tag)

    def learn(self, parameter: str, d: Signal, share: float, rate: float, tag: Tag) -> Work[None]:
        """Move a parameter by an optimiser's step in the digital unit."""
        learnt = self.learnt[parameter]
        return self.digital_unit.learn(self.parameters[parameter], d.values, learnt, tag, share=share, rate=rate)

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
    def apply(self, matrix: str, samples: int, rate: float, tag: Tag) -> Work[None]:
        """Move the weights by what was accumulated over so many samples."""

    @abstractmethod
    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Do what the matrix's devices need now and then."""
