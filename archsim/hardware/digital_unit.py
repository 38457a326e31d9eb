"""The digital unit: elementwise arithmetic and activation between layers, and the buffer that holds signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import simpy

from archsim.accounting.ledger import Action, Ledger
from archsim.base.arrays import F32
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.component import Component
from archsim.hardware.sram import Sram
from archsim.learning import _kernels
from archsim.learning.maths import OPS


class DigitalUnit(Component):
    """Lanes of 32-bit elementwise arithmetic with an activation table and a signal buffer.

    Parameters
    ----------
    lanes : int
        Elementary operations a cycle; buffer accesses overlap with them.
    cycle_ps : int
    buffer : Sram
    """

    kind = "digital_unit"
    ACTIONS: ClassVar = {
        "add": Action("one 32-bit floating-point addition", "arithmetic"),
        "multiply": Action("one 32-bit floating-point multiplication", "arithmetic"),
        "compare": Action("one comparison", "arithmetic"),
        "lookup": Action("one look-up of the activation table", "activation"),
        "buffer.read": Action("one word read from the signal buffer", "activation"),
        "buffer.write": Action("one word written to the signal buffer", "activation"),
        "buffer.powered": Action("one bit of the buffer powered for a second", "activation", "bit*s"),
        "control.cycle": Action("one busy cycle of control and clock", "control and clock"),
        "logic.powered": Action("the unit's logic powered for a second", "control and clock", "s"),
    }

    def __init__(
        self, env: simpy.Environment, ledger: Ledger, name: str = "digital_unit", *, lanes: int, cycle_ps: int,
        buffer: Sram,
    ) -> None:  # fmt: skip
        super().__init__(env, ledger, name)
        self.lanes, self.cycle_ps, self.buffer = lanes, cycle_ps, buffer

    def cycles(self, operations: int) -> int:
        """Return the cycles of so many elementary operations: ceil(operations/lanes)."""
        return -(-operations // self.lanes)

    def _busy(self, cycles: int) -> Work[None]:
        if not self.slot.take():
            yield self.slot.wait()
        if cycles:
            yield self.env.timeout(cycles * self.cycle_ps)
        self.slot.give()

    def elementwise(self, op: str, operands: Sequence[F32], tag: Tag) -> Work[F32]:
        """Apply a named operation to operands of equal shape (vectors, size)."""
        operation = OPS[op]
        result = operation(*operands)
        n = result.size
        cycles = self.cycles(operation.operations * n)
        yield from self._busy(cycles)
        self.count(
            tag,
            {
                "add": operation.adds * n,
                "multiply": operation.multiplies * n,
                "compare": operation.compares * n,
                "lookup": operation.lookups * n,
                "buffer.read": operation.operands * n,
                "buffer.write": n,
                "control.cycle": cycles,
            },
        )
        return result

    def collect(self, parts: Sequence[F32], scale: float, tag: Tag) -> Work[F32]:
        """Add up partial sums of one shape and multiply by `scale` (free if it is 1); keep the result in the buffer."""
        result = parts[0] if len(parts) == 1 else np.add(parts[0], parts[1])
        for part in parts[2:]:
            result += part
        n = result.size
        adds, multiplies = (len(parts) - 1) * n, 0 if scale == 1 else n
        if multiplies:
            result = result * np.float32(scale)
        cycles = self.cycles(adds + multiplies)
        yield from self._busy(cycles)
        self.count(tag, {"add": adds, "multiply": multiplies, "buffer.write": n, "control.cycle": cycles})
        return result

    def normalise(self, d: F32, tag: Tag) -> Work[tuple[F32, float]]:
        """Return d over its largest magnitude, and that magnitude: one comparison and one multiplication an element."""
        scale = float(_kernels.largest(d))
        result = d * np.float32(1 / scale) if scale > 0 else d
        n = d.size
        cycles = self.cycles(2 * n)
        yield from self._busy(cycles)
        self.count(
            tag, {"compare": n, "multiply": n, "buffer.read": 2 * n, "buffer.write": n, "control.cycle": cycles}
        )
        return result, scale

    def store(self, words: int, tag: Tag) -> None:
        """Book words written to the buffer behind a transfer; they take no time of their own."""
        self.count(tag, {"buffer.write": words})

    def fetch(self, words: int, tag: Tag) -> None:
        """Book words read from the buffer ahead of a transfer or for another unit; they take no time of their own."""
        self.count(tag, {"buffer.read": words})

    def sizes(self, action: str) -> dict[str, float]:
        """Return the buffer's sizes for its actions."""
        return self.buffer.sizes() if action.startswith("buffer.") else {}

    def powered(self) -> dict[str, float]:
        """Return the buffer's bits and one unit of logic."""
        return {"buffer.powered": self.buffer.capacity_bit, "logic.powered": 1.0}
