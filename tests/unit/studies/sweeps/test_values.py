from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.base.errors import InputError
from archsim.base.units import parse
from archsim.studies.sweeps.plan import plan
from archsim.studies.sweeps.study import asked
from archsim.studies.sweeps.values import listed, read, scale, split


def values(text: str) -> tuple[str, ...]:
    return read(text, key="--set key")


def test_a_list_is_its_values_and_a_range_all_whole_numbers_of_it() -> None:
    assert values("4,6,8") == ("4", "6", "8")
    assert values("4..8") == ("4", "5", "6", "7", "8")
    assert values("128..512:step:128") == ("128", "256", "384", "512")
    assert values("true, false") == ("true", "false")
    assert values("2,4..6,16") == ("2", "4", "5", "6", "16")


def test_commas_in_brackets_and_quotes_part_nothing() -> None:
    assert values("[1,2],[3,4]") == ("[1,2]", "[3,4]")
    assert values('"a,b",c') == ('"a,b"', "c")
    assert split("{kind: step, factor: 0.5},constant") == ["{kind: step, factor: 0.5}", "constant"]


def test_a_path_with_dots_is_no_range() -> None:
    assert values("../a.yaml,b.yaml") == ("../a.yaml", "b.yaml")


def test_a_range_of_quantities_has_its_unit_at_either_end() -> None:
    for text in ("0.5pJ..5pJ:log:5", "0.5 pJ .. 5 pJ : log : 5", "0.5..5pJ:log:5", "0.5pJ..5:log:5"):
        found = [parse(each, "J") for each in values(text)]
        assert found[0] == 0.5e-12
        assert found[-1] == 5e-12
        assert found[2] == pytest.approx(math.sqrt(0.5 * 5) * 1e-12, rel=1e-9)
    assert [parse(each, "J") for each in values("500fJ..2.5pJ:lin:3")] == pytest.approx([0.5e-12, 1.5e-12, 2.5e-12])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "an empty value"), ("4,,8", "an empty value"), ("8..4", "the smaller end first"), ("0.1..0.5", "lin:5"),
        ("0..5:log:3", "above 0"), ("1pJ..5ns:lin:3", "not of one kind"), ("1..5:lin:1", "from 2 on"),
        ("1..5:lim:3", "no range"), ("4,4", "given twice"), ("1..9999999", "at most"), ("1..5:step:0", "above 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_the_option(text: str, words: str) -> None:
    with pytest.raises(InputError, match="--set key: ") as told:
        values(text)
    assert words in str(told.value)


@given(st.integers(-1000, 1000), st.integers(0, 300), st.integers(1, 50))
def test_steps_are_those_of_python(first: int, more: int, step: int) -> None:
    assert values(f"{first}..{first + more}:step:{step}") == tuple(map(str, range(first, first + more + 1, step)))


@given(
    st.floats(1e-3, 1e3), st.floats(1.01, 1e3), st.integers(2, 40), st.sampled_from(["lin", "log"]),
    st.sampled_from(["pJ", "ns", "um^2", "mW", ""]),
)  # fmt: skip
def test_a_range_has_its_ends_is_even_and_rises(first: float, factor: float, count: int, how: str, unit: str) -> None:
    a, b = float(f"{first:.6g}"), float(f"{first * factor:.6g}")
    texts = values(f"{a!r}{unit}..{b!r}{unit}:{how}:{count}")
    found = [float(each.split()[0]) for each in texts]
    assert len(found) == count
    assert (found[0], found[-1]) == (a, b)
    places = [math.log(each) for each in found] if how == "log" else found
    gaps = [y - x for x, y in pairwise(places)]
    assert max(gaps) - min(gaps) < 1e-6 * (abs(places[-1]) + abs(places[0]) + 1)
    assert all(each.endswith(unit) for each in texts)


def test_a_table_has_quantities_in_si_and_numbers_as_numbers() -> None:
    assert scale(("1 mm", "2000 um")).unit == "m"
    assert scale(("1 mm", "2000 um")).values == pytest.approx((1e-3, 2e-3))
    assert scale(("4", "8")).values == (4, 8)
    assert scale(("0.1", "0.2")).values == (0.1, 0.2)
    assert scale(("pcm", "8")).values == ("pcm", "8")


def test_values_of_a_file_are_lists_single_values_or_texts() -> None:
    assert listed([4, 6], key="k") == ("4", "6")
    assert listed("4..6", key="k") == ("4", "5", "6")
    assert listed(False, key="k") == ("false",)
    assert listed([[1, 2], [3, 4]], key="k") == ("[1, 2]", "[3, 4]")
    with pytest.raises(InputError, match="empty grid"):
        listed([], key="k")


@pytest.mark.parametrize(
    "text", ["0..1e999:lin:4", "4..8:lin:1e999", "-1e308..1e308:lin:4", "1e-320..1e308:log:4", "0..1e308"]
)
def test_a_range_that_floats_cannot_count_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="too large|too far apart|at most 100,000"):
        read(text, key="--set training.learning_rate")


@pytest.mark.parametrize("told", [{"settings": ["tile.adc.bits=4,04"]}, {"figures": ["adc.conversion=1pJ,1000 fJ"]}])
def test_a_value_given_twice_in_other_words_is_refused(told: dict[str, list[str]]) -> None:
    with pytest.raises(InputError, match="is given twice, as '"):
        plan(asked("mlp-mnist", estimate=True, **told))


@pytest.mark.parametrize("told", [{"seeds": 10**20}, {"seeds": 2000}, {"settings": ["chip=a,b"]}])
def test_what_cannot_be_planned_is_refused_at_once(told: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"at most 5,000,000|--yes|this column"):
        plan(asked("mlp-mnist", **told))
