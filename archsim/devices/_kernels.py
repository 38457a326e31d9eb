"""Numba kernels of the device models: plain arrays, in place, random numbers given.

float32 arrays in siemens; `index` are flat positions into C-contiguous arrays.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)  # type: ignore[untyped-decorator]
def pcm_set_pulses(g, memory, index, pulses, normals, mean, std, decay, low, high):  # type: ignore[no-untyped-def]
    """Apply blind SET pulses in place; `normals` holds one standard normal a pulse.

    P <- P decay; dG ~ Normal(mean . (G, 1, P), std . (G, 1, P)); G clipped to [low, high].
    """
    k = 0
    for position in range(index.size):
        i = index[position]
        G = g[i]
        P = memory[i]
        for _ in range(pulses[position]):
            P *= decay
            step = mean[0] * G + mean[1] + mean[2] * P
            sigma = std[0] * G + std[1] + std[2] * P
            G = min(max(G + step + sigma * normals[k], low), high)
            k += 1
        g[i] = G
        memory[i] = P


@njit(cache=True)  # type: ignore[untyped-decorator]
def power_law(programmed_ps, now_ps, reference_s, shortest_s, exponent, factors):  # type: ignore[no-untyped-def]
    """Write (max(t - tp, shortest)/reference)^exponent for each device into `factors`, all flat."""
    for i in range(programmed_ps.size):
        age = max((now_ps - programmed_ps[i]) * 1e-12, shortest_s)
        factors[i] = np.float32((age / reference_s) ** exponent)
