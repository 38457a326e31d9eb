"""The order in which a training sees its data."""

from __future__ import annotations

from typing import Any

import numpy as np

from archsim.base.arrays import F32, I64
from archsim.base.streams import Streams
from archsim.data.dataset import Dataset


class Sampler:
    """Batches in a fresh random order every epoch. Sole owner of the position in the data.

    Parameters
    ----------
    data : Dataset
        Its training part is drawn from.
    batch : int
        Samples at a time; the last batch of an epoch may be smaller.
    streams : Streams
        The order is drawn from "data/order".
    """

    def __init__(self, data: Dataset, batch: int, streams: Streams) -> None:
        self._x, self._y = data.train_x, data.train_y
        self._targets = np.eye(data.classes, dtype=np.float32)
        self._batch = batch
        self._rng = streams.generator("data/order")
        self.order: I64 = np.empty(0, np.int64)
        self.next = 0

    def batch(self) -> tuple[F32, F32, Any]:
        """Return the next samples (vectors, inputs), their targets (vectors, classes) and their labels."""
        if self.next >= self.order.size:
            self.order, self.next = self._rng.permutation(self._x.shape[0]), 0
        if self._batch == 1:  # views, not copies
            sample = self.order[self.next]
            self.next += 1
            label = self._y[sample]
            return self._x[sample : sample + 1], self._targets[label : label + 1], label
        chosen = self.order[self.next : self.next + self._batch]
        self.next += chosen.size
        labels = self._y[chosen]
        return self._x[chosen], self._targets[labels], labels
