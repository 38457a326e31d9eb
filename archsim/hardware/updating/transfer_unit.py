"""The part of the digital unit that sums what is read of fast arrays and says when slow ones are pulsed."""

from __future__ import annotations

from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Ledger
from archsim.base.arrays import F32, I64
from archsim.base.expected import parcels
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import CONTROL, Component, fp32, memory
from archsim.hardware.sram import Sram
from archsim.learning.transfer import Buffered

_PART = "transfer buffer"

_FP32 = fp32("weight update")


class TransferUnit(Component):
    """Lanes of 32-bit arithmetic beside a memory with the buffer of every weight, and what its rule keeps beside.

    Parameters
    ----------
    lanes : int
        Products or sums a cycle, if the memory keeps up.
    cycle_ps : int
    buffer : Sram
        Its words are the buffer's elements.
    """

    kind = "transfer_unit"
    ACTIONS: ClassVar = {
        "multiply": _FP32["multiply"],
        "add": _FP32["add"],
        "compare": Action("one comparison with the threshold", "weight update", part="arithmetic", circuit="logic"),
        "random.bit": Action(
            "one random number compared with a chopper's probability",
            "weight update",
            part="arithmetic",
            circuit="logic",
        ),
        **memory("buffer", "weight update", _PART, of="the buffer", one="one word of the buffer"),
        **CONTROL,
    }
    PARTS: ClassVar = {
        "logic": PartKind(part="arithmetic", circuit="logic"),
        "buffer": PartKind("bit", part=_PART, circuit="memory"),
    }
    TIMES: ClassVar = {"digital.cycle": "logic", "sram.access": "memory"}
    WORK: ClassVar = {"update": "transfer"}

    def __init__(self, clock: Clock, ledger: Ledger, *, lanes: int, cycle_ps: int, buffer: Sram) -> None:
        super().__init__(clock, ledger, "transfer_unit")
        self.lanes, self.cycle_ps, self.buffer = lanes, cycle_ps, buffer

    def hold_ps(self, operations: float, accesses: float) -> int:
        """Return the longer of arithmetic, so many operations a cycle as there are lanes, and memory."""
        return max(round(parcels(operations, self.lanes) * self.cycle_ps), self.buffer.hold_ps(round(accesses)))

    def take(self, rule: Buffered, line: int, read: F32, rate: float, tag: Tag) -> Work[I64]:
        """Add a line that was read to the buffer of a rule; return the pulses that are due, (columns,)."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            done = rule.take(line, read, rate)
            hold_ps = self.hold_ps(done.multiplies + done.adds, done.reads + done.writes)
            if not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            self.count(
                tag,
                {
                    "multiply": done.multiplies,
                    "add": done.adds,
                    "compare": done.compares,
                    "random.bit": done.draws,
                    "buffer.read": done.reads,
                    "buffer.write": done.writes,
                    "control.cycle": -(-hold_ps // self.cycle_ps),
                },
            )
            return done.pulses
        finally:
            self.slot.give()

    def sizes(self, action: str) -> dict[str, float]:
        """Return the memory's sizes for its actions, or the lanes that control and clock serve."""
        if action == "control.cycle":
            return {"lanes": self.lanes}
        return self.buffer.sizes() if action.startswith("buffer.") else {}

    def powered(self) -> dict[str, float]:
        """Return the memory's bits and one unit of logic."""
        return {"buffer.powered": self.buffer.capacity_bit, "logic.powered": 1.0}

    def parts(self) -> dict[str, float]:
        """Return the lanes and the memory's bits."""
        return {"logic": self.lanes, "buffer": self.buffer.capacity_bit}
