"""Expected arrays have the shapes that real ones would have; parcels of expectations are means of whole parcels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.base.expected import ALL, Events, Expected, Shares, parcels

OPERATIONS: dict[str, Any] = {
    "reshape": lambda a: a.reshape(-1, 6),
    "columns": lambda a: a[:, 1:3],
    "rows": lambda a: a[2:],
    "sum of two": lambda a: np.add(a, a),
    "scaled": lambda a: a * np.float32(2),
    "scaled from the left": lambda a: np.float32(2) * a,
    "by vector": lambda a: a * np.ones((a.shape[0], 1), np.float32),
    "beside": lambda a: np.concatenate([a, a], axis=1),
    "below": lambda a: np.concatenate([a, a]),
    "zeros": np.zeros_like,
    "chosen": lambda a: np.where(a > 0, a, 1.0),
    "rows with something": lambda a: a.any(axis=1),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_shape_is_that_of_the_real_result(name: str) -> None:
    real, expected = np.ones((4, 3), np.float32), Expected((4, 3))
    assert OPERATIONS[name](expected).shape == OPERATIONS[name](real).shape


def test_adding_in_place_keeps_the_array_and_shares_are_told_anew() -> None:
    array: Any = Expected((4, 3))
    array += Expected((4, 3))
    assert array.shape == (4, 3)
    told = array.known(Shares(driven=0.25))
    assert (told.shares.driven, told[:, :2].shares.driven, array.shares) == (0.25, 0.25, ALL)


def test_a_function_of_numpy_that_nobody_wrote_for_it_is_refused() -> None:
    with pytest.raises(TypeError):
        np.linalg.norm(Expected((4, 3)))  # type: ignore[call-overload]


@given(count=st.integers(0, 10_000), size=st.integers(1, 300))
def test_parcels_of_a_whole_number_are_whole(count: int, size: int) -> None:
    assert parcels(count, size) == -(-count // size)


@pytest.mark.parametrize("mean", [0.01, 0.7, 3.0, 40.0, 700.0, 800.0, 5000.0])
@pytest.mark.parametrize("size", [1, 4, 16, 256])
def test_parcels_of_events_are_the_mean_over_poisson_numbers(mean: float, size: int) -> None:
    drawn = np.random.default_rng(5).poisson(mean, 400_000)
    spread = np.std(np.ceil(drawn / size)) / np.sqrt(drawn.size)
    assert parcels(Events(mean), size) == pytest.approx(
        np.ceil(drawn / size).mean(), abs=6 * spread + 1e-3 * mean / size
    )


def test_parcels_of_what_is_spread_over_many_goes_are_its_part() -> None:
    assert parcels(0.5, 4) == 0.125
