"""Register files of a digital engine: read and written beside each multiply-accumulate, at no time of their own."""

from __future__ import annotations

from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Entry, Ledger
from archsim.base.signal import Tag
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component


class RegisterFile(Component):
    """Equal files, one beside each MAC unit; a technology prices them as "registers_NAME.read" and ".write".

    Parameters
    ----------
    registers : str
        Its name, of lower-case letters, digits and underscores.
    units : int
        Files, one a MAC unit.
    capacity_bit, word_bit : int
        Of one file; of an access.
    reads, writes : float
        Accesses of a multiply-accumulate.
    gated : bool
        Whether a multiply-accumulate that is gated leaves it alone.
    """

    ACTIONS: ClassVar = {
        "read": Action("one word read", "arithmetic", part="arithmetic", circuit="memory"),
        "write": Action("one word written", "arithmetic", part="arithmetic", circuit="memory"),
    }
    PARTS: ClassVar = {"bits": PartKind("bit", part="arithmetic", circuit="memory")}

    def __init__(
        self, clock: Clock, ledger: Ledger, registers: str, *, units: int, capacity_bit: int, word_bit: int,
        reads: float, writes: float, gated: bool,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, registers)
        self.kind = f"registers_{registers}"
        self.units, self.capacity_bit, self.word_bit = units, capacity_bit, word_bit
        self.reads, self.writes, self.gated = reads, writes, gated

    def access(self, done: float, gated: float, tag: Tag) -> None:
        """Count the accesses of so many multiply-accumulates that were done, and of those that were gated."""
        times = done if self.gated else done + gated
        self.count(tag, {"read": self.reads * times, "write": self.writes * times})

    def entries(self) -> list[Entry]:
        """Return reads and writes, each where there are any."""
        there = {"read": self.reads, "write": self.writes}
        return [entry for entry in super().entries() if there[entry.key.partition(".")[2]]]

    def sizes(self, action: str) -> dict[str, float]:
        """Return the capacity of one file and the bits of an access."""
        del action
        return {"capacity_bit": self.capacity_bit, "word_bit": self.word_bit}

    def parts(self) -> dict[str, float]:
        """Return the bits of all files."""
        return {"bits": self.units * self.capacity_bit}
