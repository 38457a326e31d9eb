"""Lanes of 32-bit multiply-accumulate over weights in on-chip SRAM: the heart of the digital baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Job, Ledger
from archsim.base.arrays import F32
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import CONTROL, Component, fp32, memory
from archsim.hardware.sram import Sram
from archsim.learning.products import add_outer, nonzero, product, swept, transposed_product

WEIGHT_BIT = 32


@dataclass(frozen=True, slots=True)
class Kept:
    """How a matrix lies in the memory: bits of an element, none where each is made anew; whether it is a sign.

    A product with signs takes additions alone. Elements are packed in words without gaps.
    """

    bits: int = WEIGHT_BIT
    signs: bool = False


WHOLE, MADE, SIGNS = Kept(), Kept(bits=0), Kept(bits=1, signs=True)
"""Numbers of 32 bits; numbers that a generator makes at each use; signs."""


class MacArray(Component):
    """MAC lanes with a weight memory; a weight is read once for so many vectors as a lane has accumulators.

    Parameters
    ----------
    lanes : int
        Multiply-accumulates a cycle, if the memory keeps up.
    cycle_ps : int
    weights : Sram
        Sole home of the 32-bit weights. A word of 32 n bits holds n of them, which one access reads or writes together:
        they are laid out in the order of use, without gaps.
    operands : Sram
        Memory of the vectors that are multiplied; its accesses overlap.
    skip_zero_inputs : bool
        Whether products with a zero input are passed over (and not counted).
    accumulators : int
        Partial sums that a lane holds, each of another vector: a weight that is read serves them all, and an update
        reads and writes it once for them. 1: a weight is read for every use. They are registers of the lane and priced
        with its additions.
    """

    kind = "mac_array"
    ACTIONS: ClassVar = {
        **fp32("arithmetic"),
        **memory("weights", "weight storage", "weight memory", of="the weight memory", one="one word of weights"),
        **memory(
            "operand", "arithmetic", "signal memory", of="the operand memory", one="one operand", written="one result"
        ),
        **CONTROL,
    }
    PARTS: ClassVar = {
        "logic": PartKind(part="arithmetic", circuit="logic"),
        "weights": PartKind("bit", part="weight memory", circuit="memory"),
        "operand": PartKind("bit", part="signal memory", circuit="memory"),
    }
    TIMES: ClassVar = {"digital.cycle": "logic", "sram.access": "memory"}
    WORK: ClassVar = {"forward": "product", "backward": "transposed product", "update": "outer product"}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, lanes: int, cycle_ps: int, weights: Sram, operands: Sram,
        skip_zero_inputs: bool, accumulators: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "mac_array")
        self.lanes, self.cycle_ps = lanes, cycle_ps
        self.weights, self.operands, self.skip_zero_inputs = weights, operands, skip_zero_inputs
        self.accumulators = accumulators

    def accesses(self, weights: int, bits: int = WEIGHT_BIT) -> int:
        """Return the accesses that read (or write) so many weights once: the last word may be part full."""
        return -(-weights * bits // self.weights.word_bit)

    def used(self, x: F32, columns: int) -> int:
        """Return the elements of a matrix of so many columns that a product with x, (vectors, rows), takes in."""
        return swept(x, self.accumulators, skip_zeros=self.skip_zero_inputs) * columns

    def hold_ps(self, macs: int, accesses: int, *, memory: Sram | None = None) -> int:
        """Return the longer of arithmetic (MACs over lanes) and memory (accesses over banks), by default of weights."""
        return max(-(-macs // self.lanes) * self.cycle_ps, (memory or self.weights).hold_ps(accesses))

    def multiply(self, weight: F32, x: F32, tag: Tag, *, kept: Kept = WHOLE) -> Work[F32]:
        """Return x W, (vectors, columns)."""
        return self._product(product, weight, x, tag, kept)

    def multiply_transposed(self, weight: F32, d: F32, tag: Tag, *, kept: Kept = WHOLE) -> Work[F32]:
        """Return d W^T, (vectors, rows); weights are single words, so both orders cost the same."""
        return self._product(transposed_product, weight, d, tag, kept)

    def _inputs(self, x: F32) -> int:
        return nonzero(x) if self.skip_zero_inputs else x.size

    def _accesses(self, x: F32, columns: int, bits: int = WEIGHT_BIT) -> int:
        """Return the accesses that read, or write, the weights for all vectors."""
        return self.accesses(self.used(x, columns), bits)

    def _product(
        self, multiplied: Callable[[F32, F32], F32], weight: F32, x: F32, tag: Tag, kept: Kept
    ) -> Work[F32]:  # fmt: skip
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            out = multiplied(weight, x)
            inputs, outputs = self._inputs(x), out.shape[1]
            macs = inputs * outputs
            accesses = self._accesses(x, outputs, kept.bits)
            hold_ps = self.hold_ps(macs, accesses)
            if not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            self.count(
                tag,
                {
                    "multiply": 0 if kept.signs else macs,
                    "add": macs,
                    "weights.read": accesses,
                    "operand.read": inputs * -(-outputs // self.lanes),
                    "operand.write": out.size,
                    "control.cycle": -(-hold_ps // self.cycle_ps),
                },
            )
            return out
        finally:
            self.slot.give()

    def add_outer(self, weight: F32, x: F32, d: F32, tag: Tag, *, into: Sram | None = None) -> Work[int]:
        """Add the sum over vectors of x_i d_j to the weights in place: multiply and add for each, read and write.

        Return how many words were read, and as many written. They are the weight memory's, unless the sum is of another
        memory that is added `into`, laid out as the weights are: then its owner books them.
        """
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            add_outer(weight, x, d)
            inputs, columns = self._inputs(x), weight.shape[1]
            macs = inputs * columns
            accesses = self._accesses(x, columns)
            hold_ps = self.hold_ps(macs, 2 * accesses, memory=into)
            if not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            own = accesses if into is None else 0
            self.count(
                tag,
                {
                    "multiply": macs,
                    "add": macs,
                    "weights.read": own,
                    "weights.write": own,
                    "operand.read": inputs + macs,
                    "control.cycle": -(-hold_ps // self.cycle_ps),
                },
            )
            return accesses
        finally:
            self.slot.give()

    def move(self, weight: F32, step: F32, tag: Tag, *, kept: float = 1.0) -> Work[None]:
        """Add a step to all weights in place, of which `kept` stays: an addition each, and a product if it is not 1.

        Steps come as fast as the weight memory takes them, and pass by the operand memory.
        """
        if kept != 1:
            weight *= np.float32(kept)
        weight += step
        key = ("move", weight.size, kept != 1)
        return self.perform(self._jobs.get(key) or self._move_job(key), tag, None)

    def rewrite(self, words: int, tag: Tag) -> Work[None]:
        """Change bits of so many words of the weight memory: a reading and a writing each."""
        key = ("rewrite", words)
        hold_ps = self.weights.hold_ps(2 * words)
        amounts = {"weights.read": words, "weights.write": words, "control.cycle": -(-hold_ps // self.cycle_ps)}
        return self.perform(self._jobs.get(key) or self.job(key, hold_ps, amounts), tag, None)

    def _move_job(self, key: tuple[str, int, bool]) -> Job:
        _, n, decays = key
        accesses = self.accesses(n)
        hold_ps = self.hold_ps(n, 2 * accesses)
        amounts = {
            "multiply": n if decays else 0,
            "add": n,
            "weights.read": accesses,
            "weights.write": accesses,
            "control.cycle": -(-hold_ps // self.cycle_ps),
        }
        return self.job(key, hold_ps, amounts)

    def sizes(self, action: str) -> dict[str, float]:
        """Return the sizes of the memory in question, or the lanes that control and clock serve."""
        if action == "control.cycle":
            return {"lanes": self.lanes}
        memory = {"weights": self.weights, "operand": self.operands}.get(action.partition(".")[0])
        return memory.sizes() if memory else {}

    def powered(self) -> dict[str, float]:
        """Return both memories' bits and one unit of logic."""
        return {
            "weights.powered": self.weights.capacity_bit,
            "operand.powered": self.operands.capacity_bit,
            "logic.powered": 1.0,
        }

    def parts(self) -> dict[str, float]:
        """Return the lanes and both memories' bits."""
        return {"logic": self.lanes, "weights": self.weights.capacity_bit, "operand": self.operands.capacity_bit}
