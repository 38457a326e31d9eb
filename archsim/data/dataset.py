"""What a data set is once it is read: images and labels for training and test, with where they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CLASSES = 10
SHAPE = (28, 28)
Part = tuple[np.ndarray, np.ndarray]
"""Images and their labels."""


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
        Pixels from 0 to 1.
    train_y, test_y : uint8 array, (samples,)
        Labels from 0 to classes - 1.
    sha256 : str
        Digest of the bytes of train_x, train_y, test_x and test_y, in this order.
    classes : int
    shape : (rows, columns) of an image
    folder : Path or None
        Where the files lay; no part of what the data are.
    """

    name: str
    origin: str
    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    sha256: str
    classes: int = CLASSES
    shape: tuple[int, int] = SHAPE
    folder: Path | None = None


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
    train, test : images (samples, rows, columns) and labels (samples,)
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
    rows, columns = train[0].shape[1:]
    return Dataset(
        name, origin, train_x, train_y, test_x, test_y, sha256=digest(arrays), classes=classes,
        shape=(int(rows), int(columns)), folder=folder,
    )  # fmt: skip
