"""Normalisation by neighbouring channels (Krizhevsky, Sutskever and Hinton 2012, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words


@dataclass(frozen=True, slots=True)
class Neighbours:
    """x / (bias + alpha / size sum x^2)^beta, the sum over `size` channels around each.

    `alpha` is over `size`, as in PyTorch and ONNX; the publication's is this one over its size. An even number of
    channels has one more behind than before, as in ONNX.
    """

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    bias: float = 1.0

    def sums(self, x: F32, *, back: bool = False) -> F32:
        """Return for each channel the sum over its neighbours of x, (vectors, channels); `back`: the adjoint."""
        before, after = (self.size - 1) // 2, self.size // 2
        if back:
            before, after = after, before
        total = np.cumsum(np.pad(x, ((0, 0), (before + 1, after))), axis=1, dtype=np.float64)
        found: F32 = (total[:, self.size :] - total[:, : -self.size]).astype(np.float32)
        return found

    def scales(self, x: F32) -> F32:
        """Return what stands in brackets."""
        return np.float32(self.bias) + np.float32(self.alpha / self.size) * self.sums(x * x)

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.size} alpha {self.alpha:g} beta {self.beta:g} bias {self.bias:g}"


class ByNeighbours(Function):
    """Each element over a power of the squares around it.

    A square, an addition and a subtraction for the running sum, a product and an addition for the bracket, a look-up of
    its power, a product.
    """

    def __init__(self, shape: Shape, rule: Neighbours) -> None:
        self.name, self.shapes, self.out = f"by neighbours {rule}", (shape,), shape
        self._rule = rule
        n = words(shape)
        self.cost = Cost(adds=3 * n, multiplies=3 * n, lookups=n, reads=n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, channels)."""
        [x] = operands
        out: F32 = x * self._rule.scales(x) ** np.float32(-self._rule.beta)
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return what reaches x, through its own element and through the brackets around it."""
        del operand
        return Adjoint(ByNeighboursAdjoint(self.out, self._rule), (0,))


class ByNeighboursAdjoint(Function):
    """d s^-beta - 2 alpha beta / size x sum(d x s^(-beta - 1)), of (d, x), s what stands in brackets.

    The bracket again, a second running sum, two look-ups, five products and an addition.
    """

    def __init__(self, shape: Shape, rule: Neighbours) -> None:
        self.name, self.shapes, self.out = f"by neighbours-derivative {rule}", (shape, shape), shape
        self._rule = rule
        n = words(shape)
        self.cost = Cost(adds=6 * n, multiplies=7 * n, lookups=2 * n, reads=2 * n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, channels)."""
        (d, x), rule = operands, self._rule
        s = rule.scales(x)
        power: F32 = s ** np.float32(-rule.beta)
        through: F32 = d * x * power / s
        around = rule.sums(through, back=True)
        out: F32 = d * power - np.float32(2 * rule.alpha * rule.beta / rule.size) * x * around
        return out
