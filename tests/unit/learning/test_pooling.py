"""Pooling: against plain NumPy, whose gradient goes where, what it costs."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.learning.functions import FREE, Cost, Function
from archsim.learning.images.pooling import AveragePool, Blocks, MaxPool, Mean, Nearest, Share
from archsim.learning.images.windows import Window
from archsim.learning.moves import Spread

X = np.arange(16, dtype=np.float32).reshape(16, 1)
HALVES = Window(2, 2, 2)


def back(function: Function, d: np.ndarray, *needs: np.ndarray) -> np.ndarray:
    adjoint = function.adjoint(0)
    assert adjoint is not None
    return adjoint.function(d.astype(np.float32), *needs)


def test_a_window_gives_its_largest_element_or_its_mean() -> None:
    assert MaxPool((4, 4, 1), HALVES)(X).ravel().tolist() == [5, 7, 13, 15]
    assert AveragePool((4, 4, 1), HALVES)(X).ravel().tolist() == [2.5, 4.5, 10.5, 12.5]


def test_zeros_beside_the_image_count_for_a_mean_and_never_for_the_largest() -> None:
    padded = Window(2, 2, 2, 1)
    corner = -1 - X
    assert MaxPool((4, 4, 1), padded)(corner)[0, 0] == -1
    assert AveragePool((4, 4, 1), padded)(corner)[0, 0] == -0.25


def test_what_is_said_of_the_largest_reaches_the_first_of_equals_and_no_other() -> None:
    equal = np.ones((4, 1), np.float32)
    pool = MaxPool((2, 2, 1), HALVES)
    assert back(pool, np.array([[3.0]]), equal).ravel().tolist() == [3, 0, 0, 0]


def test_overlapping_windows_add_what_they_say() -> None:
    pool = MaxPool((3, 3, 1), Window(2, 2))
    x = np.array([0, 0, 0, 0, 9, 0, 0, 0, 0], np.float32).reshape(9, 1)
    assert back(pool, np.array([[1], [2], [3], [4]]), x).ravel().tolist() == [0, 0, 0, 0, 10, 0, 0, 0, 0]
    shared = back(AveragePool((3, 3, 1), Window(2, 2)), np.array([[4], [8], [12], [16]]))
    assert shared.ravel().tolist() == [1, 3, 2, 4, 10, 6, 3, 7, 4]


def test_a_mean_over_positions_shares_its_gradient_among_them() -> None:
    mean = Mean((4, 4, 1))
    assert mean(np.concatenate([X, X + 1])).ravel().tolist() == [7.5, 8.5]
    assert back(mean, np.array([[16.0], [32.0]])).ravel().tolist() == [1] * 16 + [2] * 16


def test_nearest_neighbours_repeat_and_their_gradients_add_up() -> None:
    x = np.array([[1], [2]], np.float32)
    large = Nearest((1, 2, 1), 2)
    assert large(x).reshape(2, 4).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
    assert back(large, np.arange(8).reshape(8, 1)).ravel().tolist() == [0 + 1 + 4 + 5, 2 + 3 + 6 + 7]


@pytest.mark.parametrize(
    ("function", "cost"),
    [
        (MaxPool((4, 4, 3), HALVES), Cost(compares=36, reads=48, writes=12)),
        (MaxPool((4, 4, 3), HALVES).adjoint(0), Cost(compares=36, reads=48 + 12, writes=48)),
        (MaxPool((3, 3, 1), Window(2, 2)).adjoint(0), Cost(compares=12, adds=4, reads=16 + 4 + 4, writes=9)),
        (MaxPool((4, 4, 1), Window(2, 2, 2, 1)), Cost(compares=16 - 9, reads=16, writes=9)),
        (AveragePool((4, 4, 3), HALVES), Cost(adds=36, multiplies=12, reads=48, writes=12)),
        (AveragePool((4, 4, 3), HALVES).adjoint(0), Cost(multiplies=12, reads=12, writes=48)),
        (AveragePool((3, 3, 1), Window(2, 2)).adjoint(0), Cost(multiplies=4, adds=16, reads=4 + 16, writes=9)),
        (Mean((4, 4, 3)), Cost(adds=45, multiplies=3, reads=48, writes=3)),
        (Share((4, 4, 3)), Cost(multiplies=3, reads=3, writes=48)),
        (Nearest((4, 4, 3), 2), FREE),
        (Blocks((4, 4, 3), 2), Cost(adds=36, reads=48, writes=12)),
        (MaxPool((3, 3, 1), Window(2, 1, 2, across=1)).adjoint(0), Cost(compares=3, reads=6 + 3, writes=9)),
        (Spread((3,), (4, 4, 3)), FREE),
        (Spread((3,), (4, 4, 3)).adjoint(0), Cost(adds=45, reads=48, writes=3)),
        (Spread((4, 1, 3), (4, 4, 3)).adjoint(0), Cost(adds=36, reads=48, writes=12)),
    ],
)
def test_cost_is_that_of_the_elements_under_the_windows(function: Function, cost: Cost) -> None:
    assert getattr(function, "function", function).cost == cost
