"""Numba kernels of training: the 32-bit products, functions of elements, pulses. Plain arrays, in place."""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel(fastmath={"contract"})
def dense(x, weight, out):
    """Write x W into `out`; x : (n, rows), weight : (rows, columns). Zero inputs add nothing and are passed."""
    for v in range(x.shape[0]):
        y = out[v]
        y[:] = 0
        for i in range(weight.shape[0]):
            xi = x[v, i]
            if xi != 0:
                for j in range(weight.shape[1]):
                    y[j] += xi * weight[i, j]


@kernel(fastmath={"contract", "reassoc", "nsz"})
def dense_transposed(d, weight, out):
    """Write d W^T into `out` in float32; d : (n, columns)."""
    for v in range(d.shape[0]):
        for i in range(weight.shape[0]):
            total = np.float32(0)
            for j in range(weight.shape[1]):
                total += d[v, j] * weight[i, j]
            out[v, i] = total


@kernel(fastmath={"contract"})
def add_outer(x, d, weight):
    """Add sum over vectors of x_i d_j to the weights in place."""
    for v in range(x.shape[0]):
        for i in range(weight.shape[0]):
            xi = x[v, i]
            if xi != 0:
                for j in range(weight.shape[1]):
                    weight[i, j] += xi * d[v, j]


@kernel()
def count_nonzero(x):
    """Return how many elements of (n, size) are not zero."""
    found = 0
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            found += x[v, j] != 0
    return found


@kernel()
def sigmoid(x, out):
    """Write 1/(1 + exp(-x)) into `out`, both (n, size)."""
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[v, j] = np.float32(1) / (np.float32(1) + np.exp(-x[v, j]))


@kernel()
def sigmoid_error(target, y, out):
    """Write (target - y) y (1 - y) into `out`: the descent direction of the squared error through a sigmoid."""
    for v in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[v, j] = (target[v, j] - y[v, j]) * y[v, j] * (np.float32(1) - y[v, j])


@kernel()
def sigmoid_derivative(back, y, out):
    """Write back y (1 - y) into `out`."""
    for v in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[v, j] = back[v, j] * y[v, j] * (np.float32(1) - y[v, j])


@kernel(fastmath={"contract"}, divides=True)
def _erf(x):
    """Return the error function of a float32 to about its last digit: x P(x^2) / Q(x^2), as Eigen and XLA have it."""
    x = min(max(x, np.float32(-4)), np.float32(4))
    q = x * x
    p = np.float32(-2.72614225801306e-10)
    p = p * q + np.float32(2.77068142495902e-08)
    p = p * q + np.float32(-2.10102402082508e-06)
    p = p * q + np.float32(-5.69250639462346e-05)
    p = p * q + np.float32(-7.34990630326855e-04)
    p = p * q + np.float32(-2.95459980854025e-03)
    p = p * q + np.float32(-1.60960333262415e-02)
    b = np.float32(-1.45660718464996e-05)
    b = b * q + np.float32(-2.13374055278905e-04)
    b = b * q + np.float32(-1.68282697438203e-03)
    b = b * q + np.float32(-7.37332916720468e-03)
    b = b * q + np.float32(-1.42647390514189e-02)
    return x * p / b


@kernel(fastmath={"contract"}, divides=True)
def gelu(x, out):
    """Write x Phi(x) into `out`, Phi(x) = (1 + erf(x / sqrt 2)) / 2."""
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            half = np.float32(0.5) * x[v, j]
            out[v, j] = half + half * _erf(x[v, j] * np.float32(0.7071067811865476))


@kernel(fastmath={"contract"}, divides=True)
def gelu_derivative(back, x, bell, out):
    """Write back (Phi(x) + x phi(x)) into `out`; `bell` is exp(-x^2 / 2), phi(x) times sqrt(2 pi)."""
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            phi = bell[v, j] * np.float32(0.3989422804014327)
            low = np.float32(0.5) + np.float32(0.5) * _erf(x[v, j] * np.float32(0.7071067811865476))
            out[v, j] = back[v, j] * (low + x[v, j] * phi)


@kernel()
def leaky_relu_derivative(back, y, out, slope):
    """Write back where y is positive, slope times back elsewhere, into `out`."""
    for v in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[v, j] = back[v, j] * (np.float32(1) if y[v, j] > 0 else np.float32(slope))


@kernel()
def _largest(x):
    """Return the largest magnitude in x, (n, size), by the bits behind the sign: many of them compare at a time."""
    most = np.empty(1, np.int32)
    most[0] = 0
    for v in range(x.shape[0]):
        bits = x[v].view(np.int32)
        top = np.int32(0)
        for j in range(x.shape[1]):
            top = max(top, bits[j] & np.int32(0x7FFFFFFF))
        most[0] = max(most[0], top)
    found = most.view(np.float32)[0]
    if found < np.inf:
        return found
    among = np.float32(0)  # what is a number
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            among = max(among, abs(x[v, j]))
    return among


@kernel()
def normalise(x, out):
    """Write x, (n, size), over its largest magnitude into `out` and return that magnitude (zero stays zero)."""
    top = _largest(x)
    if top > 0 and (top < np.float32(1e-30) or top > np.float32(1e30)):
        for v in range(x.shape[0]):  # its reciprocal would lose digits or overflow
            for j in range(x.shape[1]):
                out[v, j] = x[v, j] / top
        return float(top)
    factor = np.float32(1) / top if top > 0 else np.float32(0)
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[v, j] = x[v, j] * factor
    return float(top)


@kernel()
def extend(x, out):
    """Write x, (n, size), and a last column of ones into `out`, (n, size + 1)."""
    last = x.shape[1]
    for v in range(x.shape[0]):
        for j in range(last):
            out[v, j] = x[v, j]
        out[v, last] = 1


@kernel()
def due_pulses(x, d, sums, per_up, per_down, draws, index, pulses):
    """Write which weights are due how many signed pulses, row by row; return their number and the products taken.

    n_ij = sum_v x_vi d_vj times pulses per weight (up or down), to the nearest whole number; with `draws`, one a
    column for each row with a non-zero input, rounded up as often as its fraction says.
    x : (n, rows); d : (n, columns); sums : (rows, columns), the sums over vectors, or empty: then they are taken here;
    draws : uniform within [0, 1), or empty; index, pulses : (rows columns,) int64.
    Products of a zero operand are passed over.
    """
    columns = d.shape[1]
    found = 0
    taken = 0
    drawn = 0
    nonzero = np.zeros(x.shape[0], np.int64)
    for v in range(x.shape[0]):
        for j in range(columns):
            nonzero[v] += d[v, j] != 0
    for i in range(x.shape[1]):
        touched = False
        for v in range(x.shape[0]):
            if x[v, i] != 0:
                touched = True
                taken += nonzero[v]
        if not touched:
            continue
        for j in range(columns):
            total = 0.0
            if sums.size:
                total += sums[i, j]
            else:
                for v in range(x.shape[0]):
                    total += x[v, i] * d[v, j]
            wanted = total * per_up if total > 0 else -total * per_down
            if draws.size:
                part = draws[drawn]
                drawn += 1
            else:
                part = 0.5
            n = np.int64(wanted + part)
            if n:
                index[found] = i * columns + j
                pulses[found] = n if total > 0 else -n
                found += 1
    return found, taken


@kernel()
def drop(x, seeds, key, rate, out):
    """Write x / (1 - rate) into `out` where a random number is at least the rate, 0 elsewhere; (samples, elements).

    seeds : (samples, 2) uint64 below 2^24; the random number of an element is SplitMix64 of seeds, key and place.
    """
    below, kept = np.uint64(rate * 2.0**32), np.float32(1 / (1 - rate))
    for s in range(x.shape[0]):
        start = (seeds[s, 0] << np.uint64(24) | seeds[s, 1]) ^ key
        for i in range(x.shape[1]):
            z = start + np.uint64(i + 1) * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            out[s, i] = x[s, i] * kept if (z ^ (z >> np.uint64(31))) >> np.uint64(32) >= below else np.float32(0)


@kernel()
def follow(means, memory, asked, x_max, d_max, k):
    """Follow largest operands, (n,), of vectors in turn: write into k asked max|x| max|d| over the product of means.

    means : (2,), of max|x| and max|d|, begun by the first above 0, in place; memory : weight of what was so far.
    """
    for v in range(k.size):
        if x_max[v] > 0:
            means[0] = x_max[v] if means[0] == 0 else memory * means[0] + (1 - memory) * x_max[v]
        if d_max[v] > 0:
            means[1] = d_max[v] if means[1] == 0 else memory * means[1] + (1 - memory) * d_max[v]
        k[v] = asked * x_max[v] * d_max[v] / (means[0] * means[1]) if x_max[v] > 0 and d_max[v] > 0 else 0.0
