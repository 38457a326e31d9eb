"""Normalisation in two steps: mean and variance of each group, then every element by those of its group.

The moments are a signal of their own: the way back reads them, and who normalises by a batch keeps a running mean of
them. What is normalised together is a vector (layer norm), a group of channels over all positions of a sample (group
norm), or a channel over all positions and samples of a batch (batch norm).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.base.arrays import F32
from archsim.base.errors import ModelError
from archsim.learning.functions import Adjoint, Cost, Function, Reshape, Shape, words
from archsim.learning.norms import _kernels


@dataclass(frozen=True, slots=True)
class Groups:
    """What of signals of a shape is normalised together.

    Parameters
    ----------
    shape : of one sample
    over : "vector", "sample" or "batch"
        What the elements of one group are spread over.
    groups : int
        Of neighbouring elements of a vector.
    """

    shape: Shape
    over: str
    groups: int = 1

    @property
    def moments(self) -> Shape:
        """The shape of all moments: mean and variance of each group."""
        return (*self.shape[:-1], 2) if self.over == "vector" else (self.groups, 2)

    @property
    def count(self) -> int:
        """Groups of one sample, or of the batch."""
        return words(self.moments) // 2

    def parted(self, moments: F32) -> F32:
        """Return moments as (samples, groups, 2); a batch, or a vector, stands for a sample."""
        return moments.reshape(-1, self.groups, 2)

    def units(self, x: F32) -> int:
        """Return over how many samples, batches or vectors the groups of x, (vectors, size), are spread."""
        if self.over == "batch":
            return 1
        vectors = 1 if self.over == "vector" else words(self.shape[:-1])
        return len(x) // vectors

    def __str__(self) -> str:
        """Return it in words."""
        return f"over a {self.over}{f' by {self.groups}' if self.groups > 1 else ''}"


class Moments(Function):
    """Mean and variance of each group, (..., 2).

    One pass: an element takes a product (its square) and two additions; a group three products (both sums over the
    count, the mean's square) and a subtraction. Sums over a batch are read and written once a sample. The variance of
    a batch is that of the population its elements are drawn from: over their number less one.
    """

    def __init__(self, groups: Groups) -> None:
        self.name, self.shapes, self.out = f"moments {groups}", (groups.shape,), groups.moments
        self.summed = groups.over == "batch"
        self._groups = groups
        n, g = words(groups.shape), groups.count
        self.cost = Cost(
            adds=2 * n + g, multiplies=n + 3 * g, reads=n + (2 * g if self.summed else 0), writes=2 * g
        )  # fmt: skip

    def __call__(self, *operands: F32) -> F32:
        """Return the moments, (groups of all samples, 2).

        Raises
        ------
        ModelError
            If a batch is one vector.
        """
        x = np.ascontiguousarray(operands[0])
        if self.summed and x.shape[0] < 2:
            raise ModelError(
                "a batch of one sample and one position has no variance; expected a larger batch, or another norm"
            )
        out = np.empty((self._groups.units(x), self._groups.groups, 2), np.float32)
        _kernels.moments(x, int(self.summed), out)
        return out.reshape(-1, 2)

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return none: `Normalise` says all that there is to say of its operand."""
        del operand
        return None


class Normalise(Function):
    """gain (x - mean) / sqrt(variance + epsilon) + offset, of (x, moments, gain, offset), or without the last.

    An element takes two additions, one without an offset, and two products; a group an addition and a look-up of the
    reciprocal root. Gain and offset are read once a sample. `running` moments are no function of x, and their variance
    is taken as it is.
    """

    def __init__(self, groups: Groups, epsilon: float, *, running: bool = False, offset: bool = True) -> None:
        size = groups.shape[-1:]
        told = f"{' running' if running else ''}{'' if offset else ' no offset'}"
        self.name = f"normalise {groups} epsilon {epsilon:g}{told}"
        self.shapes, self.out = (groups.shape, groups.moments, *[size] * (1 + offset)), groups.shape
        self._groups, self._epsilon, self._running = groups, epsilon, running
        n, g, read = words(groups.shape), groups.count, (1 + offset) * size[0]
        self.cost = Cost(adds=(1 + offset) * n + g, multiplies=2 * n, lookups=g, reads=n + 2 * g + read, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, size)."""
        x, moments, gain, *offset = operands
        out = np.empty(x.shape, np.float32)
        statistics = statistics_of(self._groups, moments, x, self._epsilon, running=self._running)
        added = offset[0].reshape(-1) if offset else np.zeros(gain.size, np.float32)
        _kernels.normalise(np.ascontiguousarray(x), *statistics, (gain.reshape(-1), added), out)
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return that of x, with what passes through the moments; of the gain; of the offset."""
        if operand == 1:
            return None
        if self._running:
            raise ModelError(f"{self.name} has no gradient")
        if operand == 0:
            return Adjoint(NormaliseAdjoint(self._groups, self._epsilon), (0, 1, 2))
        return Adjoint(GainAdjoint(self._groups, self._epsilon), (0, 1)) if operand == 2 else Adjoint(Total(self.out))


def statistics_of(
    groups: Groups, moments: F32, x: F32, epsilon: float, *, running: bool = False
) -> tuple[F32, F32]:  # fmt: skip
    """Return mean and reciprocal deviation of each group, (samples, groups), of moments and what they are of."""
    parted = groups.parted(moments)
    variance = parted[..., 1]
    if groups.over == "batch" and not running:  # what normalises is the variance of the elements that are there
        variance = variance * np.float32((x.shape[0] - 1) / x.shape[0])
    return np.ascontiguousarray(parted[..., 0]), 1 / np.sqrt(variance + np.float32(epsilon))


class NormaliseAdjoint(Function):
    """rstd (gain d - mean(gain d) - z mean(gain d z)), of (d, x, moments, gain), z = (x - mean) rstd, means of groups.

    Two passes over d and x, each three products and three additions an element; a group takes a look-up, an addition
    and five products.
    """

    def __init__(self, groups: Groups, epsilon: float) -> None:
        shape = groups.shape
        self.name = f"normalise-derivative {groups} epsilon {epsilon:g}"
        self.shapes, self.out = (shape, shape, groups.moments, shape[-1:]), shape
        self._groups, self._epsilon = groups, epsilon
        n, g = words(shape), groups.count
        self.cost = Cost(
            adds=6 * n + g, multiplies=6 * n + 5 * g, lookups=g, reads=4 * n + 2 * g + shape[-1], writes=n
        )  # fmt: skip

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, size)."""
        d, x, moments, gain = operands
        out = np.empty(x.shape, np.float32)
        statistics = statistics_of(self._groups, moments, x, self._epsilon)
        _kernels.normalise_adjoint(
            np.ascontiguousarray(d), np.ascontiguousarray(x), *statistics, gain.reshape(-1), out
        )  # fmt: skip
        return out


class GainAdjoint(Function):
    """The sum over all vectors of d (x - mean) rstd, of (d, x, moments), (size,).

    An element takes two products and two additions, a group a look-up and an addition; sums are read and written once a
    sample.
    """

    summed = True

    def __init__(self, groups: Groups, epsilon: float) -> None:
        shape = groups.shape
        self.name, self.shapes = f"gain-derivative {groups} epsilon {epsilon:g}", (shape, shape, groups.moments)
        self.out = shape[-1:]
        self._groups, self._epsilon = groups, epsilon
        n, g, size = words(shape), groups.count, shape[-1]
        self.cost = Cost(
            adds=2 * n + g, multiplies=2 * n, lookups=g, reads=2 * n + 2 * g + size, writes=size
        )  # fmt: skip

    def __call__(self, *operands: F32) -> F32:
        """Return (1, size)."""
        d, x, moments = operands
        out = np.empty((1, *self.out), np.float32)
        statistics = statistics_of(self._groups, moments, x, self._epsilon)
        _kernels.gain_adjoint(np.ascontiguousarray(d), np.ascontiguousarray(x), *statistics, out[0])
        return out


class Total(Function):
    """The sum over all vectors of all samples, (size,): an addition an element; sums are read and written a sample."""

    summed = True

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "total", (shape,), shape[-1:]
        n, size = words(shape), shape[-1]
        self.cost = Cost(adds=n, reads=n + size, writes=size)

    def __call__(self, *operands: F32) -> F32:
        """Return (1, size)."""
        out: F32 = operands[0].sum(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
        return out


class Offset(Function):
    """x and a vector of parameters, the same for all positions and samples, added: an addition an element."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "offset", (shape, shape[-1:]), shape
        n = words(shape)
        self.cost = Cost(adds=n, reads=n + shape[-1], writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, size)."""
        out: F32 = np.add(operands[0], operands[1].reshape(1, -1))
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the gradient as it is, or its total."""
        return Adjoint(Reshape(self.out, self.out)) if operand == 0 else Adjoint(Total(self.out))


class Gain(Function):
    """x times a vector of parameters, the same for all positions and samples: a product an element."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "gain", (shape, shape[-1:]), shape
        n = words(shape)
        self.cost = Cost(multiplies=n, reads=n + shape[-1], writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, size)."""
        out: F32 = np.multiply(operands[0], operands[1].reshape(1, -1))
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the gradient times the gains, or its product with x, summed."""
        return Adjoint(Gain(self.out), (1,)) if operand == 0 else Adjoint(ScaleAdjoint(self.out), (0,))


class ScaleAdjoint(Function):
    """The sum over all positions and samples of (d, x), element by element: a product and an addition each.

    Sums are read and written a sample.
    """

    summed = True

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "gain-derivative", (shape, shape), shape[-1:]
        n = words(shape)
        self.cost = Cost(multiplies=n, adds=n, reads=2 * n + shape[-1], writes=shape[-1])

    def __call__(self, *operands: F32) -> F32:
        """Return (1, size)."""
        d, x = operands
        out: F32 = (d * x).sum(axis=0, keepdims=True)
        return out
