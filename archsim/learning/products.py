"""The 32-bit products of dense layers: forward, transposed, and the outer product added to the weights.

One vector goes through kernels that pass zeros over, several through BLAS.
"""

from __future__ import annotations

import numpy as np

from archsim.base.arrays import F32
from archsim.base.expected import Expected, expected
from archsim.learning import _kernels


def product(weight: F32, x: F32) -> F32:
    """Return x W in float32, (vectors, columns), for W (rows, columns) and x (vectors, rows)."""
    if isinstance(x, Expected):
        return expected((x.shape[0], weight.shape[1]))
    out = np.empty((x.shape[0], weight.shape[1]), np.float32)
    if x.shape[0] > 1:
        return np.matmul(x, weight, out=out)
    _kernels.dense(x, weight, out)
    return out


def transposed_product(weight: F32, d: F32) -> F32:
    """Return d W^T in float32, (vectors, rows), for W (rows, columns) and d (vectors, columns)."""
    if isinstance(d, Expected):
        return expected((d.shape[0], weight.shape[0]))
    out = np.empty((d.shape[0], weight.shape[0]), np.float32)
    if d.shape[0] > 1:
        return np.matmul(d, weight.T, out=out)
    _kernels.dense_transposed(d, weight, out)
    return out


def add_outer(weight: F32, x: F32, d: F32) -> None:
    """Add the sum over vectors of x_i d_j to W (rows, columns), in place; x (vectors, rows), d (vectors, columns)."""
    if isinstance(x, Expected):
        return
    if x.shape[0] > 1:
        weight += x.T @ d
    else:
        _kernels.add_outer(x, d, weight)


def swept(x: F32, group: int, *, skip_zeros: bool) -> int:
    """Return how many rows of weights the vectors x, (vectors, rows), read if `group` of them share each reading.

    With `skip_zeros` a row is read for a group in which any vector drives it.
    """
    vectors, rows = x.shape
    if isinstance(x, Expected):
        share = 1.0 if not skip_zeros else x.shares.nonzero if group == 1 else x.shares.swept
        return round(-(-vectors // group) * rows * share)
    if not skip_zeros:
        return int(-(-vectors // group) * rows)
    if group == 1:
        return nonzero(x)
    driven = np.logical_or.reduceat(x != 0, range(0, vectors, group), axis=0)
    return int(np.count_nonzero(driven))


def nonzero(x: F32) -> int:
    """Return how many elements of x, (vectors, size), are not zero."""
    return round(x.size * x.shares.nonzero) if isinstance(x, Expected) else int(_kernels.count_nonzero(x))
