"""What a sampler does at random to the images of a batch: turns left and right, shifts; nothing else sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.base.arrays import F32

KINDS = ("flip", "shift")
MOST_SHIFT = 4
"""Pixels that an image is shifted by, at most, in each of the four directions."""


def augment(
    x: F32, shape: tuple[int, int, int], kinds: Sequence[str], rng: np.random.Generator, *, black: Sequence[float]
) -> F32:
    """Return images changed at random.

    Parameters
    ----------
    x : float32 array, (samples, pixels)
        Not changed.
    shape : (channels, rows, columns)
    kinds : sequence of str
        Of `KINDS`. "flip": every second image, at random, left and right exchanged. "shift": by 0 to 4 pixels up or
        down and left or right, each shift as likely; what comes in is black.
    rng : Generator
        Drawn from for each image, whatever the size of the batch.
    black : (channels,)
        What a black pixel is.

    Returns
    -------
    float32 array, (samples, pixels)
    """
    images = x.reshape(-1, *shape)
    if "flip" in kinds:
        turned = rng.random(len(images)) < 0.5
        images = np.where(turned[:, None, None, None], images[..., ::-1], images)
    if "shift" in kinds:
        images = _shifted(images, rng.integers(0, 2 * MOST_SHIFT + 1, (len(images), 2)), black)
    return images.reshape(len(x), -1)


def _shifted(images: F32, corners: np.ndarray, black: Sequence[float]) -> F32:
    """Return the part of each image in a black frame of 4 pixels that begins at its corner (row, column)."""
    count, channels, rows, columns = images.shape
    framed = np.empty((count, channels, rows + 2 * MOST_SHIFT, columns + 2 * MOST_SHIFT), np.float32)
    framed[:] = np.asarray(black, np.float32)[:, None, None]
    framed[..., MOST_SHIFT:-MOST_SHIFT, MOST_SHIFT:-MOST_SHIFT] = images
    row = corners[:, 0, None] + np.arange(rows)
    column = corners[:, 1, None] + np.arange(columns)
    found: F32 = framed[
        np.arange(count)[:, None, None, None], np.arange(channels)[None, :, None, None],
        row[:, None, :, None], column[:, None, None, :],
    ]  # fmt: skip
    return found
