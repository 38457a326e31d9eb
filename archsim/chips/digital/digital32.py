"""The digital baselines: the same step with weights in on-chip SRAM and multiply-accumulate lanes of up to 32 bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from archsim.analog.expected import InPairs
from archsim.base.arrays import F32, Arrays, nested, stored
from archsim.base.expected import Expected, expected
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.base.verbs import Work
from archsim.chips.architecture import Architecture
from archsim.chips.aside import changed_words, kept, memory_words
from archsim.chips.board import Times
from archsim.chips.chip import Chip
from archsim.chips.digital.digital32_file import Digital32Architecture, operand_demand
from archsim.chips.fitting.demands import Demand
from archsim.hardware.component import Component
from archsim.hardware.mac_array import WEIGHT_BIT, WHOLE, MacArray
from archsim.hardware.sram import Sram
from archsim.hardware.systolic_array import ARRAYS, Systolic, SystolicArray
from archsim.hardware.updating.optimiser_unit import OptimiserUnit
from archsim.learning.formats import FORMATS, Format
from archsim.learning.optimisers.rules import Optimiser
from archsim.networks.network import Network

T = TypeVar("T")


class Digital32Chip(Chip):
    """Verbs of the digital chip. Sole owner of its weights, float32 by layer, and of what products read of them.

    Signals between products have 32 bits; on their way to the MAC array they have those of its format.
    """

    SCHEMA = Digital32Architecture
    ACCUMULATES = WEIGHTS_DECAY = ESTIMATED = True
    architecture: Digital32Architecture

    def __init__(
        self, architecture: Digital32Architecture, network: Network, times: Times, weights: dict[str, F32], *,
        now_ps: int = 0, random: np.random.Generator | None = None,
    ) -> None:  # fmt: skip
        super().__init__(architecture, network, times, now_ps=now_ps)
        self.weights = weights
        array, at = architecture.mac_array, architecture.feedback.at
        stored_ = stored_words(architecture, network)
        self.away = _away(stored_, array.weight_words)
        here = {name: words for name, words in stored_.items() if name not in self.away}
        learning = sum(words for name, words in here.items() if name in network.shapes)
        signs = [matrix for matrix in network.fixed if matrix.role == "signs" and array.format == "fp32"]
        self.masters = max(learning, array.weights_per_access)
        self.resident = max(sum(here.values()) + memory_words(signs, at), array.weights_per_access)
        self.number = FORMATS[array.format](random) if array.format in FORMATS else None
        self.mac_array = self._systolic(self.number) if self.number else self._lanes()
        self.rounded = {name: self._round(weight) for name, weight in weights.items()}
        """What products read: the weights themselves where they have 32 bits."""
        self.followed = {matrix.of: matrix.name for matrix in network.fixed if matrix.role == "signs"}
        """Matrix -> that of its signs."""
        hows = {} if self.number else {matrix.name: kept(matrix, at) for matrix in network.fixed}
        self._special = {name: how for name, how in hows.items() if how != WHOLE}
        self._scales = {name: network.graph.matrices[name].initial_std for name in self.followed.values()}

    def _lanes(self) -> MacArray:
        array, together = self.architecture.mac_array, self.architecture.mac_array.weights_per_access
        memory = self._weight_memory(self.resident, WEIGHT_BIT * together, together)
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
            weights=self._weight_memory(self.resident, word_bit, array.weights_per_access),
            masters=self._weight_memory(self.masters, WEIGHT_BIT * wide, wide), operands=self._operand_memory(),
            skip_zero_inputs=array.skip_zero_inputs,
        )  # fmt: skip

    def _weight_memory(self, words: int, word_bit: int, together: int) -> Sram:
        banks = self.architecture.mac_array.weight_banks
        return self.sram(-(-words // together), banks=banks, word_bit=word_bit)

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
    def loaded(
        cls, architecture: Architecture, network: Network, times: Times, streams: Streams, optimiser: Optimiser | None
    ) -> Self:
        """Return a chip with the network's initial weights in its memory."""
        del optimiser  # its memories are built by whoever holds it
        mine = cast("Digital32Architecture", architecture)
        narrow = mine.mac_array.format != "fp32"
        random = streams.generator("rounding") if narrow else None
        return cls(mine, network, times, network.initial_weights(streams), random=random)

    @classmethod
    def shaped(
        cls, architecture: Architecture, network: Network, times: Times, optimiser: Optimiser | None,
        writing: Mapping[str, InPairs],
    ) -> Self:  # fmt: skip
        """Return a chip without devices and without numbers."""
        del optimiser, writing
        weights = {name: expected(matrix.shape) for name, matrix in network.graph.matrices.items()}
        return cls(cast("Digital32Architecture", architecture), network, times, weights)

    @classmethod
    def demands(cls, architecture: Architecture, network: Network, samples: int) -> list[Demand]:
        """Return what a network asks of the chip: room for the operand and the result of a product, too."""
        array = cast("Digital32Architecture", architecture).mac_array
        numbers = sum(stored_words(cast("Digital32Architecture", architecture), network).values())
        room = Demand(
            "mac_array.weight_words", numbers, array.weight_words or numbers,
            f"the network has {numbers} weights and the chip no memory below it",
            f"at least {numbers} words, or dram",
        )  # fmt: skip
        mine = [operand_demand(array, network), *([] if architecture.dram else [room])]
        return [*super().demands(architecture, network, samples), *mine]

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
            optimiser, self.masters, lanes=array.columns, banks=array.weight_banks,
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
        if matrix in self._special:
            return (yield from self._aside(matrix, x, tag, transposed=False))
        work = self.mac_array.multiply(self.rounded[matrix], x.values, tag)
        result = yield from self._beside(matrix, self.read_bit, "weights of", tag, work)
        return (yield from self._kept(matrix, result, tag))

    def multiply_transposed(self, matrix: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Likewise with the transposed matrix."""
        yield from self._send(d.elements, tag)
        if matrix in self._special:
            return (yield from self._aside(matrix, d, tag, transposed=True))
        work = self.mac_array.multiply_transposed(self.rounded[matrix], d.values, tag)
        result = yield from self._beside(matrix, self.read_bit, "weights of", tag, work)
        return (yield from self._kept(matrix, result, tag))

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

        if matrix in self.followed:
            yield from _follow(self, matrix, tag)

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Do nothing: SRAM needs no refresh."""
        del matrix, tag
        yield from ()

    def renew_signs(self, matrix: str) -> None:
        """Round the signs of a matrix anew, where products read rounded numbers."""
        name = self.followed[matrix]
        self.rounded[name] = self._round(self.weights[name])

    def _aside(self, matrix: str, x: Signal, tag: Tag, *, transposed: bool) -> Work[Signal]:
        """Multiply by a matrix that does not learn, as it lies in the memory of the lanes or comes from a generator."""
        array, how = cast("MacArray", self.mac_array), self._special[matrix]
        multiplied = array.multiply_transposed if transposed else array.multiply
        result = yield from multiplied(self.rounded[matrix], x.values, tag, kept=how)
        if not how.bits:
            self.digital_unit.draw(array.used(x.values, result.shape[1]), tag)
        return (yield from self._kept(matrix, result, tag))

    def _kept(self, matrix: str, result: F32, tag: Tag) -> Work[Signal]:
        """Keep a product in the signal buffer; one with signs times the spread that they stand for."""
        if matrix not in self._scales:
            yield from self._keep(result.size, tag)
            return Signal(result)
        yield from self.bus.send(result.size * 32, tag)
        return Signal((yield from self.digital_unit.collect([result], tag, scale=self._scales[matrix])))

    def _send(self, elements: int, tag: Tag) -> Work[None]:
        """Bring so many words from the signal buffer over the bus."""
        self.digital_unit.fetch(elements, tag)
        return self.bus.send(elements * self.read_bit, tag)

    def _keep(self, elements: int, tag: Tag) -> Work[None]:
        """Bring so many words over the bus into the signal buffer."""
        self.digital_unit.store(elements, tag)
        return self.bus.send(elements * 32, tag)


def stored_words(architecture: Digital32Architecture, network: Network) -> dict[str, int]:
    """Return the words of each matrix that lies in a memory whole: weights, and random numbers that are kept."""
    random = network.fixed if architecture.feedback.at == "memory" else ()
    whole = [*network.matrices, *(matrix for matrix in random if matrix.role != "signs")]
    return {matrix.name: matrix.weights for matrix in whole}


def _away(stored_: Mapping[str, int], limit: int | None) -> dict[str, int]:
    """Return the matrices that lie below the chip, and the words of each: those after the first that fit."""
    used, found = 0, {}
    for name, words in stored_.items():
        used += words
        if limit is not None and used > limit:
            used -= words
            found[name] = words
    return found


def _follow(chip: Digital32Chip, matrix: str, tag: Tag) -> Work[None]:
    """Note the signs of the weights that have moved: they lie packed beside them, on lanes of 32 bits.

    Signs pass by when weights are written, so that the words in which one changed alone take accesses. A systolic
    array has no packed signs: it reads the rounded weights and takes their own.
    """
    signs = chip.weights[chip.followed[matrix]]
    now = np.where(chip.weights[matrix] < 0, np.float32(-1), np.float32(1)).T
    words = changed_words(signs, now)
    signs[...] = now
    chip.renew_signs(matrix)
    if words and isinstance(chip.mac_array, MacArray):
        yield from chip.mac_array.rewrite(words, tag)
