"""A small task of real digits for tests of update rules: 7x7 means of mnist-5k, a network of 49-20-10."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import numpy as np
from network_kit import chain, dense

from archsim.base.arrays import F32
from archsim.base.registry import load
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.chip import Chip
from archsim.chips.execute import inference, training_step
from archsim.data import datasets
from archsim.data.dataset import Dataset

NETWORK = chain(49, dense("fc1", 20, "relu"), dense("fc2", 10, "sigmoid"), std=0.2)


class Times:
    """Any time is a nanosecond."""

    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        """Return it."""
        del key, capacity_bit
        return 1e-9


@cache
def digits() -> tuple[F32, F32, F32, F32]:
    """Return images and labels (one-hot) to train with, and to test with."""
    data = cast("Dataset", datasets.load("mnist-5k"))

    def small(x: Any) -> F32:
        pooled: F32 = np.asarray(x, np.float32).reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49)
        return np.clip(2 * pooled / pooled.max(), 0, 1)

    eye = np.eye(10, dtype=np.float32)
    return small(data.train_x), eye[data.train_y], small(data.test_x), eye[data.test_y]


def started(name: str, *, seed: int = 1, **settings: str) -> Chip:
    """Return a shipped chip with the network; keys of settings have __ for dots."""
    keys = {tuple(key.replace("__", ".").split(".")): value for key, value in settings.items()}
    parsed = architectures.parse(architectures.document(name, keys))
    made: Chip = load("chip", parsed.chip).start(parsed, NETWORK, Times(), Streams(seed))
    return made


def taught(made: Chip, steps: int, *, rate: float, seed: int = 5) -> float:
    """Train on so many digits, one by one, and return the accuracy on the test set."""
    x, y, test_x, test_y = digits()
    order = np.random.default_rng(seed).integers(0, x.shape[0], steps)

    def work() -> Any:
        for k in order:
            yield from training_step(made, NETWORK, {"x": x[k : k + 1], "target": y[k : k + 1]}, rate)

    made.run(work())
    out = made.run(inference(made, NETWORK, test_x))
    return float(np.mean(out.argmax(axis=1) == test_y.argmax(axis=1)))
