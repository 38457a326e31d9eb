"""What a workload does to the images of a data set before anything sees them: crop, black and white, normalise.

Here it also says what the sampler will do to them at random (`archsim.data.augment`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from archsim.base.arrays import F32
from archsim.base.errors import InputError, nearest
from archsim.data.augment import KINDS, MOST_SHIFT
from archsim.data.dataset import Dataset, digest

_WORDS = {"flip": "flipped left and right", "shift": f"shifted by up to {MOST_SHIFT} pixels"}
_AT_ONCE = 1000
"""Images whose squares are added up at once: of all of CIFAR-10 they would take 1.2 GB."""


def prepare(
    data: Dataset, *, crop: int | None = None, threshold: float | None = None, normalise: bool = False,
    augment: Sequence[str] = (),
) -> Dataset:  # fmt: skip
    """Return a data set with its images prepared; the same one if there is nothing to do.

    Parameters
    ----------
    data : Dataset
    crop : int
        The middle crop x crop pixels of each image are kept.
    threshold : float
        A pixel becomes 1 from here on, and 0 below.
    normalise : bool
        Each channel less its mean, over its standard deviation, both of all pixels of the training images (cropped and
        black and white where these are asked for). Pixels then leave 0 to 1: `Dataset.range` says how far.
    augment : sequence of str
        What the sampler does at random, of `archsim.data.augment.KINDS`.

    Returns
    -------
    Dataset
        Its `origin` says what was done, its `sha256` is that of the prepared images (and of `augment`).

    Raises
    ------
    InputError
        If the images are smaller than what is to be kept of them, a channel is the same everywhere, or a kind of
        `augment` is unknown or given twice.
    """
    _check_kinds(augment)
    made, done = data, []
    if crop is not None:
        made = _cropped(made, crop)
        done.append(f"the middle {crop}x{crop} pixels")
    if threshold is not None:
        made = _with(made, [(x >= threshold).astype(np.float32) for x in (made.train_x, made.test_x)])
        done.append(f"black and white at {threshold:g}")
    if normalise:
        made = _normalised(made)
        mean, deviation = (", ".join(f"{value:.3f}" for value in values) for values in (made.mean, made.deviation))
        done.append(f"normalised by mean {mean} and deviation {deviation}")
    kinds = tuple(kind for kind in KINDS if kind in augment)
    if kinds:
        done.append(f"in training {' and '.join(_WORDS[kind] for kind in kinds)} at random")
    if not done:
        return data
    sha256 = data.sha256 if made is data else digest((made.train_x, made.train_y, made.test_x, made.test_y))
    if kinds:
        sha256 = hashlib.sha256(f"{sha256} {' '.join(kinds)}".encode()).hexdigest()
    return replace(made, augment=kinds, sha256=sha256, origin=f"{data.origin}; {', '.join(done)}")


def _check_kinds(augment: Sequence[str]) -> None:
    for kind in augment:
        if kind not in KINDS:
            hint = nearest(kind, KINDS)
            raise InputError(key="images.augment", value=kind, expected=f"of {', '.join(KINDS)}", hint=hint)
    if len(set(augment)) < len(augment):
        raise InputError(key="images.augment", value=list(augment), expected="each kind once")


def _with(data: Dataset, images: Sequence[F32], shape: tuple[int, int, int] | None = None) -> Dataset:
    """Return a data set with other images for training and for test; `sha256` is still that of the old ones."""
    for array in images:
        array.setflags(write=False)
    train_x, test_x = images
    return replace(data, train_x=train_x, test_x=test_x, shape=shape or data.shape)


def _cropped(data: Dataset, crop: int) -> Dataset:
    channels, *sides = data.shape
    if crop > min(sides):
        raise InputError(key="images.crop", value=crop, expected=f"at most {min(sides)}, the side of an image")
    top, left = ((side - crop) // 2 for side in sides)
    images = [
        np.ascontiguousarray(
            x.reshape(-1, *data.shape)[..., top : top + crop, left : left + crop]
        ).reshape(len(x), -1)
        for x in (data.train_x, data.test_x)
    ]  # fmt: skip
    return _with(data, images, (channels, crop, crop))


def _normalised(data: Dataset) -> Dataset:
    channels = data.shape[0]
    sums = np.zeros((2, channels))
    for begin in range(0, len(data.train_x), _AT_ONCE):
        pixels = data.train_x[begin : begin + _AT_ONCE].reshape(-1, channels, data.shape[1] * data.shape[2])
        sums += pixels.sum(axis=(0, 2), dtype=np.float64), np.square(pixels, dtype=np.float64).sum(axis=(0, 2))
    mean, square = sums / (data.train_x.size // channels)
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    if (flat := deviation < 1e-6).any():
        channel = int(flat.argmax()) + 1
        raise InputError(
            f"channel {channel} of the training images is {mean[channel - 1]:g} everywhere", key="images.normalise",
            expected="pixels that differ",
        )  # fmt: skip
    images = []
    for x in (data.train_x, data.test_x):
        made = x.reshape(len(x), channels, -1).copy()
        made -= mean.astype(np.float32)[:, None]
        made /= deviation.astype(np.float32)[:, None]
        images.append(made.reshape(len(x), -1))
    least, most = ((edge - mean) / deviation for edge in data.range)
    return replace(
        _with(data, images), range=(float(least.min()), float(most.max())), mean=tuple(map(float, mean)),
        deviation=tuple(map(float, deviation)),
    )  # fmt: skip
