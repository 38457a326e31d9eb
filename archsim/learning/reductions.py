"""Functions that look at a whole vector: softmax."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words


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
