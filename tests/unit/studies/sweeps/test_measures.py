from __future__ import annotations

from dataclasses import replace

import pytest

from archsim.base import units
from archsim.studies.sweeps.measures import NUMBER, PLAIN, WORDS, number, of_texts, of_unit, unit, whole

ENERGY, TIME = (("J", 1),), (("s", 1),)


@pytest.mark.parametrize(
    ("text", "value", "dimension"),
    [
        ("25 nJ", 25e-9, ENERGY), ("97 %", 0.97, PLAIN), ("2 mm2", 2e-6, (("m", 2),)), ("2 mm^2", 2e-6, (("m", 2),)),
        ("2 cm2", 2e-4, (("m", 2),)), ("3 pJ*s", 3e-12, (("J", 1), ("s", 1))), ("2 TOPS/W", 2e12, (("J", -1),)),
        ("4 mW", 4e-3, (("J", 1), ("s", -1))), ("1 KiB", 8192, PLAIN), ("5 µs", 5e-6, TIME), ("-5 us", -5e-6, TIME),
        ("8 pJ/byte", 1e-12, ENERGY), ("7", 7, PLAIN), ("1e3", 1000, PLAIN), ("0.3 uW/KiB", 0.3e-6 / 8192, (("J", 1), ("s", -1))),
    ],
)  # fmt: skip
def test_a_quantity_is_its_value_in_si_and_its_dimension(
    text: str, value: float, dimension: tuple[tuple[str, int], ...]
) -> None:
    found = whole(text)
    assert found is not None
    assert found.value == pytest.approx(value, rel=1e-15)
    assert found.dimension == dimension


@pytest.mark.parametrize("text", ["bottom-up", "8 parsec", "1 pJ 2", "", "mm", "2 xm", "2 cJ"])
def test_what_is_no_quantity_is_none(text: str) -> None:
    assert whole(text) is None


@pytest.mark.parametrize(
    ("text", "unit"), [("0.5 pJ", "J"), ("1.1 ns", "s"), ("0.3 uW/KiB", "W/bit"), ("2 um^2", "m^2")]
)
def test_quantities_have_the_bits_that_files_give_them(text: str, unit: str) -> None:
    assert (found := whole(text)) is not None
    assert found.value == units.parse(text, unit)


def test_a_name_after_a_product_sign_is_left() -> None:
    found = number("1 pJ*tile.rows <= 2")
    assert found is not None
    assert (found[0].value, found[0].unit, found[1]) == (1e-12, "pJ", "*tile.rows <= 2")


def test_parameters_are_measured_in_what_their_values_are() -> None:
    assert of_texts(["4", "8"]) == NUMBER
    for texts in (("pcm", "8"), ("1 pJ", "1 ns"), ("true",)):
        assert of_texts(texts) == replace(WORDS, texts=texts)
    assert of_texts(["1pJ", "2 nJ"]).dimension == ENERGY == of_unit("J").dimension
    assert unit("J") == (1.0, ENERGY)
