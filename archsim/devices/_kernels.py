"""Numba kernels of the device models: plain arrays, in place, random numbers given.

float32 arrays in siemens; `index` are flat positions.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def pcm_set_pulses(g, memory, programmed_ps, count, index, pulses, now_ps, normals, mean, std, decay, low, high):
    """Give blind SET pulses in place; `normals` holds one standard normal a pulse.

    P <- P decay; dG ~ Normal(mean . (G, 1, P), std . (G, 1, P)); G clipped to [low, high].
    """
    k = 0
    for position in range(index.size):
        n = pulses[position]
        i = index[position]
        G = float(g[i])
        P = float(memory[i])
        for _ in range(n):
            P *= decay
            step = mean[0] * G + mean[1] + mean[2] * P
            sigma = std[0] * G + std[1] + std[2] * P
            G = min(max(G + step + sigma * normals[k], low), high)
            k += 1
        g[i] = np.float32(G)
        memory[i] = np.float32(P)
        programmed_ps[i] = now_ps
        count[i] += n
