"""Every kind of layer: its gradient is the slope of the loss, and every chip trains it a step."""

from __future__ import annotations

from typing import Any

import image_kit as images
import numpy as np
import pytest
import sequence_kit as sequences
from network_kit import chain, dense, roomy

from archsim.base import registry
from archsim.base.files import shipped_names
from archsim.chips.execute import inference, training_step
from archsim.learning.losses import value as loss_value
from archsim.networks.graph import Product
from archsim.networks.network import Network

SAMPLES = 3
NETWORKS: dict[str, dict[str, Any]] = {
    "sigmoid": {"inputs": 6, "layers": [dense("a", 5, "sigmoid"), dense("b", 4, "sigmoid"), dense("c", 3, "sigmoid")]},
    "relu": {"inputs": 6, "layers": [dense("a", 5, "relu"), dense("b", 3, "linear", bias=False)]},
    "tanh": {"inputs": 6, "layers": [dense("a", 5, "tanh"), dense("b", 3, "sigmoid")]},
    "softmax": {"inputs": 6, "loss": "cross-entropy", "layers": [dense("a", 5, "tanh"), dense("b", 3, "softmax")]},
    "softmax-inside": {"inputs": 6, "layers": [dense("a", 5, "softmax"), dense("b", 3, "sigmoid")]},
    "binary": {
        "inputs": 6,
        "loss": "binary-cross-entropy",
        "layers": [dense("a", 5, "tanh"), dense("b", 3, "sigmoid")],
    },
    **images.NETWORKS,
    **sequences.NETWORKS,
}
"""Name -> a small network; whoever adds a kind of layer adds one with it. `codes`: inputs are whole numbers below;
`kinks`: too many ReLUs near zero for differences; the gradient is held against PyTorch's (tests/unit/networks).
"""


VARIANTS = {
    "mixed-precision": ("mixed-precision-deep", "mixed-precision-large", "mixed-precision-one-bank"),
    "digital32": ("digital32-deep", "digital32-large", "digital32-strong"),
    "digital-bf16": ("digital-fp8",),
    "in-array": ("in-array-sgd", "in-array-sgd-deep", "in-array-pcm"),
    "agad": ("tiki-taka", "chopped-tiki-taka"),
    "multi-pcm": ("multi-device",),
}
"""Chips that have the parts of another in other numbers or sizes: each tried with a network by default, all in `long`."""
SIZED = {name for others in VARIANTS.values() for name in others}
CHIPS = [
    pytest.param(name, marks=pytest.mark.long) if name in SIZED else name for name in shipped_names("architectures")
]


def network(name: str) -> Network:
    told = {key: value for key, value in NETWORKS[name].items() if key not in ("codes", "kinks")}
    return chain(told.pop("inputs"), *told.pop("layers"), std=0.7, **told)


def batch(net: Network, name: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = net.graph.tensors["target"].shape
    classes = rng.integers(0, shape[-1], (SAMPLES * int(np.prod(shape[:-1]))))
    x = rng.uniform(0, NETWORKS[name].get("codes", 1), (SAMPLES, net.inputs))
    return {
        "x": (np.floor(x) if "codes" in NETWORKS[name] else x).astype(np.float32),
        "target": np.eye(shape[-1], dtype=np.float32)[classes].reshape(SAMPLES, -1),
        **net.drawn(rng, SAMPLES),
    }


def value(made: Any, net: Network, loss: str, feeds: dict[str, np.ndarray]) -> float:
    """Return the loss of a batch, summed over samples, as a step sees it that moves no weight."""
    output = made.run(training_step(made, net, feeds, 0.0))
    return loss_value(loss, output.astype(float), feeds["target"].reshape(output.shape)) * SAMPLES


def test_every_kind_of_layer_is_in_a_network_here() -> None:
    tried = {layer["kind"] for told in NETWORKS.values() for layer in told["layers"]}
    assert set(registry.names("layer")) == tried


@pytest.mark.parametrize("name", [name for name, told in NETWORKS.items() if "kinks" not in told])
def test_what_is_learnt_is_the_slope_of_the_loss(name: str) -> None:
    """Of every matrix and parameter, along random directions, by central differences on the 32-bit chip."""
    net, loss = network(name), NETWORKS[name].get("loss", "squared")
    feeds = batch(net, name)
    made: Any = roomy("digital32", net, SAMPLES)
    learns = {**made.weights, **made.parameters}
    before = {key: array.copy() for key, array in learns.items()}
    made.run(training_step(made, net, feeds, SAMPLES))
    descent = {key: array - before[key] for key, array in learns.items()}
    rng = np.random.default_rng(1)
    for key, array in learns.items():
        if key in net.graph.tracks:
            continue
        for _ in range(3):
            way = rng.standard_normal(array.shape).astype(np.float32)
            sums = []
            for h in (0.01, -0.01):
                for other, start in before.items():
                    learns[other][...] = start
                array[...] += np.float32(h) * way
                sums.append(value(made, net, loss, feeds))
            slope = (sums[0] - sums[1]) / 0.02
            assert float((descent[key] * way).sum()) == pytest.approx(-slope, rel=5e-3, abs=2e-3), key


@pytest.mark.parametrize("name", NETWORKS)
def test_inference_gives_what_training_does_unless_a_layer_says_otherwise(name: str) -> None:
    net = network(name)
    feeds, made = batch(net, name), roomy("digital32", net, SAMPLES)
    given = made.run(inference(made, net, feeds["x"]))
    trained = made.run(training_step(made, net, feeds, 0.0))
    assert (given == trained).all() == all(node.inference is None for node in net.graph.nodes)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("architecture", CHIPS)
def test_every_chip_trains_it_a_step_and_books_each_layer(architecture: str, name: str) -> None:
    trains_a_step(architecture, name)


@pytest.mark.parametrize("architecture", sorted(SIZED))
def test_a_chip_of_other_sizes_trains_convolutions_and_an_lstm(architecture: str) -> None:
    for name in ("conv2d", "lstm"):
        trains_a_step(architecture, name)


def trains_a_step(architecture: str, name: str) -> None:
    net = network(name)
    made = roomy(architecture, net, SAMPLES)
    outputs = made.run(training_step(made, net, batch(net, name), 0.1))
    assert np.isfinite(outputs).all()
    booked = {(row.phase, row.layer) for row in made.ledger.rows()}
    for node in net.graph.nodes:
        if isinstance(node.what, Product):
            assert {("forward", node.layer), ("update", node.layer)} <= booked
    assert all(np.isfinite(array).all() for array in made.arrays().values() if array.dtype.kind == "f")


@pytest.mark.parametrize("name", NETWORKS)
def test_every_tensor_is_written_before_it_is_read_and_dropped_at_its_last_use(name: str) -> None:
    for program in network(name).programs:
        written = {number for _, number in (*program.feeds, *program.parameters)}
        dropped: set[int] = set()
        for call in program.calls:
            assert set(call.inputs) <= written - dropped
            dropped.update(call.last)
            written.add(call.output)
        unread = {number for _, number in (*program.results, *program.feeds)}
        assert written - dropped - {-1} <= unread, "what nobody reads is not computed"
