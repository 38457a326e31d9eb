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
        images = images.copy()
        images[turned] = images[turned][..., ::-1]
    if "shift" in kinds:
        images = _shifted(images, rng.integers(-MOST_SHIFT, MOST_SHIFT + 1, (len(images), 2)).tolist(), black)
    return images.reshape(len(x), -1)


def _shifted(images: F32, shifts: Sequence[Sequence[int]], black: Sequence[float]) -> F32:
    """Return images shifted by so many (rows, columns), down and right."""
    rows, columns = images.shape[2:]
    made = np.empty_like(images)
    made[:] = np.asarray(black, np.float32)[:, None, None]
    for image, one, (row, column) in zip(images, made, shifts, strict=True):
        stay = image[:, _stays(-row, rows), _stays(-column, columns)]
        one[:, _stays(row, rows), _stays(column, columns)] = stay
    return made


def _stays(shift: int, size: int) -> slice:
    """Return where pixels stand after a shift, of those that it does not push out."""
    return slice(max(shift, 0), max(min(size + shift, size), 0))
