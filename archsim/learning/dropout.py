"""Dropout: elements set to zero at random, by seeds that come with each sample."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from archsim.base.arrays import F32
from archsim.learning import _kernels
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words

SEED_BELOW = 1 << 24
"""A seed is a whole number below this: float32 has them all."""


class Dropout(Function):
    """x / (1 - rate) where a random number is not below the rate, 0 elsewhere, of (x, seeds); seeds : (2,) a sample.

    The random numbers are SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) of the seeds, the layer's name and the place
    of the element: nothing is kept, and the way back makes them again. An element takes a random number, counted as a
    look-up (assumed: a generator beside the lanes), a comparison and a product.
    """

    def __init__(self, shape: Shape, rate: float, label: str) -> None:
        self.name, self.out = f"dropout {rate:g} of {label}", shape
        self.shapes = (shape, (2,))
        self._rate, self._label = rate, label
        self._key = np.frombuffer(hashlib.sha256(label.encode()).digest()[:8], np.uint64)[0]
        n = words(shape)
        self.cost = Cost(lookups=n, compares=n, multiplies=n, reads=n + 2, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, size)."""
        x, seeds = operands
        out = np.empty(x.shape, np.float32)
        rows = np.ascontiguousarray(x).reshape(seeds.shape[0], -1)
        _kernels.drop(rows, seeds.astype(np.uint64), self._key, self._rate, out.reshape(rows.shape))
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Drop of the gradient what was dropped of x."""
        return Adjoint(Dropout(self.out, self._rate, self._label), (1,)) if operand == 0 else None

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's over what is kept."""
        return None if bounds[0] is None else bounds[0] / (1 - self._rate)
