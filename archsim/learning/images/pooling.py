"""Pooling of images: the largest or the mean under a window, the mean over all positions, nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words
from archsim.learning.images import _kernels
from archsim.learning.images.windows import Fold, Window, Windows


def _under(shape: Shape, window: Window) -> int:
    """Return how many elements of an image stand under windows, each as often as it does."""
    found = []
    sizes = (window.rows, window.columns)
    for places, size, mine, stride in zip(window.places(*shape[:2]), shape, sizes, window.strides, strict=False):
        first = np.arange(places) * stride - window.padding
        found.append(int((np.minimum(first + mine, size) - np.maximum(first, 0)).sum()))
    return found[0] * found[1] * shape[-1]


class MaxPool(Function):
    """The largest element under a window, for each channel: (rows, columns, channels) -> (places, places, channels).

    What stands beside the image is never it. A window of k elements takes k reads, k - 1 comparisons and a write.
    """

    def __init__(self, shape: Shape, window: Window) -> None:
        self.name, self.shapes = f"largest {window}", (shape,)
        self.out = (*window.places(*shape[:2]), shape[-1])
        self._window = window
        under, n = _under(shape, window), words(self.out)
        self.cost = Cost(compares=under - n, reads=under, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x places, channels)."""
        x = np.ascontiguousarray(operands[0]).reshape(-1, *self.shapes[0])
        out = np.empty((x.shape[0], *self.out), np.float32)
        _kernels.largest(x, self._window.numbers, out)
        return out.reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Say it of the first largest element of each window."""
        del operand
        return Adjoint(MaxPoolAdjoint(self.shapes[0], self._window), (0,))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class MaxPoolAdjoint(Function):
    """What is said of the largest element under each window, at the first element of that size.

    Which one it is, is found again: k reads and k - 1 comparisons a window. What is said is read, and added to its
    element where windows overlap (an addition and a read); every element of the result is written.
    """

    def __init__(self, shape: Shape, window: Window) -> None:
        said = (*window.places(*shape[:2]), shape[-1])
        self.name, self.shapes, self.out = f"to largest {window}", (said, shape), shape
        self._window = window
        under, n = _under(shape, window), words(said)
        over = n if window.overlaps else 0
        self.cost = Cost(compares=under - n, adds=over, reads=under + n + over, writes=words(shape))

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x rows x columns, channels)."""
        d, x = (np.ascontiguousarray(a).reshape(-1, *s) for a, s in zip(operands, self.shapes, strict=True))
        out = np.zeros(x.shape, np.float32)
        _kernels.to_largest(d, x, self._window.numbers, out)
        return out.reshape(-1, self.out[-1])


class AveragePool(Function):
    """The mean of what a window sees, for each channel; what stands beside the image is 0 and counts if `padded`.

    A window of k elements takes k reads, k - 1 additions, a product and a write.
    """

    def __init__(self, shape: Shape, window: Window, *, padded: bool = True) -> None:
        self.name, self.shapes = f"mean {window}{'' if padded else ' of the image alone'}", (shape,)
        self.out = (*window.places(*shape[:2]), shape[-1])
        self._window, self._padded = window, padded
        under, n = _under(shape, window), words(self.out)
        self.cost = Cost(adds=under - n, multiplies=n, reads=under, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x places, channels)."""
        seen = Windows(self.shapes[0], self._window)(*operands).reshape(-1, *_split(self._window, self.out[-1]))
        if self._padded:
            out: F32 = seen.mean(axis=1)
            return out
        return _by_place(seen.sum(axis=1), _seen(self.shapes[0], self._window))

    def adjoint(self, operand: int) -> Adjoint | None:
        """Share it among the elements of each window."""
        del operand
        return Adjoint(AveragePoolAdjoint(self.shapes[0], self._window, padded=self._padded))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class AveragePoolAdjoint(Function):
    """What is said of each window's mean, shared among its elements.

    A read and a product a window; where windows overlap, an addition and a read for each of its elements; every
    element of the result is written.
    """

    def __init__(self, shape: Shape, window: Window, *, padded: bool = True) -> None:
        said = (*window.places(*shape[:2]), shape[-1])
        self.name = f"share {window}{'' if padded else ' of the image alone'}"
        self.shapes, self.out = (said,), shape
        self._window, self._padded = window, padded
        n = words(said)
        over = _under(shape, window) if window.overlaps else 0
        self.cost = Cost(multiplies=n, adds=over, reads=n + over, writes=words(shape))

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x rows x columns, channels)."""
        [d] = operands
        size, channels = _split(self._window, self.out[-1])
        part = d * np.float32(1 / size) if self._padded else _by_place(d, _seen(self.out, self._window))
        shared = np.tile(part, (1, size)).reshape(-1, size * channels)
        return Fold(self.out, self._window)(shared)


def _seen(shape: Shape, window: Window) -> F32:
    """Return how many elements of the image each window sees, (places, 1)."""
    ones = Windows((*shape[:2], 1), window)(np.ones((words(shape[:2]), 1), np.float32))
    found: F32 = ones.sum(axis=1, keepdims=True)
    return found


def _by_place(x: F32, counts: F32) -> F32:
    """Return the vectors of all samples, each over the count of its place."""
    return (x.reshape(-1, *counts.shape[:1], x.shape[1]) / counts).reshape(x.shape)


def _split(window: Window, channels: int) -> tuple[int, int]:
    return window.rows * window.columns, channels


class Mean(Function):
    """The mean over all positions: (..., size) -> (size,). An addition a word and a product an element of the mean."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "mean over positions", (shape,), shape[-1:]
        n, size = words(shape), shape[-1]
        self.cost = Cost(adds=n - size, multiplies=size, reads=n, writes=size)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples, size)."""
        positions = words(self.shapes[0][:-1])
        out: F32 = operands[0].reshape(-1, positions, self.out[0]).mean(axis=1)
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Share it among all positions."""
        del operand
        return Adjoint(Share(self.shapes[0]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class Share(Function):
    """A vector over the number of positions, at each of them: the adjoint of the mean. A product an element."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "share over positions", (shape[-1:],), shape
        self.cost = Cost(multiplies=shape[-1], reads=shape[-1], writes=words(shape))

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, size)."""
        positions = words(self.out[:-1])
        return np.repeat(operands[0] * np.float32(1 / positions), positions, axis=0)


class Nearest(Function):
    """Each position `factor` times along rows and columns, as it is: free, for whoever reads it reads the one word."""

    def __init__(self, shape: Shape, factor: int) -> None:
        rows, columns, channels = shape
        self.name, self.shapes, self.out = (
            f"nearest {factor}",
            (shape,),
            (rows * factor, columns * factor, channels),
        )
        self._factor = factor

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x rows x columns, channels) of the larger image."""
        x = operands[0].reshape(-1, *self.shapes[0])
        return x.repeat(self._factor, axis=1).repeat(self._factor, axis=2).reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Add up what is said of the copies."""
        del operand
        return Adjoint(Blocks(self.out, self._factor))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class Blocks(Function):
    """The sum over blocks of `factor` rows and columns, for each channel: an addition a word but the first."""

    def __init__(self, shape: Shape, factor: int) -> None:
        rows, columns, channels = shape
        self.name, self.shapes = f"sum of blocks {factor}", (shape,)
        self.out = rows // factor, columns // factor, channels
        n, made = words(shape), words(self.out)
        self._factor = factor
        self.cost = Cost(adds=n - made, reads=n, writes=made)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x rows x columns, channels) of the smaller image."""
        rows, columns, channels = self.out
        d = operands[0].reshape(-1, rows, self._factor, columns, self._factor, channels)
        out: F32 = d.sum(axis=(2, 4)).reshape(-1, channels)
        return out
