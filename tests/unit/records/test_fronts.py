"""The front of a sweep is exact, whatever the ties; its knee is where the rule says."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.records.sweeps.fronts import front, knee
from archsim.records.sweeps.sweep import Quantity

LOW, HIGH = Quantity("x", "x"), Quantity("y", "y", better="high")


def brute(values: np.ndarray, better: list[str]) -> list[bool]:
    """Return the front by its definition, pair by pair."""
    signed = values * [1 if each == "low" else -1 for each in better]
    known = np.isfinite(signed).all(axis=1)
    return [
        bool(known[k])
        and not any(known[j] and (signed[j] <= one).all() and (signed[j] < one).any() for j in range(len(signed)))
        for k, one in enumerate(signed)
    ]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_front_is_that_of_every_pair_compared_with_ties_and_missing_values(data: st.DataObject) -> None:
    across, down = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 25))
    cell = st.one_of(st.integers(0, 4).map(float), st.just(float("nan")), st.floats(-1e300, 1e300))
    values = np.array(
        data.draw(st.lists(st.lists(cell, min_size=across, max_size=across), min_size=down, max_size=down))
    )
    values = values.reshape(down, across)
    better = data.draw(st.lists(st.sampled_from(["low", "high"]), min_size=across, max_size=across))
    quantities = [Quantity(f"q{k}", "", better=each) for k, each in enumerate(better)]
    frame = pd.DataFrame(values, columns=[each.name for each in quantities])
    assert front(frame, quantities).tolist() == brute(values, better)


def test_equal_designs_stand_on_the_front_together_or_not_at_all() -> None:
    frame = pd.DataFrame({"x": [1.0, 1.0, 2.0, 2.0, 1.0], "y": [3.0, 3.0, 4.0, 3.0, 2.0]})
    assert front(frame, [LOW, HIGH]).tolist() == [True, True, True, False, False]


def test_ten_thousand_designs_in_four_quantities_take_seconds() -> None:
    rng = np.random.default_rng(0)
    quantities = [Quantity(f"q{k}", "") for k in range(4)]
    frame = pd.DataFrame(rng.random((10_000, 4)), columns=[each.name for each in quantities])
    begun = time.process_time()
    mask = front(frame, quantities)
    assert time.process_time() - begun < 10
    assert 50 < mask.sum() < 2000


def test_the_knee_is_where_a_bent_front_bends() -> None:
    # in logarithms a right angle at the third design: one decade dearer gains two before it, nothing after it
    frame = pd.DataFrame({"x": [1.0, 3.0, 10.0, 100.0, 1000.0], "y": [1.0, 10.0, 100.0, 101.0, 102.0]})
    assert knee(frame, LOW, HIGH) == 2


def test_a_front_without_a_bend_to_the_better_side_has_no_knee() -> None:
    straight = pd.DataFrame({"x": [1.0, 10.0, 100.0], "y": [1.0, 10.0, 100.0]})
    inward = pd.DataFrame({"x": [1.0, 90.0, 100.0], "y": [1.0, 1.1, 100.0]})
    assert knee(straight, LOW, HIGH) is None
    assert knee(inward, LOW, HIGH) is None
    assert knee(straight[:2], LOW, HIGH) is None


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_the_knee_does_not_depend_on_units(first: float, second: float) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, 5.0, 50.0], "y": [1.0, 6.0, 7.0, 8.0]})
    scaled = pd.DataFrame({"x": first * frame["x"], "y": second * frame["y"]})
    assert knee(scaled, LOW, HIGH) == knee(frame, LOW, HIGH) == 1


def test_quantities_that_reach_zero_are_taken_as_they_are() -> None:
    frame = pd.DataFrame({"x": [0.0, 1.0, 10.0], "y": [0.0, 9.0, 10.0]})
    assert knee(frame, LOW, HIGH) == 1
    assert front(pd.DataFrame({"x": [np.nan], "y": [1.0]}), [LOW, HIGH]).tolist() == [False]


@pytest.mark.parametrize("better", ["low", "high"])
def test_of_one_quantity_the_front_is_its_best(better: str) -> None:
    frame = pd.DataFrame({"x": [3.0, 1.0, 3.0, 1.0]})
    best = {"low": [False, True, False, True], "high": [True, False, True, False]}[better]
    assert front(frame, [Quantity("x", "x", better=better)]).tolist() == best
