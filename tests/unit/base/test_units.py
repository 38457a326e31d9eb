"""Quantities: text with a unit to SI and back, whole picoseconds."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.base import units, usual_units
from archsim.base.errors import InputError, ModelError
from archsim.base.files import shipped_names


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("250 ns", "s", 250e-9), ("250ns", "s", 250e-9), ("1.2 pJ/conversion", "J", 1.2e-12), ("1e-9 s", "s", 1e-9),
        ("67 fJ/bit/mm", "J/bit/m", 67e-12), ("8 uS", "S", 8e-6), ("0.04 V^2", "V^2", 0.04), ("1 MiB", "bit", 2**23),
        ("40 um^2", "m^2", 40e-12), ("0.3 uW/KiB", "W/bit", 0.3e-6 / 8192), ("1 GHz", "Hz", 1e9), ("3 op", "", 3),
        ("-2 mV", "V", -2e-3), ("4 pJ/MAC", "J", 4e-12), ("1.5 pJ/lookup", "J", 1.5e-12), ("0 J", "J", 0.0),
        ("0.12 um^2/bit", "m^2/bit", 0.12e-12), ("8 um^2/byte", "m^2/bit", 1e-12), ("1.5 mm^2", "m^2", 1.5e-6),
    ],
)  # fmt: skip
def test_a_quantity_becomes_its_si_value(text: str, unit: str, value: float) -> None:
    assert units.parse(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("unit", units._EXAMPLES)
def test_the_example_in_an_error_is_itself_good_input(unit: str) -> None:
    assert units.parse(units._EXAMPLES[unit], unit) > 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (3, "a number without a unit"), (True, "got True"), (None, "got None"), ("3", "a number without a unit"),
        ("3 V", "no quantity in s"), ("8 bananas", "unit is unknown"), ("nan s", "not finite"), ("inf s", "not finite"),
        ("1 ns (", "cannot be read"), ("", "cannot be read"), ([1], "got [1]"), ("fast", "cannot be read"),
        ("1/0 s", "cannot be read"), (0.5, "a number without a unit"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_an_example(text: object, words: str) -> None:
    with pytest.raises(InputError) as caught:
        units.parse(text, "s")
    assert words in str(caught.value)
    assert '"250 ns"' in str(caught.value)
    assert caught.value.value == text


@pytest.mark.parametrize("text", ["1,5 ns", "1 ns + 2 ns", "2 * 3 s", "1 s 2", "s"])
def test_only_one_number_and_its_unit_is_a_quantity(text: str) -> None:
    """No sums, no unit alone; above all a decimal comma must not turn 1.5 ns into 15 ns."""
    with pytest.raises(InputError):
        units.parse(text, "s")


@given(st.text(max_size=12))
def test_any_text_is_a_finite_quantity_or_bad_input(text: str) -> None:
    try:
        assert math.isfinite(units.parse(text, "s"))
    except InputError as error:
        assert "expected a quantity in s" in str(error)


@given(
    st.floats(1e-17, 1e13), st.sampled_from(["J", "s", "S", "W", "J/bit", "m^2", "m^2/bit"]), st.sampled_from([1, -1])
)
def test_what_is_shown_can_be_read_back(value: float, unit: str, sign: int) -> None:
    assert units.parse(units.show(sign * value, unit, digits=12), unit) == pytest.approx(sign * value, rel=1e-10)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.5e-7, "s", "250 ns"), (0.0353, "V^2", "0.0353 V^2"), (0, "J", "0 J"), (999.96e-9, "s", "1 us"),
        (1.23456e-12, "J", "1.235 pJ"), (-3e-3, "W", "-3 mW"), (4e-12, "J/bit", "4 pJ/bit"), (math.inf, "s", "inf s"),
        (1.6e-9, "m^2", "1600 um^2"), (1.4e-8, "m^2", "0.014 mm^2"), (2.5e-6, "m^2", "2.5 mm^2"), (0, "m^2", "0 m^2"),
        (1.28e-13, "m^2/bit", "0.128 um^2/bit"), (7.8e-15, "m^2", "7800 nm^2"), (3.0, "m^2", "3 m^2"),
    ],
)  # fmt: skip
def test_a_value_is_shown_with_the_engineers_prefix(value: float, unit: str, text: str) -> None:
    assert units.show(value, unit) == text


@pytest.mark.parametrize(("value", "text"), [(1.35e-7, "140 ns"), (9.96e-7, "1 us"), (1.23e-9, "1.2 ns")])
def test_few_digits_of_hundreds_are_written_without_a_power(value: float, text: str) -> None:
    assert units.show(value, "s", 2) == text


def test_usual_units_are_read_without_pint_to_the_same_values_and_errors() -> None:
    """Every one, in its own dimension and asked for as a time, which most are not; an early pint is off by a last bit."""
    symbols = {"s": "s", "J": "J", "W": "W", "S": "S", "V": "V", "Hz": "Hz", "m": "m", "V^2": "V^2", "m^2": "m^2"}
    tops = {prefix + name: unit for name, unit in symbols.items() for prefix in usual_units._EXPONENTS}
    under = ("", "/op", "/line", "/bit", "/byte", "/B", "/KiB", "/MiB")
    texts = [(top + over, unit) for top, unit in tops.items() for over in under]
    texts += [(name, "bit") for name in usual_units._BITS]
    texts += [(f"{top}{over}/{length}", "J/m") for top in tops for over in ("", "/bit") for length in ("m", "mm")]
    for text, unit in texts:
        for wanted in (unit, "s"):
            given = f"-1.37 {text}"
            ours, theirs = units._read(given, wanted), units._read_by_pint(given, wanted)
            both = isinstance(ours, float) and isinstance(theirs, float)
            assert math.isclose(ours, theirs, rel_tol=1e-15) if both else ours == theirs, given


def test_the_shipped_technologies_are_read_without_pint() -> None:
    program = (
        "import sys; from archsim.accounting.technology import read_technology as read\n"
        "for name in sys.argv[1:]: read(name)\n"
        "assert 'pint' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, *shipped_names("tech_params")], check=True)


@pytest.mark.parametrize(("seconds", "ps"), [(1e-9, 1000), (2.5e-12 * 400, 1000), (0, 0), (1.0, 10**12)])
def test_durations_become_whole_picoseconds(seconds: float, ps: int) -> None:
    found = units.picoseconds(seconds)
    assert found == ps
    assert isinstance(found, int)


@pytest.mark.parametrize("seconds", [1.4e-12, 1.6e-12, 0.4e-12, 99.6e-12, 100.4e-12, 350.4e-12, 350.6e-12])
def test_rounding_that_distorts_is_refused_up_and_down(seconds: float) -> None:
    with pytest.raises(ModelError, match=r"a hold: .* is not a whole number of picoseconds"):
        units.picoseconds(seconds, "a hold")


@given(st.floats(1e-13, 1e4))
def test_a_duration_is_kept_to_one_in_a_thousand_or_refused(seconds: float) -> None:
    try:
        ps = units.picoseconds(seconds)
    except ModelError:
        assert abs(round(seconds * 1e12) - seconds * 1e12) > 0.99e-3 * seconds * 1e12
    else:
        assert ps == pytest.approx(seconds * 1e12, rel=1.001e-3)


@given(st.integers(0, 10**18))
def test_whole_picoseconds_are_kept_as_they_are(ps: int) -> None:
    assert units.picoseconds(ps / 10**12) == pytest.approx(ps, rel=1e-15, abs=0)
