"""Signed, symmetric quantisation: what DACs, ADCs and the operands of the outer product have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quantiser:
    """A signed, symmetric grid of `bits` bits (sign included): 2^(bits-1) - 1 levels to each side.

    Parameters
    ----------
    bits : int
    ideal : bool
        True switches rounding and clipping off.
    """

    bits: int
    ideal: bool = False

    @property
    def levels(self) -> int:
        """Codes to each side of zero; 0 stands for no quantisation."""
        return 0 if self.ideal else 2 ** (self.bits - 1) - 1
