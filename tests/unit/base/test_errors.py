"""Errors: one line of fixed form, a hint where one is near, an exit code."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.errors import (
    EXIT_CODES,
    ArchsimError,
    DataError,
    DoesNotFitError,
    InputError,
    ModelError,
    nearest,
    shown,
)


def test_an_error_is_file_line_key_value_what_would_be_right_and_a_hint() -> None:
    hint = nearest("bitz", ["bits", "rows"])
    error = InputError(file="a.yaml", line=3, key="x.y", value=7, expected="8", hint=hint)
    assert str(error) == "a.yaml:3: x.y: got 7; expected 8. Did you mean 'bits'?"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"file": "a.yaml", "key": "x", "value": "1"}, "a.yaml: x: got '1'"),
        ({"key": "--seed", "value": -1, "expected": "0 or more"}, "--seed: got -1; expected 0 or more"),
        ({"message": "no such file", "file": "a.yaml"}, "a.yaml: no such file"),
        ({"value": None}, "got None"),
    ],
)
def test_what_is_not_known_is_left_out(fields: dict[str, object], text: str) -> None:
    assert str(InputError(**fields)) == text  # type: ignore[arg-type]


@settings(max_examples=30)
@given(
    st.recursive(st.text() | st.integers() | st.none(), lambda part: st.lists(part) | st.dictionaries(st.text(), part))
)
def test_any_value_is_shown_short_and_on_one_line(value: object) -> None:
    assert len(shown(value)) <= 200
    assert len(shown(value).splitlines()) == 1


def test_no_hint_is_better_than_a_far_one() -> None:
    assert nearest("zebra", ["bits", "rows"]) is None
    assert nearest("bits", []) is None


@pytest.mark.parametrize(("kind", "code"), [(InputError, 2), (DoesNotFitError, 3), (DataError, 4), (ModelError, 5)])
def test_each_kind_of_error_has_a_documented_exit_code(kind: type[ArchsimError], code: int) -> None:
    assert kind.exit_code == code
    assert code in EXIT_CODES
    assert issubclass(kind, ArchsimError)


def test_bad_input_is_a_value_error() -> None:
    """So pydantic and callers outside catch it as what it is."""
    assert issubclass(InputError, ValueError)
    assert issubclass(ModelError, RuntimeError)
