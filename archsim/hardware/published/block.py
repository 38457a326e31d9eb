"""A block of which only its power and its area are known."""

from __future__ import annotations

from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Ledger
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component


class Block(Component):
    """So many equal blocks, powered all the time; a technology prices them as "block_NAME.powered".

    Parameters
    ----------
    block : str
        Its name, of lower-case letters, digits and underscores.
    count : int
    """

    ACTIONS: ClassVar = {
        "powered": Action("one block powered for a second", "control and clock", "s", part="other", circuit="any")
    }
    PARTS: ClassVar = {"block": PartKind(part="other", circuit="any")}

    def __init__(self, clock: Clock, ledger: Ledger, block: str, *, count: int) -> None:
        super().__init__(clock, ledger, block)
        self.kind = f"block_{block}"
        self.count_of = count

    def powered(self) -> dict[str, float]:
        """Return all of them."""
        return {"powered": self.count_of}

    def parts(self) -> dict[str, float]:
        """Return all of them."""
        return {"block": self.count_of}
