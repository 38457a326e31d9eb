"""Networks and layers: shapes, the start, and gradients through the verbs of a chip that only computes."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

import numpy as np
import pytest

from archsim.base.signal import PHASES, Signal, Tag
from archsim.base.streams import Streams
from archsim.learning import layers
from archsim.learning.maths import OPS
from archsim.learning.network import Dense, Network


def network(*activations: str, sizes: tuple[int, ...] = (6, 5, 4, 3)) -> Network:
    return Network(
        tuple(
            Dense(f"l{k}", n, m, activation)
            for k, (n, m, activation) in enumerate(zip(sizes, sizes[1:], activations, strict=False))
        ),
        0.7,
    )


class PlainChip:
    """Chip without time: exact products, and a record of what it was asked."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights, self.asked = weights, list[tuple[str, Tag]]()

    def multiply(self, layer: str, x: Signal, tag: Tag) -> Generator[Any, Any, Signal]:
        self.asked.append(("multiply", tag))
        yield "an event"
        return Signal((x.values @ self.weights[layer]).astype(np.float32))

    def multiply_transposed(self, layer: str, d: Signal, tag: Tag) -> Generator[Any, Any, Signal]:
        self.asked.append(("multiply_transposed", tag))
        yield "an event"
        return Signal((d.values @ self.weights[layer].T).astype(np.float32))

    def elementwise(self, op: str, signals: Iterable[Signal], tag: Tag) -> Generator[Any, Any, Signal]:
        self.asked.append((op, tag))
        yield "an event"
        return Signal(OPS[op](*(signal.values for signal in signals)))


def run(work: Generator[Any, Any, Any]) -> Any:
    """Let work go through its events and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            return done.value


def traces(net: Network, chip: PlainChip, x: np.ndarray) -> list[layers.Trace]:
    found, signal = [], Signal(x)
    for layer in net.layers:
        found.append(run(layers.forward(layer, chip, signal, "forward")))  # type: ignore[arg-type]
        signal = found[-1].y
    return found


@pytest.mark.parametrize("activations", [("sigmoid", "sigmoid", "sigmoid"), ("relu", "sigmoid", "linear"), ("linear", "relu", "sigmoid")])  # fmt: skip
def test_the_gradient_through_all_layers_is_the_slope_of_the_loss(activations: tuple[str, ...]) -> None:
    """Of every weight and bias, by central differences in float64: x_i d_j is minus the slope of the squared error."""
    net = network(*activations)
    chip = PlainChip(net.initial_weights(Streams(3)))
    rng = np.random.default_rng(0)
    x, target = rng.uniform(0, 1, (2, 6)).astype(np.float32), rng.uniform(0, 1, (2, 3)).astype(np.float32)
    passed = traces(net, chip, x)
    d = run(layers.error(net.layers[-1], chip, passed[-1], Signal(target)))  # type: ignore[arg-type]
    directions = [d]
    for k in (2, 1):
        d = run(layers.backward(net.layers[k], net.layers[k - 1], chip, d, passed[k - 1]))  # type: ignore[arg-type]
        directions.insert(0, d)
    exact = {name: w.astype(float) for name, w in chip.weights.items()}
    plain = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(z, 0), "linear": lambda z: z}

    def loss() -> float:
        y = x.astype(float)
        for layer in net.layers:
            y = plain[layer.activation](np.hstack([y, np.ones((2, 1))]) @ exact[layer.name])
        return float(np.sum((target - y) ** 2) / 2)

    for layer, trace, direction in zip(net.layers, passed, directions, strict=True):
        descent = trace.x.values.T @ direction.values
        w = exact[layer.name]
        for place in np.ndindex(w.shape):
            kept, h = w[place], 1e-5
            w[place] = kept + h
            up = loss()
            w[place] = kept - h
            down = loss()
            w[place] = kept
            assert descent[place] == pytest.approx(-(up - down) / (2 * h), abs=2e-5)


def test_a_forward_pass_asks_product_then_activation_in_its_phase() -> None:
    net = network("relu", "sigmoid", sizes=(6, 5, 4))
    chip = PlainChip(net.initial_weights(Streams(1)))
    run(layers.forward(net.layers[0], chip, Signal(np.ones((1, 6), np.float32)), "evaluation"))  # type: ignore[arg-type]
    assert chip.asked == [("multiply", Tag("evaluation", "l0")), ("relu", Tag("evaluation", "l0"))]


def test_a_backward_step_books_the_product_above_and_the_derivative_below() -> None:
    net = network("relu", "sigmoid", sizes=(6, 5, 4))
    chip = PlainChip(net.initial_weights(Streams(1)))
    passed = traces(net, chip, np.ones((1, 6), np.float32))
    chip.asked.clear()
    d = Signal(np.ones((1, 4), np.float32))
    result = run(layers.backward(net.layers[1], net.layers[0], chip, d, passed[0]))  # type: ignore[arg-type]
    assert chip.asked == [("multiply_transposed", Tag("backward", "l1")), ("relu-derivative", Tag("backward", "l0"))]
    assert result.values.shape == (1, 5), "the bias has no layer below"


def test_the_trace_keeps_the_input_with_its_bias() -> None:
    net = network("linear", sizes=(2, 3))
    chip = PlainChip({"l0": np.zeros((3, 3), np.float32)})
    trace = traces(net, chip, np.array([[0.5, 0.25]], np.float32))[0]
    assert trace.x.values.tolist() == [[0.5, 0.25, 1.0]]


def test_the_bias_is_a_last_column_of_ones() -> None:
    extended = layers.with_bias(np.arange(6, dtype=np.float32).reshape(2, 3))
    assert extended.tolist() == [[0, 1, 2, 1], [3, 4, 5, 1]]
    assert extended.dtype == np.float32
    assert layers.with_bias(np.empty((2, 0), np.float32)).tolist() == [[1], [1]]


def test_shapes_and_counts_include_the_bias() -> None:
    net = Network((Dense("fc1", 784, 250, "sigmoid"), Dense("fc2", 250, 10, "sigmoid")), 0.1)
    assert [layer.shape for layer in net.layers] == [(785, 250), (251, 10)]
    assert net.weights == sum(layer.weights for layer in net.layers) == 198_760
    assert (net.inputs, net.outputs) == (784, 10)
    assert net.layers[0].tags == {phase: Tag(phase, "fc1") for phase in PHASES}


def test_the_start_depends_on_the_seed_and_on_each_layers_name_and_nothing_else() -> None:
    net = network("sigmoid", "sigmoid", "sigmoid")
    first, again = net.initial_weights(Streams(1)), net.initial_weights(Streams(1))
    assert all((first[layer.name] == again[layer.name]).all() for layer in net.layers)
    alone = Network((net.layers[1],), 0.7).initial_weights(Streams(1))
    assert (alone["l1"] == first["l1"]).all()
    other = net.initial_weights(Streams(2))
    assert all((first[name] != other[name]).any() for name in first)
    assert {name: w.shape for name, w in first.items()} == {layer.name: layer.shape for layer in net.layers}
    assert all(w.dtype == np.float32 for w in first.values())


def test_initial_weights_have_the_stated_spread() -> None:
    """200,000 weights: spread and mean within five standard errors: false-alarm rate below 2e-6."""
    w = Network((Dense("a", 399, 500, "sigmoid"),), 0.05).initial_weights(Streams(1))["a"].astype(float)
    assert w.std() == pytest.approx(0.05, rel=5 / np.sqrt(2 * w.size))
    assert abs(w.mean()) < 5 * 0.05 / np.sqrt(w.size)
