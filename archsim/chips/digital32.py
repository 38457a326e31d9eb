"""The 32-bit digital baseline: the same step with weights in on-chip SRAM and multiply-accumulate lanes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from archsim.analog.expected import Writing
from archsim.base.arrays import F32, Arrays, nested, stored
from archsim.base.expected import expected
from archsim.base.quantities import Count, Switch
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.base.yamlfile import Record
from archsim.chips.architecture import Architecture
from archsim.chips.board import Times
from archsim.chips.chip import Chip
from archsim.chips.demands import Demand
from archsim.hardware.component import Component
from archsim.hardware.mac_array import WEIGHT_BIT, MacArray
from archsim.hardware.optimiser_unit import OptimiserUnit
from archsim.learning.optimisers.rules import Optimiser
from archsim.networks.network import Network

T = TypeVar("T")


class MacArrayFile(Record):
    """MAC lanes and the partial sums each holds, zero skipping, banks and word of the weight memory, operand memory.

    `weight_words` is what the weight memory holds at most: weights beyond it lie in the memory below the chip, with
    their gradients and an optimiser's states, and pass through for each use. By default all fit.
    """

    lanes: Count
    skip_zero_inputs: Switch
    weight_banks: Count
    weights_per_access: Count = 1
    weight_words: Count | None = None
    operand_words: Count
    accumulators: Count = 1


class Digital32Architecture(Architecture):
    """Structure of the 32-bit digital chip."""

    chip: Literal["digital32"]
    mac_array: MacArrayFile


class Digital32Chip(Chip):
    """Verbs of the 32-bit digital chip. Sole owner of its weights, float32 by layer."""

    SCHEMA = Digital32Architecture
    ACCUMULATES = WEIGHTS_DECAY = True
    architecture: Digital32Architecture

    def __init__(
        self, architecture: Digital32Architecture, network: Network, times: Times, weights: dict[str, F32], *,
        now_ps: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(architecture, network, times, now_ps=now_ps)
        self.weights = weights
        array = architecture.mac_array
        together = array.weights_per_access
        self.away = self._away()
        self.resident = max(network.weights - sum(self.away.values()), together)
        memory = self.sram(-(-self.resident // together), banks=array.weight_banks, word_bit=WEIGHT_BIT * together)
        self.mac_array = MacArray(
            self.clock, self.ledger, lanes=array.lanes, cycle_ps=self.ps("digital.cycle"), weights=memory,
            operands=self.sram(array.operand_words), skip_zero_inputs=array.skip_zero_inputs,
            accumulators=array.accumulators,
        )  # fmt: skip

    @classmethod
    def start(
        cls, architecture: Digital32Architecture, network: Network, times: Times, streams: Streams, *,
        samples: int = 1, optimiser: Optimiser | None = None,
    ) -> Self:  # fmt: skip
        """Return a chip with the network's initial weights, to be trained on batches of `samples`.

        Raises
        ------
        DoesNotFitError
            If the network asks for more than the chip has.
        """
        cls.check_optimiser(architecture, optimiser)
        cls.fit(architecture, network, samples)
        made = cls(architecture, network, times, network.initial_weights(streams))
        return made.holding(network.initial_parameters(streams), optimiser, samples=samples)

    @classmethod
    def expected(
        cls, architecture: Architecture, network: Network, times: Times, *, samples: int, optimiser: Optimiser | None,
        writing: Mapping[str, Writing],
    ) -> Self:  # fmt: skip
        """Return a chip whose weights are shapes alone."""
        del writing
        cls.check_optimiser(architecture, optimiser)
        cls.fit(architecture, network, samples)
        weights = {name: expected(shape) for name, shape in network.shapes.items()}
        return cls(cast("Digital32Architecture", architecture), network, times, weights).expecting(optimiser, samples)

    @classmethod
    def demands(cls, architecture: Architecture, network: Network, samples: int) -> list[Demand]:
        """Return what a network asks of the chip: room for the operand and the result of a product, too.

        So many vectors stand in the operand memory as a lane has accumulators, whatever the batch.
        """
        array = cast("Digital32Architecture", architecture).mac_array
        together, available = array.accumulators, array.operand_words
        widest = max(network.matrices, key=lambda matrix: sum(matrix.shape))
        rows, columns = widest.shape
        operands = Demand(
            "mac_array.operand_words", together * (rows + columns), available,
            f"{'a vector' if together == 1 else f'each of {together} vectors'} of {widest.name} ({rows}) and its "
            f"product ({columns}) take {rows + columns} words of the operand memory",
            f"at least {together * (rows + columns)} words",
        )  # fmt: skip
        room = Demand(
            "mac_array.weight_words", network.weights, array.weight_words or network.weights,
            f"the network has {network.weights} weights and the chip no memory below it",
            f"at least {network.weights} words, or dram",
        )  # fmt: skip
        return [*super().demands(architecture, network, samples), operands, *([] if architecture.dram else [room])]

    def _away(self) -> dict[str, int]:
        """Return the matrices that lie below the chip, and the weights of each: those after the first that fit."""
        limit, used, found = self.architecture.mac_array.weight_words, 0, {}
        for name, (rows, columns) in self.network.shapes.items():
            used += rows * columns
            if limit is not None and used > limit:
                used -= rows * columns
                found[name] = rows * columns
        return found

    def _beside(self, matrix: str, words: int, what: str, tag: Tag, work: Work[T]) -> Work[T]:
        """Do work on a matrix while so many words of each of its weights pass between it and the memory below."""
        if matrix not in self.away or self.beyond.dram is None:
            return work
        bits = words * self.away[matrix] * WEIGHT_BIT
        return self._both(work, self.beyond.dram.move(bits, tag, f"{what} {matrix}"))

    def _both(self, work: Work[T], moving: Work[None]) -> Work[T]:
        """Return the result of the first when both are done."""
        found: T = (yield from self.clock.together([work, moving]))[0]
        return found

    def components(self) -> list[Component]:
        """Return every unit of the chip."""
        units = {id(unit): unit for unit in self.optimiser_units.values()}
        return [*super().components(), self.mac_array, *units.values()]

    def twin(self) -> Self:
        """Return a chip over the same weights on a clock of its own."""
        made = type(self)(self.architecture, self.network, self.times, self.weights, now_ps=self.clock.now)
        return made.holding(self.parameters, self.optimiser, self.learnt)

    def gradient(self, matrix: str) -> F32:
        """Return zeros, laid out as the weights are."""
        return np.zeros_like(self.weights[matrix])

    def _optimiser_units(self, optimiser: Optimiser) -> dict[str, OptimiserUnit]:
        """Return one unit for all matrices, as wide as the MAC array."""
        array = self.architecture.mac_array
        unit = self.optimiser_unit(
            optimiser, self.resident, lanes=array.lanes, banks=array.weight_banks,
            together=array.weights_per_access,
        )  # fmt: skip
        return dict.fromkeys(self.weights, unit)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the weights by matrix, and the parameters."""
        return {**nested("weights", self.weights), **super().arrays()}

    def restore(self, arrays: Arrays) -> None:
        """Take over weights and parameters, in place."""
        mine = nested("weights", self.weights)
        found = {name: stored(name, weight, arrays) for name, weight in mine.items()}
        for name, weight in mine.items():
            weight[...] = found[name]
        super().restore(arrays)

    # --- verbs ----------------------------------------------------------------------------------------------------
    def multiply(self, matrix: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Send the operand over the bus, multiply, keep the result in the signal buffer."""
        yield from self._send(x.elements, tag)
        work = self.mac_array.multiply(self.weights[matrix], x.values, tag)
        result = yield from self._beside(matrix, 1, "weights of", tag, work)
        yield from self._keep(result.size, tag)
        return Signal(result)

    def multiply_transposed(self, matrix: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Likewise with the transposed matrix."""
        yield from self._send(d.elements, tag)
        work = self.mac_array.multiply_transposed(self.weights[matrix], d.values, tag)
        result = yield from self._beside(matrix, 1, "weights of", tag, work)
        yield from self._keep(result.size, tag)
        return Signal(result)

    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Scale the errors by the rate, then read, change and write every weight, or its gradient."""
        scaled = yield from self.digital_unit.collect([d.values], tag, scale=rate)
        yield from self._send(x.elements + d.elements, tag)
        scaled = np.ascontiguousarray(scaled)
        if self.optimiser is None:
            adding = self.mac_array.add_outer(self.weights[matrix], x.values, scaled, tag)
            yield from self._beside(matrix, 2, "weights of", tag, adding)
            return
        unit = self.optimiser_units[matrix]
        gradient = self.learnt[matrix].gradient
        adding = self.mac_array.add_outer(gradient, x.values, scaled, tag, into=unit.gradients)
        accesses = yield from self._beside(matrix, 2, "gradients of", tag, adding)
        unit.added(accesses, tag)

    def apply(self, matrix: str, samples: int, rate: float, tag: Tag) -> Work[None]:
        """Add the optimiser's step to the weights; without one they have moved already."""
        del samples
        if self.optimiser is None:
            return
        learnt, weight = self.learnt[matrix], self.weights[matrix]
        stepping = self.optimiser_units[matrix].step(learnt, [weight.size], tag, rate=rate)
        step = yield from self._beside(matrix, 2 + 2 * self.optimiser.states, "states of", tag, stepping)
        moving = self.mac_array.move(weight, step, tag, kept=1 - rate * self.optimiser.decay)
        yield from self._beside(matrix, 2, "weights of", tag, moving)
        learnt.clear()

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Do nothing: SRAM needs no refresh."""
        del matrix, tag
        yield from ()

    def _send(self, elements: int, tag: Tag) -> Work[None]:
        """Bring so many words from the signal buffer over the bus."""
        self.digital_unit.fetch(elements, tag)
        return self.bus.send(elements * 32, tag)

    def _keep(self, elements: int, tag: Tag) -> Work[None]:
        """Bring so many words over the bus into the signal buffer."""
        self.digital_unit.store(elements, tag)
        return self.bus.send(elements * 32, tag)
