"""Learning rules against references in NumPy, on the 32-bit chip; what their programs ask, and what they refuse."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from network_kit import chain, conv, dense, roomy
from numpy.typing import NDArray

from archsim.base import registry
from archsim.base.arrays import F32
from archsim.base.errors import ModelError
from archsim.chips.execute import training_step
from archsim.learning.perturbations import signs
from archsim.networks.network import Network

RULES = registry.names("rule")
SAMPLES, RATE = 3, 0.5
F64 = NDArray[np.float64]
PERCEPTRON = (6, (dense("a", 5, "sigmoid"), dense("b", 4, "sigmoid"), dense("c", 3, "sigmoid")))


def perceptron(rule: Any, **more: Any) -> Network:
    inputs, layers = PERCEPTRON
    return chain(inputs, *layers, std=0.7, learning=rule, **more)


def batch(net: Network) -> dict[str, F32]:
    rng = np.random.default_rng(0)
    shape = net.graph.tensors["target"].shape
    classes = rng.integers(0, shape[-1], SAMPLES)
    return {
        "x": rng.random((SAMPLES, net.inputs), dtype=np.float32),
        "target": np.eye(shape[-1], dtype=np.float32)[classes],
        **net.drawn(rng, SAMPLES),
    }


def learnt(net: Network, feeds: dict[str, F32]) -> tuple[dict[str, F64], dict[str, F64]]:
    """Return the weights before a step and what it added to them, by matrix."""
    made: Any = roomy("digital32", net, SAMPLES)
    before = {name: weight.astype(float) for name, weight in made.weights.items()}
    made.run(training_step(made, net, feeds, RATE))
    return before, {name: made.weights[name] - weight for name, weight in before.items()}


def sigmoid(z: F64) -> F64:
    return 1 / (1 + np.exp(-z))


def one(x: F64) -> F64:
    return np.column_stack([x, np.ones(len(x))])


def passes(w: dict[str, F64], x: F64, noise: dict[str, F64] | None = None) -> list[F64]:
    """Return the input and the results of the three layers, each before it is given a 1."""
    found = [x]
    for name in "abc":
        found.append(sigmoid(one(found[-1]) @ w[name] + (noise[name] if noise else 0)))
    return found


def error(h: F64, target: F64) -> F64:
    return (target - h) * h * (1 - h)


def updates(hs: list[F64], ds: list[F64]) -> dict[str, F64]:
    return {name: RATE * one(h).T @ d / SAMPLES for name, h, d in zip("abc", hs, ds, strict=False)}


def chained(w: dict[str, F64], feeds: dict[str, F64], back: dict[str, F64]) -> dict[str, F64]:
    """Return what layers learn if errors pass those of `back`, in the place of transposed weights."""
    hs = passes(w, feeds["x"])
    ds = [error(hs[3], feeds["target"])]
    for name, h in (("c", hs[2]), ("b", hs[1])):
        ds.insert(0, (ds[0] @ back[name])[:, :-1] * h * (1 - h))
    return updates(hs, ds)


def direct(w: dict[str, F64], feeds: dict[str, F64]) -> dict[str, F64]:
    hs = passes(w, feeds["x"])
    e = error(hs[3], feeds["target"])
    return updates(hs, [*(e @ w[f"{n}-feedback"] * h * (1 - h) for n, h in (("a", hs[1]), ("b", hs[2]))), e])


def local(w: dict[str, F64], feeds: dict[str, F64]) -> dict[str, F64]:
    hs = passes(w, feeds["x"])
    ds = []
    for name, h in (("a", hs[1]), ("b", hs[2])):
        own = w[f"{name}-classifier"]
        ds.append(error(sigmoid(h @ own), feeds["target"]) @ own.T * h * (1 - h))
    return updates(hs, [*ds, error(hs[3], feeds["target"])])


def signs_of(feeds: dict[str, F64], label: str, size: int) -> F64:
    """Return the signs of a label: the top bits of SplitMix64, taken here from its definition."""
    key = int.from_bytes(hashlib.sha256(label.encode()).digest()[:8], "little")
    found = np.empty((SAMPLES, size))
    for s, (first, second) in enumerate(feeds["seeds"].astype(int).tolist()):
        for i in range(size):
            z = (((first << 24 | second) ^ key) + (i + 1) * 0x9E3779B97F4A7C15) % 2**64
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
            found[s, i] = 1 if (z ^ (z >> 31)) >> 63 else -1
    return found


def lost(h: F64, target: F64) -> F64:
    return np.sum((target - h) ** 2, axis=1, keepdims=True) / 2


def by_nodes(w: dict[str, F64], feeds: dict[str, F64], spread: float) -> dict[str, F64]:
    drawn = {name: signs_of(feeds, name, w[name].shape[1]) for name in "abc"}
    hs = passes(w, feeds["x"])
    other = passes(w, feeds["x"], {name: spread * each for name, each in drawn.items()})
    fall = (lost(hs[3], feeds["target"]) - lost(other[3], feeds["target"])) / spread
    return updates(hs, [fall * drawn[name] for name in "abc"])


def by_weights(w: dict[str, F64], feeds: dict[str, F64], spread: float) -> dict[str, F64]:
    """Return the reference with whole disturbed matrices, one a sample."""
    rows = {name: signs_of(feeds, f"{name} rows", w[name].shape[0]) for name in "abc"}
    columns = {name: signs_of(feeds, f"{name} columns", w[name].shape[1]) for name in "abc"}
    found = {name: np.zeros(w[name].shape) for name in "abc"}
    for s in range(SAMPLES):
        moved = {name: np.outer(rows[name][s], columns[name][s]) for name in "abc"}
        x, target = feeds["x"][s : s + 1], feeds["target"][s : s + 1]
        plain = passes(w, x)[3]
        other = passes({name: w[name] + spread * moved[name] for name in "abc"}, x)[3]
        for name in "abc":
            found[name] += RATE / SAMPLES * (lost(plain, target) - lost(other, target)) / spread * moved[name]
    return found


def reference(rule: str, w: dict[str, F64], feeds: dict[str, F64]) -> dict[str, F64]:
    if rule == "backpropagation":
        return chained(w, feeds, {name: w[name].T for name in "abc"})
    if rule == "feedback-alignment":
        return chained(w, feeds, {name: w[f"{name}-feedback"] for name in "bc"})
    if rule == "sign-symmetric":
        return chained(w, feeds, {name: 0.7 * np.sign(w[name].T) for name in "bc"})
    if rule == "direct-feedback-alignment":
        return direct(w, feeds)
    if rule == "local-losses":
        return local(w, feeds)
    return (by_nodes if rule == "node-perturbation" else by_weights)(w, feeds, 0.3)


@pytest.mark.parametrize("rule", RULES)
def test_a_step_of_a_perceptron_is_that_of_the_formulas(rule: str) -> None:
    told = {"kind": rule, "spread": 0.3} if rule.endswith("perturbation") else rule
    net = perceptron(told)
    feeds = batch(net)
    before, found = learnt(net, feeds)
    wanted = reference(rule, before, {name: each.astype(float) for name, each in feeds.items()})
    for name in "abc":
        assert np.abs(wanted[name]).max() > 1e-3
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-5, err_msg=name)
    assert all(not found[matrix.name].any() for matrix in net.fixed if matrix.role != "signs")


def test_feedback_alignment_of_convolutions_is_that_of_the_formulas() -> None:
    layers = (conv("one", 3, 2), conv("two", 2, 2), {"name": "flat", "kind": "flatten"}, dense("c", 2, "sigmoid"))
    net = chain([4, 4, 1], *layers, std=0.7, learning="feedback-alignment")
    feeds = batch(net)
    w, found = learnt(net, feeds)
    assert [matrix.name for matrix in net.fixed] == ["two-feedback", "c-feedback"]
    wanted = {name: np.zeros(w[name].shape) for name in ("one", "two", "c")}
    for x, target in zip(feeds["x"].astype(float), feeds["target"].astype(float), strict=True):
        image = x.reshape(4, 4, 1)
        h1, seen1 = _convolved(image, w["one"])
        h2, seen2 = _convolved(h1, w["two"])
        flat = one(h2.reshape(1, -1))
        d = error(sigmoid(flat @ w["c"]), target)
        d2 = (d @ w["c-feedback"])[:, :-1].reshape(h2.shape) * h2 * (1 - h2)
        d1 = np.zeros(h1.shape)
        for i, j in np.ndindex(2, 2):
            d1[i : i + 2, j : j + 2] += (d2[i, j] @ w["two-feedback"])[:-1].reshape(2, 2, -1)
        d1 *= h1 * (1 - h1)
        wanted["c"] += RATE / SAMPLES * flat.T @ d
        for name, seen, back in (("one", seen1, d1), ("two", seen2, d2)):
            wanted[name] += RATE / SAMPLES * seen.reshape(-1, seen.shape[-1]).T @ back.reshape(-1, back.shape[-1])
    for name, each in wanted.items():
        np.testing.assert_allclose(found[name], each, atol=1e-5, err_msg=name)


def _convolved(image: F64, w: F64) -> tuple[F64, F64]:
    """Return a convolution of 2x2 with a sigmoid, and what its windows saw."""
    n = image.shape[0] - 1
    seen = np.empty((n, n, w.shape[0]))
    for i, j in np.ndindex(n, n):
        seen[i, j] = [*image[i : i + 2, j : j + 2].reshape(-1), 1]
    return sigmoid(seen @ w), seen


def test_feedback_alignment_of_an_lstm_is_that_of_the_formulas() -> None:
    n, steps = 3, 3
    layers = ({"name": "in", "kind": "lstm", "units": n, "returns": "last"}, dense("head", 2, "sigmoid"))
    net = chain([steps, 4], *layers, std=0.7, learning="feedback-alignment")
    feeds = batch(net)
    w, found = learnt(net, feeds)
    target = feeds["target"].astype(float)
    h, c, kept = np.zeros((SAMPLES, n)), np.zeros((SAMPLES, n)), []
    for x in feeds["x"].astype(float).reshape(SAMPLES, steps, 4).transpose(1, 0, 2):
        taken = one(np.hstack([h, x]))
        z = taken @ w["in"]
        i, f, o, g = (sigmoid(z[:, k * n : k * n + n]) if k < 3 else np.tanh(z[:, 3 * n :]) for k in range(4))
        before, c = c, f * c + i * g
        h = o * np.tanh(c)
        kept.append((taken, i, f, o, g, before, c))
    d = error(sigmoid(one(h) @ w["head"]), target)
    wanted = {"head": RATE / SAMPLES * one(h).T @ d, "in": np.zeros(w["in"].shape)}
    dh, dc = (d @ w["head-feedback"])[:, :-1], np.zeros((SAMPLES, n))
    for taken, i, f, o, g, before, after in reversed(kept):
        do, dc = dh * np.tanh(after), dc + dh * o * (1 - np.tanh(after) ** 2)
        dz = np.hstack([dc * g * i * (1 - i), dc * before * f * (1 - f), do * o * (1 - o), dc * i * (1 - g**2)])
        wanted["in"] += RATE / SAMPLES * taken.T @ dz
        dh, dc = (dz @ w["in-feedback"])[:, :n], dc * f
    for name, each in wanted.items():
        np.testing.assert_allclose(found[name], each, atol=1e-5, err_msg=name)


def test_errors_pass_tied_weights_both_ways_through_one_random_matrix() -> None:
    layers = (
        dense("table", 4, "linear", bias=False),
        dense("mix", 4, "tanh"),
        {"name": "head", "kind": "tied", "matrix": "table", "activation": "sigmoid"},
    )
    net = chain(6, *layers, std=0.7, learning="feedback-alignment")
    verbs = {(call.verb, call.target) for call in net.training[0].calls if isinstance(call.target, str)}
    assert ("multiply_transposed", "table-feedback") in verbs
    assert net.graph.matrices["table-feedback"].shape == (4, 6)


@pytest.mark.parametrize("rule", RULES)
def test_products_of_a_step_are_those_that_the_rule_needs(rule: str) -> None:
    net = perceptron(rule)
    products = [(c.verb, str(c.target)) for c in net.training[0].calls if c.verb.startswith("multiply")]
    forward = [("multiply", name) for name in "abc"]
    wanted = {
        "backpropagation": [*forward, ("multiply_transposed", "c"), ("multiply_transposed", "b")],
        "feedback-alignment": [*forward, ("multiply", "c-feedback"), ("multiply", "b-feedback")],
        "sign-symmetric": [*forward, ("multiply", "c-signs"), ("multiply", "b-signs")],
        "direct-feedback-alignment": [*forward, ("multiply", "b-feedback"), ("multiply", "a-feedback")],
        "node-perturbation": forward * 2,
        "weight-perturbation": forward * 2,
        "local-losses": [
            *(pair for n in "ab" for pair in (("multiply", n), ("multiply", f"{n}-classifier"),
                                              ("multiply_transposed", f"{n}-classifier"))),
            ("multiply", "c"),
        ],
    }  # fmt: skip
    assert products == wanted[rule]


def test_local_losses_keep_no_signals_of_layers_that_have_learnt() -> None:
    """Of ten layers as of two; backpropagation keeps those of all ten."""

    def alive(rule: str, depth: int) -> int:
        layers = (dense(f"l{k}", 50, "sigmoid") for k in range(depth))
        return chain(50, *layers, std=0.1, learning=rule).training[0].words_alive()

    assert alive("local-losses", 10) == alive("local-losses", 3)
    assert alive("backpropagation", 10) > 4 * alive("local-losses", 10)


def test_weight_perturbation_keeps_no_inputs_for_the_update() -> None:
    [program] = perceptron("weight-perturbation").training
    made = {call.output: call for call in program.calls}
    taken = [made[number] for call in program.calls if call.verb == "accumulate" for number in call.inputs]
    assert {str(call.target).split(" ")[0] for call in taken} == {"signs", "blame"}


@pytest.mark.parametrize(
    ("rule", "layers", "said"),
    [
        ("direct-feedback-alignment", [{"name": "in", "kind": "lstm", "units": 3, "returns": "last"}], "of in, whose"),
        ("local-losses", [{"name": "in", "kind": "lstm", "units": 3, "returns": "last"}], "of in, whose"),
        ("node-perturbation", [dense("in", 3, "tanh")], "of in: expected dense layers"),
        ("weight-perturbation", [{"name": "norm", "kind": "layer-norm"}], "parameter in digital"),
    ],
)
def test_a_rule_refuses_by_name_what_it_is_not_defined_for(rule: str, layers: Any, said: str) -> None:
    flat = [] if "lstm" in str(layers) else [{"name": "flat", "kind": "flatten"}]
    with pytest.raises((ModelError, ValueError), match=said):
        chain([3, 4], *layers, *flat, dense("head", 2, "sigmoid"), std=0.5, learning=rule)


def test_direct_feedback_refuses_a_result_that_a_sum_reads_too() -> None:
    layers = [
        dense("a", 4, "tanh"), dense("b", 4, "tanh"), {"name": "sum", "kind": "add", "of": ["a", "b"]},
        dense("c", 2, "sigmoid"),
    ]  # fmt: skip
    with pytest.raises((ModelError, ValueError), match="of sum, which takes the result of a other than by a product"):
        chain(4, *layers, std=0.5, learning="direct-feedback-alignment")


def test_signs_are_white_and_the_same_again() -> None:
    """Of 4,000 samples: means of signs and of products of two within 5 deviations (6e-7 a number, 2e-5 in all)."""
    seeds = np.random.default_rng(1).integers(1 << 24, size=(4000, 2)).astype(np.float32)
    drawn = signs(seeds, 8, "fc1")
    assert set(np.unique(drawn)) == {-1, 1}
    moments = drawn.T @ drawn / len(drawn)
    assert np.abs(moments - np.eye(8)).max() < 5 / np.sqrt(4000)
    assert np.abs(drawn.mean(axis=0)).max() < 5 / np.sqrt(4000)
    assert (drawn == signs(seeds, 8, "fc1")).all()
    assert np.abs((drawn * signs(seeds, 8, "fc2")).mean(axis=0)).max() < 5 / np.sqrt(4000)
