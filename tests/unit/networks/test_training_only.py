"""What is done in training and otherwise in inference: dropout, and the running moments of a batch norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_kit import chain, dense, roomy

from archsim.base.errors import ModelError
from archsim.chips.execute import inference, training_step
from archsim.networks.network import Network

DROPOUT = (dense("a", 5, "tanh"), {"name": "d", "kind": "dropout", "rate": 0.5}, dense("b", 2, "linear"))
NORM = (dense("a", 5, "tanh"), {"name": "n", "kind": "batch-norm", "momentum": 0.25}, dense("b", 2, "linear"))
CHIPS = ["digital32", "mixed-precision"]


def feeds(net: Network, samples: int = 4, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    drawn = net.drawn(rng, samples)
    x = {name: rng.normal(size=(samples, net.graph.tensors[name].words)).astype(np.float32) for name in ("x", "target")}
    return {**x, **drawn}


def test_inference_neither_drops_nor_asks_for_seeds() -> None:
    net = chain(3, *DROPOUT, std=1.0)
    assert [name for name, _ in net.inference.feeds] == ["x"]
    assert "dropout" in net.training[0].text()
    assert "dropout" not in net.inference.text()
    assert [name for name, _ in net.training[0].feeds] == ["x", "seeds", "target"]


def test_seeds_come_from_the_stream_that_is_handed_in_and_only_where_they_are_read() -> None:
    net = chain(3, *DROPOUT, std=1.0)
    first, again = (net.drawn(np.random.default_rng(1), 1000)["seeds"] for _ in range(2))
    assert (first == again).all()
    assert first.shape == (1000, 2)
    assert (first == np.floor(first)).all()
    assert 2**23 < first.max() < 2**24
    assert not chain(3, *NORM, std=1.0).drawn(np.random.default_rng(1), 4)


def test_all_chips_drop_the_same_elements() -> None:
    """The bias of the last layer apart, a hidden element that is dropped learns nothing: the same on both chips."""
    net = chain(3, *DROPOUT, std=1.0)
    given = feeds(net, 1)
    learnt = []
    made: Any
    for name in CHIPS:
        made = roomy(name, net, 1)
        arrays = made.weights if name == "digital32" else {"b": made.state["b"].accumulator.chi.T}
        before = arrays["b"].copy()
        made.run(training_step(made, net, given, 1e-3))
        learnt.append((arrays["b"] != before).any(axis=1)[:-1])
    assert (learnt[0] == learnt[1]).all()
    assert 0 < learnt[0].sum() < 5


@pytest.mark.parametrize("name", CHIPS)
def test_running_moments_go_a_part_of_the_way_to_those_of_each_batch_at_any_rate(name: str) -> None:
    net = chain(3, *NORM, std=1.0)
    made = roomy(name, net, 4)
    running = np.array([[0.0, 1.0]] * 5)
    for seed in range(3):
        made.run(training_step(made, net, feeds(net, seed=seed), 0.0))
        moments = running + (made.parameters["n.running"] - running) / 0.25
        running = made.parameters["n.running"].astype(float)
        assert (moments[:, 1] > 0).all()
    assert (np.abs(running[:, 0]) > 1e-3).all()
    assert (running[:, 1] < 0.75).all(), "tanh has variances below 1, and three steps go more than half the way there"
    assert net.parameter_words == 5 * 2 + 5 + 5


def test_running_moments_are_pytorchs_after_one_batch() -> None:
    net = chain(3, *NORM, std=1.0)
    made: Any = roomy("digital32", net, 4)
    given = feeds(net)
    a = np.tanh(np.c_[given["x"], np.ones(4)].astype(float) @ made.weights["a"])
    made.run(training_step(made, net, given, 0.1))
    assert made.parameters["n.running"][:, 0] == pytest.approx(0.25 * a.mean(axis=0), abs=1e-6)
    assert made.parameters["n.running"][:, 1] == pytest.approx(0.75 + 0.25 * a.var(axis=0, ddof=1), abs=1e-6)


def test_inference_normalises_by_running_moments_each_sample_alone() -> None:
    net = chain(3, *NORM, std=1.0)
    made: Any = roomy("digital32", net, 4)
    made.run(training_step(made, net, feeds(net), 0.1))
    x = feeds(net, seed=5)["x"]
    together = made.run(inference(made, net, x))
    alone = [made.run(inference(made, net, one[None]))[0] for one in x]
    assert together == pytest.approx(np.array(alone), abs=1e-6)


def test_a_batch_of_one_vector_is_refused_where_it_is_trained_on() -> None:
    net = chain(3, *NORM, std=1.0)
    made = roomy("digital32", net, 1)
    with pytest.raises(ModelError, match="a batch of one sample and one position has no variance"):
        made.run(training_step(made, net, feeds(net, 1), 0.1))


def test_running_moments_learn_nothing() -> None:
    net = chain(3, *NORM, std=1.0)
    rates = {call.target: (call.alone, call.rate) for call in net.training[0].calls if call.verb == "adjust"}
    assert rates == {"n.gain": (False, 1.0), "n.offset": (False, 1.0), "n.running": (True, 0.25)}
