"""The part of the digital unit that turns an outer product into numbers of pulses."""

from __future__ import annotations

from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Ledger
from archsim.base.arrays import F32
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import CONTROL, Component, fp32
from archsim.learning.pulses import Due, PulseRule

_FP32 = fp32("weight update")


class PulseUnit(Component):
    """Lanes that multiply x_i by d_j and round the product to a number of pulses; nothing is accumulated.

    Parameters
    ----------
    lanes : int
        Products a cycle.
    cycle_ps : int
    """

    kind = "pulse_unit"
    ACTIONS: ClassVar = {
        "multiply": _FP32["multiply"],
        "round": Action(
            "one product rounded to a number of pulses",
            "weight update",
            part="arithmetic",
            circuit="logic",
            row="fp32.add",
        ),
        **CONTROL,
    }
    PARTS: ClassVar = {"logic": PartKind(part="arithmetic", circuit="logic")}
    TIMES: ClassVar = {"digital.cycle": "logic"}

    def __init__(self, clock: Clock, ledger: Ledger, *, lanes: int, cycle_ps: int) -> None:
        super().__init__(clock, ledger, "pulse_unit")
        self.lanes, self.cycle_ps = lanes, cycle_ps

    def hold_ps(self, products: int) -> int:
        """Return the time of so many products: ceil(products/lanes) cycles."""
        return -(-products // self.lanes) * self.cycle_ps

    def find(self, rule: PulseRule, x: F32, d: F32, tag: Tag) -> Work[Due]:
        """Return the pulses that a rule finds due for x (vectors, rows) and d (vectors, columns)."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            due = rule.due(x, d)
            hold_ps = self.hold_ps(due.products)
            if hold_ps and not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            row = self._account.row(tag)
            row["multiply"] += due.products
            row["round"] += due.products
            row["control.cycle"] += hold_ps // self.cycle_ps
            return due
        finally:
            self.slot.give()

    def sizes(self, action: str) -> dict[str, float]:
        """Return the lanes that control and clock serve."""
        return {"lanes": self.lanes} if action == "control.cycle" else {}

    def powered(self) -> dict[str, float]:
        """Return one unit of logic."""
        return {"logic.powered": 1.0}

    def parts(self) -> dict[str, float]:
        """Return the lanes."""
        return {"logic": self.lanes}
