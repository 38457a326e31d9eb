"""Numba kernels of recurrent steps. Plain float32 arrays, (samples, size), in place."""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel(fastmath={"contract"})
def lstm_state(bent, before, out):
    """Write i, f, o, g and c' into `out`, (samples, 7 units).

    bent : (samples, 4 units), tanh of half of what i, f, o were given, and of what g was; before : (samples, units), c.
    """
    half, one = np.float32(0.5), np.float32(1)
    n = before.shape[1]
    for v in range(before.shape[0]):
        for j in range(3 * n):
            out[v, 2 * n + j] = half * (bent[v, j] + one)
        for j in range(n):
            out[v, 5 * n + j] = bent[v, 3 * n + j]
        for j in range(n):
            out[v, n + j] = out[v, 3 * n + j] * before[v, j] + out[v, 2 * n + j] * out[v, 5 * n + j]


@kernel(fastmath={"contract"})
def lstm_back(d, y, before, out):
    """Write the gradients before the activation of i, f, o, g, and that of c, into `out`, (samples, 5 units).

    d : gradients of h and c', the first of 7 units; y : h, c', i, f, o, g, tanh c'; before : c.
    """
    one = np.float32(1)
    n = before.shape[1]
    for v in range(before.shape[0]):
        for j in range(n):
            i, f, o = y[v, 2 * n + j], y[v, 3 * n + j], y[v, 4 * n + j]
            g, bent = y[v, 5 * n + j], y[v, 6 * n + j]
            dc = d[v, n + j] + d[v, j] * o * (one - bent * bent)
            out[v, j] = dc * g * (i * (one - i))
            out[v, n + j] = dc * before[v, j] * (f * (one - f))
            out[v, 2 * n + j] = d[v, j] * bent * (o * (one - o))
            out[v, 3 * n + j] = dc * i * (one - g * g)
            out[v, 4 * n + j] = dc * f


@kernel(fastmath={"contract"})
def gru_back(d, y, b, before, out):
    """Write the gradients n of the input, r, z, n of the state, h into `out`, (samples, 5 units).

    d : gradient of h', the first of 4 units; y : h', r, z, n; b : r, z, n of the state; before : h.
    """
    one = np.float32(1)
    n = before.shape[1]
    for v in range(before.shape[0]):
        for j in range(n):
            dh, r, z, new = d[v, j], y[v, n + j], y[v, 2 * n + j], y[v, 3 * n + j]
            dn = dh * (one - z) * (one - new * new)
            out[v, j] = dn
            out[v, n + j] = dn * b[v, 2 * n + j] * (r * (one - r))
            out[v, 2 * n + j] = dh * (before[v, j] - new) * (z * (one - z))
            out[v, 3 * n + j] = dn * r
            out[v, 4 * n + j] = dh * z
