"""Dropout: how many elements, which, and what is left of the others."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.learning.dropout import SEED_BELOW, Dropout
from archsim.learning.functions import Cost

SHAPE = (50, 40)


def seeds(samples: int, start: int = 0) -> np.ndarray:
    return np.random.default_rng(start).integers(SEED_BELOW, size=(samples, 2)).astype(np.float32)


def ones(samples: int) -> np.ndarray:
    return np.ones((samples * 50, 40), np.float32)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_so_many_elements_are_zero_and_the_others_make_up_for_them(rate: float) -> None:
    """200,000 elements, within five standard errors: false-alarm rate below 1e-6 each."""
    y = Dropout(SHAPE, rate, "a")(ones(100), seeds(100))
    assert abs((y == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / y.size)
    assert np.unique(y).tolist() == pytest.approx([0, 1 / (1 - rate)])


def test_places_samples_and_layers_are_dropped_independently() -> None:
    """Coincidences of 100,000 pairs with probability 1/2, within five standard errors."""
    first = Dropout(SHAPE, 0.5, "a")(ones(50), seeds(50)).reshape(50, -1) == 0
    other = Dropout(SHAPE, 0.5, "b")(ones(50), seeds(50)).reshape(50, -1) == 0
    for one, two in ((first, other), (first[1:], first[:-1]), (first[:, 1:], first[:, :-1])):
        assert abs((one == two).mean() - 0.5) < 5 * 0.5 / np.sqrt(one.size)


def test_a_sample_is_dropped_alike_whatever_stands_beside_it() -> None:
    drop, given = Dropout(SHAPE, 0.5, "a"), seeds(4)
    whole = drop(ones(4), given)
    assert (whole[100:150] == drop(ones(1), given[2:3])).all()


def test_the_way_back_drops_what_was_dropped() -> None:
    drop, given = Dropout(SHAPE, 0.3, "a"), seeds(2)
    adjoint = drop.adjoint(0)
    assert adjoint is not None
    assert adjoint.needs == (1,)
    assert (adjoint.function(ones(2), given) == drop(ones(2), given)).all()
    assert drop.adjoint(1) is None


def test_an_element_costs_a_random_number_a_comparison_and_a_product() -> None:
    assert Dropout((4, 5), 0.5, "a").cost == Cost(lookups=20, compares=20, multiplies=20, reads=22, writes=20)
