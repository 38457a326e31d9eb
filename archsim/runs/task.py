"""What a workload trains for: the batches that a network is fed, and the metric that it is judged by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from archsim.base.arrays import F32, I64
from archsim.base.errors import ModelError
from archsim.base.metrics import ACCURACY, IMAGE, METRICS, Metric, Sample
from archsim.base.streams import Streams
from archsim.base.verbs import Verbs
from archsim.chips.chip import Chip
from archsim.chips.execute import inference
from archsim.data.dataset import Dataset, Source
from archsim.data.sampler import Batches, Sampler, TextStreams, TextWindows
from archsim.data.text import TextDataset
from archsim.networks.network import INPUT, TARGET, Network

VECTORS = 500
"""Test samples that pass a chip as one batch, at most."""
STREAMS = 64
"""Parts of a test text that pass a chip side by side."""


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
    chance : float or None
        What guessing gives.
    sample : Sample
        What a sample is called.
    sampler : Batches
        Sole owner of the position in the training data.
    tests : int
        Answers that a test is the mean of.
    """

    metric: Metric
    chance: float | None
    sample: Sample
    sampler: Batches
    tests: int

    def batch(self) -> Batch:
        """Return the next samples to train on."""

    def judge(self, outputs: F32, answers: Any) -> float:
        """Return the metric of a batch's outputs, (vectors, size)."""

    def test(self, chip: Chip, phase: str = "evaluation", *, through: Verbs | None = None) -> float:
        """Return the metric on the test data, through a chip's own converters, booked under a phase."""


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

    metric, sample = ACCURACY, IMAGE

    def __init__(
        self, data: Dataset, network: Network, batch: int, streams: Streams, *, test_samples: int | None = None
    ) -> None:
        self._network, self._data = network, data
        self.chance: float | None = 1 / network.outputs
        shape = network.graph.tensors[INPUT].shape
        self._turned = len(shape) == 3 and data.shape[0] > 1  # the data's channels come first
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
        """Return images with their channels last, as networks read them."""
        if not self._turned:
            return x
        return x.reshape(-1, *self._data.shape).transpose(0, 2, 3, 1).reshape(len(x), -1)


class Characters:
    """The next character of a text; the metric is bits per character.

    A network that carries its state is given `batch` parts of the text in turn; any other windows at random places.

    Parameters
    ----------
    data : TextDataset
    network : Network
        Of (steps, 1) codes; gives probabilities, (steps, characters).
    batch : int
    streams : Streams
    test_samples : int, optional
        So many windows of the test text are tested on, its first ones; all of it by default, but for what is left over
        when it is cut.
    """

    metric = METRICS["bits per character"]

    def __init__(
        self, data: TextDataset, network: Network, batch: int, streams: Streams, *, test_samples: int | None = None
    ) -> None:
        self._network, self._data = network, data
        self._length = network.graph.tensors[INPUT].shape[0]
        self.sample = Sample("sequence", "character", self._length)
        self.chance: float | None = float(np.log2(network.outputs))
        count = min((data.test.size - 1) // self._length, test_samples or data.test.size)
        self._parts = min(STREAMS, count)
        self._windows = count // self._parts
        self.tests = self._parts * self._windows * self._length
        self._carries = bool(network.graph.states)
        self._one_hot = np.eye(len(data.vocabulary), dtype=np.float32)
        self.sampler: Batches = (
            TextStreams(data, batch, length=self._length)
            if self._carries
            else TextWindows(data, batch, streams, length=self._length)
        )

    def batch(self) -> Batch:
        """Return the next windows and, one character later, their targets."""
        codes, after, begins = self.sampler.batch()
        target = self._one_hot[after].reshape(len(codes), -1)
        return Batch({INPUT: codes.astype(np.float32), TARGET: target}, after, len(codes), begins)

    def judge(self, outputs: F32, answers: I64) -> float:
        """Return the mean of -log2 of the probabilities of the characters that came."""
        likely = outputs[np.arange(len(outputs)), answers.reshape(-1)]
        return float(-np.mean(np.log2(np.maximum(likely, 1e-30)), dtype=np.float64))

    def test(self, chip: Chip, phase: str = "evaluation", *, through: Verbs | None = None) -> float:
        """Return the bits per character of the test text."""
        total, vectors, states = 0.0, 0, dict[str, F32]()
        for codes, after, begins in self._test_windows():
            if begins:
                states.clear()
            outputs = chip.run(
                inference(chip, self._network, codes.astype(np.float32), phase, through=through, states=states)
            )
            total += self.judge(outputs, after) * len(outputs)
            vectors += len(outputs)
        return total / vectors

    def _test_windows(self) -> Iterator[tuple[I64, I64, bool]]:
        """Yield codes (parts, length), the codes one character later, and whether the parts begin."""
        text, length = self._data.test, self._length
        begins = np.arange(self._parts) * self._windows * length
        for step in range(self._windows):
            chosen = text[begins[:, None] + step * length + np.arange(length + 1)]
            yield chosen[:, :-1], chosen[:, 1:], step == 0 or not self._carries


def task(data: Source, network: Network, batch: int, streams: Streams, *, test_samples: int | None = None) -> Task:
    """Return what a network is trained for on some data.

    Raises
    ------
    ModelError
        If there is no task on data of this kind.
    """
    if isinstance(data, Dataset):
        return Classification(data, network, batch, streams, test_samples=test_samples)
    if isinstance(data, TextDataset):
        return Characters(data, network, batch, streams, test_samples=test_samples)
    raise ModelError(f"no task on {type(data).__name__}")


def judged_by(data: Source) -> Metric:
    """Return the metric of what is trained on some data.

    Raises
    ------
    ModelError
        If there is no task on data of this kind.
    """
    for kind, found in ((Dataset, Classification), (TextDataset, Characters)):
        if isinstance(data, kind):
            return found.metric
    raise ModelError(f"no task on {type(data).__name__}")


def training_samples(data: Source, network: Network) -> int:
    """Return the samples of one pass through the training data: images, or windows of a text."""
    if isinstance(data, TextDataset):
        return max((data.train.size - 1) // network.graph.tensors[INPUT].shape[0], 1)
    if isinstance(data, Dataset):
        return len(data.train_x)
    raise ModelError(f"no task on {type(data).__name__}")
