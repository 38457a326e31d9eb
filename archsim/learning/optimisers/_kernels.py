"""Numba kernels of optimisers. Flat float32 arrays of one length; the gradient becomes the step, in place."""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel()
def momentum(gradient, velocity, factor, rate):
    """Velocity = factor velocity + gradient; step = rate velocity."""
    factor, rate = np.float32(factor), np.float32(rate)
    for k in range(gradient.size):
        velocity[k] = factor * velocity[k] + gradient[k]
        gradient[k] = rate * velocity[k]


@kernel(divides=True)
def adam(gradient, first, second, one_less_beta1, one_less_beta2, correction, epsilon, rate):
    """First and second moments, each a running mean; step = rate first / (correction sqrt(second) + epsilon)."""
    a, b = np.float32(one_less_beta1), np.float32(one_less_beta2)
    correction, epsilon, rate = np.float32(correction), np.float32(epsilon), np.float32(rate)
    for k in range(gradient.size):
        g = gradient[k]
        first[k] += a * (g - first[k])
        second[k] += b * (g * g - second[k])
        gradient[k] = rate * first[k] / (correction * np.sqrt(second[k]) + epsilon)
