"""Every kind of layer: its gradient is the slope of the loss, and every chip trains it a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sequence_kit as sequences
from network_kit import chain, conv, dense, roomy

from archsim.base.files import shipped_names
from archsim.chips.execute import inference, training_step
from archsim.learning.losses import VALUES
from archsim.networks.graph import Product
from archsim.networks.network import Network

SAMPLES = 3
NETWORKS: dict[str, dict[str, Any]] = {
    "sigmoid": {"inputs": 6, "layers": [dense("a", 5, "sigmoid"), dense("b", 4, "sigmoid"), dense("c", 3, "sigmoid")]},
    "relu": {"inputs": 6, "layers": [dense("a", 5, "relu"), dense("b", 3, "linear", bias=False)]},
    "tanh": {"inputs": 6, "layers": [dense("a", 5, "tanh"), dense("b", 3, "sigmoid")]},
    "softmax": {"inputs": 6, "loss": "cross-entropy", "layers": [dense("a", 5, "tanh"), dense("b", 3, "softmax")]},
    "conv2d": {
        "inputs": [5, 5, 2],
        "layers": [
            conv("a", 3, 3),
            conv("b", 2, [2, 1], stride=2),
            {"name": "c", "kind": "flatten"},
            dense("d", 3, "sigmoid"),
        ],
    },
    "conv2d-padded": {
        "inputs": [4, 5, 2],
        "layers": [conv("a", 3, 3, padding=1, dilation=2), conv("b", 2, 1, bias=False)],
    },
    "conv2d-groups": {
        "inputs": [4, 4, 4],
        "layers": [conv("a", 6, 2, groups=2), conv("b", 6, 2, groups=6, bias=False)],
    },
    "max-pool": {
        "inputs": [5, 5, 2],
        "layers": [conv("a", 3, 2), {"name": "b", "kind": "max-pool", "window": 2}, conv("c", 2, 1)],
    },
    "max-pool-overlapping": {
        "inputs": [4, 4, 2],
        "layers": [conv("a", 3, 1), {"name": "b", "kind": "max-pool", "window": 3, "stride": 1, "padding": 1}],
    },
    "average-pool": {
        "inputs": [4, 4, 2],
        "layers": [conv("a", 3, 1), {"name": "b", "kind": "average-pool", "window": 2}],
    },
    "average-pool-overlapping": {
        "inputs": [4, 4, 2],
        "layers": [conv("a", 3, 1), {"name": "b", "kind": "average-pool", "window": 3, "stride": 2, "padding": 1}],
    },
    "global-average": {
        "inputs": [3, 3, 2],
        "layers": [conv("a", 3, 1), {"name": "b", "kind": "global-average"}, dense("c", 2, "linear")],
    },
    "upsample": {
        "inputs": [2, 2, 2],
        "layers": [conv("a", 3, 1), {"name": "b", "kind": "upsample", "factor": 2}, conv("c", 2, 2)],
    },
    "leaky-relu": {"inputs": 6, "layers": [dense("a", 5, "leaky-relu", slope=0.3), dense("b", 3, "linear")]},
    "gelu": {"inputs": 6, "layers": [dense("a", 5, "gelu"), dense("b", 3, "gelu")]},
    "activation": {
        "inputs": 6,
        "layers": [
            dense("a", 5, "linear"),
            {"name": "b", "kind": "activation", "activation": "tanh"},
            dense("c", 3, "linear"),
        ],
    },
    "residual": {
        "inputs": 6,
        "layers": [
            dense("a", 5, "tanh"),
            dense("b", 5, "tanh"),
            {"name": "c", "kind": "add", "of": ["a", "b", "a"]},
            dense("d", 3, "linear"),
        ],
    },
    "multiply": {
        "inputs": 6,
        "layers": [
            dense("a", 5, "tanh"),
            dense("b", 5, "tanh", of=["x"]),
            dense("c", 5, "sigmoid"),
            {"name": "d", "kind": "multiply", "of": ["a", "b", "c"]},
            dense("e", 3, "linear"),
        ],
    },
    "softmax-inside": {"inputs": 6, "layers": [dense("a", 5, "softmax"), dense("b", 3, "sigmoid")]},
    "binary": {
        "inputs": 6,
        "loss": "binary-cross-entropy",
        "layers": [dense("a", 5, "tanh"), dense("b", 3, "sigmoid")],
    },
    **sequences.NETWORKS,
}
"""Name -> a small network; whoever adds a kind of layer adds one with it. `codes`: inputs are whole numbers below."""


def network(name: str) -> Network:
    told = {key: value for key, value in NETWORKS[name].items() if key != "codes"}
    return chain(told.pop("inputs"), *told.pop("layers"), std=0.7, **told)


def batch(net: Network, name: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = net.graph.tensors["target"].shape
    classes = rng.integers(0, shape[-1], (SAMPLES * int(np.prod(shape[:-1]))))
    x = rng.uniform(0, NETWORKS[name].get("codes", 1), (SAMPLES, net.inputs))
    return {
        "x": (np.floor(x) if "codes" in NETWORKS[name] else x).astype(np.float32),
        "target": np.eye(shape[-1], dtype=np.float32)[classes].reshape(SAMPLES, -1),
    }


def value(made: Any, net: Network, loss: str, feeds: dict[str, np.ndarray]) -> float:
    """Return the loss of a batch, summed over samples."""
    output = made.run(inference(made, net, feeds["x"]))
    return VALUES[loss](output.astype(float), feeds["target"].reshape(output.shape)) * SAMPLES


@pytest.mark.parametrize("name", NETWORKS)
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
@pytest.mark.parametrize("architecture", shipped_names("architectures"))
def test_every_chip_trains_it_a_step_and_books_each_layer(architecture: str, name: str) -> None:
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
    for program in (network(name).training, network(name).inference):
        written = {number for _, number in (*program.feeds, *program.parameters)}
        dropped: set[int] = set()
        for call in program.calls:
            assert set(call.inputs) <= written - dropped
            dropped.update(call.last)
            written.add(call.output)
        unread = {number for _, number in (*program.results, *program.feeds)}
        assert written - dropped - {-1} <= unread, "what nobody reads is not computed"
