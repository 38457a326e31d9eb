"""Networks of sequences learn on the 32-bit chip what only their memory can tell."""

from __future__ import annotations

import numpy as np
import pytest
from network_kit import chain, dense, roomy
from sequence_kit import layer

from archsim.chips.execute import training_step

CODES, STEPS, SAMPLES = 4, 8, 16
ONE_HOT = layer("in", "one-hot", vocabulary=CODES)
TABLE = layer("in", "embedding", vocabulary=CODES, size=16, initial_std=0.5)
MIXED = {
    "lstm": ([ONE_HOT, layer("mix", "lstm", units=24)], 3.0),
    "gru": ([ONE_HOT, layer("mix", "gru", units=24)], 3.0),
    "attention": ([TABLE, layer("at", "positions", initial_std=0.5), layer("mix", "attention", heads=2)], 0.3),
}


@pytest.mark.parametrize("kind", MIXED)
def test_the_code_of_two_steps_ago_is_learnt(kind: str) -> None:
    """From a quarter right at random, or a third by what is always asked of the first two steps, to all but all."""
    layers, rate = MIXED[kind]
    net = chain([STEPS, 1], *layers, dense("head", CODES, "softmax"), std=0.25, loss="cross-entropy")
    made, rng, right = roomy("digital32", net, SAMPLES), np.random.default_rng(0), []
    for _ in range(300):
        codes = rng.integers(0, CODES, (SAMPLES, STEPS))
        asked = np.roll(codes, 2, axis=1)
        asked[:, :2] = 0
        feeds = {
            "x": codes.astype(np.float32),
            "target": np.eye(CODES, dtype=np.float32)[asked].reshape(SAMPLES, -1),
        }
        outputs = made.run(training_step(made, net, feeds, rate))
        right.append(float(np.mean(outputs.argmax(axis=1) == asked.ravel())))
    assert np.mean(right[:5]) < 0.5
    assert np.mean(right[-20:]) > 0.98
