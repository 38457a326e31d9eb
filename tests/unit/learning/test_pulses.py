"""Outer products as numbers of pulses: rounding, products taken, and the trains a write takes."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.base.streams import Streams
from archsim.learning.pulses import PulseRule


def matrix(rule: PulseRule, x: np.ndarray, d: np.ndarray) -> np.ndarray:
    due = rule.due(x.astype(np.float32), d.astype(np.float32))
    found = np.zeros(rule.shape, int)
    found.reshape(-1)[due.index] = due.pulses
    return found


@pytest.mark.parametrize("vectors", [1, 3])
def test_numbers_of_pulses_are_the_nearest_to_the_outer_product_over_the_step(vectors: int) -> None:
    random = np.random.default_rng(1)
    x, d = random.uniform(0, 1, (vectors, 7)), random.uniform(-1, 1, (vectors, 5))
    product = x.T @ d
    steps = np.where(product > 0, product / 0.2, product / 0.3)
    wanted = np.sign(steps) * np.floor(np.abs(steps) + 0.5)
    assert (matrix(PulseRule((7, 5), up=0.2, down=0.3), x, d) == wanted).all()


def test_products_of_a_zero_are_neither_taken_nor_pulsed() -> None:
    due = PulseRule((3, 4), up=0.1, down=0.1).due(
        np.array([[1, 0, 0.5]], np.float32), np.array([[0, 1, -1, 0]], np.float32)
    )
    assert due.products == 4
    assert due.index.tolist() == [1, 2, 9, 10]  # row by row
    assert due.pulses.tolist() == [10, -10, 5, -5]


def test_less_than_half_a_pulse_is_lost_to_the_nearest_and_kept_on_average_by_chance() -> None:
    """1,000 draws each of 0.3 and -0.3 pulses: means within 4.1 sigma (0.06), a false alarm in 12,000."""
    x, d = np.ones((1, 20)), np.tile([0.03, -0.03], (1, 50))
    assert not matrix(PulseRule((20, 100), up=0.1, down=0.1), x, d).any()
    rule = PulseRule((20, 100), up=0.1, down=0.1, random=Streams(1).generator("update/fc1"))
    found = matrix(rule, x, d)
    assert set(np.unique(found)) == {-1, 0, 1}
    assert found[:, ::2].mean() == pytest.approx(0.3, abs=0.06)
    assert found[:, 1::2].mean() == pytest.approx(-0.3, abs=0.06)


def test_the_draws_of_a_batch_are_enough_for_every_row_that_any_vector_drives() -> None:
    rule = PulseRule((3, 2), up=0.1, down=0.1, random=Streams(1).generator("a"))
    x = np.array([[1, 0, 0], [0, 0, 1]], np.float32)
    assert (matrix(rule, x, np.full((2, 2), 0.2)) == [[2, 2], [0, 0], [2, 2]]).all()
