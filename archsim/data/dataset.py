"""What a data set is once it is read: images and labels for training and test, with where they came from.

Texts are another kind (`data/text.py`); what both kinds have, `Source` says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

CLASSES = 10
SHAPE = (28, 28)
"""Rows and columns of an image of MNIST's form."""
Part = tuple[np.ndarray, np.ndarray]
"""Images and their labels."""


class Source(Protocol):
    """What every data set has, of images or of text: all that a run records of it.

    `name` and `origin` say what the content is, `sha256` is that of the content, `folder` is where it lay.
    """

    @property
    def name(self) -> str: ...  # noqa: D102  the class says it
    @property
    def origin(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102
    @property
    def folder(self) -> Path | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Images and labels for training and test; the arrays are read-only.

    Parameters
    ----------
    name : str
        What the content is: "mnist" where the bytes are MNIST's, whatever the files are called.
    origin : str
        What the images are, in words; the same wherever they lie.
    train_x, test_x : float32 array, (samples, pixels)
        Pixels within `range`: channel after channel, in each row after row.
    train_y, test_y : uint8 array, (samples,)
        Labels from 0 to classes - 1.
    sha256 : str
        Digest of the bytes of train_x, train_y, test_x and test_y, in this order; another one where `augment` says
        that the training sees more than these.
    classes : int
    shape : (channels, rows, columns) of an image
    folder : Path or None
        Where the files lay; no part of what the data are.
    range : (least, most) that a pixel can be; (0, 1) unless the images are normalised
    mean, deviation : of each channel, that normalised images were freed of; empty if they are not normalised
    augment : what the sampler does at random to the images of a batch (`archsim.data.augment`)
    """

    name: str
    origin: str
    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    sha256: str
    classes: int = CLASSES
    shape: tuple[int, int, int] = (1, *SHAPE)
    folder: Path | None = None
    range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    augment: tuple[str, ...] = ()

    @property
    def black(self) -> tuple[float, ...]:
        """What a pixel that was 0 is in each channel."""
        pairs = zip(self.mean, self.deviation, strict=True)
        return tuple(-mean / deviation for mean, deviation in pairs) or (0.0,) * self.shape[0]


def digest(arrays: Iterable[np.ndarray]) -> str:
    """Return the sha256 of the bytes of arrays, one after the other."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def build(
    name: str, origin: str, train: Part, test: Part, *, classes: int = CLASSES, folder: Path | None = None
) -> Dataset:
    """Return images and their labels, twice, as a data set.

    Parameters
    ----------
    train, test : images (samples, rows, columns) or (samples, channels, rows, columns), and labels (samples,)
        Images of 8 bits become whole multiples of 1/255; floats are kept. Labels fit into 8 bits.
    """
    arrays: list[np.ndarray] = []
    for images, labels in (train, test):
        flat = images.reshape(len(images), -1)
        levels = np.float32(255 if images.dtype == np.uint8 else 1)
        arrays += [np.divide(flat, levels, dtype=np.float32, casting="same_kind"), labels.astype(np.uint8)]
    for array in arrays:
        array.setflags(write=False)
    train_x, train_y, test_x, test_y = arrays
    channels, rows, columns = (1, *train[0].shape[1:])[-3:]
    return Dataset(
        name, origin, train_x, train_y, test_x, test_y, sha256=digest(arrays), classes=classes,
        shape=(int(channels), int(rows), int(columns)), folder=folder,
    )  # fmt: skip
