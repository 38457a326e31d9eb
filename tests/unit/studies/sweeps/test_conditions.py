from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.base.errors import InputError
from archsim.base.metrics import ACCURACY
from archsim.records.sweeps.sweep import QUANTITIES, metric_quantity
from archsim.studies.sweeps.conditions import read
from archsim.studies.sweeps.measures import NUMBER, WORDS, of_quantity, of_texts

KEYS = ("tile.dac.bits", "tile.adc.bits", "tile.rows", "tile.columns", "mixed-precision.tile.rows")
SHARE, ENERGY, COLUMN = (of_quantity(quantity, word) for quantity, word in (
    (metric_quantity(ACCURACY), "accuracy"), (QUANTITIES["energy_per_sample_J"], "energy"),
    (QUANTITIES["energy_per_sample_J"], "energy_per_sample_J"),
))  # fmt: skip
NAMES = {
    **dict.fromkeys(KEYS, NUMBER), "arch": WORDS, "accuracy": SHARE, "energy": ENERGY, "energy_per_sample_J": COLUMN,
    "time": of_quantity(QUANTITIES["latency_per_sample_s"], "time"), "tops": of_quantity(QUANTITIES["ops_per_J"], "tops"),
    "adc.conversion": of_texts(["0.5pJ", "1 pJ"]),
}  # fmt: skip


def holds(text: str, **values: Any) -> bool:
    told = {name: values.get(re.sub("[.-]", "_", name)) for name in NAMES}
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


def test_units_are_converted_and_go_through_products() -> None:
    assert holds("energy <= 1 uJ", energy=0.9e-6)
    assert not holds("energy <= 1 uJ", energy=1.1e-6)
    assert holds("energy_per_sample_J <= 1e-6", energy_per_sample_J=0.9e-6)
    assert holds("energy * time < 2 pJ*s", energy=1e-6, time=1e-6)
    assert not holds("energy * time < 2 pJ*s", energy=1e-6, time=3e-6)
    assert holds("energy / time <= 2 W", energy=1e-6, time=1e-6)
    assert holds("tile.rows * adc.conversion >= 0.9 nJ / 2", tile_rows="1000", adc_conversion="0.5pJ")
    assert holds("tops > 1.5 TOPS/W", tops=1.6e12)
    assert holds("energy > 0", energy=1e-9)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("energy <= 1 mm2", "energy with 1 mm2, which is of another unit"), ("energy <= 1 mm2", "a quantity in J"),
        ("1 ns >= energy", "a quantity in J"), ("energy <= 1", "1, a number without a unit"),
        ("energy + 1 <= 3 J", "a number without a unit"), ("energy + 1 ns <= 3 J", "of another unit"),
        ("energy <= time", "of another unit"), ("energy * time <= 1 uJ", "of another unit"),
        ("tile.rows <= 5 pJ", "a plain number, in place of 5 pJ"), ("accuracy >= 97", 'such as "97 %"'),
        ("accuracy >= 97 uJ", "of another unit"), ("adc.conversion < 1 ns", 'such as "1 pJ"'),
        ("energy <= 3 parsec", "knows no unit 'parsec'"), ("tops > 3", "in TOPS/W"),
    ],
)  # fmt: skip
def test_a_wrong_unit_is_refused_with_the_right_one(text: str, words: str) -> None:
    with pytest.raises(InputError) as told:
        read(text, NAMES)
    assert words in str(told.value)


@given(st.integers(-50, 50), st.integers(1, 50), st.integers(1, 9))
def test_arithmetic_is_that_of_numbers(a: int, b: int, c: int) -> None:
    assert holds(f"tile.rows * {c} - tile.columns / {c} = {a * c - b / c!r}", tile_rows=a, tile_columns=b)


WORDED = {
    "arch": of_texts(["mixed-precision", "in-array"]), "drift": of_texts(["true", "false"]), "tile.rows": NUMBER,
    "device": of_texts(["a", "own/b-2.yaml"]), "energy": ENERGY, "energy_per_sample_J": COLUMN, "area": of_quantity(
        QUANTITIES["area_m2"], "area"
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("energy < energy", "compares energy with itself"), ("energy <= (energy_per_sample_J)", "with itself"),
        ("tile.rows * 2 > tile.rows * 2", "with itself"), ("4 <= tile.rows <= 8", "compares more than once"),
        ("tile.rows > 1 and tile.rows < 4", "compares more than once; expected one comparison each"),
        ("tile.rows => 4", "Did you mean '>='"), ("tile.rows <> 4", "Did you mean '!='"),
        ("tile.rows > 4)", "closed that was not opened"), ("arch < in-array", "have no order"),
        ("arch > 3", "have no order"), ("arch == in-arra", "Did you mean 'in-array'"),
        ("arch != in-arra", "Did you mean 'in-array'"), ("arch == 3", "one of mixed-precision, in-array"),
        ("arch == in-array-sgd", "arch is never in-array-sgd"), ("tile.rows == four", "'four' is no number"), ("tile.rows < nan", "'nan' is no number"),
        ("tile.rows < 1e999", "too large"), ("arch + 1 == 2", "arch is no number"), ("-arch == 1", "arch is no number"),
        ("tile.rows / 0 > 1", "divides by 0"), ("1 / energy > 1", "a quantity in 1/J"),
        ("(" * 60 + "tile.rows" + ")" * 60 + " > 1", "brackets in brackets"), (f"tile.rows > {'1 + ' * 300}1", "letters"),
    ],
)  # fmt: skip
def test_what_can_only_be_meant_otherwise_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError) as told:
        read(text, WORDED)
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("arch == 'in-array'", {"arch": "in-array"}), ("arch != tiki-taka", {"arch": "in-array"}),
        ("drift == True", {"drift": "true"}), ("drift == false", {"drift": False}),
        ("device == own/b-2.yaml", {"device": "own/b-2.yaml"}), ("tile.rows ≥ +4", {"tile.rows": 4}),
        ("-tile.rows <= -4", {"tile.rows": 4}), ("2 uJ / energy > 1", {"energy": 1e-6}),
        ("area <= 2 mm²", {"area": 1.9e-6}),
    ],
)  # fmt: skip
def test_what_is_meant_is_read(text: str, values: dict[str, Any]) -> None:
    assert read(text, WORDED).holds(values)
