"""A buffer between the units of a published design: ports, and the traffic of a vector through them."""

from __future__ import annotations

from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Entry, Ledger
from archsim.hardware.clock import Clock
from archsim.hardware.published.streaming import Streaming
from archsim.hardware.sram import Sram


class TrafficBuffer(Streaming):
    """Banks with so many ports; a technology prices it as "buffer_NAME.read", ".write" and ".powered".

    Parameters
    ----------
    buffer : str
        Its name, of lower-case letters, digits and underscores.
    memory : Sram
    ports : int
        Accesses of a bank at once.
    read_bit, write_bit : int
        Traffic of one vector.
    """

    ACTIONS: ClassVar = {
        "read": Action("one word read", "activation", part="signal memory", circuit="any"),
        "write": Action("one word written", "activation", part="signal memory", circuit="any"),
        "powered": Action(
            "one bit powered for a second", "activation", "bit*s", part="signal memory", circuit="leakage"
        ),
    }
    PARTS: ClassVar = {"bits": PartKind("bit", part="signal memory", circuit="any")}

    def __init__(
        self, clock: Clock, ledger: Ledger, buffer: str, *, memory: Sram, ports: int, read_bit: int, write_bit: int
    ) -> None:
        super().__init__(clock, ledger, buffer)
        self.kind = f"buffer_{buffer}"
        self.memory, self.ports = memory, ports
        self.reads, self.writes = (-(-bits // memory.word_bit) for bits in (read_bit, write_bit))

    def fill_ps(self) -> int:
        """Return the time of one access."""
        return self.memory.access_ps

    def rest_ps(self, results: int) -> int:  # noqa: ARG002  the traffic is the file's
        """Return the time of all accesses but the first, spread evenly over banks and ports."""
        rounds = -(-(self.reads + self.writes) // (self.memory.banks * self.ports))
        return (rounds - 1) * self.memory.access_ps

    def amounts(self, results: int) -> dict[str, float]:  # noqa: ARG002  likewise
        """Return the words read and written."""
        return {"read": self.reads, "write": self.writes}

    def entries(self) -> list[Entry]:
        """Return every action; reads and writes only where there are any."""
        there = {"read": self.reads, "write": self.writes}
        return [entry for entry in super().entries() if there.get(entry.key.partition(".")[2], 1)]

    def sizes(self, action: str) -> dict[str, float]:
        """Return the sizes of a bank."""
        del action
        return self.memory.sizes()

    def powered(self) -> dict[str, float]:
        """Return the bits of all banks."""
        return {"powered": self.memory.capacity_bit}

    def parts(self) -> dict[str, float]:
        """Return the bits of all banks."""
        return {"bits": self.memory.capacity_bit}
