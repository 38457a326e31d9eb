"""The digital baselines: the same step with weights in on-chip SRAM and multiply-accumulate lanes of up to 32 bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from archsim.analog.expected import Writing
from archsim.base.arrays import F32, Arrays, nested, stored
from archsim.base.expected import Expected, expected
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.chips.architecture import Architecture
from archsim.chips.board import Times
from archsim.chips.chip import Chip
from archsim.chips.demands import Demand
from archsim.chips.digital32_file import Digital32Architecture, operand_demand
from archsim.hardware.component import Component
from archsim.hardware.mac_array import WEIGHT_BIT, MacArray
from archsim.hardware.optimiser_unit import OptimiserUnit
from archsim.hardware.sram import Sram
from archsim.hardware.systolic_array import ARRAYS, Systolic, SystolicArray
from archsim.learning.formats import FORMATS, Format
from archsim.learning.optimisers.rules import Optimiser
from archsim.networks.network import Network

T = TypeVar("T")


class Digital32Chip(Chip):
    """Verbs of the digital chip. Sole owner of its weights, float32 by layer, and of what products read of them.

    Signals between products have 32 bits; on their way to the MAC array they have those of its format.
    """

    SCHEMA = Digital32Architecture
    ACCUMULATES = WEIGHTS_DECAY = True
    architecture: Digital32Architecture

    def __init__(
        self, architecture: Digital32Architecture, network: Network, times: Times, weights: dict[str, F32], *,
        now_ps: int = 0, random: np.random.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__(architecture, network, times, now_ps=now_ps)
        self.weights = weights
        array = architecture.mac_array
        self.away = self._away()
        self.resident = max(network.weights - sum(self.away.values()), array.weights_per_access)
        self.number = FORMATS[array.format](random) if array.format in FORMATS else None
        self.mac_array = self._systolic(self.number) if self.number else self._lanes()
        self.rounded = {name: self._round(weight) for name, weight in weights.items()}
        """What products read: the weights themselves where they have 32 bits."""

    def _lanes(self) -> MacArray:
        array, together = self.architecture.mac_array, self.architecture.mac_array.weights_per_access
        memory = self._weight_memory(WEIGHT_BIT * together, together)
        return MacArray(
            self.clock, self.ledger, lanes=array.lanes, cycle_ps=self.ps("digital.cycle"), weights=memory,
            operands=self._operand_memory(), skip_zero_inputs=array.skip_zero_inputs,
            accumulators=array.accumulators,
        )  # fmt: skip

    def _systolic(self, number: Format) -> SystolicArray:
        array = self.architecture.mac_array
        word_bit = number.bits * array.weights_per_access
        wide = max(word_bit // WEIGHT_BIT, 1)
        return ARRAYS[array.format](
            self.clock, self.ledger, timing=Systolic(array.rows, array.columns, array.accumulators),
            cycle_ps=self.ps("digital.cycle"), number=number,
            weights=self._weight_memory(word_bit, array.weights_per_access),
            masters=self._weight_memory(WEIGHT_BIT * wide, wide), operands=self._operand_memory(),
            skip_zero_inputs=array.skip_zero_inputs,
        )  # fmt: skip

    def _weight_memory(self, word_bit: int, together: int) -> Sram:
        banks = self.architecture.mac_array.weight_banks
        return self.sram(-(-self.resident // together), banks=banks, word_bit=word_bit)

    def _operand_memory(self) -> Sram:
        array = self.architecture.mac_array
        return self.sram(array.operand_words, banks=array.operand_banks)

    @property
    def read_bit(self) -> int:
        """Bits of a weight, or of another operand, as products take them."""
        return self.number.bits if self.number else WEIGHT_BIT

    def _round(self, weight: F32) -> F32:
        return weight if self.number is None else self.number.operand(weight)

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
        narrow = architecture.mac_array.format != "fp32"
        random = streams.generator("rounding") if narrow else None
        made = cls(architecture, network, times, network.initial_weights(streams), random=random)
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
        """Return what a network asks of the chip: room for the operand and the result of a product, too."""
        array = cast("Digital32Architecture", architecture).mac_array
        room = Demand(
            "mac_array.weight_words", network.weights, array.weight_words or network.weights,
            f"the network has {network.weights} weights and the chip no memory below it",
            f"at least {network.weights} words, or dram",
        )  # fmt: skip
        mine = [operand_demand(array, network), *([] if architecture.dram else [room])]
        return [*super().demands(architecture, network, samples), *mine]

    def _away(self) -> dict[str, int]:
        """Return the matrices that lie below the chip, and the weights of each: those after the first that fit."""
        limit, used, found = self.architecture.mac_array.weight_words, 0, {}
        for name, (rows, columns) in self.network.shapes.items():
            used += rows * columns
            if limit is not None and used > limit:
                used -= rows * columns
                found[name] = rows * columns
        return found

    def _beside(self, matrix: str, bits: int, what: str, tag: Tag, work: Work[T]) -> Work[T]:
        """Do work on a matrix while so many bits of each of its weights pass between it and the memory below."""
        if matrix not in self.away or self.beyond.dram is None:
            return work
        moved = bits * self.away[matrix]
        return self._both(work, self.beyond.dram.move(moved, tag, f"{what} {matrix}"))

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
        made.rounded = self.rounded
        return made.holding(self.parameters, self.optimiser, self.learnt)

    def gradient(self, matrix: str) -> F32:
        """Return zeros, laid out as the weights are."""
        return np.zeros_like(self.weights[matrix])

    def _optimiser_units(self, optimiser: Optimiser) -> dict[str, OptimiserUnit]:
        """Return one unit for all matrices, as wide as the MAC array or a row of it."""
        array = self.architecture.mac_array
        unit = self.optimiser_unit(
            optimiser, self.resident, lanes=array.columns, banks=array.weight_banks,
            together=max(array.weights_per_access * self.read_bit // WEIGHT_BIT, 1),
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
        self.rounded.update({name: self._round(weight) for name, weight in self.weights.items()})
        super().restore(arrays)

    # --- verbs ----------------------------------------------------------------------------------------------------
    def multiply(self, matrix: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Send the operand over the bus, multiply, keep the result in the signal buffer."""
        yield from self._send(x.elements, tag)
        work = self.mac_array.multiply(self.rounded[matrix], x.values, tag)
        result = yield from self._beside(matrix, self.read_bit, "weights of", tag, work)
        yield from self._keep(result.size, tag)
        return Signal(result)

    def multiply_transposed(self, matrix: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Likewise with the transposed matrix."""
        yield from self._send(d.elements, tag)
        work = self.mac_array.multiply_transposed(self.rounded[matrix], d.values, tag)
        result = yield from self._beside(matrix, self.read_bit, "weights of", tag, work)
        yield from self._keep(result.size, tag)
        return Signal(result)

    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Scale the errors by the rate, then read, change and write every weight, or its gradient."""
        scaled = yield from self.digital_unit.collect([d.values], tag, scale=rate)
        yield from self._send(x.elements + d.elements, tag)
        if not isinstance(scaled, Expected):
            scaled = np.ascontiguousarray(scaled)
        if self.optimiser is None:
            adding = self.mac_array.add_outer(self.weights[matrix], x.values, scaled, tag)
            yield from self._beside(matrix, 2 * WEIGHT_BIT, "weights of", tag, adding)
            return
        unit = self.optimiser_units[matrix]
        gradient = self.learnt[matrix].gradient
        adding = self.mac_array.add_outer(gradient, x.values, scaled, tag, into=unit.gradients)
        accesses = yield from self._beside(matrix, 2 * WEIGHT_BIT, "gradients of", tag, adding)
        unit.added(accesses, tag)

    def apply(self, matrix: str, samples: int, rate: float, tag: Tag) -> Work[None]:
        """Add the optimiser's step to the weights; without one they have moved already. Round what products read."""
        del samples
        weight = self.weights[matrix]
        if self.optimiser is not None:
            learnt = self.learnt[matrix]
            stepping = self.optimiser_units[matrix].step(learnt, [weight.size], tag, rate=rate)
            bits = WEIGHT_BIT * (2 + 2 * self.optimiser.states)
            step = yield from self._beside(matrix, bits, "states of", tag, stepping)
            moving = self.mac_array.move(weight, step, tag, kept=1 - rate * self.optimiser.decay)
            yield from self._beside(matrix, 2 * WEIGHT_BIT, "weights of", tag, moving)
            learnt.clear()
        if isinstance(self.mac_array, SystolicArray):
            renewing = self.mac_array.renew(weight, tag)
            bits = WEIGHT_BIT + self.read_bit
            self.rounded[matrix] = yield from self._beside(matrix, bits, "rounded weights of", tag, renewing)

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Do nothing: SRAM needs no refresh."""
        del matrix, tag
        yield from ()

    def _send(self, elements: int, tag: Tag) -> Work[None]:
        """Bring so many words from the signal buffer over the bus."""
        self.digital_unit.fetch(elements, tag)
        return self.bus.send(elements * self.read_bit, tag)

    def _keep(self, elements: int, tag: Tag) -> Work[None]:
        """Bring so many words over the bus into the signal buffer."""
        self.digital_unit.store(elements, tag)
        return self.bus.send(elements * 32, tag)
