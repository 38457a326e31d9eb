"""Links from core to core: partial sums go from one to the next, which adds its own."""

from __future__ import annotations

from typing import ClassVar

from archsim.accounting.ledger import Action, Entry, Ledger
from archsim.hardware.clock import Clock
from archsim.hardware.published.streaming import Streaming


class CoreLink(Streaming):
    """Chains of cores in step; a technology prices them as "link_NAME.transfer" and "link_NAME.add".

    Parameters
    ----------
    link : str
        Its name, of lower-case letters, digits and underscores.
    chains : int
        Working in step.
    hops : int
        From the first core of a chain to the last; each adds once. A hop without a sum behind it only passes on.
    bits, width_bit : int
        Of one partial sum; of the link.
    cycle_ps : int
    length_m : float [m]
        Of one hop.
    adds : bool
        Whether the core at the end of a hop adds to what it passes on.
    """

    ACTIONS: ClassVar = {
        "transfer": Action("one bit sent over one hop", "on-chip transport", "bit", part="bus", circuit="wire"),
        "add": Action("one partial sum added", "arithmetic", part="arithmetic", circuit="logic", row="int32.add"),
    }

    def __init__(
        self, clock: Clock, ledger: Ledger, link: str, *, chains: int, hops: int, bits: int,
        width_bit: int, cycle_ps: int, length_m: float, adds: bool,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, link)
        self.kind = f"link_{link}"
        self.chains, self.hops, self.bits = chains, hops, bits
        self.width_bit, self.cycle_ps, self.length_m, self.adds = width_bit, cycle_ps, length_m, adds

    def word_ps(self) -> int:
        """Return the time of one partial sum over one hop: ceil(bits/width) cycles."""
        return -(-self.bits // self.width_bit) * self.cycle_ps

    def fill_ps(self) -> int:
        """Return the time of the first partial sum down the chain; an addition takes a cycle."""
        return self.hops * (self.word_ps() + (self.cycle_ps if self.adds else 0))

    def rest_ps(self, results: int) -> int:
        """Return the time in which all but the first follow."""
        return (results - 1) * self.word_ps()

    def amounts(self, results: int) -> dict[str, float]:
        """Return the bits and the additions of all hops of all chains."""
        passed = self.chains * self.hops * results
        return {"transfer": passed * self.bits, "add": passed if self.adds else 0}

    def entries(self) -> list[Entry]:
        """Return every action, additions only where there are any."""
        return [entry for entry in super().entries() if self.adds or not entry.key.endswith(".add")]

    def sizes(self, action: str) -> dict[str, float]:
        """Return the length of a hop, or the bits of a sum."""
        return {"length_m": self.length_m} if action == "transfer" else {"bits": self.bits}
