"""Values of losses, for the course of a training, and for rules that learn from nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from archsim.base.arrays import F32

LEAST = 1e-30
"""Smallest probability whose logarithm is taken."""


def squared(output: F32, target: F32) -> F32:
    """Return half of each squared difference."""
    apart = target - output
    found: F32 = apart * apart * np.float32(0.5)
    return found


def cross_entropy(output: F32, target: F32) -> F32:
    """Return what each element adds to minus the log-likelihood [nat] of targets under probabilities."""
    found: F32 = -target * np.log(np.maximum(output, LEAST))
    return found


def binary_cross_entropy(output: F32, target: F32) -> F32:
    """Return minus the log-likelihood [nat] of each target under its own probability."""
    said = target * np.log(np.maximum(output, LEAST)) + (1 - target) * np.log(np.maximum(1 - output, LEAST))
    found: F32 = -said
    return found


ELEMENTS: dict[str, Callable[[F32, F32], F32]] = {
    "squared": squared, "cross-entropy": cross_entropy, "binary-cross-entropy": binary_cross_entropy,
}  # fmt: skip
"""Loss -> what each element of outputs loses, given targets of their shape."""


def value(loss: str, output: F32, target: F32) -> float:
    """Return a loss for outputs and targets, (vectors, size): summed over a vector's elements, the mean of vectors."""
    return float(np.sum(ELEMENTS[loss](output, target), dtype=np.float64) / len(output))
