"""Networks: shapes, the start, and what a program says, drops and keeps alive."""

from __future__ import annotations

import numpy as np
import pytest
from network_kit import chain, dense

from archsim.base.streams import Streams
from archsim.learning.functions import Function
from archsim.networks.file import NetworkFile
from archsim.networks.network import Network

PERCEPTRON = (dense("fc1", 250, "sigmoid"), dense("fc2", 10, "sigmoid"))


def three(std: float = 0.7) -> Network:
    layers = [dense(f"l{k}", units, "sigmoid") for k, units in enumerate((5, 4, 3))]
    return chain(6, *layers, std=std)


def test_shapes_and_counts_include_the_bias() -> None:
    net = chain(784, *PERCEPTRON, std=0.1)
    assert net.shapes == {"fc1": (785, 250), "fc2": (251, 10)}
    assert net.weights == 198_760
    assert (net.inputs, net.outputs) == (784, 10)
    assert net.graph.macs() == {"fc1": 785 * 250, "fc2": 251 * 10}
    assert chain(4, dense("a", 3, "sigmoid", bias=False), std=1).shapes == {"a": (4, 3)}


def test_the_start_depends_on_the_seed_and_on_each_layers_name_and_nothing_else() -> None:
    net = three()
    first, again = net.initial_weights(Streams(1)), net.initial_weights(Streams(1))
    assert all((first[name] == again[name]).all() for name in net.shapes)
    alone = chain(5, dense("l1", 4, "relu"), std=0.7).initial_weights(Streams(1))
    assert (alone["l1"] == first["l1"]).all()
    other = net.initial_weights(Streams(2))
    assert all((first[name] != other[name]).any() for name in first)
    assert {name: w.shape for name, w in first.items()} == net.shapes
    assert all(w.dtype == np.float32 for w in first.values())


def test_initial_weights_have_the_stated_spread_of_the_network_or_of_the_layer() -> None:
    """200,000 weights: spread and mean within five standard errors: false-alarm rate below 2e-6."""
    layers = dense("a", 500, "sigmoid"), dense("b", 400, "sigmoid", initial_std=0.2)
    for (name, std), w in zip({"a": 0.05, "b": 0.2}.items(), chain(399, *layers, std=0.05).initial_weights(Streams(1)).values(), strict=True):  # fmt: skip
        assert w.astype(float).std() == pytest.approx(std, rel=5 / np.sqrt(2 * w.size)), name
        assert abs(w.astype(float).mean()) < 5 * std / np.sqrt(w.size), name


def test_a_training_step_is_the_calls_of_backpropagation_in_order() -> None:
    net = chain(784, *PERCEPTRON, std=0.1)
    said = [
        (phase, call.layer, call.verb)
        for phase, calls in net.training[0].phases
        for call in calls
        if not (isinstance(call.target, Function) and call.target.cost.free)
    ]
    assert said == [
        ("forward", "fc1", "receive"), ("forward", "fc1", "multiply"), ("forward", "fc1", "compute"),
        ("forward", "fc2", "multiply"), ("forward", "fc2", "compute"), ("backward", "fc2", "compute"),
        ("backward", "fc2", "multiply_transposed"), ("backward", "fc1", "compute"), ("update", "fc2", "accumulate"),
        ("update", "fc2", "apply"), ("update", "fc1", "accumulate"), ("update", "fc1", "apply"),
        ("refresh", "fc1", "maintain"), ("refresh", "fc2", "maintain"),
    ]  # fmt: skip
    assert [call.verb for call in net.inference.calls if call.verb != "compute"] == ["receive", "multiply", "multiply"]


def test_the_buffer_holds_what_is_alive_at_once() -> None:
    """When the error reaches the first layer: input, hidden results, both errors, what came back, the output."""
    net = chain(784, *PERCEPTRON, std=0.1)
    assert net.training[0].words_alive() == 784 + 250 + 10 + 251 + 250 + 10


def test_a_program_has_a_digest_that_any_change_of_the_network_changes() -> None:
    digests = {
        chain(6, *layers, std=0.1).training[0].sha256
        for layers in ([dense("a", 3, "sigmoid")], [dense("a", 4, "sigmoid")], [dense("a", 3, "relu")], [dense("b", 3, "relu")])
    }  # fmt: skip
    assert len(digests) == 4
    assert three(0.1).training[0].sha256 == three(0.2).training[0].sha256, "weights are no part of the order of work"


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([dense("a", 3, "sigmoid"), dense("a", 3, "sigmoid")], "a layer is named 'a'; expected a name that nothing else has"),
        ([dense("chip", 3, "sigmoid")], "named 'chip'"),
        ([dense("a", 3, "sigmoid", of=["b"])], "a takes 'b', which no layer gives; expected one of x"),
        ([dense("a", 3, "sigmoid", of=["x", "x"])], "takes 2 results; expected 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(layers: list[dict[str, object]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chain(4, *layers, std=0.1)


def test_a_loss_that_cannot_follow_the_last_activation_is_refused() -> None:
    with pytest.raises(
        ValueError, match="the loss cross-entropy of the result of a, after 'sigmoid'; expected it after softmax"
    ):
        chain(4, dense("a", 3, "sigmoid"), std=0.1, loss="cross-entropy")


def test_parts_of_blocks_are_booked_by_their_own_kinds() -> None:
    layers = [
        {"name": "a", "kind": "conv-norm", "units": 4, "window": 1, "activation": "relu"},
        {"name": "b", "kind": "residual-block", "units": 4, "stride": 2},
        {"name": "c", "kind": "inverted-residual", "units": 4},
        {"name": "d", "kind": "conv-norm", "window": 1, "activation": "relu6"},
    ]
    told = NetworkFile.model_validate({"inputs": [4, 4, 2], "initial_std": 1, "layers": layers})
    kinds = {name: layer.kind_of(name) for name in dict.fromkeys(node.layer for node in told.build().graph.nodes)
             for layer in told.layers if name.partition("-")[0] == layer.name}  # fmt: skip
    assert kinds == {
        "a": "conv2d", "a-norm": "batch-norm", "b-1": "conv2d", "b-1-norm": "batch-norm", "b-2": "conv2d",
        "b-2-norm": "batch-norm", "b-past": "conv2d", "b-past-norm": "batch-norm", "b": "add", "c-expand": "conv2d",
        "c-expand-norm": "batch-norm", "c-depth": "depthwise", "c-depth-norm": "batch-norm", "c-project": "conv2d",
        "c-project-norm": "batch-norm", "c": "add", "d": "depthwise", "d-norm": "batch-norm",
    }  # fmt: skip
