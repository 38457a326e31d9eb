"""Provenance and signals: records that many parts share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from archsim.base.provenance import Provenance
from archsim.base.signal import OTHER_PHASES, PHASES, STEP_PHASES, Signal, Tag

SOURCED = {"source": "nandakumar2018", "where": "Table 1"}


@pytest.mark.parametrize(
    "fields",
    [
        {"basis": "measured", **SOURCED}, {"basis": "published", **SOURCED}, {"basis": "calibrated"},
        {"basis": "derived", **SOURCED, "derived_by": "a formula"}, {"basis": "assumed", "why": "a reason"},
        {"basis": "measured", "data": "pulses.csv", "where": "sheet 1"},
    ],
)  # fmt: skip
def test_a_number_that_says_where_it_comes_from_is_taken(fields: dict[str, Any]) -> None:
    assert Provenance(**fields).basis == fields["basis"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"basis": "published", "source": "x"}, "`source` or `where` is missing"),
        ({"basis": "measured", "where": "x"}, "`source` or `where` is missing"),
        ({"basis": "measured", "data": "x.csv"}, "`source` or `where` is missing"),
        ({"basis": "published", "data": "x.csv", "where": "x"}, "expected basis measured, and no `source` beside it"),
        ({"basis": "measured", "data": "x.csv", **SOURCED}, "expected basis measured, and no `source` beside it"),
        ({"basis": "measured", "data": "TODO: a file", "where": "x"}, "`data` is still a placeholder"),
        ({"basis": "derived", **SOURCED}, "`derived_by` is missing"),
        ({"basis": "assumed"}, "`why` is missing"),
        ({"basis": "assumed", "why": ""}, "`why` is missing"),
        ({"basis": "guessed", "why": "x"}, "Input should be"),
        ({}, "Field required"),
    ],
)
def test_a_number_without_its_origin_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Provenance(**fields)


def test_a_signal_knows_its_size() -> None:
    signal = Signal(np.zeros((3, 5), np.float32), bits=8)
    assert (signal.elements, signal.bits, signal.normal) == (15, 8, None)


def test_a_phase_is_in_the_step_or_beside_it() -> None:
    assert set(PHASES) == set(STEP_PHASES) | set(OTHER_PHASES)
    assert not set(STEP_PHASES) & set(OTHER_PHASES)
    assert Tag("forward", "fc1") == ("forward", "fc1")
