"""The part of a chip that turns gradients into steps: gradient and state memories, and lanes that sweep over them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Job, Ledger
from archsim.base.arrays import F32
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import CONTROL, Component, fp32, memory
from archsim.hardware.sram import Sram
from archsim.learning.optimisers.rules import Learnt, StepCost

WORD_BIT = 32


class OptimiserUnit(Component):
    """Lanes of 32-bit arithmetic with a table of roots and reciprocals, over a memory of gradients and one of states.

    Outer products are taken elsewhere, by the lanes that take them without an optimiser; their accesses to the gradient
    memory are booked here, their time there. A step sweeps once over all weights: it reads gradient and states, writes
    the states and a zero in the gradient's place, and passes the step on to where the weights lie.

    Parameters
    ----------
    lanes : int
        Elementary operations a cycle, of one copy.
    cycle_ps : int
    gradients, states : Sram
        Of one copy; a word may hold several neighbours, which one access reads or writes together.
    cost : StepCost
    kept : int
        State words a weight.
    copies : int
        Units that work side by side, each with its lanes, memories and band of weights.
    label : str, optional
        The instance's own name.
    """

    kind = "optimiser_unit"
    ACTIONS: ClassVar = {
        **fp32("weight update"),
        "lookup": Action("one root or reciprocal looked up", "weight update", part="arithmetic", circuit="logic"),
        **memory("gradient", "weight update", "weight memory", of="the gradient memory", one="one word of gradients"),
        **memory("state", "weight update", "weight memory", of="the state memory", one="one word of states"),
        **CONTROL,
    }
    PARTS: ClassVar = {
        "logic": PartKind(part="arithmetic", circuit="logic"),
        "gradient": PartKind("bit", part="weight memory", circuit="memory"),
        "state": PartKind("bit", part="weight memory", circuit="memory"),
    }
    TIMES: ClassVar = {"digital.cycle": "logic", "sram.access": "memory"}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, lanes: int, cycle_ps: int, gradients: Sram, states: Sram,
        cost: StepCost, kept: int, copies: int = 1, label: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "optimiser_unit", label=label)
        self.lanes, self.cycle_ps, self.copies = lanes, cycle_ps, copies
        self.gradients, self.states, self.cost, self.kept = gradients, states, cost, kept

    def accesses(self, weights: int) -> int:
        """Return the accesses that read (or write) one word of each of so many weights once."""
        return -(-weights * WORD_BIT // self.gradients.word_bit)

    def hold_ps(self, weights: int) -> int:
        """Return the time of a step of so many weights: the longest of arithmetic and the two memories."""
        cycles, accesses = -(-weights * self.cost.operations // self.lanes), self.accesses(weights)
        return max(
            cycles * self.cycle_ps, self.gradients.hold_ps(2 * accesses), self.states.hold_ps(2 * self.kept * accesses)
        )

    def added(self, accesses: int, tag: Tag) -> None:
        """Book reads, and as many writes, of the gradient memory by who adds to it; they take no time here."""
        self.count(tag, {"gradient.read": accesses, "gradient.write": accesses})

    def step(self, learnt: Learnt, bands: Sequence[int], tag: Tag, *, rate: float) -> Work[F32]:
        """Return the step of all weights of a matrix, a view that holds until `learnt.clear`.

        Parameters
        ----------
        bands : sequence of int
            Weights of each copy.
        rate : float
            Learning rate in the unit of the step.
        """
        key = ("step", *bands)
        return self.perform(self._jobs.get(key) or self._step_job(key, bands), tag, learnt.step(rate))

    def _step_job(self, key: Hashable, bands: Sequence[int]) -> Job:
        weights, accesses = sum(bands), sum(map(self.accesses, bands))
        holds_ps = list(map(self.hold_ps, bands))
        amounts = {
            "add": self.cost.adds * weights,
            "multiply": self.cost.multiplies * weights,
            "lookup": self.cost.lookups * weights,
            "gradient.read": accesses,
            "gradient.write": accesses,
            "state.read": self.kept * accesses,
            "state.write": self.kept * accesses,
            "control.cycle": sum(-(-hold_ps // self.cycle_ps) for hold_ps in holds_ps),
        }
        return self.job(key, max(holds_ps), amounts)

    def sizes(self, action: str) -> dict[str, float]:
        """Return the sizes of the memory in question, or the lanes that control and clock serve."""
        if action == "control.cycle":
            return {"lanes": self.lanes}
        memory = {"gradient": self.gradients, "state": self.states}.get(action.partition(".")[0])
        return memory.sizes() if memory else {}

    def powered(self) -> dict[str, float]:
        """Return the bits of both memories and the logic of all copies."""
        return {
            "gradient.powered": self.copies * self.gradients.capacity_bit,
            "state.powered": self.copies * self.states.capacity_bit,
            "logic.powered": float(self.copies),
        }

    def parts(self) -> dict[str, float]:
        """Return the lanes and the bits of both memories."""
        return {
            "logic": self.copies * self.lanes,
            "gradient": self.copies * self.gradients.capacity_bit,
            "state": self.copies * self.states.capacity_bit,
        }
