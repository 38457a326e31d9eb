"""Random signs that a learning rule disturbs a network by: made of seeds that come with each sample, and made again.

A sign is the top bit of a random number as `learning.dropout` makes them, and counted likewise: a look-up. Nothing is
kept. Signs of one label are the same wherever they are made.
"""

from __future__ import annotations

import hashlib

import numpy as np

from archsim.base.arrays import F32
from archsim.learning import _kernels
from archsim.learning.functions import Cost, Function, Shape, words


def signs(seeds: F32, size: int, label: str) -> F32:
    """Return 1 or -1 for each element, (samples, size), of seeds (samples, 2): whole numbers below 2^24."""
    key = np.frombuffer(hashlib.sha256(label.encode()).digest()[:8], np.uint64)[0]
    out = np.empty((len(seeds), size), np.float32)
    _kernels.drop(np.ones_like(out), seeds.astype(np.uint64), key, 0.5, out)
    out -= np.float32(1)
    return out


class Signs(Function):
    """Random signs of a shape, of (seeds)."""

    def __init__(self, shape: Shape, label: str) -> None:
        self.name, self.shapes, self.out = f"signs of {label}", ((2,),), shape
        self._label = label
        n = words(shape)
        self.cost = Cost(lookups=n, reads=2, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, size)."""
        return signs(operands[0], words(self.out), self._label).reshape(-1, self.out[-1])


class Disturb(Function):
    """x + spread times random signs, of (x, seeds)."""

    def __init__(self, shape: Shape, spread: float, label: str) -> None:
        self.name, self.shapes, self.out = f"disturb {spread:g} by {label}", (shape, (2,)), shape
        self._spread, self._label = np.float32(spread), label
        n = words(shape)
        self.cost = Cost(lookups=n, adds=n, reads=n + 2, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, size)."""
        x, seeds = operands
        drawn = signs(seeds, words(self.out), self._label).reshape(x.shape)
        found: F32 = x + self._spread * drawn
        return found


class DisturbProduct(Function):
    """x W as it is with weights W + spread r c, r and c random signs of rows and columns; of (x W, x, seeds).

    The elements of r c are signs of which no two depend on each other, so that they disturb weights as well as so many
    signs drawn one by one. No device is written: the product is disturbed, by the sum of x under the signs r.
    """

    def __init__(self, rows: int, columns: int, spread: float, label: str) -> None:
        self.name, self.out = f"disturb weights {spread:g} by {label}", (columns,)
        self.shapes = ((columns,), (rows,), (2,))
        self._spread, self._labels = np.float32(spread), (f"{label} rows", f"{label} columns")
        n = rows + columns
        self.cost = Cost(lookups=n, adds=n, multiplies=1, reads=n + 2, writes=columns)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples, columns)."""
        y, x, seeds = operands
        r, c = (signs(seeds, each.shape[1], label) for each, label in zip((x, y), self._labels, strict=True))
        found: F32 = y + self._spread * np.sum(x * r, axis=1, keepdims=True, dtype=np.float32) * c
        return found


class Blame(Function):
    """What a loss fell by over the spread, times random signs, of (fall, seeds): the descent that they stood for."""

    def __init__(self, shape: Shape, spread: float, label: str) -> None:
        self.name, self.shapes, self.out = f"blame {spread:g} on {label}", ((1,), (2,)), shape
        self._spread, self._label = np.float32(spread), label
        n = words(shape)
        self.cost = Cost(lookups=n, multiplies=1, reads=3, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, size)."""
        fall, seeds = operands
        found: F32 = (fall / self._spread) * signs(seeds, words(self.out), self._label)
        return found.reshape(-1, self.out[-1])
