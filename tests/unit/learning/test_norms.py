"""Normalisation: against plain NumPy in 64 bits, refused batches, costs."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.base.errors import ModelError
from archsim.learning.functions import Cost, Function
from archsim.learning.norms.functions import Gain, Groups, Moments, Normalise, Offset, Total

SHAPE = (3, 2, 6)
EPSILON = 1e-3
LAYOUTS = {
    "vector": (Groups(SHAPE, "vector"), (30, 1, 1, 6)),
    "groups": (Groups(SHAPE, "sample", 3), (5, 6, 3, 2)),
    "batch": (Groups(SHAPE, "batch", 6), (1, 30, 6, 1)),
}
"""Name -> groups, and the shape under which axes 1 and 3 of five samples are normalised together."""


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(3, 2, shape).astype(np.float32)


def plain(x: np.ndarray, gain: np.ndarray, offset: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    parted = x.astype(float).reshape(shape)
    away = parted - parted.mean(axis=(1, 3), keepdims=True)
    z = away / np.sqrt((away**2).mean(axis=(1, 3), keepdims=True) + EPSILON)
    return z.reshape(x.shape) * gain + offset


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_group_is_normalised_by_its_own_mean_and_variance(name: str) -> None:
    groups, shape = LAYOUTS[name]
    x, gain, offset = drawn(30, 6), drawn(1, 6, seed=1), drawn(1, 6, seed=2)
    moments = Moments(groups)(x)
    assert Normalise(groups, EPSILON)(x, moments, gain, offset) == pytest.approx(
        plain(x, gain, offset, shape), rel=1e-5, abs=1e-5
    )
    mean = x.astype(float).reshape(shape).mean(axis=(1, 3)).ravel()
    assert moments[:, 0] == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_way_back_is_the_slope_by_x_by_gain_and_by_offset(name: str) -> None:
    """By central differences in 64 bits of the plain form, along random directions."""
    groups, shape = LAYOUTS[name]
    operands = [drawn(30, 6), drawn(1, 6, seed=1), drawn(1, 6, seed=2)]
    d, function = drawn(30, 6, seed=3), Normalise(groups, EPSILON)
    moments = Moments(groups)(operands[0])
    needs = [operands[0], moments, *operands[1:]]
    for k, operand in zip((0, 2, 3), range(3), strict=True):
        adjoint = function.adjoint(k)
        assert adjoint is not None
        given = adjoint.function(d, *(needs[int(need)] for need in adjoint.needs))
        way = drawn(*operands[operand].shape, seed=4).astype(float)
        values = []
        for h in (1e-4, -1e-4):
            moved = [x + h * way if j == operand else x.astype(float) for j, x in enumerate(operands)]
            values.append(float((plain(*moved, shape) * d).sum()))
        assert float((given * way).sum()) == pytest.approx((values[0] - values[1]) / 2e-4, rel=1e-4, abs=1e-3), k


def test_a_batch_keeps_the_variance_of_its_population_and_a_running_one_is_taken_as_it_is() -> None:
    groups, x = Groups((2,), "batch", 2), np.array([[1, 0], [3, 0]], np.float32)
    moments = Moments(groups)(x)
    assert moments.tolist() == [[2, 2], [0, 0]]
    ones, zeros = np.ones((1, 2), np.float32), np.zeros((1, 2), np.float32)
    assert Normalise(groups, 1e-9)(x, moments, ones, zeros)[:, 0].tolist() == pytest.approx([-1, 1])
    running = Normalise(groups, 1e-9, running=True)(x, moments, ones, zeros)
    assert running[:, 0].tolist() == pytest.approx([-(0.5**0.5), 0.5**0.5])


def test_one_vector_is_no_batch() -> None:
    with pytest.raises(ModelError, match="a batch of one sample and one position has no variance"):
        Moments(Groups((4,), "batch", 4))(drawn(1, 4))


def test_an_offset_is_added_everywhere_and_its_gradient_is_a_total() -> None:
    offset = Offset((2, 3))
    x, b = drawn(4, 3), drawn(1, 3, seed=1)
    assert (offset(x, b) == x + b).all()
    adjoint = offset.adjoint(1)
    assert adjoint is not None
    assert adjoint.function(x) == pytest.approx(x.sum(axis=0, keepdims=True), rel=1e-6)


def back(function: Function, operand: int) -> Function:
    adjoint = function.adjoint(operand)
    assert adjoint is not None
    return adjoint.function


N = 36
VECTOR, BATCH = LAYOUTS["vector"][0], LAYOUTS["batch"][0]


@pytest.mark.parametrize(
    ("function", "cost"),
    [
        (Moments(VECTOR), Cost(adds=2 * N + 6, multiplies=N + 18, reads=N, writes=12)),
        (Moments(BATCH), Cost(adds=2 * N + 6, multiplies=N + 18, reads=N + 12, writes=12)),
        (Normalise(VECTOR, 1), Cost(adds=2 * N + 6, multiplies=2 * N, lookups=6, reads=N + 12 + 12, writes=N)),
        (
            back(Normalise(VECTOR, 1), 0),
            Cost(adds=6 * N + 6, multiplies=6 * N + 30, lookups=6, reads=4 * N + 12 + 6, writes=N),
        ),
        (
            back(Normalise(VECTOR, 1), 2),
            Cost(adds=2 * N + 6, multiplies=2 * N, lookups=6, reads=2 * N + 12 + 6, writes=6),
        ),
        (Total(SHAPE), Cost(adds=N, reads=N + 6, writes=6)),
        (Offset(SHAPE), Cost(adds=N, reads=N + 6, writes=N)),
        (Gain(SHAPE), Cost(multiplies=N, reads=N + 6, writes=N)),
        (back(Gain(SHAPE), 0), Cost(multiplies=N, reads=N + 6, writes=N)),
        (back(Gain(SHAPE), 1), Cost(multiplies=N, adds=N, reads=2 * N + 6, writes=6)),
    ],
)
def test_cost_is_that_of_elements_and_of_groups(function: Function, cost: Cost) -> None:
    assert function.cost == cost
