"""Memories: the smallest that holds the words, and the time of accesses over banks."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archsim.base.errors import InputError
from archsim.hardware.sram import Sram

sizes = {"words": st.integers(1, 3_000_000), "word_bit": st.integers(4, 64), "banks": st.integers(1, 16)}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(**sizes)
@example(words=1365, word_bit=12, banks=2)  # 682 whole words a bank of 1 KiB: 1364
def test_a_memory_is_the_smallest_power_of_two_a_bank_that_holds_its_words(
    words: int, word_bit: int, banks: int
) -> None:
    memory = Sram.for_words(words, word_bit=word_bit, banks=banks, access_ps=2003)
    bank_byte = memory.capacity_bit // banks // 8
    assert bank_byte * banks * 8 == memory.capacity_bit
    assert bank_byte & (bank_byte - 1) == 0
    assert bank_byte >= 1024
    assert banks * (bank_byte * 8 // word_bit) >= words, "some word has no place of its own"
    assert bank_byte == 1024 or banks * (bank_byte * 4 // word_bit) < words, "half of it would do"


@settings(max_examples=50, deadline=None, derandomize=True)
@given(accesses=st.integers(0, 10_000), banks=st.integers(1, 16), access_ps=st.integers(1, 5000))
def test_accesses_spread_evenly_over_the_banks(accesses: int, banks: int, access_ps: int) -> None:
    memory = Sram(8192 * banks, 32, banks, access_ps)
    assert memory.hold_ps(accesses) == (accesses + banks - 1) // banks * access_ps


def test_the_cost_laws_get_the_capacity_of_one_bank() -> None:
    memory = Sram.for_words(1024, word_bit=32, banks=4, access_ps=1)
    assert memory.sizes() == {"capacity_bit": 8192, "word_bit": 32}


@pytest.mark.parametrize(("words", "banks"), [(0, 1), (8, 0)])
def test_a_memory_of_nothing_is_refused(words: int, banks: int) -> None:
    with pytest.raises(InputError, match="at least one of each"):
        Sram.for_words(words, word_bit=32, banks=banks, access_ps=1)
