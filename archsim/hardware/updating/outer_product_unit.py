"""The part of the digital unit that accumulates gradients: outer product into chi, threshold."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Job, Ledger
from archsim.base.arrays import F32, I64
from archsim.base.signal import Scale, Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import CONTROL, Component, memory
from archsim.hardware.sram import Sram
from archsim.learning.chi.accumulate import Accumulator, Counts


class OuterProductUnit(Component):
    """Lanes that multiply x_i by d_j, add to chi in its memory and compare with the threshold.

    Parameters
    ----------
    lanes : int
        Elements of chi a cycle, if its memory keeps up (a read and a write each).
    cycle_ps : int
    chi : Sram
    x_bits, error_bits : int
        Precision of the two operands.
    copies : int
        Units that work side by side, each with its lanes, its memory and its band of chi; an outer product takes what
        the slowest takes.
    label : str, optional
        The instance's own name.
    """

    kind = "outer_product_unit"
    ACTIONS: ClassVar = {
        "multiply": Action(
            "one product of two operands", "weight update", part="arithmetic", circuit="logic", row="int8.multiply"
        ),
        "add": Action(
            "one addition to chi, or one epsilon taken out",
            "weight update",
            part="arithmetic",
            circuit="logic",
            row="int32.add",
        ),
        "compare": Action("one comparison with the threshold", "weight update", part="arithmetic", circuit="logic"),
        **memory("chi", "weight update", "chi memory", of="the chi memory", one="one element of chi"),
        **CONTROL,
    }
    PARTS: ClassVar = {
        "logic": PartKind(part="arithmetic", circuit="logic"),
        "chi": PartKind("bit", part="chi memory", circuit="memory"),
    }
    TIMES: ClassVar = {"digital.cycle": "logic", "sram.access": "memory"}
    WORK: ClassVar = {"update": "accumulate"}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, lanes: int, cycle_ps: int, chi: Sram, x_bits: int,
        error_bits: int, copies: int = 1, label: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "outer_product_unit", label=label)
        self.lanes, self.cycle_ps, self.chi, self.copies = lanes, cycle_ps, chi, copies
        self.x_bits, self.error_bits = x_bits, error_bits

    def hold_ps(self, products: int, rows: int, updates: int, *, into: Sram | None = None) -> int:
        """Return the longer of arithmetic and memory, chi's or the one that is added `into`.

        Arithmetic: first the rows are scaled, then the products taken and added, so many a cycle as there are lanes.
        Memory: two accesses an element that is changed.
        """
        cycles = -(-rows // self.lanes) - (-products // self.lanes)
        return max(cycles * self.cycle_ps, (into or self.chi).hold_ps(2 * updates))

    def holds_ps(self, done: Counts, into: Sram | None = None) -> list[int]:
        """Return the time of each copy."""
        return [self.hold_ps(*band, into=into) for band in done.bands]

    def accumulate(
        self, accumulator: Accumulator, x: F32, d: F32, tag: Tag, *, x_scale: Scale, rate: Scale,
        into: Sram | None = None,
    ) -> Work[Counts]:  # fmt: skip
        """Add rate times the outer product of x (vectors, rows) and d (vectors, columns; within +-1) to chi.

        The accumulator counts by as many bands as there are copies. It stands for another memory if one is given that
        is added `into`: each copy's; its owner books the accesses, and nothing is compared.
        """
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            done = accumulator.accumulate(x, d, x_scale=x_scale, rate=rate)
            holds_ps = self.holds_ps(done, into)
            hold_ps = max(holds_ps)
            if not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            row = self._account.row(tag)
            products, rows, updates = done.bands[0] if self.copies == 1 else (done.products, done.rows, done.updates)
            row["multiply"] += products + rows
            row["add"] += products
            if into is None:
                row["compare"] += updates
                row["chi.read"] += updates
                row["chi.write"] += updates
            row["control.cycle"] += sum([-(-each_ps // self.cycle_ps) for each_ps in holds_ps])
            return done
        finally:
            self.slot.give()

    def shift(self, accumulator: Accumulator, step: F32, tag: Tag) -> Work[None]:
        """Add a step, (columns, rows) in epsilons, to all of chi: an addition, a comparison, a read and a write each.

        Steps come as fast as chi takes them.
        """
        accumulator.shift(step)
        key = ("shift", *accumulator.bands)
        return self.perform(self._jobs.get(key) or self._shift_job(key, accumulator.bands), tag, None)

    def _shift_job(self, key: Hashable, bands: Sequence[int]) -> Job:
        elements, holds_ps = sum(bands), [self.hold_ps(band, 0, band) for band in bands]
        amounts = dict.fromkeys(("add", "compare", "chi.read", "chi.write"), elements)
        cycles = sum(-(-each_ps // self.cycle_ps) for each_ps in holds_ps)
        return self.job(key, max(holds_ps), {**amounts, "control.cycle": cycles})

    def apply(self, accumulator: Accumulator, tag: Tag) -> tuple[I64, I64]:
        """Take the pulses that are due out of chi; return positions and signed numbers.

        An addition for each element. It takes no time and no access of its own: the comparison found what crossed,
        which is taken out on its way back to memory.
        """
        index, pulses = accumulator.apply()
        if index.size:
            self._account.row(tag)["add"] += index.size
        return index, pulses

    def sizes(self, action: str) -> dict[str, float]:
        """Return operand bits, chi's bits, its memory's sizes, or the lanes that control and clock serve."""
        if action == "control.cycle":
            return {"lanes": self.lanes}
        if action.startswith("chi."):
            return self.chi.sizes()
        if action == "multiply":
            return {"a_bits": self.x_bits, "b_bits": self.error_bits}
        return {"bits": self.chi.word_bit} if action in {"add", "compare"} else {}

    def powered(self) -> dict[str, float]:
        """Return chi's bits and the logic of all copies."""
        return {"chi.powered": self.copies * self.chi.capacity_bit, "logic.powered": float(self.copies)}

    def parts(self) -> dict[str, float]:
        """Return the lanes and chi's bits."""
        return {"logic": self.copies * self.lanes, "chi": self.copies * self.chi.capacity_bit}


class BurstOuterProductUnit(OuterProductUnit):
    """An outer product unit that sums the products of a burst of vectors in a register before it touches chi.

    Operands of a burst lie beside the lanes, a word each, in a memory with two banks a lane; a product reads two. The
    register of an element begins with its chi, so that a product is one addition, as without bursts.

    Parameters
    ----------
    operands : Sram
        Memory of one copy for the operands of one burst.
    others
        As for `OuterProductUnit`.
    """

    ACTIONS: ClassVar = {
        **OuterProductUnit.ACTIONS,
        **memory(
            "operand",
            "weight update",
            "signal memory",
            of="the operand memory",
            one="one operand of a product",
            written="one operand of a burst",
        ),
    }
    PARTS: ClassVar = {**OuterProductUnit.PARTS, "operand": PartKind("bit", part="signal memory", circuit="memory")}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, lanes: int, cycle_ps: int, chi: Sram, operands: Sram, x_bits: int,
        error_bits: int, copies: int = 1, label: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            clock, ledger, lanes=lanes, cycle_ps=cycle_ps, chi=chi, x_bits=x_bits, error_bits=error_bits,
            copies=copies, label=label,
        )  # fmt: skip
        self.operands = operands

    def holds_ps(self, done: Counts, into: Sram | None = None) -> list[int]:
        """Return the time of each copy: the longest of arithmetic, chi and the memory of operands."""
        return [
            max(self.hold_ps(*band, into=into), self.operands.hold_ps(operands + 2 * band[0]))
            for band, operands in zip(done.bands, done.operands, strict=True)
        ]

    def accumulate(
        self, accumulator: Accumulator, x: F32, d: F32, tag: Tag, *, x_scale: Scale, rate: Scale,
        into: Sram | None = None,
    ) -> Work[Counts]:  # fmt: skip
        """Add rate times the outer product to chi, burst by burst, as `OuterProductUnit` has it."""
        done = yield from super().accumulate(accumulator, x, d, tag, x_scale=x_scale, rate=rate, into=into)
        self.count(tag, {"operand.write": sum(done.operands), "operand.read": 2 * done.products})
        return done

    def sizes(self, action: str) -> dict[str, float]:
        """Return the sizes of the memory of operands, too."""
        return self.operands.sizes() if action.startswith("operand.") else super().sizes(action)

    def powered(self) -> dict[str, float]:
        """Return the bits of the memories of operands, too."""
        return {**super().powered(), "operand.powered": self.copies * self.operands.capacity_bit}

    def parts(self) -> dict[str, float]:
        """Return the bits of the memories of operands, too."""
        return {**super().parts(), "operand": self.copies * self.operands.capacity_bit}
