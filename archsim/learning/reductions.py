"""Functions that look at a whole vector: softmax, and what a loss makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words
from archsim.learning.losses import ELEMENTS


class Softmax(Function):
    """exp(x - max x) over its sum, for each vector.

    An element: a comparison (largest), a subtraction, a look-up of exp, an addition (sum), a product with the sum's
    reciprocal, one look-up a vector.
    """

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "softmax", (shape,), shape
        n, vectors = words(shape), words(shape[:-1])
        self.cost = Cost(compares=n, adds=2 * n, lookups=n + vectors, multiplies=n, reads=n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return the probabilities."""
        [x] = operands
        y: F32 = np.exp(x - x.max(axis=1, keepdims=True))
        y /= y.sum(axis=1, keepdims=True)
        return y

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return y (dy - sum y dy)."""
        del operand
        return Adjoint(SoftmaxAdjoint(self.out), ("y",))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return 1."""
        del bounds
        return 1.0


class SoftmaxAdjoint(Function):
    """y (d - sum_k y_k d_k), for each vector."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "softmax-derivative", (shape, shape), shape
        n = words(shape)
        self.cost = Cost(multiplies=2 * n, adds=2 * n, reads=2 * n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return the gradient before the softmax."""
        d, y = operands
        out: F32 = y * (d - np.sum(y * d, axis=1, keepdims=True))
        return out


_LOST = {
    "squared": Cost(adds=2, multiplies=1), "cross-entropy": Cost(adds=1, multiplies=1, lookups=1),
    "binary-cross-entropy": Cost(adds=4, multiplies=2, lookups=2),
}  # fmt: skip
"""Loss -> elementary operations for an element of (target, output), the sum included; a logarithm is a look-up."""


class LossValue(Function):
    """What a sample loses, one number, of (target, output): its losses' sum over elements, and mean over positions.

    One product a sample beside those of the elements: with the half, or the minus, and the number of positions.
    """

    def __init__(self, loss: str, shape: Shape) -> None:
        self.name, self.shapes, self.out = f"{loss} loss", (shape, shape), (1,)
        self._elements, self._vectors = ELEMENTS[loss], words(shape[:-1])
        n, each = words(shape), _LOST[loss]
        self.cost = Cost(
            adds=each.adds * n, multiplies=each.multiplies * n + 1, lookups=each.lookups * n, reads=2 * n, writes=1
        )

    def __call__(self, *operands: F32) -> F32:
        """Return (samples, 1)."""
        target, output = (each.reshape(-1, words(shape)) for each, shape in zip(operands, self.shapes, strict=True))
        lost: F32 = np.sum(self._elements(output, target), axis=1, keepdims=True, dtype=np.float32)
        lost /= np.float32(self._vectors)
        return lost
