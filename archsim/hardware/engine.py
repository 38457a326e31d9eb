"""Digital engine of published designs: MAC units beside memories that are read many bits at once, on counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Entry, Ledger
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component


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
    """

    kind = "engine"
    ACTIONS: ClassVar = {
        "mac": Action("one multiply-accumulate", "arithmetic", part="arithmetic", circuit="logic", row="int8.multiply"),
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
        memory: WeightMemory | None, wire_m: float,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "engine")
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

    def product(self, macs: int, tag: Tag, *, transposed: bool = False) -> Work[None]:
        """Hold for and count one product over `macs` weights."""
        yield from self.hold(self.product_ps(macs, transposed=transposed))
        bits = macs * self.weight_bit if self.memory else 0
        times = self.memory.transposed_reads if self.memory and transposed else 1
        self.count(tag, {"mac": macs, "memory.read": times * bits, "wire": bits})

    def update(self, macs: int, tag: Tag) -> Work[None]:
        """Hold for and count one outer-product update: each weight read, changed, written."""
        yield from self.hold(self.update_ps(macs))
        bits = macs * self.weight_bit if self.memory else 0
        self.count(tag, {"mac": macs, "memory.read": bits, "memory.write": bits, "wire": 2 * bits})

    def entries(self) -> list[Entry]:
        """Return every action, those of the memory only where there is one."""
        return [entry for entry in super().entries() if self.memory or entry.key == "engine.mac"]

    def sizes(self, action: str) -> dict[str, float]:
        """Return the wire's length."""
        return {"length_m": self.wire_m} if action == "wire" else {}

    def parts(self) -> dict[str, float]:
        """Return the units and the memory's bits."""
        bits = self.memory.banks * self.memory.bank_bit if self.memory else 0
        return {"mac": self.units, "memory": bits}
