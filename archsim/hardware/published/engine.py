"""Digital engine of published designs: MAC units beside memories that are read many bits at once, on counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Entry, Ledger
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component
from archsim.hardware.published.register_file import RegisterFile
from archsim.hardware.published.streaming import Emit, nobody


@dataclass(frozen=True, slots=True)
class WeightMemory:
    """Banks read and written side by side.

    Parameters
    ----------
    banks, read_bit, write_bit : int
        Bits of one access of one bank.
    bank_bit : int
        Capacity of a bank.
    transposed_reads : int
        Times as many accesses a transposed product takes (a row of the array holds many columns' weights).
    read_ps, write_ps : int
    """

    banks: int
    bank_bit: int
    read_bit: int
    write_bit: int
    transposed_reads: int
    read_ps: int
    write_ps: int

    def hold_ps(self, bits: int, *, write: bool = False) -> int:
        """Return the time to read or write so many bits, spread evenly over the banks."""
        width, ps = (self.write_bit, self.write_ps) if write else (self.read_bit, self.read_ps)
        return -(-bits // (self.banks * width)) * ps


class Engine(Component):
    """MAC units that stream the weights of one matrix past them.

    Parameters
    ----------
    units, cycle_ps : int
        One MAC a unit and cycle.
    weight_bit : int
    memory : WeightMemory, optional
        None where a design's weights come at no cost that this account knows.
    wire_m : float [m]
        Between memory and units.
    zero_gating : bool
        Whether a multiply-accumulate with a zero operand is gated; it takes its time all the same.
    registers : sequence of RegisterFile
        Beside each unit.
    """

    kind = "engine"
    ACTIONS: ClassVar = {
        "mac": Action("one multiply-accumulate", "arithmetic", part="arithmetic", circuit="logic", row="int8.multiply"),
        "gated": Action(
            "one multiply-accumulate that was gated, an operand being zero",
            "arithmetic",
            part="arithmetic",
            circuit="logic",
        ),
        "memory.read": Action("one bit of weight read", "weight storage", "bit", part="weight memory", circuit="any"),
        "memory.write": Action(
            "one bit of weight written", "weight storage", "bit", part="weight memory", circuit="any"
        ),
        "wire": Action(
            "one bit of weight moved between memory and units", "on-chip transport", "bit", part="bus", circuit="wire"
        ),
    }
    PARTS: ClassVar = {
        "mac": PartKind(part="arithmetic", circuit="logic"),
        "memory": PartKind("bit", part="weight memory", circuit="any"),
    }
    TIMES: ClassVar = {"engine.cycle": "logic", "engine.memory.read": "any", "engine.memory.write": "any"}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, units: int, cycle_ps: int, weight_bit: int,
        memory: WeightMemory | None, wire_m: float, zero_gating: bool = False,
        registers: Sequence[RegisterFile] = (),
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "engine")
        self.zero_gating, self.registers = zero_gating, registers
        self.units, self.cycle_ps, self.weight_bit, self.memory, self.wire_m = (
            units, cycle_ps, weight_bit, memory, wire_m,
        )  # fmt: skip

    def product_ps(self, macs: int, *, transposed: bool = False) -> int:
        """Return the longer of arithmetic and reading of the weights, which overlap."""
        arithmetic = -(-macs // self.units) * self.cycle_ps
        if self.memory is None:
            return arithmetic
        times = self.memory.transposed_reads if transposed else 1
        return max(arithmetic, times * self.memory.hold_ps(macs * self.weight_bit))

    def update_ps(self, macs: int) -> int:
        """Return the longer of arithmetic and of reading, then writing every weight."""
        arithmetic = -(-macs // self.units) * self.cycle_ps
        if self.memory is None:
            return arithmetic
        bits = macs * self.weight_bit
        return max(arithmetic, self.memory.hold_ps(bits) + self.memory.hold_ps(bits, write=True))

    def product(
        self, macs: int, tag: Tag, *, transposed: bool = False, density: float = 1.0, arrive_ps: int = 0,
        emit: Emit = nobody,
    ) -> Work[None]:  # fmt: skip
        """Hold for and count one product over `macs` weights.

        Parameters
        ----------
        macs, tag : as said
        transposed : bool
        density : float
            Share of multiply-accumulates whose operands are not zero.
        arrive_ps : int
            Time from its first operand to its last, if they stream in.
        emit : callable
            Called after the first cycle, for units that take the results as they come.
        """
        yield from self._hold(max(self.product_ps(macs, transposed=transposed), arrive_ps), emit)
        bits = macs * self.weight_bit if self.memory else 0
        times = self.memory.transposed_reads if self.memory and transposed else 1
        self._count(macs, density, {"memory.read": times * bits, "wire": bits}, tag)

    def update(
        self, macs: int, tag: Tag, *, density: float = 1.0, arrive_ps: int = 0, emit: Emit = nobody
    ) -> Work[None]:  # fmt: skip
        """Hold for and count one outer-product update: each weight read, changed, written. Parameters as `product`."""
        yield from self._hold(max(self.update_ps(macs), arrive_ps), emit)
        bits = macs * self.weight_bit if self.memory else 0
        self._count(macs, density, {"memory.read": bits, "memory.write": bits, "wire": 2 * bits}, tag)

    def _hold(self, ps: int, emit: Emit) -> Work[None]:
        """Hold, and tell of the first result after a cycle."""
        yield from self.hold(min(self.cycle_ps, ps))
        emit()
        yield from self.hold(ps - min(self.cycle_ps, ps))

    def _count(self, macs: int, density: float, moved: dict[str, float], tag: Tag) -> None:
        """Count multiply-accumulates, done and gated, the registers beside them, and the bits moved."""
        done = round(macs * density) if self.zero_gating else macs
        gated = {"gated": macs - done} if self.zero_gating else {}
        self.count(tag, {"mac": done, **gated, **moved})
        for file in self.registers:
            file.access(done, macs - done, tag)

    def entries(self) -> list[Entry]:
        """Return every action; those of the memory only where there is one, gating where zeros are gated."""
        there = {"engine.mac": True, "engine.gated": self.zero_gating}
        return [entry for entry in super().entries() if there.get(entry.key, self.memory is not None)]

    def sizes(self, action: str) -> dict[str, float]:
        """Return the wire's length."""
        return {"length_m": self.wire_m} if action == "wire" else {}

    def parts(self) -> dict[str, float]:
        """Return the units and the memory's bits."""
        bits = self.memory.banks * self.memory.bank_bit if self.memory else 0
        return {"mac": self.units, "memory": bits}
