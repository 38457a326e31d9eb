"""Contractions of signals with each other, for attention: both operands change with every sample, so digital.

Queries, keys and values are (steps, size), their elements in `heads` equal parts beside each other; scores and weights
are (heads, steps, steps), those of a query in a row. With `causal`, a step sees itself and those before it: what is
masked is zero, and neither computed nor read nor written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Cost, Function, Shape
from archsim.learning.reductions import SoftmaxAdjoint


@dataclass(frozen=True, slots=True)
class Heads:
    """How a sequence is attended to.

    Parameters
    ----------
    steps, size : int
        Of the sequence.
    heads : int
        Divides the size.
    causal : bool
    """

    steps: int
    size: int
    heads: int
    causal: bool

    @property
    def sequence(self) -> Shape:
        """Shape of queries, keys, values."""
        return self.steps, self.size

    @property
    def square(self) -> Shape:
        """Shape of scores and weights."""
        return self.heads, self.steps, self.steps

    @property
    def pairs(self) -> int:
        """Pairs of steps that see each other."""
        return self.steps * (self.steps + 1) // 2 if self.causal else self.steps**2

    def split(self, x: F32) -> F32:
        """Return a sequence by head: a view (samples, heads, steps, size of a head)."""
        return x.reshape(-1, self.steps, self.heads, self.size // self.heads).transpose(0, 2, 1, 3)

    def joined(self, x: F32) -> F32:
        """Return what `split` took apart, (samples x steps, size)."""
        return np.ascontiguousarray(x.transpose(0, 2, 1, 3)).reshape(-1, self.size)

    def stacked(self, x: F32) -> F32:
        """Return scores or weights as (samples, heads, steps, steps), a view."""
        return x.reshape(-1, *self.square)

    def masked(self, x: F32) -> F32:
        """Return (samples x heads x steps, steps) with zeros where nothing is seen."""
        if self.causal:
            x *= np.tri(self.steps, dtype=np.float32)
        return x.reshape(-1, self.steps)

    def __str__(self) -> str:
        """Return heads and mask in words."""
        return f"{self.heads} heads{' causal' if self.causal else ''}"


class Scores(Function):
    """A factor times a . b for each pair of steps and each head: (steps, size) twice -> (heads, steps, steps).

    A product and an addition an element of each pair, and a product a score for the factor. A vector of a is read once,
    one of b for each that sees it; a score is written once.
    """

    def __init__(self, heads: Heads, factor: float = 1.0) -> None:
        self.name, self.heads, self._factor = f"scores {heads} by {factor:g}", heads, factor
        self.shapes, self.out = (heads.sequence,) * 2, heads.square
        products, scores = heads.pairs * heads.size, heads.pairs * heads.heads
        self.cost = Cost(
            multiplies=products + (scores if factor != 1 else 0), adds=products,
            reads=heads.steps * heads.size + products, writes=scores,
        )  # fmt: skip

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x heads x steps, steps)."""
        a, b = operands
        split = self.heads.split
        found: F32 = np.matmul(split(a), split(b).transpose(0, 1, 3, 2))
        if self._factor != 1:
            found *= np.float32(self._factor)
        return self.heads.masked(found)

    def adjoint(self, operand: int) -> Adjoint | None:
        """Weigh the other operand by the gradients of the scores."""
        return Adjoint(Weighted(self.heads, self._factor, turned=bool(operand)), (1 - operand,))


class Weighted(Function):
    """A factor times the sums of vectors by weights: (heads, steps, steps), (steps, size) -> (steps, size).

    A step's sum is over those that it sees; `turned`, over those that see it. A product and an addition an element of
    each pair, and a product an element of the result for the factor. A weight is read once, a vector for each of its
    weights; the result is written once.
    """

    def __init__(self, heads: Heads, factor: float = 1.0, *, turned: bool = False) -> None:
        self.name = f"weighted {heads} by {factor:g}{' turned' if turned else ''}"
        self.heads, self._factor, self._turned = heads, factor, turned
        self.shapes, self.out = (heads.square, heads.sequence), heads.sequence
        self.cost = _weighted_cost(heads, factor)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x steps, size)."""
        weights, x = operands
        p = self.heads.stacked(weights)
        found: F32 = np.matmul(p.transpose(0, 1, 3, 2) if self._turned else p, self.heads.split(x))
        if self._factor != 1:
            found *= np.float32(self._factor)
        return self.heads.joined(found)

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the scores of gradient and vectors for the weights, or the gradient weighed for the vectors."""
        if operand == 0:
            return Adjoint(Scores(self.heads), (1,))
        return Adjoint(WeightedBack(self.heads), (0,))


class WeightedBack(Function):
    """The gradient of the vectors of `Weighted`: what they are told, by the weights turned; costs as much."""

    def __init__(self, heads: Heads) -> None:
        self._weighted = Weighted(heads, turned=True)
        self.name, self.shapes, self.out = "weighted back", (heads.sequence, heads.square), heads.sequence
        self.cost = self._weighted.cost

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x steps, size)."""
        d, weights = operands
        return self._weighted(weights, d)


def _weighted_cost(heads: Heads, factor: float) -> Cost:
    products, words = heads.pairs * heads.size, heads.steps * heads.size
    return Cost(
        multiplies=products + (words if factor != 1 else 0), adds=products,
        reads=heads.pairs * heads.heads + products, writes=words,
    )  # fmt: skip


class Attend(Function):
    """The softmax of each row of scores over what is seen: (heads, steps, steps), zero where masked.

    A score seen: a comparison (largest), a subtraction, a look-up of exp, an addition (sum), a product with the sum's
    reciprocal, one look-up a row.
    """

    def __init__(self, heads: Heads) -> None:
        self.name, self.heads = f"softmax {heads}", heads
        self.shapes, self.out = (heads.square,), heads.square
        n, rows = heads.pairs * heads.heads, heads.steps * heads.heads
        self.cost = Cost(compares=n, adds=2 * n, lookups=n + rows, multiplies=n, reads=n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return the weights."""
        x = operands[0].reshape(-1, self.heads.steps, self.heads.steps)
        if self.heads.causal:
            x = np.where(np.tri(self.heads.steps, dtype=np.bool_), x, np.float32(-np.inf))
        y: F32 = np.exp(x - x.max(axis=-1, keepdims=True))
        y /= y.sum(axis=-1, keepdims=True)
        return y.reshape(-1, self.heads.steps)

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return y (dy - sum y dy), which is zero where y is."""
        del operand
        return Adjoint(AttendAdjoint(self.heads), ("y",))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return 1."""
        del bounds
        return 1.0


class AttendAdjoint(SoftmaxAdjoint):
    """y (d - sum_k y_k d_k) for each row, counted where something is seen."""

    def __init__(self, heads: Heads) -> None:
        super().__init__(heads.square)
        self.name = f"{self.name} {heads}"
        n = heads.pairs * heads.heads
        self.cost = Cost(multiplies=2 * n, adds=2 * n, reads=2 * n, writes=n)
