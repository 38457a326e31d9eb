"""Numba kernels of cells: plain float32 arrays, results written into `out` arguments.

Noise: the sum over a column of independent Gaussian device noises is Gaussian with variance sum x_i^2 s_ij^2, so one draw
per column is exact in distribution. The draws come from a table of 16,384 quantile means of the standard normal (unit
variance; tails end at 4.1 sigma) indexed by a SplitMix64 counter generator; a physics test holds their distribution.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_MASK = np.uint64(16383)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _word(state):  # type: ignore[no-untyped-def]
    """SplitMix64 (Steele, Lea, Flood 2014): advance `state` (uint64, (1,)) and return 64 random bits."""
    state[0] += _GOLDEN
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    return z ^ (z >> np.uint64(31))


@njit(cache=True)  # type: ignore[untyped-decorator]
def add_noise(y, variance, state, table):  # type: ignore[no-untyped-def]
    """Add Normal(0, variance) to each element of `y`, (size,), in place; four draws from each random word."""
    n = y.size
    bits = np.uint64(0)
    for j in range(n):
        if j % 4 == 0:
            bits = _word(state)
        y[j] += np.sqrt(variance[j]) * table[bits & _MASK]
        bits >>= np.uint64(16)


@njit(cache=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def multiply(x, weight, variance, row_total, noisy, state, table, out, spread, order):  # type: ignore[no-untyped-def]
    """Write x W into `out` with column noise; return sum over vectors and rows of |x_i| row_total_i.

    x : (n, rows); weight, variance : (rows, columns); row_total : (rows,) float64; out : (n, columns);
    spread : (columns,) and order : (rows,) are scratch. Rows are taken four at a time, zeros skipped.
    """
    rows, columns = weight.shape
    moment = 0.0
    for v in range(x.shape[0]):
        found = 0
        for i in range(rows):
            if x[v, i] != 0:
                order[found] = i
                found += 1
                moment += abs(x[v, i]) * row_total[i]
        y = out[v]
        y[:] = 0
        spread[:] = 0
        k = 0
        while k < found:
            a = order[k]
            b = order[k + 1] if k + 1 < found else a
            c = order[k + 2] if k + 2 < found else a
            d = order[k + 3] if k + 3 < found else a
            xa = x[v, a]
            xb = x[v, b] if k + 1 < found else np.float32(0)
            xc = x[v, c] if k + 2 < found else np.float32(0)
            xd = x[v, d] if k + 3 < found else np.float32(0)
            for j in range(columns):
                y[j] += xa * weight[a, j] + xb * weight[b, j] + xc * weight[c, j] + xd * weight[d, j]
            if noisy:
                sa, sb, sc, sd = xa * xa, xb * xb, xc * xc, xd * xd
                for j in range(columns):
                    spread[j] += sa * variance[a, j] + sb * variance[b, j] + sc * variance[c, j] + sd * variance[d, j]
            k += 4
        if noisy:
            add_noise(y, spread, state, table)
    return moment


@njit(cache=True, fastmath={"contract", "reassoc", "nsz"})  # type: ignore[untyped-decorator]
def multiply_transposed(d, weight, variance, column_total, noisy, state, table, out, spread):  # type: ignore[no-untyped-def]
    """Write d W^T into `out` with row noise; return sum over vectors and columns of |d_j| column_total_j.

    d : (n, columns); out : (n, rows); spread : (rows,) scratch.
    """
    rows, columns = weight.shape
    moment = 0.0
    for v in range(d.shape[0]):
        for j in range(columns):
            moment += abs(d[v, j]) * column_total[j]
        y = out[v]
        for i in range(rows):
            total = np.float32(0)
            for j in range(columns):
                total += d[v, j] * weight[i, j]
            y[i] = total
        if noisy:
            for i in range(rows):
                total = np.float32(0)
                for j in range(columns):
                    total += d[v, j] * d[v, j] * variance[i, j]
                spread[i] = total
            add_noise(y, spread, state, table)
    return moment
