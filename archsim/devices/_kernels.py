"""Numba kernels of the device models: plain arrays, in place, random numbers given.

float32 arrays in siemens; `index` are flat positions.
"""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel()
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


LEAST_FACTOR = 0.05
"""A device's own factor of the mean step is not drawn below this: none steps backwards or never."""


@kernel()
def bounded_pulses(
    g, factor, programmed_ps, count, index, pulses, now_ps, normals, step, far, span, left, exponent, of_step, absolute,
    devices, low, high,
):  # fmt: skip
    """Give pulses in one direction in place; one standard normal a pulse, and one for a device's first if they differ.

    dG ~ Normal(f step (left + (1 - left) u^exponent), of_step |mean| + absolute), u = (far - G)/span clipped to 0 to 1;
    step and span are negative downwards. f = 1 + devices z is a device's own, kept in `factor`, 0 until it is drawn.
    Returns how many normals were taken.
    """
    k = 0
    for position in range(index.size):
        i = index[position]
        own = 1.0
        if devices > 0:
            if factor[i] == 0:
                factor[i] = np.float32(max(1.0 + devices * normals[k], LEAST_FACTOR))
                k += 1
            own = float(factor[i])
        G = float(g[i])
        for _ in range(pulses[position]):
            mean = own * step
            if left != 1:
                u = min(max((far - G) / span, 0.0), 1.0)
                mean *= left + (1.0 - left) * (u if exponent == 1.0 else u**exponent)
            G = min(max(G + mean + (of_step * abs(mean) + absolute) * normals[k], low), high)
            k += 1
        g[i] = np.float32(G)
        programmed_ps[i] = now_ps
        count[i] += pulses[position]
    return k


@kernel()
def table_pulses(
    g, factor, programmed_ps, count, index, pulses, now_ps, normals, knots, mean, std, devices, low, high
):  # fmt: skip
    """Give pulses in place; one standard normal a pulse, and one for a device's first if devices differ.

    dG ~ Normal(f mean(G), std(G)), linear between the knots and held outside them; f as in `bounded_pulses`.
    Returns how many normals were taken.
    """
    k = 0
    last = knots.size - 1
    for position in range(index.size):
        i = index[position]
        if devices > 0 and factor[i] == 0:
            factor[i] = np.float32(max(1.0 + devices * normals[k], LEAST_FACTOR))
            k += 1
        G = float(g[i])
        for _ in range(pulses[position]):
            right = min(max(np.searchsorted(knots, G), 1), last)
            part = min(max((G - knots[right - 1]) / (knots[right] - knots[right - 1]), 0.0), 1.0)
            step = mean[right - 1] + part * (mean[right] - mean[right - 1])
            if devices > 0:
                step *= factor[i]
            sigma = std[right - 1] + part * (std[right] - std[right - 1])
            G = min(max(G + step + sigma * normals[k], low), high)
            k += 1
        g[i] = np.float32(G)
        programmed_ps[i] = now_ps
        count[i] += pulses[position]
    return k


BOUNDED, TABLE, EXACT = 0, 1, 2
"""Kinds of laws: a formula of the distance to the bound ahead; a table; a step without noise."""


@kernel()
def give(law, up, g, memory, programmed_ps, count, index, pulses, now_ps, normals):
    """Give pulses, up or down, in place, as a device model of that law does; return how many normals it took.

    law : `archsim.devices.laws.Law`, plain; index : no device twice; normals : as many as needed.
    """
    kind, of_step, absolute, devices, lognormal, low, high = law[0], law[3], law[4], law[5], law[6], law[7], law[8]
    step, far, span, left, exponent, knots, mean, std = law[1] if up else law[2]
    if kind == EXACT:
        for position in range(index.size):
            i = index[position]
            g[i] = np.float32(min(max(float(g[i]) + pulses[position] * step, low), high))
            programmed_ps[i] = now_ps
            count[i] += pulses[position]
        return 0
    drawn = 0
    if lognormal:
        for position in range(index.size):
            i = index[position]
            if memory[i] == 0:
                memory[i] = np.float32(np.exp(devices * normals[drawn] - devices * devices / 2))
                drawn += 1
    if kind == TABLE:
        return drawn + table_pulses(
            g, memory, programmed_ps, count, index, pulses, now_ps, normals[drawn:], knots, mean, std, devices, low,
            high,
        )  # fmt: skip
    return drawn + bounded_pulses(
        g, memory, programmed_ps, count, index, pulses, now_ps, normals[drawn:], step, far, span, left, exponent,
        of_step, absolute, devices, low, high,
    )  # fmt: skip


@kernel()
def drift_factor(programmed_ps, now_ps, drift):
    """Return (max(t - tp, shortest)/reference)^-exponent; drift = (exponent, reference, shortest)."""
    if drift[0] == 0:
        return 1.0
    return (max((now_ps - programmed_ps) * 1e-12, drift[2]) / drift[1]) ** -drift[0]
