"""Arrays of which only the shape is known, and shares of what was done with them: what an estimate computes with.

An expected array takes the place of a float32 array wherever values decide nothing but counts. It answers NumPy's own
questions (shape, slices, sums, ufuncs: NumPy enhancement proposals 13 and 18) with another one of the shape that the
real result would have, and keeps no values at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from archsim.base.arrays import F32

UNKNOWN = 0.5
"""A scale whose value nobody looks at: other than 1, so that it is multiplied by."""
FAR = 12.0
"""Standard deviations, and events, beyond which no Poisson number lies."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What share of the most that could be done with operands is done, by what it is that is done.

    Parameters
    ----------
    driven : float
        Of a tile's lines: those whose DAC has another code than zero.
    conducted : float
        Of what pairs of twice the device's common conductance would conduct if all lines were driven at full scale.
    nonzero : float
        Of the elements that a MAC array is given: those that are not zero.
    swept : float
        Of the rows of weights that it reads for them, where several vectors share a reading.
    products, rows, updates : float
        Of an outer product: products of two operands, rows scaled, elements of the accumulator changed.
    adjusted : float
        Of a digital parameter's rows: those that a sample named.
    busiest : float
        Of an outer product over several tiles: what is done at the busiest one, over the mean of all; from 1 on.
    """

    driven: float = 1.0
    conducted: float = 1.0
    nonzero: float = 1.0
    swept: float = 1.0
    products: float = 1.0
    rows: float = 1.0
    updates: float = 1.0
    adjusted: float = 1.0
    busiest: float = 1.0


ALL, NOTHING = Shares(), Shares(*[0.0] * 8)


class Expected(NDArrayOperatorsMixin):
    """A float32 array without values.

    Parameters
    ----------
    shape : tuple of int
    shares : Shares
        Of what is done with it next.
    """

    __slots__ = ("shape", "shares")
    dtype = np.dtype(np.float32)

    def __init__(self, shape: tuple[int, ...], shares: Shares = ALL) -> None:
        self.shape, self.shares = shape, shares

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    def reshape(self, *shape: int) -> Expected:
        """Return the same elements under another shape; one length may be -1."""
        known = -math.prod(shape) if -1 in shape else 0
        return Expected(tuple(self.size // known if length == -1 else length for length in shape), self.shares)

    def known(self, shares: Shares) -> Expected:
        """Return the same array with other shares."""
        return Expected(self.shape, shares)

    def __getitem__(self, key: Any) -> Expected:
        """Return a part by slices, one an axis from the first on; or one of the first axis."""
        if isinstance(key, int):
            return Expected(self.shape[1:], self.shares)
        keys = key if isinstance(key, tuple) else (key,)
        lengths = [len(range(*each.indices(length))) for each, length in zip(keys, self.shape, strict=False)]
        return Expected((*lengths, *self.shape[len(lengths) :]), self.shares)

    def any(self, axis: int | None = None) -> Expected:
        """Return where there is an element other than zero along an axis: the rows that are adjusted."""
        shape = tuple(length for k, length in enumerate(self.shape) if axis is not None and k != axis)
        return Expected(shape, self.shares)

    def sum(self) -> float:
        """Return how many of the rows that `any` gave are adjusted."""
        return self.size * self.shares.adjusted

    def astype(self, dtype: Any) -> Expected:
        """Return the array: whatever its type, it has no values."""
        del dtype
        return self

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **given: Any) -> Any:
        """Return what an elementwise operation of operands gives: an array of their common shape."""
        del ufunc
        if method != "__call__":
            return NotImplemented
        if (out := given.get("out")) is not None:
            return out[0]
        return Expected(np.broadcast_shapes(*map(np.shape, inputs)), self.shares)

    def __array_function__(self, function: Callable[..., Any], types: Any, given: Any, named: Any) -> Any:
        """Return what one of NumPy's functions gives, of those that components ask for."""
        del types
        if function not in _FUNCTIONS:
            return NotImplemented
        return _FUNCTIONS[function](*given, **named)


def _concatenate(parts: Any, axis: int = 0) -> Expected:
    first = parts[0]
    length = sum(part.shape[axis] for part in parts)
    return Expected((*first.shape[:axis], length, *first.shape[axis + 1 :]), first.shares)


_FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.concatenate: _concatenate,
    np.zeros_like: lambda array: Expected(array.shape),
    np.where: lambda *arrays: Expected(np.broadcast_shapes(*map(np.shape, arrays))),
    np.shape: lambda array: array.shape,
    np.vdot: lambda one, _: float(one.size),
}


def expected(shape: tuple[int, ...], shares: Shares = ALL) -> F32:
    """Return an expected array, for whoever takes an array of float32."""
    return cast("F32", Expected(shape, shares))


class Events(float):
    """A number of events that is expected of one go: the true one is a whole number around it."""

    __slots__ = ()


def parcels(count: float, size: int) -> float:
    """Return how often `size` things at most can be taken from so many, until none are left.

    Of a whole number that is the next whole number above count/size. Of an expectation it is a mean: of a number of
    `Events`, which is taken to be Poisson, the mean of the whole numbers of parcels; of what is spread over many goes,
    its part of theirs.
    """
    if isinstance(count, Events) and size > 1:
        return _poisson_parcels(float(count), size)
    return count / size if isinstance(count, float) else -(-count // size)


@cache
def _poisson_parcels(mean: float, size: int) -> float:
    """Return the mean of ceil(N/size) for a Poisson N: the sum over k of the chance that N is above k size."""
    from scipy.special import pdtrc

    most = mean + FAR * math.sqrt(mean) + FAR
    return float(pdtrc(np.arange(0.0, most, size), mean).sum())
