"""What is done to the images of a data set, and what a network without bias asks of it."""

from __future__ import annotations

import numpy as np
import pytest
from network_kit import chain, dense

from archsim.base.errors import InputError
from archsim.base.streams import Streams
from archsim.data import datasets
from archsim.data.augment import augment
from archsim.data.dataset import Dataset, build
from archsim.data.images import prepare


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return datasets.load("mnist-5k")


def test_nothing_to_do_gives_the_same_data_set(digits: Dataset) -> None:
    assert prepare(digits) is digits


def test_the_middle_of_each_image_is_kept(digits: Dataset) -> None:
    cut = prepare(digits, crop=20)
    assert cut.shape == (1, 20, 20)
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


# --- Normalised, and changed at random


def coloured(n: int = 2500) -> Dataset:
    """Return images of three channels of different means and deviations."""
    rng = np.random.default_rng(6)
    parts = []
    for size in (n, 50):
        images = rng.normal(0, 1, (size, 3, 6, 5)) * np.array([0.02, 0.05, 0.1])[:, None, None]
        images += np.array([0.2, 0.5, 0.6])[:, None, None]
        parts.append((np.clip(images, 0, 1).astype(np.float32), np.arange(size) % 4))
    return build("made", "made", *parts, classes=4)


def test_each_channel_is_freed_of_the_mean_and_the_deviation_of_the_training_images() -> None:
    data = coloured()
    made = prepare(data, normalise=True)
    channels = data.train_x.reshape(-1, 3, 30).astype(np.float64)
    assert made.mean == pytest.approx(channels.mean(axis=(0, 2)), rel=1e-9)
    assert made.deviation == pytest.approx(channels.std(axis=(0, 2)), rel=1e-6)
    seen = made.train_x.reshape(-1, 3, 30)
    assert seen.mean(axis=(0, 2)) == pytest.approx([0, 0, 0], abs=1e-5)
    assert seen.std(axis=(0, 2)) == pytest.approx([1, 1, 1], rel=1e-5)
    test = (data.test_x.reshape(-1, 3, 30) - np.array(made.mean)[:, None]) / np.array(made.deviation)[:, None]
    assert made.test_x.reshape(-1, 3, 30) == pytest.approx(test, abs=1e-4)
    assert (data.range, data.black) == ((0.0, 1.0), (0.0, 0.0, 0.0))
    assert made.range == pytest.approx((-0.5 / made.deviation[1], 0.8 / made.deviation[0]), rel=0.01)
    assert made.black == pytest.approx([-0.2 / 0.02, -0.5 / 0.05, -0.6 / 0.1], rel=0.02)
    assert made.origin.startswith("made; normalised by mean 0.")
    assert (made.sha256 != data.sha256, made.train_x.flags.writeable) == (True, False)


def test_pixels_of_grey_images_stay_within_the_range_that_is_told(digits: Dataset) -> None:
    made = prepare(digits, crop=20, normalise=True)
    assert made.shape == (1, 20, 20)
    assert made.range == pytest.approx((made.train_x.min(), made.train_x.max()), rel=1e-5)
    assert made.train_x.std() == pytest.approx(1, rel=1e-4)


def test_a_channel_that_is_the_same_everywhere_cannot_be_normalised() -> None:
    images = np.ones((5, 2, 4, 4), np.uint8)
    images[:, 0, 0] = 7
    data = build("made", "made", (images, np.arange(5) % 2), (images, np.arange(5) % 2), classes=2)
    with pytest.raises(InputError, match="images.normalise: channel 2 of the training images is .* everywhere"):
        prepare(data, normalise=True)


def test_what_is_changed_at_random_leaves_the_images_and_shows_in_origin_and_hash(digits: Dataset) -> None:
    made = prepare(digits, augment=["shift", "flip"])
    assert made.augment == ("flip", "shift")
    assert made.train_x is digits.train_x
    assert made.origin.endswith("; in training flipped left and right and shifted by up to 4 pixels at random")
    assert len({digits.sha256, made.sha256, prepare(digits, augment=["flip"]).sha256}) == 3
    assert prepare(digits, augment=["flip", "shift"]).sha256 == made.sha256
    with pytest.raises(InputError, match=r"images.augment: got 'flop'; expected of flip, shift. Did you mean 'flip'"):
        prepare(digits, augment=["flop"])
    with pytest.raises(InputError, match=r"images.augment: .* expected each kind once"):
        prepare(digits, augment=["flip", "flip"])


def test_every_second_image_is_turned_left_and_right_and_nothing_else() -> None:
    """2,500 images: turned ones within 6 sigma (150) of a half; a false alarm in 500 million."""
    data = coloured()
    seen = augment(data.train_x, data.shape, ["flip"], np.random.default_rng(1), black=data.black)
    turned = data.train_x.reshape(-1, *data.shape)[..., ::-1].reshape(len(data.train_x), -1)
    as_was = (seen == data.train_x).all(axis=1)
    assert ((seen == turned).all(axis=1) ^ as_was).all()
    assert as_was.sum() == pytest.approx(1250, abs=150)


@pytest.mark.parametrize("normalised", [False, True])
def test_images_are_shifted_by_up_to_four_pixels_each_way_and_what_comes_in_is_black(normalised: bool) -> None:
    """81 shifts of 2,500 images: all seen but with a chance of 81 (1 - 1/81)^2500 = 3e-12."""
    data = prepare(coloured(), normalise=normalised)
    seen = augment(data.train_x, data.shape, ["shift"], np.random.default_rng(1), black=data.black)
    before, after = (x.reshape(-1, *data.shape) for x in (data.train_x, seen))
    black = np.array(data.black, np.float32)
    shifts = set()
    for one, other in zip(before, after, strict=True):
        wide = np.tile(black[:, None, None], (1, 14, 13))
        wide[:, 4:10, 4:9] = one
        fits = [(r, c) for r in range(9) for c in range(9) if np.array_equal(wide[:, r : r + 6, c : c + 5], other)]
        assert len(fits) == 1
        shifts.add(fits[0])
    assert len(shifts) == 81


def test_the_same_stream_changes_the_same_images_in_the_same_way(digits: Dataset) -> None:
    x = digits.train_x[:20]
    before = x.copy()
    seen = [
        augment(x, digits.shape, ["flip", "shift"], np.random.default_rng(seed), black=digits.black)
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])
    assert np.array_equal(x, before)
