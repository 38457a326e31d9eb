"""Why perturbation does not learn through devices at its usual spread: both passes read with noise of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_kit import Times, chain, dense

from archsim.base.arrays import F32
from archsim.base.registry import load
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.execute import inference, training_step
from archsim.data import datasets
from archsim.learning import perturbations
from archsim.networks.network import Network

SAMPLES = 256
CONVERTERS = ("dac_quantisation", "adc_quantisation", "adc_clipping")


def started(net: Network, samples: int, off: tuple[str, ...] = ()) -> Any:
    settings = {("nonidealities", name): "false" for name in off}
    parsed = architectures.parse(
        architectures.document("mixed-precision", {("digital_unit", "buffer_words"): "4000000", **settings})
    )
    return load("chip", parsed.chip).start(parsed, net, Times(), Streams(1), samples=samples)


def falls(spread: float, off: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> tuple[float, float]:
    """Return standard deviations of how far the loss falls by node perturbation, and of what the chip measures beside.

    By NumPy, of the weights that the chip was loaded with.
    """
    data = datasets.load("mnist-5k")
    x, target = data.train_x[:SAMPLES], np.eye(10, dtype=np.float32)[data.train_y[:SAMPLES]]
    layers = (dense("a", 250, "sigmoid"), dense("b", 10, "sigmoid"))
    net = chain(784, *layers, std=0.08, learning={"kind": "node-perturbation", "spread": spread})
    chip, told = started(net, SAMPLES, off), {}
    weights = {
        name: np.concatenate([np.concatenate([one.weight for one in row], axis=1) for row in layer.cells])
        for name, layer in chip.state.items()
    }
    own = perturbations.Blame.__call__

    def blame(self: Any, *operands: F32) -> F32:
        told["fall"], told["seeds"] = operands[0].ravel(), operands[1]
        return own(self, *operands)

    monkeypatch.setattr(perturbations.Blame, "__call__", blame)
    feeds = {"x": x, "target": target, **net.drawn(np.random.default_rng(0), SAMPLES)}
    chip.run(training_step(chip, net, feeds, 0.0))

    def loss(by: float) -> np.ndarray:
        h = x
        for name in ("a", "b"):
            z = np.column_stack([h, np.ones(SAMPLES)]) @ weights[name]
            h = 1 / (1 + np.exp(-z - by * perturbations.signs(told["seeds"], z.shape[1], name)))
        return ((target - h) ** 2).sum(axis=1) / 2  # type: ignore[no-any-return]

    fall = loss(0.0) - loss(spread)
    return float(fall.std()), float((told["fall"] - fall).std())


@pytest.mark.parametrize(
    ("spread", "off", "fall", "beside"),
    [
        (0.03, (), 0.0124, 0.166),
        (0.3, (), 0.122, 0.166),
        (0.03, CONVERTERS, 0.0124, 0.166),  # converters are not it
        (0.03, ("read_noise",), 0.0124, 0.0084),
    ],
)
def test_what_two_passes_are_read_with_hides_what_a_small_disturbance_does(
    spread: float, off: tuple[str, ...], fall: float, beside: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = falls(spread, off, monkeypatch)
    assert found == pytest.approx((fall, beside), rel=0.2)


@pytest.mark.long
@pytest.mark.parametrize(("spread", "least", "most"), [(0.03, 0.0, 0.2), (0.3, 0.4, 0.7)])
def test_through_devices_node_perturbation_learns_where_its_disturbance_stands_above_their_noise(
    spread: float, least: float, most: float
) -> None:
    data = datasets.load("mnist-5k")
    x, test_x = (
        np.ascontiguousarray(each.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49), np.float32)
        for each in (data.train_x, data.test_x)
    )
    layers = (dense("a", 12, "sigmoid"), dense("b", 10, "sigmoid"))
    net = chain(49, *layers, std=0.15, learning={"kind": "node-perturbation", "spread": spread})
    chip, rng = started(net, len(test_x)), np.random.default_rng(0)
    for _ in range(1500):
        k = rng.integers(len(x), size=128)
        feeds = {"x": x[k], "target": np.eye(10, dtype=np.float32)[data.train_y[k]], **net.drawn(rng, 128)}
        chip.run(training_step(chip, net, feeds, 1.0))
    reached = float(np.mean(chip.run(inference(chip, net, test_x)).argmax(axis=1) == data.test_y))
    assert least <= reached <= most
