"""What a search may propose, as options declare it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.base.errors import InputError
from archsim.studies.search.space import Parameter, Space, space


def one(text: str, option: str = "settings") -> Parameter:
    told = {"settings": (), "figures": (), option: [f"a.b={text}"]}
    [found] = space(told["settings"], told["figures"]).parameters
    return found


def test_numbers_are_levels_in_their_order_and_words_are_not() -> None:
    found = one("256,64,128")
    assert (found.levels, found.ordered) == (("64", "128", "256"), True)
    assert [found.text(k) for k in range(3)] == ["64", "128", "256"]
    assert found.drawn("128") == 1
    words = one("true,false")
    assert (words.levels, words.ordered, words.text("false")) == (("true", "false"), False, "false")
    assert one("4..7").levels == ("4", "5", "6", "7")
    assert one("1pJ..4pJ:log:3", "figures").levels == ("1 pJ", "2 pJ", "4 pJ")
    assert one("2pJ,1pJ,500fJ", "figures").levels == ("500fJ", "1pJ", "2pJ")


def test_a_range_without_a_number_of_values_has_no_end_of_them() -> None:
    found = one("0.5pJ..5pJ:log", "figures")
    assert (found.ends, found.unit, found.log, found.levels) == ((0.5, 5.0), "pJ", True, ("0.5 pJ", "5 pJ"))
    assert found.text(1.23456) == "1.235 pJ"
    assert one("0.01..0.5").log is False
    assert one("0.01..0.5").text(0.123449) == "0.1234"
    assert one("500fJ..2pJ:log", "figures").ends == (5e-13, 2e-12)
    assert space(["a.b=0.1..0.5", "c=1,2"], ()).size is None
    lanes = one("1..64:log")
    assert (lanes.whole, lanes.text(7), one("1.0..64:log").whole) == (True, "7", False)


@given(st.floats(1e-6, 1e6), st.floats(1.001, 1e6), st.floats(0, 1))
def test_what_is_drawn_from_a_range_lies_in_it(low: float, factor: float, share: float) -> None:
    found = Parameter("k", "set", ("a", "b"), ends=(low, low * factor))
    text = found.text(low + share * (low * factor - low))
    assert low * (1 - 1e-11) <= float(text) <= low * factor * (1 + 1e-11)
    assert found.text(float(text)) == text


def test_what_has_one_value_is_no_parameter() -> None:
    found = space(["a.b=4,6", "c=7"], ["adc.conversion=1pJ"], techs=["x", "y"], archs=["only"])
    assert [each.key for each in found.parameters] == ["a.b", "tech"]
    assert found.size == 4
    assert (found.sets, found.figures) == ({"c": "7"}, {"adc.conversion": "1pJ"})
    assert found.texts("set") == {"c": ["7"], "a.b": ["4", "6"]}
    assert list(found.all())[1] == {"a.b": "4", "tech": "y"}


def test_neighbours_differ_by_one_level_or_in_a_word() -> None:
    found = space(["a=1,2,3", "b=x,y,z"], ())
    assert list(found.beside({"a": "1", "b": "y"})) == [
        {"a": "2", "b": "y"}, {"a": "1", "b": "x"}, {"a": "1", "b": "z"}
    ]  # fmt: skip


def test_each_level_stands_once_among_the_ends() -> None:
    found = list(space(["a=1,2,3", "b=x,y"], ()).ends())
    assert found == [{"a": "1", "b": "x"}, {"a": "2", "b": "x"}, {"a": "3", "b": "x"}, {"a": "1", "b": "y"}]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("5..4:log", "smaller end first"), ("0..4:log", "above 0"), ("0.5pJ..5ns:log", "not of one kind"),
        ("4,4", "given twice"), ("1..2:lin:1", "from 2 on"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(text: str, error: str) -> None:
    with pytest.raises(InputError, match=error) as told:
        one(text)
    assert str(told.value).startswith("--set a.b: ")


def test_nothing_to_choose_and_keys_twice_are_refused() -> None:
    with pytest.raises(InputError, match="nothing to choose from"):
        space(["a=4"], ())
    with pytest.raises(InputError, match="given twice: a"):
        space(["a=4,5", "a=6"], ())
    with pytest.raises(InputError, match="given twice: a"):
        space(["a=4,5"], ["a=1pJ,2pJ"])
    with pytest.raises(InputError, match='expected "KEY=VALUES"'):
        space(["tile.adc.bits"], ())


def test_python_gives_values_as_they_are() -> None:
    found: Space = space({"a": [8, 4], "b": "1..3", "c": False}, {})
    assert [each.levels for each in found.parameters] == [("4", "8"), ("1", "2", "3")]
    assert found.sets == {"c": "false"}
