"""Values of losses, for the course of a training, and for rules that learn from nothing else."""

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


def binary_cross_entropy(output: F32, target: F32) -> float:
    """Return minus the log-likelihood [nat] of targets under each element's own probability, a vector's mean."""
    said = target * np.log(np.maximum(output, LEAST)) + (1 - target) * np.log(np.maximum(1 - output, LEAST))
    return float(-np.sum(said, dtype=np.float64) / len(output))


VALUES: dict[str, Callable[[F32, F32], float]] = {
    "squared": squared, "cross-entropy": cross_entropy, "binary-cross-entropy": binary_cross_entropy,
}  # fmt: skip
"""Loss -> its value for outputs and targets, each (vectors, size): the sum over a vector's elements, the mean over all
vectors, samples and positions alike."""
