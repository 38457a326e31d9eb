"""The grid of converters and operands: signed, symmetric."""

from __future__ import annotations

import pytest

from archsim.base.rounding import Quantiser


@pytest.mark.parametrize(("bits", "levels"), [(2, 1), (3, 3), (8, 127), (16, 32767)])
def test_so_many_bits_have_so_many_levels_to_each_side(bits: int, levels: int) -> None:
    assert Quantiser(bits).levels == levels


def test_an_ideal_converter_has_no_levels() -> None:
    assert Quantiser(8, ideal=True).levels == 0
