"""The order in which a training sees its data: images, streams of a text, or windows of it.

A sampler is given the batch and the streams of a seed: the same seed gives the same batches, whatever the chip. All of
its state is `order`, `next` and where its random streams stand (`Streams.positions`): what is brought to these goes on
as it would have.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from archsim.base.arrays import F32, I64
from archsim.base.streams import Streams
from archsim.data.augment import augment
from archsim.data.dataset import Dataset
from archsim.data.text import TextDataset


class Batches(Protocol):
    """What every sampler is: sole owner of the position in the data.

    Attributes
    ----------
    order : int64 array
        Of the samples of this pass; empty where there is none.
    next : int
        Place in this pass.
    per_pass : int
        Batches that go through the training part once.
    """

    order: I64
    next: int

    @property
    def per_pass(self) -> int: ...  # noqa: D102  the class says it

    def batch(self) -> tuple[Any, Any, Any]:
        """Return the next inputs, their targets, and what else the sampler's own docstring says."""
        ...


class Sampler:
    """Batches in a fresh random order every epoch. Sole owner of the position in the data.

    Parameters
    ----------
    data : Dataset
        Its training part is drawn from.
    batch : int
        Samples at a time; the last batch of an epoch may be smaller.
    streams : Streams
        The order is drawn from "data/order"; what is done to the images at random, if anything, from "data/augment".
    """

    def __init__(self, data: Dataset, batch: int, streams: Streams) -> None:
        self._x, self._y = data.train_x, data.train_y
        self._targets = np.eye(data.classes, dtype=np.float32)
        self._batch = batch
        self._rng = streams.generator("data/order")
        self._data = data
        self._chance = streams.generator("data/augment") if data.augment else None
        self.order: I64 = np.empty(0, np.int64)
        self.next = 0

    @property
    def per_pass(self) -> int:
        """Batches of an epoch."""
        return -(-len(self._y) // self._batch)

    def batch(self) -> tuple[F32, F32, Any]:
        """Return the next samples (vectors, inputs), their targets (vectors, classes) and their labels."""
        if self.next >= self.order.size:
            self.order, self.next = self._rng.permutation(self._x.shape[0]), 0
        if self._batch == 1:  # views, not copies
            sample = self.order[self.next]
            self.next += 1
            label = self._y[sample]
            return self._seen(self._x[sample : sample + 1]), self._targets[label : label + 1], label
        chosen = self.order[self.next : self.next + self._batch]
        self.next += chosen.size
        labels = self._y[chosen]
        return self._seen(self._x[chosen]), self._targets[labels], labels

    def _seen(self, x: F32) -> F32:
        """Return samples as the training sees them."""
        if self._chance is None:
            return x
        return augment(x, self._data.shape, self._data.augment, self._chance, black=self._data.black)


class TextStreams:
    """Contiguous text in `batch` streams, for truncated backpropagation through time.

    Stream k begins at k/batch of the training text and goes through its part in steps of `length`; all begin anew
    together, when less than `length` and a next character is left of a part, so up to that many characters of each are
    never seen. Nothing is drawn at random. Sole owner of the position in the data.

    Parameters
    ----------
    data : TextDataset
        Its training part is gone through.
    batch : int
        Streams.
    length : int
        Characters of each stream at a time.

    Raises
    ------
    DataError
        If the text is too short (`TextDataset.check_length`).
    """

    def __init__(self, data: TextDataset, batch: int, *, length: int) -> None:
        data.check_length(length, batch)
        self._codes, self._length = data.train, length
        self._part = (data.train.size - 1) // batch
        self._begins = np.arange(batch) * self._part
        self.order: I64 = np.empty(0, np.int64)
        self.next = 0

    @property
    def per_pass(self) -> int:
        """Batches until the streams begin anew."""
        return self._part // self._length

    def batch(self) -> tuple[I64, I64, bool]:
        """Return codes (streams, length), the codes one character later, and whether the streams begin (anew).

        Where they begin, no hidden state is carried over from what was returned before.
        """
        self.next %= self.per_pass
        begins = self.next == 0
        inputs, targets = cut(self._codes, self._begins + self.next * self._length, self._length)
        self.next += 1
        return inputs, targets, begins


class TextWindows:
    """Windows at random places of a text, each place as likely. Sole owner of the position in the data.

    Parameters
    ----------
    data : TextDataset
        Its training part is drawn from.
    batch : int
        Windows at a time.
    streams : Streams
        The places are drawn from "data/windows".
    length : int
        Characters of a window.

    Raises
    ------
    DataError
        If the text is too short (`TextDataset.check_length`).
    """

    def __init__(self, data: TextDataset, batch: int, streams: Streams, *, length: int) -> None:
        data.check_length(length)
        self._codes, self._batch, self._length = data.train, batch, length
        self._rng = streams.generator("data/windows")
        self.order: I64 = np.empty(0, np.int64)
        self.next = 0

    @property
    def per_pass(self) -> int:
        """Batches that have as many characters as the training part, rounded up."""
        return -(-(self._codes.size - 1) // (self._batch * self._length))

    def batch(self) -> tuple[I64, I64, bool]:
        """Return codes (windows, length), the codes one character later, and that the windows begin: always True."""
        self.next = self.next % self.per_pass + 1
        places = self._rng.integers(0, self._codes.size - self._length, self._batch)
        return *cut(self._codes, places, self._length), True


def cut(codes: I64, places: I64, length: int) -> tuple[I64, I64]:
    """Return `length` codes from each place on, and from one further on: (places, length) each."""
    chosen = codes[places[:, None] + np.arange(length + 1)]
    return chosen[:, :-1], chosen[:, 1:]
