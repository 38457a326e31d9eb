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
        """Return the smallest memory that holds so many words, of banks as `bank_bit` says."""
        return cls(bank_bit(words, word_bit=word_bit, banks=banks) * banks, word_bit, banks, access_ps)

    def hold_ps(self, accesses: int) -> int:
        """Return the time of so many accesses spread evenly over the banks."""
        return -(-accesses // self.banks) * self.access_ps

    def sizes(self) -> dict[str, float]:
        """Return what the SRAM cost laws need: capacity of one bank, bits of one access."""
        return {"capacity_bit": self.capacity_bit / self.banks, "word_bit": self.word_bit}


def bank_bit(words: int, *, word_bit: int, banks: int) -> int:
    """Return the capacity [bit] of one of so many banks: the smallest of 2^k bytes, 1 KiB or more, for its words.

    Raises
    ------
    InputError
        If there is no word or no bank.
    """
    if words < 1 or banks < 1:
        raise InputError(f"a memory of {words} words in {banks} banks", expected="at least one of each")
    return int(8 * 2 ** max(math.ceil(math.log2(-(-words // banks) * word_bit / 8)), 10))
