"""Values of losses, for the course of a training; no chip computes them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from archsim.base.arrays import F32

LEAST = 1e-30
"""Smallest probability whose logarithm is taken."""


def squared(output: F32, target: F32) -> float:
    """Return half the sum of squared differences, a vector's mean over all vectors."""
    return float(np.sum((target - output) ** 2, dtype=np.float64) / 2 / len(output))


def cross_entropy(output: F32, target: F32) -> float:
    """Return minus the target's mean log-likelihood [nat] under probabilities, a vector's mean."""
    return float(-np.sum(target * np.log(np.maximum(output, LEAST)), dtype=np.float64) / len(output))


VALUES: dict[str, Callable[[F32, F32], float]] = {"squared": squared, "cross-entropy": cross_entropy}
"""Loss -> its value for outputs and targets, each (vectors, size)."""
