"""Images by class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32
from archsim.base.metrics import ACCURACY, IMAGE
from archsim.base.streams import Streams
from archsim.base.verbs import Verbs
from archsim.chips.chip import Chip
from archsim.chips.execute import inference
from archsim.data.dataset import Dataset
from archsim.data.sampler import Batches, Sampler
from archsim.networks.network import INPUT, TARGET, Network
from archsim.runs.tasks.base import VECTORS, Batch, channels_last


class Classification:
    """Images by class; the metric is the accuracy.

    Parameters
    ----------
    data : Dataset
    network : Network
    batch : int
    streams : Streams
    test_samples : int, optional
        The first so many test images are tested on; all of them by default.
    """

    metric = running = ACCURACY
    sample = IMAGE
    samples: NDArray[np.uint8] | None = None

    def __init__(
        self, data: Dataset, network: Network, batch: int, streams: Streams, *, test_samples: int | None = None
    ) -> None:
        self._network, self._data = network, data
        self.chance: float | None = 1 / network.outputs
        self._shape = network.graph.tensors[INPUT].shape
        self._test = slice(test_samples)
        self.tests = len(data.test_x[self._test])
        self.sampler: Batches = Sampler(data, batch, streams)

    def batch(self) -> Batch:
        """Return the next images, each once an epoch."""
        x, target, labels = self.sampler.batch()
        return Batch({INPUT: self._laid(x), TARGET: target}, labels, len(x))

    def judge(self, outputs: F32, answers: Any) -> float:
        """Return the share of outputs whose largest element is that of the label."""
        if outputs.shape[0] == 1:
            return float(outputs.argmax() == answers)
        return float(np.mean(outputs.argmax(axis=1) == answers))

    def test(self, chip: Chip, phase: str = "evaluation", *, through: Verbs | None = None) -> float:
        """Return the accuracy on the test images."""
        test_x, test_y = self._data.test_x[self._test], self._data.test_y[self._test]
        hits = 0
        for begin in range(0, len(test_x), VECTORS):
            x = self._laid(test_x[begin : begin + VECTORS])
            outputs = chip.run(inference(chip, self._network, x, phase, through=through))
            hits += int(np.count_nonzero(outputs.argmax(axis=1) == test_y[begin : begin + VECTORS]))
        return float(hits / len(test_x))

    def _laid(self, x: F32) -> F32:
        return channels_last(self._data, self._shape, x)
