"""Samples that a generator makes, judged by how their features are spread beside those of test images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32
from archsim.base.metrics import IMAGE, METRICS
from archsim.base.streams import Streams
from archsim.base.verbs import Verbs
from archsim.chips.chip import Chip
from archsim.chips.execute import inference
from archsim.data.dataset import Dataset
from archsim.data.sampler import Batches, Sampler
from archsim.networks.adversarial import GENERATED, LATENT, REAL
from archsim.networks.network import INPUT, Network
from archsim.runs.tasks import frechet
from archsim.runs.tasks.base import VECTORS, Batch, channels_last

MADE = 2000
"""Samples that a test generates, and test images that they are held against, if nothing else is said."""
SHOWN = 64
"""Samples of a test that are kept to be looked at."""


class Adversarial:
    """Generated images; the metric is the Frechet distance of their features from those of test images.

    What they are generated from is drawn once, from the stream "test/latent": the same for all tests of a seed.

    Parameters
    ----------
    data : Dataset
    network : Network
        Of a generator and a discriminator (`networks.adversarial`).
    batch : int
    streams : Streams
    test_samples : int, optional
        So many images are generated, and so many of the first test images taken, if there are as many.
    """

    metric = METRICS["Frechet distance"]
    running = METRICS["discriminator accuracy"]
    chance: float | None = None
    sample = IMAGE
    samples: NDArray[np.uint8] | None = None

    def __init__(
        self, data: Dataset, network: Network, batch: int, streams: Streams, *, test_samples: int | None = None
    ) -> None:
        self._network, self._data = network, data
        tensors = network.graph.tensors
        self._shape, self._says = tensors[INPUT].shape, tensors[REAL].words
        self.tests = test_samples or MADE
        self._latent = network.drawn_latent(streams.generator("test/latent"), self.tests, LATENT)
        self.sampler: Batches = Sampler(data, batch, streams)

    def batch(self) -> Batch:
        """Return the next images, each once an epoch, and what the discriminator shall say of real and made ones."""
        x, _, _ = self.sampler.batch()
        ones = np.ones((len(x), self._says), np.float32)
        feeds = {INPUT: channels_last(self._data, self._shape, x), REAL: ones, GENERATED: np.zeros_like(ones)}
        return Batch(feeds, None, len(x))

    def judge(self, outputs: F32, answers: Any) -> float:
        """Return the share of the images, half of them real, that the discriminator told before it learnt from them."""
        del answers
        each = len(outputs) // 3  # of real ones, of made ones, and of these again after it has learnt
        return float(np.mean(np.concatenate([outputs[:each] > 0.5, outputs[each : 2 * each] <= 0.5])))

    def test(self, chip: Chip, phase: str = "evaluation", *, through: Verbs | None = None) -> float:
        """Return the Frechet distance of generated images; `samples` are the first of them."""
        parts = [
            chip.run(inference(chip, self._network, self._latent[begin : begin + VECTORS], phase, through=through))
            for begin in range(0, self.tests, VECTORS)
        ]
        made = np.concatenate([part.reshape(-1, self._data.train_x.shape[1]) for part in parts])
        self.samples = self._shown(made[:SHOWN])
        features = frechet.features_of(self._data)
        mine, theirs = features(self._channels_first(made)), features(self._data.test_x[: self.tests])
        return frechet.distance(mine, theirs)

    def _channels_first(self, made: F32) -> F32:
        """Return made images as the data has its own."""
        channels, rows, columns = self._data.shape
        if len(self._shape) != 3 or channels == 1:
            return made
        return made.reshape(-1, rows, columns, channels).transpose(0, 3, 1, 2).reshape(len(made), -1)

    def _shown(self, made: F32) -> NDArray[np.uint8]:
        """Return made images, whose channels are last if they have several, in 256 levels."""
        low, high = self._data.range
        levels: NDArray[np.uint8] = np.clip(np.rint((made - low) * (255 / (high - low))), 0, 255).astype(np.uint8)
        channels, rows, columns = self._data.shape
        if channels == 1:
            return levels.reshape(-1, rows, columns)
        if len(self._shape) == 3:
            return levels.reshape(-1, rows, columns, channels)
        return levels.reshape(-1, channels, rows, columns).transpose(0, 2, 3, 1)
