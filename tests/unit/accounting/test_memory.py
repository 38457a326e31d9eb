"""The memory law of the shipped technologies: dearer, slower and leakier with capacity, and never crossing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.accounting.technology import Technology, list_technologies, read_technology
from archsim.base.errors import InputError
from archsim.technologies.overlay import by_rule
from archsim.technologies.rules import RULES

KIB = 8192.0
TECHNOLOGIES = {name: read_technology(name) for name in list_technologies()}
BASE = TECHNOLOGIES["bottom-up-14nm"]
ALL = {**TECHNOLOGIES, **{rule: by_rule(BASE, rule) for rule in RULES}}


def picojoule(technology: Technology, verb: str, kib: float, word: float = 32.0) -> float:
    return technology.figures[f"sram.{verb}"].price({"capacity_bit": kib * KIB, "word_bit": word}) * 1e12


@pytest.mark.parametrize("name", ALL)
@given(kib=st.floats(1, 97656))
def test_a_write_costs_more_than_a_read_at_every_capacity(name: str, kib: float) -> None:
    assert picojoule(ALL[name], "write", kib) > picojoule(ALL[name], "read", kib)


@pytest.mark.parametrize("name", ALL)
@given(kib=st.floats(1, 48828))
def test_a_larger_memory_costs_more_and_twice_as_large_a_one_not_twice_as_much(name: str, kib: float) -> None:
    for verb in ("read", "write"):
        assert 1 < picojoule(ALL[name], verb, 2 * kib) / picojoule(ALL[name], verb, kib) < 2


def test_the_points_of_14_nm_by_hand() -> None:
    """Native memories: 34 and 46 fJ/bit at 16 KiB, 50 fJ/bit at 8 KB, of which the curve takes the mean between."""
    native = (32 * 0.050 * 32 * (0.034 * 0.046) ** 0.5) ** 0.5
    assert picojoule(BASE, "read", 11.25) == pytest.approx(native * (34 / 46) ** 0.5, rel=5e-3)
    assert picojoule(BASE, "write", 11.25) == pytest.approx(native * (46 / 34) ** 0.5, rel=5e-3)
    for kib, access in ((16, 32 * (0.034 * 0.046) ** 0.5), (8, 32 * 0.050), (100e6 / 1024, 32 * 0.7)):
        found = (picojoule(BASE, "read", kib) * picojoule(BASE, "write", kib)) ** 0.5
        assert found == pytest.approx(access, rel=0.35), f"{kib} KiB"


def test_a_word_of_half_the_bits_costs_half() -> None:
    assert picojoule(BASE, "read", 64, 16) == pytest.approx(picojoule(BASE, "read", 64, 32) / 2)


def test_one_memory_in_sixteen_banks_is_cheaper_and_quicker_a_word() -> None:
    assert picojoule(BASE, "read", 1024) / picojoule(BASE, "read", 64) == pytest.approx(3.5, rel=0.05)
    assert BASE.time_s("sram.access", 1024 * KIB) / BASE.time_s("sram.access", 64 * KIB) == pytest.approx(2.0, rel=0.05)


@given(kib=st.floats(1, 48828))
def test_a_larger_memory_is_slower_and_a_bit_of_it_leaks_no_more(kib: float) -> None:
    times = [BASE.time_s("sram.access", size * KIB) for size in (kib, 2 * kib)]
    assert 1 < times[1] / times[0] < 1.5
    leakage = [BASE.figures["sram.leakage"].price({"capacity_bit": size * KIB}) for size in (kib, 2 * kib)]
    assert 0.7 < leakage[1] / leakage[0] <= 1


def test_an_access_time_is_a_whole_number_of_picoseconds_at_every_capacity() -> None:
    for power in range(17):
        exact = BASE.time_s("sram.access", 2**power * KIB) * 1e12
        assert exact == pytest.approx(round(exact), abs=1e-6)


def test_nothing_is_said_of_a_bank_beyond_the_points() -> None:
    for call in (
        lambda size: BASE.time_s("sram.access", size),
        lambda size: picojoule(BASE, "read", size / KIB),
    ):
        for size in (KIB / 2, 9e8):
            with pytest.raises(InputError, match="the points span 8192 to 8e"):
                call(size)
