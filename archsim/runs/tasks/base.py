"""What every task is: batches that a network is fed, and a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32
from archsim.base.metrics import Metric, Sample
from archsim.base.verbs import Verbs
from archsim.chips.chip import Chip
from archsim.data.dataset import Dataset
from archsim.data.sampler import Batches

VECTORS = 500
"""Test samples that pass a chip as one batch, at most."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples to train on.

    Parameters
    ----------
    feeds : what the network's programs read, each (samples, elements)
    answers : what `Task.judge` compares outputs with
    samples : int
    begins : bool
        Whether no state of earlier batches is to be carried into it.
    """

    feeds: Mapping[str, F32]
    answers: Any
    samples: int
    begins: bool = False


class Task(Protocol):
    """Batches and a metric.

    Attributes
    ----------
    metric : Metric
    running : Metric
        Of what `judge` returns.
    chance : float or None
        What guessing gives.
    sample : Sample
        What a sample is called.
    samples : uint8 array or None
        What the last test generated, to be looked at: (samples, rows, columns) or with channels last.
    sampler : Batches
        Sole owner of the position in the training data.
    tests : int
        Answers that a test is the mean of.
    """

    metric: Metric
    running: Metric
    chance: float | None
    sample: Sample
    samples: NDArray[np.uint8] | None
    sampler: Batches
    tests: int

    def batch(self) -> Batch:
        """Return the next samples to train on."""

    def judge(self, outputs: F32, answers: Any) -> float:
        """Return the running metric of a batch's outputs, (vectors, size)."""

    def test(self, chip: Chip, phase: str = "evaluation", *, through: Verbs | None = None) -> float:
        """Return the metric on the test data, through a chip's own converters, booked under a phase."""


def channels_last(data: Dataset, shape: tuple[int, ...], x: F32) -> F32:
    """Return images with their channels last, as networks that read `shape` have them."""
    if len(shape) != 3 or data.shape[0] == 1:  # one channel lies alike in both orders
        return x
    return x.reshape(-1, *data.shape).transpose(0, 2, 3, 1).reshape(len(x), -1)
