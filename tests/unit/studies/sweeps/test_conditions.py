from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.base.errors import InputError
from archsim.studies.sweeps.conditions import read

NAMES = ("tile.dac.bits", "tile.adc.bits", "tile.rows", "tile.columns", "arch", "mixed-precision.tile.rows", "accuracy")


def holds(text: str, **values: Any) -> bool:
    told = {name: values.get(name.replace(".", "_").replace("-", "_")) for name in NAMES}
    return read(text, NAMES).holds({name: value for name, value in told.items() if value is not None})


def test_names_and_numbers_are_compared() -> None:
    assert holds("tile.dac.bits >= tile.adc.bits", tile_dac_bits="8", tile_adc_bits="6")
    assert not holds("tile.dac.bits >= tile.adc.bits", tile_dac_bits="6", tile_adc_bits="8")
    assert holds("accuracy >= 97 %", accuracy=0.9701)
    assert not holds("accuracy>=97%", accuracy=0.9699)
    assert holds("mixed-precision.tile.rows - 28 == 100", mixed_precision_tile_rows=128)


def test_products_and_sums_have_their_order() -> None:
    assert holds("tile.rows * tile.columns <= 65536", tile_rows="256", tile_columns="256")
    assert not holds("tile.rows * tile.columns < 65536", tile_rows="256", tile_columns="256")
    assert holds("tile.rows + 2 * tile.columns = 5", tile_rows="1", tile_columns="2")
    assert holds("(tile.rows + 2) * tile.columns = 6", tile_rows="1", tile_columns="2")


def test_words_are_equal_or_not() -> None:
    assert holds("arch != in-array", arch="mixed-precision")
    assert holds("arch == in-array", arch="in-array")
    with pytest.raises(InputError, match="compares"):
        holds("arch >= 3", arch="in-array")


def test_what_is_not_known_does_not_hold() -> None:
    assert not holds("accuracy >= 0")
    assert not holds("accuracy >= 0", accuracy=float("nan"))
    assert not holds("1 / tile.rows > 0", tile_rows=0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tile.dac.bit >= 3", "Did you mean 'tile.dac.bits'"), ("tile.rows", "expected"), ("1 < 2", "asks for no name"),
        ("tile.rows >= ", "missing"), ("(tile.rows >= 3", "not closed"), ("tile.rows >= 3 4", "cannot read"),
        ("tile.rows >= 3 >= 2", "expected"), ("__import__('os') >= tile.rows", "cannot read"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_said(text: str, words: str) -> None:
    with pytest.raises(InputError) as told:
        read(text, NAMES)
    assert words in str(told.value)


@given(st.integers(-50, 50), st.integers(1, 50), st.integers(1, 9))
def test_arithmetic_is_that_of_numbers(a: int, b: int, c: int) -> None:
    assert holds(f"tile.rows * {c} - tile.columns / {c} = {a * c - b / c!r}", tile_rows=a, tile_columns=b)
