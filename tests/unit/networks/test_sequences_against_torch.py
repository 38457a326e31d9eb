"""Recurrent layers, attention and losses beside PyTorch, with the same weights: outputs and gradients to 1e-5.

Where PyTorch is absent, what it said is there in `SAID`: sums of each array under fixed random factors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from network_kit import chain, dense, roomy
from sequence_kit import layer

from archsim.chips.execute import training_step
from archsim.networks.network import Network

SAMPLES, STEPS, CODES, UNITS = 3, 5, 6, 8
HEAD = dense("head", CODES, "softmax")
SHAPE: dict[str, Any] = {"std": 0.3, "loss": "cross-entropy"}
TABLE = layer("in", "embedding", vocabulary=CODES, size=UNITS)

Arrays = dict[str, np.ndarray]


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, CODES, (SAMPLES, STEPS)), rng.integers(0, CODES, (SAMPLES, STEPS))


def archsim(net: Network) -> tuple[Arrays, Arrays]:
    """Return weights and parameters, and the probabilities and minus the gradients of a step on the 32-bit chip."""
    made: Any = roomy("digital32", net, SAMPLES)
    learns = {**made.weights, **made.parameters}
    rng = np.random.default_rng(1)
    for array in learns.values():
        array[...] = 0.4 * rng.standard_normal(array.shape)
    before = {name: array.copy() for name, array in learns.items()}
    x, target = data()
    feeds = {
        "x": x.astype(np.float32),
        "target": np.eye(CODES, dtype=np.float32)[target].reshape(SAMPLES, -1),
    }
    outputs = made.run(training_step(made, net, feeds, float(SAMPLES)))
    moved = {name: array - before[name] for name, array in learns.items()}
    return before, {"outputs": outputs, **{name: array / SAMPLES for name, array in moved.items()}}


def torch_says(learns: Arrays, hidden: Callable[[Any, Any, dict[str, Any]], Any]) -> Arrays:
    """Return the probabilities and minus the gradients of the mean cross-entropy by PyTorch in double precision."""
    torch = pytest.importorskip("torch")
    weights = {name: torch.tensor(array, dtype=torch.float64, requires_grad=True) for name, array in learns.items()}
    codes, target = (torch.tensor(array) for array in data())
    x = hidden(torch, torch.nn.functional.embedding(codes, weights["in"]), weights)
    logits = x @ weights["head"][:-1] + weights["head"][-1]
    torch.nn.functional.cross_entropy(logits.reshape(-1, CODES), target.reshape(-1)).backward()
    found = {"outputs": torch.softmax(logits, -1).detach().numpy().reshape(-1, CODES)}
    return {**found, **{name: -weight.grad.numpy() for name, weight in weights.items()}}


def _run(torch: Any, kind: str, x: Any, named: dict[str, Any]) -> Any:
    module = getattr(torch.nn, kind)(UNITS, UNITS, batch_first=True, dtype=torch.float64)
    found, _ = torch.func.functional_call(module, named, (x,))
    return found


def lstm(torch: Any, x: Any, weights: dict[str, Any]) -> Any:
    i, f, o, g = weights["mix"].T.chunk(4)  # rows: state, input, bias; PyTorch's gates are i, f, g, o
    ours = torch.cat([i, f, g, o])
    state, given, bias = ours[:, :UNITS], ours[:, UNITS:-1], ours[:, -1]
    named = {"weight_hh_l0": state, "weight_ih_l0": given, "bias_ih_l0": bias, "bias_hh_l0": torch.zeros_like(bias)}
    return _run(torch, "LSTM", x, named)


def gru(torch: Any, x: Any, weights: dict[str, Any]) -> Any:
    n, r, z = weights["mix-input"].T.chunk(3)  # PyTorch's gates are r, z, n
    given, state = torch.cat([r, z, n]), weights["mix-state"].T
    named = {
        "weight_ih_l0": given[:, :-1], "bias_ih_l0": given[:, -1],
        "weight_hh_l0": state[:, :-1], "bias_hh_l0": state[:, -1],
    }  # fmt: skip
    return _run(torch, "GRU", x, named)


def attention(torch: Any, x: Any, weights: dict[str, Any]) -> Any:
    return _attend(torch, x + weights["at"], weights, "mix")


def block(torch: Any, x: Any, weights: dict[str, Any]) -> Any:
    def norm(x: Any, count: int) -> Any:
        gain, offset = (weights[f"mix-norm{count}.{name}"][0] for name in ("gain", "offset"))
        return torch.nn.functional.layer_norm(x, (UNITS,), gain, offset)

    def dense(x: Any, name: str) -> Any:
        return x @ weights[name][:-1] + weights[name][-1]

    x = x + _attend(torch, norm(x, 1), weights, "mix-attention")
    return x + dense(torch.nn.functional.gelu(dense(norm(x, 2), "mix-up")), "mix-down")


def encoder(torch: Any, x: Any, weights: dict[str, Any], *, first: bool) -> Any:
    """Return what PyTorch's own layer makes of x."""
    names = {
        "self_attn.in_proj_": "mix-attention-qkv", "self_attn.out_proj.": "mix-attention-out",
        "linear1.": "mix-up", "linear2.": "mix-down",
    }  # fmt: skip
    named = {f"{theirs}weight": weights[ours][:-1].T for theirs, ours in names.items()}
    named |= {f"{theirs}bias": weights[ours][-1] for theirs, ours in names.items()}
    for count in (1, 2):
        for theirs, ours in (("weight", "gain"), ("bias", "offset")):
            named[f"norm{count}.{theirs}"] = weights[f"mix-norm{count}.{ours}"][0]
    module = torch.nn.TransformerEncoderLayer(
        UNITS, 2, 4 * UNITS, 0.0, "gelu", batch_first=True, norm_first=first, dtype=torch.float64
    )
    return torch.func.functional_call(module, named, (x,))


def _attend(torch: Any, x: Any, weights: dict[str, Any], name: str) -> Any:
    module = torch.nn.MultiheadAttention(UNITS, 2, batch_first=True, dtype=torch.float64)
    named = {
        "in_proj_weight": weights[f"{name}-qkv"][:-1].T, "in_proj_bias": weights[f"{name}-qkv"][-1],
        "out_proj.weight": weights[f"{name}-out"][:-1].T, "out_proj.bias": weights[f"{name}-out"][-1],
    }  # fmt: skip
    mask = torch.triu(torch.ones(STEPS, STEPS, dtype=torch.bool), diagonal=1)
    found, _ = torch.func.functional_call(module, named, (x, x, x), {"attn_mask": mask})
    return found


CASES: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "lstm": ([TABLE, layer("mix", "lstm", units=UNITS), HEAD], lstm),
    "gru": ([TABLE, layer("mix", "gru", units=UNITS), HEAD], gru),
    "attention": (
        [TABLE, layer("at", "positions"), layer("mix", "attention", heads=2, causal=True), HEAD],
        attention,
    ),
    "decoder-block": ([TABLE, layer("mix", "decoder-block", heads=2), HEAD], block),
    "encoder-block": ([TABLE, layer("mix", "encoder-block", heads=2), HEAD], partial(encoder, first=True)),
    "encoder-block, norm after": (
        [TABLE, layer("mix", "encoder-block", heads=2, norm="after"), HEAD],
        partial(encoder, first=False),
    ),
}
SAID: dict[str, dict[str, float]] = {
    "lstm": {"head": -0.404596, "in": 0.04907, "mix": -0.063248, "outputs": 0.3269},
    "gru": {"head": -0.868452, "in": 0.062272, "mix-input": -0.130965, "mix-state": -0.028468, "outputs": 0.25687},
    "attention": {
        "at": 0.868161,
        "head": -0.30195,
        "in": 0.091723,
        "mix-out": 0.121324,
        "mix-qkv": 1.379255,
        "outputs": -1.17061,
    },
    "decoder-block": {
        "head": -1.29193,
        "in": -0.862686,
        "mix-attention-out": 2.073062,
        "mix-attention-qkv": 0.426261,
        "mix-down": -1.821269,
        "mix-norm1.gain": -0.031584,
        "mix-norm1.offset": 2.69097,
        "mix-norm2.gain": -0.26373,
        "mix-norm2.offset": 1.220305,
        "mix-up": -0.655519,
        "outputs": 0.645521,
    },
    "encoder-block": {
        "head": -1.265136,
        "in": -0.950764,
        "mix-attention-out": 2.128262,
        "mix-attention-qkv": 0.088681,
        "mix-down": -1.872805,
        "mix-norm1.gain": 0.058053,
        "mix-norm1.offset": 2.468747,
        "mix-norm2.gain": -0.378387,
        "mix-norm2.offset": 1.213177,
        "mix-up": -0.640287,
        "outputs": 0.464483,
    },
    "encoder-block, norm after": {
        "head": -0.787109,
        "in": 0.091489,
        "mix-attention-out": -0.159278,
        "mix-attention-qkv": 0.220224,
        "mix-down": 0.05631,
        "mix-norm1.gain": 0.074565,
        "mix-norm1.offset": -0.419119,
        "mix-norm2.gain": -0.704854,
        "mix-norm2.offset": 0.348333,
        "mix-up": 0.74309,
        "outputs": 1.121104,
    },
}
"""From PyTorch 2.13.0, by `sums` of what `torch_says`."""


def sums(arrays: Arrays) -> dict[str, float]:
    rng = np.random.default_rng(2)
    return {name: float((array * rng.standard_normal(array.shape)).sum()) for name, array in sorted(arrays.items())}


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients_are_those_of_torch(name: str) -> None:
    layers, hidden = CASES[name]
    learns, found = archsim(chain([STEPS, 1], *layers, **SHAPE))
    said = torch_says(learns, hidden)
    for key, array in said.items():
        np.testing.assert_allclose(found[key].reshape(array.shape), array, rtol=1e-5, atol=1e-6, err_msg=key)
    assert sums(said) == pytest.approx(SAID[name], abs=2e-6)


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients_are_those_that_torch_once_gave(name: str) -> None:
    layers, _ = CASES[name]
    _, found = archsim(chain([STEPS, 1], *layers, **SHAPE))
    assert sums(found) == pytest.approx(SAID[name], rel=1e-5, abs=1e-5)
