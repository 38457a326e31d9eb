"""Cost laws: formulas by hand, refusal outside the range, linearity in the figure."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.accounting.laws import LAWS, PRICE_UNITS, SIZE_UNITS, law
from archsim.base.errors import InputError, ModelError

POINTS = ((8192.0, 1e-12), (8388608.0, 32e-12))
SRAM_AT = {"capacity": 8388608.0, "word": 32.0}

# name -> (at, points, sizes, multiplier by hand)
BY_HAND = {
    "constant": ({}, (), {"bits": 5.0}, 1.0),
    "per-bit": ({"bits": 32.0}, (), {"bits": 8.0}, 0.25),
    "bit-product": ({"a_bits": 8.0, "b_bits": 8.0}, (), {"a_bits": 4.0, "b_bits": 16.0}, 1.0),
    "per-2^bits": ({"bits": 8.0}, (), {"bits": 6.0}, 0.25),
    "sram-capacity": (SRAM_AT, POINTS, {"capacity_bit": 262144.0, "word_bit": 64.0}, 2 * 32**0.5 / 32),
    "capacity": ({"capacity": 8388608.0}, POINTS, {"capacity_bit": 262144.0}, 32**0.5 / 32),
    "per-lane": ({"lanes": 1.0}, (), {"lanes": 4.0}, 4.0),
    "wire": ({}, (), {"length_m": 2e-3}, 2e-3),
}


def price(name, value=1.0, **changed):
    at, points, sizes, _ = BY_HAND[name]
    return law(name).price(value, at=at, points=points, sizes={**sizes, **changed}, what="adc of tile0")


def test_every_law_has_a_case_by_hand():
    assert set(BY_HAND) == set(LAWS)


@pytest.mark.parametrize("name", LAWS)
def test_price_equals_the_formula_by_hand(name):
    assert price(name) == pytest.approx(BY_HAND[name][3], rel=1e-12)


@pytest.mark.parametrize("name", LAWS)
@given(value=st.floats(1e-18, 1e3), factor=st.floats(1e-3, 1e3))
def test_price_is_linear_in_the_figure(name, value, factor):
    assert price(name, value * factor) == pytest.approx(factor * price(name, value), rel=1e-12)


@pytest.mark.parametrize("name", LAWS)
def test_price_at_the_reference_sizes_is_the_value(name):
    at, points, _, _ = BY_HAND[name]
    sizes = {size: at[key] for key, size in LAWS[name].at.items()} or {"length_m": 1e-3}
    expected = 5e-12 * (1e-3 if name == "wire" else 1)
    assert law(name).price(5e-12, at=at, points=points, sizes=sizes) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", LAWS)
def test_law_declares_known_sizes_and_units_and_documents_formula_source_and_range(name):
    rule = LAWS[name]
    assert set(rule.sizes) <= set(SIZE_UNITS)
    assert set(rule.at.values()) <= set(rule.sizes)
    assert set(rule.units.values()) <= set(PRICE_UNITS.values())
    text = rule.multiplier.__doc__ or ""
    assert all(word in text for word in ("Formula:", "Source:", "Range:"))


@pytest.mark.parametrize(
    ("name", "size", "value"),
    [
        ("per-bit", "bits", 0), ("per-bit", "bits", 65), ("bit-product", "a_bits", 0), ("bit-product", "b_bits", 65),
        ("per-2^bits", "bits", 2), ("per-2^bits", "bits", 13), ("sram-capacity", "word_bit", 4),
        ("sram-capacity", "word_bit", 256), ("per-lane", "lanes", 0), ("wire", "length_m", -1e-3), ("wire", "length_m", 0.2),
        ("per-bit", "bits", math.nan),
    ],
)  # fmt: skip
def test_law_refuses_a_size_outside_its_range_and_names_it(name, size, value):
    with pytest.raises(
        InputError, match=rf"^adc of tile0: law {law(name).name.replace('^', '.')} holds for {size} from .*, not for"
    ):
        price(name, **{size: value})


@pytest.mark.parametrize("capacity", [8191.0, 8388609.0])
def test_memory_outside_the_points_is_refused(capacity):
    with pytest.raises(InputError, match=r"^adc of tile0: the points span 8192 to 8\.38861e\+06 bit, not"):
        price("sram-capacity", capacity_bit=capacity)


@pytest.mark.parametrize(("capacity", "energy"), POINTS)
def test_memory_at_a_point_costs_what_the_point_says(capacity, energy):
    assert price("sram-capacity", 32e-12, capacity_bit=capacity, word_bit=32.0) == pytest.approx(energy, rel=1e-12)


@given(small=st.floats(8192, 8388608), factor=st.floats(1, 100))
def test_larger_memory_never_costs_less(small, factor):
    large = min(small * factor, 8388608)
    assert price("sram-capacity", capacity_bit=large) >= price("sram-capacity", capacity_bit=small) * (1 - 1e-12)


def test_missing_size_is_an_error_of_the_chip():
    with pytest.raises(ModelError, match=r"^a figure: law per-bit needs the size 'bits'; the chip gives word_bit$"):
        law("per-bit").price(1.0, at={"bits": 8.0}, points=(), sizes={"word_bit": 8.0})


def test_unknown_law_names_the_nearest():
    with pytest.raises(InputError, match=r"law: got 'per-bits'; expected one of constant, .*Did you mean 'per-bit'\?"):
        law("per-bits")
