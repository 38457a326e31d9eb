"""The next character of a text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32, I64
from archsim.base.metrics import METRICS, Sample
from archsim.base.streams import Streams
from archsim.base.verbs import Verbs
from archsim.chips.chip import Chip
from archsim.chips.execute import inference
from archsim.data.sampler import Batches, TextStreams, TextWindows, cut
from archsim.data.text import TextDataset
from archsim.networks.network import INPUT, TARGET, Network
from archsim.runs.tasks.base import Batch

STREAMS = 64
"""Parts of a test text that pass a chip side by side."""


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

    metric = running = METRICS["bits per character"]
    samples: NDArray[np.uint8] | None = None

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
            yield *cut(text, begins + step * length, length), step == 0 or not self._carries
