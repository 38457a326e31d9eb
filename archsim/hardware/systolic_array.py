"""A systolic array of lanes for operands of fewer than 32 bits: what training chips are made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Job, Ledger
from archsim.base.arrays import F32
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import CONTROL, Component
from archsim.hardware.sram import Sram
from archsim.learning.formats import Format
from archsim.learning.products import add_outer, nonzero, product, transposed_product

WORD_BIT = 32


@dataclass(frozen=True, slots=True)
class Systolic:
    """Time and traffic of a product of matrices on an array that holds a block of one operand.

    A product (streamed, reduced) x (reduced, columns) is done block by block: `rows` x `columns` elements of the second
    operand are filled in, a row a cycle; the first streams through; the last result drains after `rows` + `columns` - 2
    cycles. Nothing overlaps: the next block is filled in after that.
    Source: the analytical model of SCALE-Sim, 2 S_R + S_C + T - 2 cycles a fold (Samajdar et al., ISPASS 2020, from
    general knowledge; the tests hold it against an array that is stepped lane by lane).

    Parameters
    ----------
    rows, columns : int
        Lanes.
    depth : int
        Vectors whose sums the accumulators hold: so many stream through a block.
    """

    rows: int
    columns: int
    depth: int

    def cycles(self, streamed: int, reduced: int, columns: int) -> int:
        """Return the cycles of a product: for each block fill, stream and drain."""
        overhead = 2 * self.rows + self.columns - 2
        return self._blocks(reduced, columns) * (self.passes(streamed) * overhead + streamed)

    def clocked(self, streamed: int, reduced: int, columns: int) -> int:
        """Return the cycles of all lanes in which something can reach them: a weight on its way in, or a vector.

        Rows and columns that a block leaves free are not clocked, nor is a lane before the wave and after it: assumed.
        """
        return reduced * columns * (self.passes(streamed) * self.rows + streamed)

    def passes(self, streamed: int) -> int:
        """Return how often each element that is held is filled in."""
        return -(-streamed // self.depth)

    def streamed_reads(self, streamed: int, reduced: int, columns: int) -> int:
        """Return how many elements stream in: all, for each band of columns."""
        return streamed * reduced * -(-columns // self.columns)

    def sums(self, streamed: int, reduced: int, columns: int) -> tuple[int, int]:
        """Return how many partial sums are read and written: a band of rows adds to those of the bands before it."""
        bands = -(-reduced // self.rows)
        return streamed * columns * (bands - 1), streamed * columns * bands

    def _blocks(self, reduced: int, columns: int) -> int:
        return -(-reduced // self.rows) * -(-columns // self.columns)


def _arithmetic(what: str, row: str = "") -> Action:
    return Action(what, "arithmetic", part="arithmetic", circuit="logic", row=row)


def _memory(what: str, function: str, part: str, unit: str = "") -> Action:
    return Action(what, function, unit, part=part, circuit="leakage" if unit else "memory")


_ACTIONS = {
    "convert": _arithmetic("one operand rounded to the format", "fp32.add"),
    "scale": _arithmetic("one operand, result or weight multiplied by a number of its own", "fp32.multiply"),
    "master.add": _arithmetic("one 32-bit addition to a weight or a gradient", "fp32.add"),
    "weights.read": _memory("one word of rounded weights read", "weight storage", "weight memory"),
    "weights.write": _memory("one word of rounded weights written", "weight storage", "weight memory"),
    "weights.powered": _memory("one bit of rounded weights powered for a second", "weight storage", "weight memory",
                               "bit*s"),
    "master.read": _memory("one word of 32-bit weights read", "weight storage", "weight memory"),
    "master.write": _memory("one word of 32-bit weights written", "weight storage", "weight memory"),
    "master.powered": _memory("one bit of 32-bit weights powered for a second", "weight storage", "weight memory",
                              "bit*s"),
    "operand.read": _memory("one word of operands or sums read", "arithmetic", "signal memory"),
    "operand.write": _memory("one word of operands or sums written", "arithmetic", "signal memory"),
    "operand.powered": _memory("one bit of the operand memory powered for a second", "arithmetic", "signal memory",
                               "bit*s"),
    **CONTROL,
}  # fmt: skip
_SCALED = {**_ACTIONS, "compare": _arithmetic("one operand compared with the largest so far")}


class SystolicArray(Component, ABC):
    """Lanes of multiply-accumulate in rows and columns, rounded weights beside 32-bit ones, and operand memory.

    Operands are rounded when they enter. An outer product adds its sums to the 32-bit weights, or to gradients; rounded
    weights are written anew when the step is done. Where zeros are skipped, lanes whose input is zero do not switch;
    the time stays.

    Parameters
    ----------
    clock, ledger : the chip's
    timing : Systolic
    cycle_ps : int
    number : Format
    weights, masters : Sram
        Rounded weights, and 32-bit ones, several in a word.
    operands : Sram
        Memory of operands, several in a word of 32 bits, and of sums; its accesses overlap.
    skip_zero_inputs : bool
    """

    PARTS: ClassVar = {
        "logic": PartKind(part="arithmetic", circuit="logic"),
        "weights": PartKind("bit", part="weight memory", circuit="memory"),
        "master": PartKind("bit", part="weight memory", circuit="memory"),
        "operand": PartKind("bit", part="signal memory", circuit="memory"),
    }
    TIMES: ClassVar = {"digital.cycle": "logic", "sram.access": "memory"}
    WORK: ClassVar = {"forward": "product", "backward": "transposed product", "update": "outer product"}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, timing: Systolic, cycle_ps: int, number: Format, weights: Sram,
        masters: Sram, operands: Sram, skip_zero_inputs: bool,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "mac_array")
        self.timing, self.cycle_ps, self.number = timing, cycle_ps, number
        self.weights, self.masters, self.operands = weights, masters, operands
        self.skip_zero_inputs = skip_zero_inputs

    # --- products -------------------------------------------------------------------------------------------------
    def multiply(self, weight: F32, x: F32, tag: Tag) -> Work[F32]:
        """Return x W, (vectors, columns), for rounded weights (rows, columns)."""
        inputs = self.number.operand(x)
        shape = x.shape[0], *weight.shape
        return self._product(product(weight, inputs), inputs, shape, tag)

    def multiply_transposed(self, weight: F32, d: F32, tag: Tag) -> Work[F32]:
        """Return d W^T, (vectors, rows)."""
        errors = self.number.error(d)
        rows, columns = weight.shape
        return self._product(transposed_product(weight, errors), errors, (d.shape[0], columns, rows), tag)

    def _product(self, out: F32, streamed: F32, shape: tuple[int, int, int], tag: Tag) -> Work[F32]:
        vectors, reduced, columns = shape
        held = self._words(reduced * columns * self.number.bits * self.timing.passes(vectors), self.weights)
        read, written = self.timing.sums(*shape)
        hold_ps = self._hold_ps(shape, self.weights.hold_ps(held))
        amounts = {
            **self._macs(streamed, shape),
            **self._converted(streamed.size, out.size),
            "weights.read": held,
            "operand.read": self._words(self.timing.streamed_reads(*shape) * self.number.bits, WORD_BIT) + read,
            "operand.write": self._words(streamed.size * self.number.bits, WORD_BIT) + written,
        }
        yield from self._work(hold_ps, amounts, tag)
        return out

    def add_outer(self, weight: F32, x: F32, d: F32, tag: Tag, *, into: Sram | None = None) -> Work[int]:
        """Add the sum over vectors of x_i d_j to 32-bit weights in place, or `into` a memory of gradients.

        Errors are the block that is held, inputs stream. Return how many words were read, and as many written: booked
        here if they are of weights, by the owner of the memory otherwise.
        """
        inputs, errors = self.number.operand(x), self.number.error(d)
        add_outer(weight, inputs, errors)
        (vectors, rows), columns = x.shape, weight.shape[1]
        shape = rows, vectors, columns
        memory = into or self.masters
        accesses = self._words(weight.size * WORD_BIT, memory)
        read, written = self.timing.sums(*shape)
        streamed = self.timing.streamed_reads(*shape) + errors.size * self.timing.passes(rows)
        hold_ps = self._hold_ps(shape, memory.hold_ps(2 * accesses))
        own = accesses if into is None else 0
        amounts = {
            **self._macs(inputs, shape),
            **self._converted(inputs.size + errors.size, weight.size),
            "master.add": weight.size,
            "master.read": own,
            "master.write": own,
            "operand.read": self._words(streamed * self.number.bits, WORD_BIT) + read + weight.size,
            "operand.write": self._words((inputs.size + errors.size) * self.number.bits, WORD_BIT) + written,
        }
        yield from self._work(hold_ps, amounts, tag)
        return accesses

    def _macs(self, streamed: F32, shape: tuple[int, int, int]) -> dict[str, float]:
        """Return multiplications and additions of inputs that are not zero, or of all, and the lanes' cycles."""
        macs = (nonzero(streamed) if self.skip_zero_inputs else streamed.size) * shape[2]
        return {"multiply": macs, "add": macs, "control.cycle": self.timing.clocked(*shape)}

    def _converted(self, entered: int, results: int) -> dict[str, float]:
        """Return what rounding so many operands takes, and giving results their scale."""
        if not self.number.scaled:
            return {"convert": entered}
        return {"convert": entered, "compare": entered, "scale": entered + results}

    # --- weights --------------------------------------------------------------------------------------------------
    def move(self, weight: F32, step: F32, tag: Tag, *, kept: float = 1.0) -> Work[None]:
        """Add a step to all 32-bit weights in place, of which `kept` stays; a row of lanes adds."""
        if kept != 1:
            weight *= kept
        weight += step
        key = ("move", weight.size, kept != 1)
        return self.perform(self._jobs.get(key) or self._move_job(key), tag, None)

    def _move_job(self, key: tuple[str, int, bool]) -> Job:
        _, n, decays = key
        accesses = self._words(n * WORD_BIT, self.masters)
        hold_ps = max(-(-n // self.timing.columns) * self.cycle_ps, self.masters.hold_ps(2 * accesses))
        amounts = {
            "scale": n if decays else 0,
            "master.add": n,
            "master.read": accesses,
            "master.write": accesses,
            "control.cycle": n,
        }
        return self.job(key, hold_ps, amounts)

    def renew(self, weight: F32, tag: Tag) -> Work[F32]:
        """Return 32-bit weights as products take them: all read, rounded and written."""
        key = ("renew", weight.size)
        return self.perform(self._jobs.get(key) or self._renew_job(key), tag, self.number.operand(weight))

    def _renew_job(self, key: tuple[str, int]) -> Job:
        n = key[1]
        read, written = self._words(n * WORD_BIT, self.masters), self._words(n * self.number.bits, self.weights)
        arithmetic = -(-n // self.timing.columns) * self.cycle_ps
        hold_ps = max(arithmetic, self.masters.hold_ps(read), self.weights.hold_ps(written))
        amounts = {**self._converted(n, 0), "master.read": read, "weights.write": written, "control.cycle": n}
        return self.job(key, hold_ps, amounts)

    # --- all of them ----------------------------------------------------------------------------------------------
    def _hold_ps(self, shape: tuple[int, int, int], memory_ps: int) -> int:
        """Return the longer of arithmetic and of the memory of weights."""
        return max(self.timing.cycles(*shape) * self.cycle_ps, memory_ps)

    def _work(self, hold_ps: int, amounts: dict[str, float], tag: Tag) -> Work[None]:
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            if not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            self.count(tag, {action: amount for action, amount in amounts.items() if amount})
        finally:
            self.slot.give()

    @staticmethod
    def _words(bits: int, memory: Sram | int) -> int:
        """Return the accesses that so many bits take: the last word may be part full."""
        return -(-bits // (memory if isinstance(memory, int) else memory.word_bit))

    def sizes(self, action: str) -> dict[str, float]:
        """Return the sizes of the memory in question, the one lane that is clocked, or the bits of an operation."""
        if action == "control.cycle":
            return {"lanes": 1}
        if action in {"multiply", "add"}:
            return self._mac_sizes()
        memories = {"weights": self.weights, "master": self.masters, "operand": self.operands}
        memory = memories.get(action.partition(".")[0]) if action != "master.add" else None
        return memory.sizes() if memory else {}

    @abstractmethod
    def _mac_sizes(self) -> dict[str, float]:
        """Return the bits of a multiply-accumulate, where its price depends on them."""

    def powered(self) -> dict[str, float]:
        """Return the bits of the memories and the lanes."""
        return {
            "weights.powered": self.weights.capacity_bit,
            "master.powered": self.masters.capacity_bit,
            "operand.powered": self.operands.capacity_bit,
            "logic.powered": float(self.timing.rows * self.timing.columns),
        }

    def parts(self) -> dict[str, float]:
        """Return the lanes and the bits of the memories."""
        powered = self.powered()
        return {part: powered[f"{part}.powered"] for part in ("logic", "weights", "master", "operand")}


class Bf16Array(SystolicArray):
    """Brain floats in, 32-bit sums."""

    kind = "bf16_array"
    ACTIONS: ClassVar = {
        **_ACTIONS,
        "multiply": _arithmetic("one product of two brain floats", "fp16.multiply"),
        "add": _arithmetic("one 32-bit floating-point addition", "fp32.add"),
    }

    def _mac_sizes(self) -> dict[str, float]:
        return {}


class Fp8Array(SystolicArray):
    """Floats of 8 bits in, 32-bit sums."""

    kind = "fp8_array"
    ACTIONS: ClassVar = {
        **_SCALED,
        "multiply": _arithmetic("one product of two floats of 8 bits", "fp16.multiply"),
        "add": _arithmetic("one 32-bit floating-point addition", "fp32.add"),
    }

    def _mac_sizes(self) -> dict[str, float]:
        return {}


class Int8Array(SystolicArray):
    """Integers of 8 bits in, 32-bit sums."""

    kind = "int8_array"
    ACTIONS: ClassVar = {
        **_SCALED,
        "multiply": _arithmetic("one product of two integers of 8 bits", "int8.multiply"),
        "add": _arithmetic("one 32-bit integer addition", "int32.add"),
    }

    def _mac_sizes(self) -> dict[str, float]:
        return {"a_bits": self.number.bits, "b_bits": self.number.bits, "bits": WORD_BIT}


ARRAYS: dict[str, type[SystolicArray]] = {"bf16": Bf16Array, "fp8": Fp8Array, "int8": Int8Array}
"""Format -> the array for it."""
