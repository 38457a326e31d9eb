"""The Frechet distance between features of two sets of images, and the classifier whose features they are.

Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, NeurIPS 2017
(arXiv:1706.08500), equation 6. There the features are those of a network trained on ImageNet; here those
of a small one that archsim trains on the same data, so distances are comparable among runs on the same data only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.chip import Chip
from archsim.chips.digital.digital32 import Digital32Chip
from archsim.chips.execute import execute, training_step
from archsim.data.dataset import Dataset
from archsim.data.sampler import Sampler
from archsim.networks.file import NetworkFile
from archsim.networks.network import INPUT, TARGET
from archsim.networks.rules.backprop import forward

SEED, BATCH, STEPS, RATE, UNITS = 1, 50, 3000, 0.2, (128, 64)
"""Of the classifier: two hidden layers, the last of which gives the features; 97.13 % on MNIST's test images."""


def distance(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return |m - n|^2 + tr(C + D - 2 (C D)^(1/2)) of the means m, n and the covariances C, D of two sets of features.

    The root's trace is that of (C^(1/2) D C^(1/2))^(1/2), which has the same eigenvalues and is symmetric: its root is
    real and exists for covariances without full rank, too, where a general root does not.

    Parameters
    ----------
    one, other : (samples, features)
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    c, d = (np.atleast_2d(np.cov(each, rowvar=False)) for each in (first, second))
    values, vectors = np.linalg.eigh(c)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    both = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ d @ root), 0)).sum()
    apart = first.mean(axis=0) - second.mean(axis=0)
    return float(max(apart @ apart + np.trace(c) + np.trace(d) - 2 * both, 0.0))


Features = Callable[[F32], F32]


class _Untimed:
    """Times of a chip whose clock nobody reads: a nanosecond each."""

    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        """Return it."""
        del key, capacity_bit
        return 1e-9


@lru_cache(maxsize=4)
def features_of(data: Dataset) -> Features:
    """Return what gives features of images, (samples, features), for images as the data set has them.

    The classifier is trained when it is first asked for, on a 32-bit chip of its own, from a seed of its own: the same
    data give the same features, whatever the run. It is kept as long as the process lives, and written nowhere; no run
    counts its operations.
    """
    document = architectures.document("digital32-deep", {})
    network = NetworkFile.model_validate({
        "inputs": data.train_x.shape[1], "initial_std": "he", "loss": "cross-entropy",
        "layers": [
            *({"name": f"hidden{k}", "kind": "dense", "units": n, "activation": "relu"} for k, n in enumerate(UNITS)),
            {"name": "out", "kind": "dense", "units": data.classes, "activation": "softmax"},
        ],
    }).build()  # fmt: skip
    streams = Streams(SEED)
    parsed: Any = architectures.parse(document)
    chip: Chip = Digital32Chip.start(parsed, network, _Untimed(), streams, samples=BATCH)
    sampler = Sampler(data, BATCH, streams)
    for step in range(STEPS):
        x, target, _ = sampler.batch()
        rate = RATE * (1 - step / STEPS)
        chip.run(training_step(chip, network, {INPUT: x, TARGET: target}, rate))
    last = [node.output for node in network.graph.nodes if node.layer == f"hidden{len(UNITS) - 1}"][-1]
    program = forward(network.graph, [last])

    def features(images: F32) -> F32:
        [found] = chip.run(execute(chip, program, {INPUT: images}))
        return found

    return features
