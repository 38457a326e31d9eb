"""What is done to the images of a data set, and what a network without bias asks of it."""

from __future__ import annotations

import numpy as np
import pytest
from network_kit import chain, dense

from archsim.base.streams import Streams
from archsim.data import datasets
from archsim.data.dataset import Dataset
from archsim.data.images import prepare


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return datasets.load("mnist-5k")


def test_nothing_to_do_gives_the_same_data_set(digits: Dataset) -> None:
    assert prepare(digits) is digits


def test_the_middle_of_each_image_is_kept(digits: Dataset) -> None:
    cut = prepare(digits, crop=20)
    assert cut.shape == (20, 20)
    assert cut.train_x.shape == (len(digits.train_x), 400)
    assert (cut.test_x[7].reshape(20, 20) == digits.test_x[7].reshape(28, 28)[4:24, 4:24]).all()
    assert cut.train_x.flags.c_contiguous
    assert not cut.train_x.flags.writeable


def test_images_become_black_and_white_at_the_threshold(digits: Dataset) -> None:
    made = prepare(digits, threshold=0.5)
    assert set(np.unique(made.train_x)) == {0.0, 1.0}
    assert (made.train_x == (digits.train_x >= 0.5)).all()
    assert made.train_x.dtype == np.float32


def test_what_was_done_shows_in_the_origin_and_the_hash(digits: Dataset) -> None:
    found = [prepare(digits, crop=20), prepare(digits, threshold=0.5), prepare(digits, crop=20, threshold=0.5)]
    assert len({digits.sha256, *(each.sha256 for each in found)}) == 4
    assert found[2].origin.endswith("; the middle 20x20 pixels, black and white at 0.5")
    assert found[2].train_y is digits.train_y


def test_initial_levels_are_equally_spaced_and_equally_frequent_with_the_deviation_asked_for() -> None:
    """40,000 weights of seven values: each count within 5 sigma (350) of 5,714; a false alarm in 250,000."""
    weights = chain(400, dense("a", 100, "sigmoid", bias=False), std=1 / 3, initial_levels=7).initial_weights(
        Streams(1)
    )["a"]
    values, counts = np.unique(weights, return_counts=True)
    assert values == pytest.approx(np.arange(-3, 4) / 6, abs=1e-6)
    assert counts == pytest.approx(np.full(7, 40000 / 7), abs=350)
    assert weights.std() == pytest.approx(1 / 3, rel=0.02)
