"""Numba kernels of the meter."""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel()
def take(weights, before, chi, up):
    """Add what flat float32 weights moved by, times `up`, to chi, and take out its whole parts.

    before : what the weights were, becomes what they are. Returns how many elements had a whole part, and their sum.
    """
    pairs, pulses = 0, 0
    up = np.float32(up)
    for k in range(weights.size):
        chi[k] += (weights[k] - before[k]) * up
        before[k] = weights[k]
        whole = np.trunc(chi[k])
        if whole != 0:
            chi[k] -= whole
            pairs += 1
            pulses += int(abs(whole))
    return pairs, pulses


@kernel()
def changed(weights, before):
    """Return how many flat float32 weights are not what they were; `before` becomes what they are."""
    found = 0
    for k in range(weights.size):
        found += weights[k] != before[k]
        before[k] = weights[k]
    return found


@kernel()
def stepped(weights, before, per_up, per_down, nearest):
    """Return what flat float32 weights moved by, up and down, in pulses; each a whole number if to the `nearest`.

    before : what the weights were, becomes what they are. per_up, per_down : pulses for a change of 1.
    """
    up, down = 0.0, 0.0
    for k in range(weights.size):
        moved = weights[k] - before[k]
        before[k] = weights[k]
        pulses = moved * per_up if moved > 0 else -moved * per_down
        if nearest:
            pulses = np.floor(pulses + 0.5)
        if moved > 0:
            up += pulses
        else:
            down += pulses
    return up, down


@kernel()
def driving(x, factor, levels):
    """Return how many codes of x, (n, lines), are not zero, the sum of their magnitudes, and how many x are not zero.

    factor : (n,) float32, levels over the full scale of each vector; a code is x times that, rounded, up to `levels`.
    """
    driven, nonzero, total = 0, 0, 0.0
    top = np.float32(levels)
    for v in range(x.shape[0]):
        line, by = x[v], factor[v]
        part = np.float32(0)
        for i in range(x.shape[1]):
            code = min(np.rint(abs(line[i]) * by), top)
            driven += code != 0
            nonzero += line[i] != 0
            part += code
        total += float(part)
    return driven, total, nonzero
