"""Static memory as part of a component: size, banks, and what its accesses take."""

from __future__ import annotations

import math
from dataclasses import dataclass

from archsim.base.errors import InputError


@dataclass(frozen=True, slots=True)
class Sram:
    """A memory of equal banks with one port each.

    Parameters
    ----------
    capacity_bit : int
        Of all banks together.
    word_bit : int
        Bits of one access.
    banks : int
    access_ps : int
        Time of one access of one bank.
    """

    capacity_bit: int
    word_bit: int
    banks: int
    access_ps: int

    @classmethod
    def for_words(cls, words: int, *, word_bit: int, banks: int, access_ps: int) -> Sram:
        """Return the smallest memory of 2^k bytes a bank that holds so many words."""
        if words < 1 or banks < 1:
            raise InputError(f"a memory of {words} words in {banks} banks", expected="at least one of each")
        bank_bit = -(-words // banks) * word_bit
        bank_byte = 2 ** max(math.ceil(math.log2(bank_bit / 8)), 10)
        return cls(bank_byte * 8 * banks, word_bit, banks, access_ps)

    def hold_ps(self, accesses: int) -> int:
        """Return the time of so many accesses spread evenly over the banks."""
        return -(-accesses // self.banks) * self.access_ps

    def sizes(self) -> dict[str, float]:
        """Return what the SRAM cost laws need: capacity of one bank, bits of one access."""
        return {"capacity_bit": self.capacity_bit / self.banks, "word_bit": self.word_bit}
