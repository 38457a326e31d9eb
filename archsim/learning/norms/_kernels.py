"""Numba kernels of normalisation. Vectors (n, size) of samples in a row; a group is `size // groups` neighbours.

What is summed is summed in 64 bits.
"""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel(fastmath={"reassoc", "nsz"})
def _by_group(sums, out):
    """Write the sums of groups of neighbours over `sums`, (size,), into `out`, (groups,)."""
    width = sums.size // out.size
    for g in range(out.size):
        total = 0.0
        for k in range(g * width, (g + 1) * width):
            total += sums[k]
        out[g] = total


@kernel()
def _spread(values, out):
    """Write the value of each element's group, `values`, (groups,), into `out`, (size,)."""
    width = out.size // values.size
    for g in range(values.size):
        for k in range(g * width, (g + 1) * width):
            out[k] = values[g]


@kernel(divides=True)
def moments(x, less, out):
    """Write mean and variance of each group of each sample's vectors into `out`, (samples, groups, 2).

    The variance is the sum of squares over the number of elements less `less`.
    """
    samples, groups, _ = out.shape
    vectors, size = x.shape[0] // samples, x.shape[1]
    width = size // groups
    count = vectors * width
    sums, grouped, mean = np.empty(size), np.empty(groups), np.empty(size)
    for s in range(samples):
        sums[:] = 0
        for v in range(s * vectors, (s + 1) * vectors):
            for k in range(size):
                sums[k] += x[v, k]
        _by_group(sums, grouped)
        grouped /= count
        _spread(grouped, mean)
        out[s, :, 0] = grouped
        sums[:] = 0
        for v in range(s * vectors, (s + 1) * vectors):
            for k in range(size):
                away = x[v, k] - mean[k]
                sums[k] += away * away
        _by_group(sums, grouped)
        out[s, :, 1] = grouped / (count - less)


@kernel()
def normalise(x, mean, rstd, gains, out):
    """Write gain (x - mean) rstd + offset into `out`; mean, rstd : (samples, groups); gains : (gain, offset)."""
    gain, offset = gains
    samples = mean.shape[0]
    vectors, size = x.shape[0] // samples, x.shape[1]
    middle, scale = np.empty(size, np.float32), np.empty(size, np.float32)
    for s in range(samples):
        _spread(mean[s], middle)
        _spread(rstd[s], scale)
        for k in range(size):
            scale[k] *= gain[k]
        for v in range(s * vectors, (s + 1) * vectors):
            for k in range(size):
                out[v, k] = (x[v, k] - middle[k]) * scale[k] + offset[k]


@kernel(divides=True)
def normalise_adjoint(d, x, mean, rstd, gain, out):
    """Write rstd (gain d - mean(gain d) - z mean(gain d z)) into `out`; z = (x - mean) rstd, means are of groups."""
    samples, groups = mean.shape
    vectors, size = x.shape[0] // samples, x.shape[1]
    width = size // groups
    plain, turned = np.empty(size), np.empty(size)
    of_plain, of_turned = np.empty(groups), np.empty(groups)
    middle, scale = np.empty(size, np.float32), np.empty(size, np.float32)
    shift, slope = np.empty(size, np.float32), np.empty(size, np.float32)
    for s in range(samples):
        _spread(mean[s], middle)
        _spread(rstd[s], scale)
        plain[:] = 0
        turned[:] = 0
        for v in range(s * vectors, (s + 1) * vectors):
            for k in range(size):
                said = d[v, k] * gain[k]
                plain[k] += said
                turned[k] += said * (x[v, k] - middle[k]) * scale[k]
        _by_group(plain, of_plain)
        _by_group(turned, of_turned)
        for g in range(groups):
            of_plain[g] *= rstd[s, g] / (vectors * width)
            of_turned[g] *= rstd[s, g] * rstd[s, g] / (vectors * width)
        _spread(of_plain, shift)
        _spread(of_turned, slope)
        for v in range(s * vectors, (s + 1) * vectors):
            for k in range(size):
                out[v, k] = scale[k] * (d[v, k] * gain[k]) - shift[k] - (x[v, k] - middle[k]) * slope[k]


@kernel()
def gain_adjoint(d, x, mean, rstd, out):
    """Write the sum over all vectors of d (x - mean) rstd into `out`, (size,)."""
    samples = mean.shape[0]
    vectors, size = x.shape[0] // samples, x.shape[1]
    sums = np.zeros(size)
    middle, scale = np.empty(size, np.float32), np.empty(size, np.float32)
    for s in range(samples):
        _spread(mean[s], middle)
        _spread(rstd[s], scale)
        for v in range(s * vectors, (s + 1) * vectors):
            for k in range(size):
                sums[k] += d[v, k] * (x[v, k] - middle[k]) * scale[k]
    for k in range(size):
        out[k] = sums[k]
