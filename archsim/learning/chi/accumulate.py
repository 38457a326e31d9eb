"""The high-precision accumulator chi: outer product, threshold, pulses; and which pairs to look at for refresh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32, I64
from archsim.base.rounding import Quantiser
from archsim.base.signal import Scale
from archsim.learning.chi import _kernels

_NONE = np.empty(0, np.int64)
Touched = NDArray[np.bool_]
"""Which lines have a code that is not zero in a burst, (bursts, lines)."""
_SLAB = 1024
"""Vectors whose codes are found at once: few enough to stay in a cache until they are multiplied."""
FLOAT_BITS = 24
"""From so many bits on chi is held in float32, whose significand has 24 bits, without a grid of its own."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one outer product took.

    Parameters
    ----------
    bands : list of [products, rows, updates]
        By band of rows and of columns, in that order: products of two operands, added up; rows with a non-zero input
        that met a non-zero error (each is one multiplication of x_i by the rate); elements of chi that were read,
        changed and written.
    operands : list of int
        By band, likewise: operands that were kept for a burst; none where each vector goes to chi by itself.
    """

    bands: list[list[int]]
    operands: list[int] = field(default_factory=list)

    @property
    def products(self) -> int:
        """Products, in all bands."""
        return sum([products for products, _, _ in self.bands])

    @property
    def rows(self) -> int:
        """Rows touched, in all bands."""
        return sum([rows for _, rows, _ in self.bands])

    @property
    def updates(self) -> int:
        """Elements of chi changed, in all bands."""
        return sum([updates for _, _, updates in self.bands])


class Accumulator:
    """Chi of one layer in units of epsilon, (columns, rows). Sole owner of chi.

    `accumulate`: chi += eta sum_v x_i d_j / epsilon. `apply`: n = trunc(chi) pulses where |chi| >= 1; chi -= n.

    Parameters
    ----------
    shape : (rows, columns)
    epsilon : float
        Weight change that one pulse makes on average.
    bits, limit : int, float
        Precision of chi: a grid of 2 limit/2^bits over +-limit epsilon, where it saturates.
    x_bits, error_bits : int
        Precision of the two operands of the outer product, sign included.
    skip_zeros : bool
        Whether elements with a zero operand are passed over (and not counted).
    edges : (sequence of int, sequence of int), optional
        Where bands of rows and of columns begin, and the last one's end; what is done is counted by band. By default
        all of chi is one.
    burst : int
        Vectors whose products are summed before chi is touched: once a burst it is read, changed, rounded to its grid
        and written. 1: once a vector.

    Attributes
    ----------
    saturated : int
        Changes of an element that ended at the limit.

    Source
    ------
    nandakumar2020, the update rule as quoted by third parties.
    """

    def __init__(
        self, shape: tuple[int, int], *, epsilon: float, bits: int, limit: float, x_bits: int, error_bits: int,
        skip_zeros: bool = True, edges: tuple[Sequence[int], Sequence[int]] | None = None, burst: int = 1,
    ) -> None:  # fmt: skip
        self.chi = np.zeros(shape[::-1], np.float32)
        self.epsilon, self.limit, self.skip_zeros = epsilon, float(limit), skip_zeros
        self.step = 2.0 * limit / 2**bits if bits < FLOAT_BITS else 0.0
        self._x_levels, self._error_levels = Quantiser(x_bits).levels, Quantiser(error_bits).levels
        row_edges, column_edges = edges or ((0, shape[0]), (0, shape[1]))
        self._edges = np.array(row_edges, np.int64), np.array(column_edges, np.int64)
        self.burst, self.saturated = burst, 0
        self._counts = np.zeros((len(row_edges) - 1, len(column_edges) - 1, 3), np.int64)
        self._flat = self._counts.reshape(-1, 3)  # the same memory
        self._crossed = np.zeros(shape[1], np.bool_)
        self._due = False
        self._index, self._pulses = np.empty(256, np.int64), np.empty(256, np.int64)
        self._x_codes, self._error_codes = np.empty(shape[0], np.float32), np.empty(shape[1], np.float32)

    def accumulate(self, x: F32, d: F32, *, x_scale: Scale, rate: Scale) -> Counts:
        """Add rate times the outer product of the rounded operands to chi; pulses stay in it until `apply`.

        Parameters
        ----------
        x : float32 array, (vectors, rows), within +-x_scale
        d : float32 array, (vectors, columns), within +-1; a descent direction over its largest magnitude
        rate : float
            Learning rate times that magnitude, over the number of samples where a mean is wanted.

        Where vectors have scales or rates of their own, these are arrays, (vectors, 1).
        """
        if self.burst > 1:
            return self._in_bursts(x, d, x_scale=x_scale, rate=rate)
        if isinstance(x_scale, float) and isinstance(rate, float):
            return self._by_vector(x, d, x_scale=x_scale, rate=rate)
        scales, rates = (np.broadcast_to(each, (x.shape[0], 1))[:, 0].tolist() for each in (x_scale, rate))
        each = [
            self._by_vector(x[v : v + 1], d[v : v + 1], x_scale=scales[v], rate=rates[v]).bands
            for v in range(x.shape[0])
        ]
        return Counts(np.sum(each, axis=0).tolist())

    def _by_vector(self, x: F32, d: F32, *, x_scale: float, rate: float) -> Counts:
        """Do what `accumulate` does vector by vector."""
        due, saturated = _kernels.accumulate(
            x, d, rate / self.epsilon, (x_scale, self._x_levels, self._error_levels), self.chi, self.step, self.limit,
            self.skip_zeros, self._edges, self._counts, self._x_codes, self._error_codes, self._crossed,
        )  # fmt: skip
        if due:
            self._due = True
            self.saturated += saturated
        return Counts(self._flat.tolist())

    def _in_bursts(self, x: F32, d: F32, *, x_scale: Scale, rate: Scale) -> Counts:
        """Do what `accumulate` does burst by burst; the last one of a call may be shorter.

        Products of codes are whole numbers, whose sum in float32 is exact up to 2^24 in whatever order it is taken.
        Where each vector has a factor of its own, the error's codes are multiplied by it before.
        """
        factor = rate / self.epsilon * x_scale / (self._x_levels * self._error_levels)
        if not isinstance(x_scale, float):
            x, x_scale = np.divide(x, x_scale, dtype=np.float32, casting="same_kind"), 1.0
        self._counts[:] = 0
        many = max(_SLAB // self.burst, 1) * self.burst
        for begin in range(0, x.shape[0], many):
            part = slice(begin, begin + many)
            x_codes, x_nonzero, x_touched = _coded(x[part], x_scale, self._x_levels, self._edges[0], self.burst)
            d_codes, d_nonzero, d_touched = _coded(d[part], 1.0, self._error_levels, self._edges[1], self.burst)
            _kernels.count_bursts(
                x_nonzero, d_nonzero, x_touched, d_touched, self.skip_zeros, self._edges, self._counts
            )
            by = factor if isinstance(factor, float) else 1.0
            if not isinstance(factor, float):
                d_codes *= np.broadcast_to(factor, (x.shape[0], 1))[part].astype(np.float32)
            self._add(x_codes, d_codes, by, x_touched, d_touched)
        sizes = [rows + columns for rows in np.diff(self._edges[0]) for columns in np.diff(self._edges[1])]
        return Counts(self._flat.tolist(), [x.shape[0] * int(size) for size in sizes])

    def _add(self, x_codes: F32, d_codes: F32, by: float, x_touched: Touched, d_touched: Touched) -> None:
        """Add `by` times the products of the codes of bursts to chi, burst after burst."""
        product = np.empty(self.chi.shape, np.float32)
        for burst in range(len(x_touched)):
            part = slice(burst * self.burst, (burst + 1) * self.burst)
            np.matmul(d_codes[part].T, x_codes[part], out=product)
            due, saturated = _kernels.add_burst(
                product, by, self.chi, self.step, self.limit, x_touched[burst], d_touched[burst], self._crossed
            )
            self._due |= due
            self.saturated += saturated

    @property
    def bands(self) -> list[int]:
        """Elements of each band."""
        return [int(rows * columns) for rows in np.diff(self._edges[0]) for columns in np.diff(self._edges[1])]

    def shift(self, step: F32) -> None:
        """Add a step, (columns, rows) in epsilons, to all of chi, rounded once to its grid; pulses stay in it."""
        columns, rows = self.chi.shape
        touched = np.ones(rows, np.bool_), np.ones(columns, np.bool_)
        due, saturated = _kernels.add_burst(step, 1.0, self.chi, self.step, self.limit, *touched, self._crossed)
        self._due |= due
        self.saturated += saturated

    def apply(self) -> tuple[I64, I64]:
        """Take all whole pulses out of chi, in the lines that crossed the threshold since the last time.

        Returns
        -------
        int64 arrays : flat positions of the pairs, each once, and the signed number of SET pulses due.
        """
        if not self._due:
            return _NONE, _NONE
        self._due = False
        count = _kernels.take_pulses(self.chi, self._crossed, self._index, self._pulses)
        if count > self._index.size:  # nothing was taken: make room and take
            self._index, self._pulses = np.empty(count, np.int64), np.empty(count, np.int64)
            _kernels.take_pulses(self.chi, self._crossed, self._index, self._pulses)
        return self._index[:count].copy(), self._pulses[:count].copy()

    def restore(self, chi: F32) -> None:
        """Take over chi of another accumulator of this shape, in place; pulses may be due anywhere in it."""
        self.chi[...] = chi
        self._crossed[:] = self._due = True


def _coded(x: F32, scale: float, levels: int, edges: I64, burst: int) -> tuple[F32, I64, Touched]:
    """Return the whole codes of x, (vectors, size), the non-zero ones by vector and band, and where bursts have any."""
    codes, touched = np.empty_like(x), np.empty((-(-x.shape[0] // burst), x.shape[1]), np.bool_)
    nonzero = np.empty((x.shape[0], edges.size - 1), np.int64)
    _kernels.burst_codes(x, scale, levels, edges, burst, codes, nonzero, touched)
    return codes, nonzero, touched


class RefreshLog:
    """Pairs programmed since the last refresh: only these can have become saturated, so only these are looked at."""

    def __init__(self) -> None:
        self._parts: list[I64] = []

    def add(self, index: I64) -> None:
        """Note pairs that have been programmed."""
        self._parts.append(index)

    def noted(self) -> I64:
        """Return the pairs noted, as they came, and keep them."""
        return np.concatenate(self._parts) if self._parts else _NONE

    def take(self) -> I64:
        """Return the pairs noted, each once and in order, and forget them."""
        found = np.unique(np.concatenate(self._parts)) if self._parts else _NONE
        self._parts.clear()
        return found
