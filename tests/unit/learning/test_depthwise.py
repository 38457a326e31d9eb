"""Depthwise convolutions written out, and their declared cost."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.learning.functions import Cost
from archsim.learning.images.depthwise import Depthwise, DepthwiseFold, DepthwiseSlope
from archsim.learning.images.windows import Window

SHAPE, WINDOW = (5, 4, 3), Window(3, 2, 2, 1, 1)
PLACES = (3, 3)  # (5 + 2 - 3) // 2 + 1 and (4 + 2 - 2) // 2 + 1
PRODUCTS = 3 * 3 * 6 * 3


def written_out(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the convolution of images (samples, 5, 4, 3) by weights (6, 3), place by place."""
    padded = np.zeros((len(x), 7, 6, 3))
    padded[:, 1:6, 1:5] = x
    out = np.zeros((len(x), *PLACES, 3))
    for r in range(3):
        for c in range(3):
            seen = padded[:, 2 * r : 2 * r + 3, 2 * c : 2 * c + 2].reshape(len(x), 6, 3)
            out[:, r, c] = (seen * kernel).sum(axis=1)
    return out


def given() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x, kernel, d = rng.normal(size=(2, *SHAPE)), rng.normal(size=(6, 3)), rng.normal(size=(2, *PLACES, 3))
    return x.astype(np.float32), kernel.astype(np.float32), d.astype(np.float32)


def test_each_channel_is_the_sum_over_its_own_window() -> None:
    x, kernel, _ = given()
    made = Depthwise(SHAPE, WINDOW)
    assert made.out == (*PLACES, 3)
    assert made(x.reshape(-1, 3), kernel).reshape(2, *PLACES, 3) == pytest.approx(written_out(x, kernel), abs=1e-5)


def test_the_ways_back_are_the_adjoints_of_the_way_there() -> None:
    """<d, conv(x, k)> = <fold(d, k), x> = <slope(d, x), k>."""
    x, kernel, d = given()
    there = float((written_out(x, kernel) * d).sum())
    fold, slope = DepthwiseFold(SHAPE, WINDOW), DepthwiseSlope(SHAPE, WINDOW)
    assert float((fold(d.reshape(-1, 3), kernel).reshape(x.shape) * x).sum()) == pytest.approx(there, rel=1e-4)
    assert float((slope(d.reshape(-1, 3), x.reshape(-1, 3)) * kernel).sum()) == pytest.approx(there, rel=1e-4)
    assert slope.summed


def test_a_multiply_accumulate_is_declared_for_each_element_of_each_window() -> None:
    n = PRODUCTS
    assert Depthwise(SHAPE, WINDOW).cost == Cost(adds=n, multiplies=n, reads=n + 18, writes=27)
    assert DepthwiseFold(SHAPE, WINDOW).cost == Cost(adds=n, multiplies=n, reads=n + 18, writes=60)
    assert DepthwiseSlope(SHAPE, WINDOW).cost == Cost(adds=n, multiplies=n, reads=n + 27 + 18, writes=18)
