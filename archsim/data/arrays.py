"""Archives of arrays (.npz): a user's own data, and MNIST as Keras keeps it. Checked before anything is unpacked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from archsim.base.arrays import unpacked
from archsim.base.errors import DataError, InputError
from archsim.base.files import display, regular
from archsim.data.dataset import CLASSES, SHAPE, Dataset, Part, build

OWN = ("x", "y", "test_x", "test_y")
"""Arrays of a user's own file."""
MOST_BYTES = 1 << 30
"""Of all arrays of a file, unpacked."""
MOST_CLASSES = 256
_FOLD, _SMALL = 100, 1 << 24
"""Images pack to a tenth; what unpacks to a hundred times its size and more than 16 MB is none."""


def read(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Return arrays of an .npz file; headers and sizes are checked before an array is unpacked, nothing is unpickled.

    Raises
    ------
    DataError
        If the file is no such archive, is damaged, lacks an array, holds objects, or is too large.
    """
    try:
        regular(path, "an .npz file of numpy.savez")
        most = min(MOST_BYTES, _FOLD * path.stat().st_size + _SMALL)
        found = unpacked(path, what="an .npz file of numpy.savez", most=most, names=names)
    except InputError as error:
        raise DataError(error.message, file=error.file, expected=error.expected) from error
    return [found[name] for name in names]


def keras(path: Path) -> tuple[Part, Part]:
    """Return the images and labels, for training and for test, of mnist.npz as Keras keeps it.

    Raises
    ------
    DataError
        If an array is missing or has another type or shape.
    """
    names = ("x_train", "y_train", "x_test", "y_test")
    found = read(path, names)
    for name, array, dimensions in zip(names, found, (3, 1, 3, 1), strict=True):
        if array.dtype != np.uint8 or array.ndim != dimensions or (dimensions == 3 and array.shape[1:] != SHAPE):
            what = f"{name} is {array.dtype} of shape {array.shape}"
            raise DataError(what, file=display(path), expected="bytes: images of 28x28, and labels")
    x, y, test_x, test_y = found
    for name, images, labels in (("y_train", x, y), ("y_test", test_x, test_y)):
        if len(images) != len(labels) or not len(labels) or labels.max() >= CLASSES:
            raise DataError(f"{name} does not fit", file=display(path), expected="a label 0 to 9 for each image")
    return (x, y), (test_x, test_y)


def own(path: Path) -> Dataset:
    """Return a user's own data: x, y to train and test_x, test_y to test.

    Images are (samples, elements), (samples, rows, columns) or (samples, channels, rows, columns): bytes, which are
    divided by 255, or floats from 0 to 1. Labels are whole numbers from 0; the largest of y says how many classes there
    are.

    Raises
    ------
    DataError
        If the file cannot be read, or an array is not so.
    """
    file = display(path)
    x, y, test_x, test_y = read(path, OWN)
    images = [_images(array, name, file) for array, name in ((x, "x"), (test_x, "test_x"))]
    if images[0].shape[1:] != images[1].shape[1:]:
        raise DataError(
            f"test_x has samples of shape {test_x.shape[1:]}", file=file, expected=f"{x.shape[1:]}, as x has"
        )
    labels = [_labels(y, x, "y", file), _labels(test_y, test_x, "test_y", file)]
    classes = int(labels[0].max()) + 1
    if int(labels[1].max()) >= classes:
        raise DataError(
            f"test_y holds the label {int(labels[1].max())}",
            file=file,
            expected=f"labels from 0 to {classes - 1}, as in y",
        )
    origin = f"{path.name}, {len(images[0]):,} + {len(images[1]):,} samples of {classes} classes"
    train, test = zip(images, labels, strict=True)
    return build(f"own data ({path.name})", origin, train, test, classes=classes, folder=path.resolve().parent)


def _images(array: np.ndarray, name: str, file: str) -> np.ndarray:
    if array.ndim not in (2, 3, 4) or 0 in array.shape:
        expected = "(samples, elements), (samples, rows, columns) or (samples, channels, rows, columns), none of them 0"
        raise DataError(f"{name} has the shape {array.shape}", file=file, expected=expected)
    if array.dtype != np.uint8:
        if array.dtype.kind != "f":
            raise DataError(f"{name} is {array.dtype}", file=file, expected="uint8, or floats from 0 to 1")
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # also where one is not a number
            what = f"{name} goes from {low:g} to {high:g}" if math.isfinite(low + high) else f"{name} is not finite"
            raise DataError(what, file=file, expected="floats from 0 to 1, or uint8 from 0 to 255")
        array = array.astype(np.float32)
    if array.ndim > 2:
        return array
    side = math.isqrt(array.shape[1])
    return array.reshape(len(array), *((side, side) if side * side == array.shape[1] else (1, -1)))


def _labels(array: np.ndarray, images: np.ndarray, name: str, file: str) -> np.ndarray:
    if array.shape != (len(images),):
        expected = f"({len(images)},), a label for each sample"
        raise DataError(f"{name} has the shape {array.shape}", file=file, expected=expected)
    expected = f"whole numbers from 0 to at most {MOST_CLASSES - 1}"
    if array.dtype.kind not in "iuf":
        raise DataError(f"{name} is {array.dtype}", file=file, expected=expected)
    if not np.isfinite(array).all() or array.min() < 0 or array.max() >= MOST_CLASSES or (array % 1).any():
        raise DataError(f"{name} holds other labels", file=file, expected=expected)
    return array.astype(np.uint8)
