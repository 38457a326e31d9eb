"""The digital baselines: the same step with weights in on-chip SRAM and multiply-accumulate lanes of up to 32 bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from archsim.analog.expected import Writing
from archsim.base.arrays import F32, Arrays, nested, stored
from archsim.base.expected import Expected, expected
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
from archsim.hardware.sram import Sram
from archsim.hardware.systolic_array import ARRAYS, Systolic, SystolicArray
from archsim.learning.formats import FORMATS, Format, FormatName
from archsim.learning.optimisers.rules import Optimiser
from archsim.networks.network import Network


class MacArrayFile(Record):
    """MAC lanes and the partial sums each holds, zero skipping, banks and word of the weight memory, operand memory.

    `format` other than fp32 needs `timing: systolic`, lanes in so many `rows`; there `accumulators` is how many vectors
    stream through a block of weights, and `weights_per_access` counts rounded weights.
    """

    format: FormatName = "fp32"
    timing: Literal["lanes", "systolic"] = "lanes"
    rows: Count = 1
    lanes: Count
    skip_zero_inputs: Switch
    weight_banks: Count
    weights_per_access: Count = 1
    operand_words: Count
    operand_banks: Count = 1
    accumulators: Count = 1

    @model_validator(mode="after")
    def _systolic(self) -> Self:
        if (self.timing == "systolic") != (self.format != "fp32"):
            raise ValueError(f"format {self.format} with timing {self.timing}; expected fp32 with lanes, or another "
                             "format with systolic")  # fmt: skip
        if self.lanes % self.rows:
            raise ValueError(f"{self.lanes} lanes in {self.rows} rows; expected a multiple")
        return self

    @property
    def columns(self) -> int:
        """Lanes of a row: of a systolic array those that do 32-bit arithmetic on its edge."""
        return self.lanes // self.rows


class Digital32Architecture(Architecture):
    """Structure of the 32-bit digital chip."""

    chip: Literal["digital32"]
    mac_array: MacArrayFile


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
        return self.sram(-(-self.network.weights // together), banks=banks, word_bit=word_bit)

    def _operand_memory(self) -> Sram:
        array = self.architecture.mac_array
        return self.sram(array.operand_words, banks=array.operand_banks)

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
        """Return what a network asks of the chip: room for the operand and the result of a product, too.

        So many vectors stand in the operand memory as a lane has accumulators, whatever the batch.
        """
        array = cast("Digital32Architecture", architecture).mac_array
        together, available = array.accumulators, array.operand_words
        if array.timing == "systolic":
            return [*super().demands(architecture, network, samples), _streams(array, network)]
        widest = max(network.matrices, key=lambda matrix: sum(matrix.shape))
        rows, columns = widest.shape
        operands = Demand(
            "mac_array.operand_words", together * (rows + columns), available,
            f"{'a vector' if together == 1 else f'each of {together} vectors'} of {widest.name} ({rows}) and its "
            f"product ({columns}) take {rows + columns} words of the operand memory",
            f"at least {together * (rows + columns)} words",
        )  # fmt: skip
        return [*super().demands(architecture, network, samples), operands]

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
        bits = self.number.bits if self.number else WEIGHT_BIT
        unit = self.optimiser_unit(
            optimiser, self.network.weights, lanes=array.columns, banks=array.weight_banks,
            together=max(array.weights_per_access * bits // WEIGHT_BIT, 1),
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
        result = yield from self.mac_array.multiply(self.rounded[matrix], x.values, tag)
        return (yield from self._keep(Signal(result), tag))

    def multiply_transposed(self, matrix: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Likewise with the transposed matrix."""
        yield from self._send(d.elements, tag)
        result = yield from self.mac_array.multiply_transposed(self.rounded[matrix], d.values, tag)
        return (yield from self._keep(Signal(result), tag))

    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Scale the errors by the rate, then read, change and write every weight, or its gradient."""
        scaled = yield from self.digital_unit.collect([d.values], tag, scale=rate)
        yield from self._send(x.elements + d.elements, tag)
        if not isinstance(scaled, Expected):
            scaled = np.ascontiguousarray(scaled)
        if self.optimiser is None:
            yield from self.mac_array.add_outer(self.weights[matrix], x.values, scaled, tag)
            return
        unit = self.optimiser_units[matrix]
        gradient = self.learnt[matrix].gradient
        accesses = yield from self.mac_array.add_outer(gradient, x.values, scaled, tag, into=unit.gradients)
        unit.added(accesses, tag)

    def apply(self, matrix: str, samples: int, rate: float, tag: Tag) -> Work[None]:
        """Add the optimiser's step to the weights; without one they have moved already. Round what products read."""
        del samples
        weight = self.weights[matrix]
        if self.optimiser is not None:
            learnt = self.learnt[matrix]
            step = yield from self.optimiser_units[matrix].step(learnt, [weight.size], tag, rate=rate)
            yield from self.mac_array.move(weight, step, tag, kept=1 - rate * self.optimiser.decay)
            learnt.clear()
        if isinstance(self.mac_array, SystolicArray):
            self.rounded[matrix] = yield from self.mac_array.renew(weight, tag)

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Do nothing: SRAM needs no refresh."""
        del matrix, tag
        yield from ()

    def _send(self, elements: int, tag: Tag) -> Work[None]:
        """Bring so many words from the signal buffer over the bus."""
        self.digital_unit.fetch(elements, tag)
        return self.bus.send(elements * (self.number.bits if self.number else WEIGHT_BIT), tag)

    def _keep(self, result: Signal, tag: Tag) -> Work[Signal]:
        """Bring a result over the bus into the signal buffer."""
        yield from self.bus.send(result.elements * 32, tag)
        self.digital_unit.store(result.elements, tag)
        return result


def _streams(array: MacArrayFile, network: Network) -> Demand:
    """Return what a systolic array asks of its operand memory: what streams through a block, and the block's sums."""
    widest = max(network.matrices, key=lambda matrix: max(matrix.shape))
    size = max(widest.shape)
    words = -(-size * FORMATS[array.format].bits // WEIGHT_BIT) + array.columns
    needed = array.accumulators * words
    return Demand(
        "mac_array.operand_words", needed, array.operand_words,
        f"each of {array.accumulators} vectors of {size} numbers for {widest.name} and its sums in {array.columns} "
        f"columns take {words} words of the operand memory",
        f"at least {needed} words",
    )  # fmt: skip
