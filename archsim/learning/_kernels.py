"""Numba kernels of training: outer product into chi, threshold, and the 32-bit products. Plain arrays, in place."""

from __future__ import annotations

import numpy as np
from numba import njit

_SPARSE = 4  # below one non-zero error in four, touching single elements beats sweeping whole rows


@njit(cache=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def accumulate(x, d, chi, step, limit, skip, hit):  # type: ignore[no-untyped-def]
    """Add sum over vectors of x_i d_j to chi, in units of epsilon, in place; find rows with |chi| >= 1.

    x : (n, rows); d : (n, columns), already times rate and over epsilon; chi : (rows, columns) float32;
    step : grid of chi (0: float32's own); limit : chi saturates at +-limit; skip : elements with a zero operand cost
    nothing; hit : (rows,) int64, receives the rows found. Returns (element updates, rows touched, rows found).
    """
    rows, columns = chi.shape
    nonzero = np.empty(columns, np.int64)
    found = 0
    updates = 0
    touched = 0
    for v in range(x.shape[0]):
        m = 0
        for j in range(columns):
            if d[v, j] != 0:
                nonzero[m] = j
                m += 1
        sparse = m * _SPARSE < columns
        last = v == x.shape[0] - 1
        for i in range(rows):
            xi = x[v, i]
            if xi != 0 and m > 0:
                touched += 1
                updates += m
                over = np.int32(0)
                if sparse or step > 0:
                    for k in range(m):
                        j = nonzero[k]
                        change = xi * d[v, j]
                        if step > 0:
                            change = np.rint(change / step) * step
                        q = min(max(chi[i, j] + change, -limit), limit)
                        chi[i, j] = q
                        over += np.int32(abs(q) >= np.float32(1))
                else:
                    for j in range(columns):
                        q = min(max(chi[i, j] + xi * d[v, j], -limit), limit)
                        chi[i, j] = q
                        over += np.int32(abs(q) >= np.float32(1))
                if over and x.shape[0] == 1:
                    hit[found] = i
                    found += 1
        if last and x.shape[0] > 1:
            for i in range(rows):
                for j in range(columns):
                    if abs(chi[i, j]) >= np.float32(1):
                        hit[found] = i
                        found += 1
                        break
    if not skip:
        updates = rows * columns * x.shape[0]
        touched = rows * x.shape[0]
    return updates, touched, found


@njit(cache=True)  # type: ignore[untyped-decorator]
def take_pulses(chi, hit, index, pulses):  # type: ignore[no-untyped-def]
    """Take trunc(chi) out of chi in the rows `hit`, in place; write flat positions and signed counts; return how many.

    With empty `index` it only counts, and leaves chi alone.
    """
    count = 0
    for k in range(hit.size):
        i = hit[k]
        for j in range(chi.shape[1]):
            n = np.trunc(chi[i, j])
            if n != 0:
                if index.size:
                    index[count] = i * chi.shape[1] + j
                    pulses[count] = np.int64(n)
                    chi[i, j] -= n
                count += 1
    return count


@njit(cache=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def dense(x, weight, out):  # type: ignore[no-untyped-def]
    """Write x W into `out` in float32; x : (n, rows), weight : (rows, columns). Zero inputs add nothing and are passed."""
    for v in range(x.shape[0]):
        y = out[v]
        y[:] = 0
        for i in range(weight.shape[0]):
            xi = x[v, i]
            if xi != 0:
                for j in range(weight.shape[1]):
                    y[j] += xi * weight[i, j]


@njit(cache=True, fastmath={"contract", "reassoc", "nsz"})  # type: ignore[untyped-decorator]
def dense_transposed(d, weight, out):  # type: ignore[no-untyped-def]
    """Write d W^T into `out` in float32; d : (n, columns)."""
    for v in range(d.shape[0]):
        for i in range(weight.shape[0]):
            total = np.float32(0)
            for j in range(weight.shape[1]):
                total += d[v, j] * weight[i, j]
            out[v, i] = total


@njit(cache=True, fastmath={"contract"})  # type: ignore[untyped-decorator]
def add_outer(x, d, weight):  # type: ignore[no-untyped-def]
    """Add sum over vectors of x_i d_j to the weights in place."""
    for v in range(x.shape[0]):
        for i in range(weight.shape[0]):
            xi = x[v, i]
            if xi != 0:
                for j in range(weight.shape[1]):
                    weight[i, j] += xi * d[v, j]


@njit(cache=True)  # type: ignore[untyped-decorator]
def count_nonzero(x):  # type: ignore[no-untyped-def]
    """Return how many elements of (n, size) are not zero."""
    found = 0
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            found += x[v, j] != 0
    return found


@njit(cache=True)  # type: ignore[untyped-decorator]
def sigmoid(x, out):  # type: ignore[no-untyped-def]
    """Write 1/(1 + exp(-x)) into `out`, both (n, size)."""
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[v, j] = np.float32(1) / (np.float32(1) + np.exp(-x[v, j]))


@njit(cache=True)  # type: ignore[untyped-decorator]
def sigmoid_error(target, y, out):  # type: ignore[no-untyped-def]
    """Write (target - y) y (1 - y) into `out`: the descent direction of the squared error through a sigmoid."""
    for v in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[v, j] = (target[v, j] - y[v, j]) * y[v, j] * (np.float32(1) - y[v, j])


@njit(cache=True)  # type: ignore[untyped-decorator]
def sigmoid_derivative(back, y, out):  # type: ignore[no-untyped-def]
    """Write back y (1 - y) into `out`."""
    for v in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[v, j] = back[v, j] * y[v, j] * (np.float32(1) - y[v, j])


@njit(cache=True)  # type: ignore[untyped-decorator]
def largest(x):  # type: ignore[no-untyped-def]
    """Return the largest magnitude in x, (n, size)."""
    top = np.float32(0)
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            top = max(top, abs(x[v, j]))
    return top
