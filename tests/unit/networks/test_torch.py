"""Values and gradients of layers on the 32-bit chip, against PyTorch's: at hand, or as stored here where it is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from network_kit import chain, conv, dense, roomy

from archsim.chips.execute import training_step
from archsim.learning.functions import words

SAMPLES = 3
STORED = json.loads((Path(__file__).parent / "torch_values.json").read_text())
"""Case -> what PyTorch gives -> its product with `probe`; running this file writes them."""
FIRST = conv("in", 4, 1, "tanh")
"""A layer below the one in question, whose gradient is right only if that one passes it on as it should."""


def filters(w: Any, rows: int, columns: int, *, bias: bool = True) -> tuple[Any, Any]:
    """Return PyTorch's filters and biases of a matrix of ours."""
    kernel = w[:-1] if bias else w
    return kernel.reshape(rows, columns, -1, w.shape[1]).permute(3, 2, 0, 1), w[-1] if bias else None


def first(f: Any, w: dict[str, Any], x: Any) -> Any:
    return f.conv2d(x, *filters(w["in"], 1, 1)).tanh()


Case = tuple[Any, tuple[dict[str, Any], ...], Callable[[Any, dict[str, Any], Any], Any]]
"""Shape of a sample, layers, and the same of PyTorch: of (functional, our matrices and parameters, x)."""
CASES: dict[str, Case] = {
    "conv2d": (
        (6, 5, 2), (FIRST, conv("a", 3, [3, 2], "linear", stride=2, padding=1)),
        lambda f, w, x: f.conv2d(first(f, w, x), *filters(w["a"], 3, 2), stride=2, padding=1),
    ),
    "conv2d dilation": (
        (6, 5, 2), (FIRST, conv("a", 3, 2, "linear", dilation=3, bias=False)),
        lambda f, w, x: f.conv2d(first(f, w, x), filters(w["a"], 2, 2, bias=False)[0], dilation=3),
    ),
    "conv2d groups": (
        (4, 4, 2), (FIRST, conv("a", 6, 3, "linear", groups=2, padding=1)),
        lambda f, w, x: f.conv2d(
            first(f, w, x), *(_cat(parts) for parts in zip(*(filters(w[f"a.{g}"], 3, 3) for g in (0, 1)), strict=True)),
            groups=2, padding=1,
        ),
    ),
    "flatten": (
        (3, 2, 2), (FIRST, {"name": "f", "kind": "flatten"}, dense("a", 3, "linear")),
        lambda f, w, x: f.linear(first(f, w, x).permute(0, 2, 3, 1).flatten(1), w["a"][:-1].T, w["a"][-1]),
    ),
}  # fmt: skip

CASES |= {
    "conv2d-transposed": (
        (3, 4, 2),
        (FIRST, conv(
            "t", 3, [3, 2], "linear", kind="conv2d-transposed", stride=3, padding=1, output_padding=2
        )),
        lambda f, w, x: f.conv_transpose2d(
            first(f, w, x), w["t"].reshape(3, 2, 3, 4).permute(3, 2, 0, 1), w["t.bias"][0], 3, 1, 2
        ),
    ),
    "conv2d-transposed dilation": (
        (3, 4, 2), (FIRST, conv("t", 3, 2, "linear", kind="conv2d-transposed", dilation=2, bias=False)),
        lambda f, w, x: f.conv_transpose2d(
            first(f, w, x), w["t"].reshape(2, 2, 3, 4).permute(3, 2, 0, 1), dilation=2
        ),
    ),
    "layer-norm": (
        (5, 6, 2), (FIRST, {"name": "n", "kind": "layer-norm", "epsilon": 1e-3}),
        lambda f, w, x: f.layer_norm(
            first(f, w, x).movedim(1, -1), (4,), w["n.gain"][0], w["n.offset"][0], 1e-3
        ).movedim(-1, 1),
    ),
    "batch-norm": (
        (5, 6, 2), (FIRST, {"name": "n", "kind": "batch-norm", "epsilon": 1e-3}),
        lambda f, w, x: f.batch_norm(
            first(f, w, x), None, None, w["n.gain"][0], w["n.offset"][0], training=True, eps=1e-3
        ),
    ),
    "group-norm": (
        (5, 6, 2), (FIRST, {"name": "n", "kind": "group-norm", "groups": 2}),
        lambda f, w, x: f.group_norm(first(f, w, x), 2, w["n.gain"][0], w["n.offset"][0]),
    ),
}  # fmt: skip
CASES |= {
    name: ((5, 6, 2), (FIRST, {"name": "p", **told}), lambda f, w, x, of=of: of(f, first(f, w, x)))
    for name, told, of in [
        ("max-pool", {"kind": "max-pool", "window": 2}, lambda f, y: f.max_pool2d(y, 2)),
        (
            "max-pool overlapping", {"kind": "max-pool", "window": [3, 2], "stride": 1, "padding": 1},
            lambda f, y: f.max_pool2d(y, (3, 2), 1, 1),
        ),
        ("average-pool", {"kind": "average-pool", "window": 2}, lambda f, y: f.avg_pool2d(y, 2)),
        (
            "average-pool overlapping", {"kind": "average-pool", "window": [3, 2], "stride": 2, "padding": 1},
            lambda f, y: f.avg_pool2d(y, (3, 2), 2, 1),
        ),
        (
            "average-pool of the image alone",
            {"kind": "average-pool", "window": 3, "stride": 2, "padding": 1, "counts_padding": False},
            lambda f, y: f.avg_pool2d(y, 3, 2, 1, count_include_pad=False),
        ),
        (
            "max-pool padded at the end", {"kind": "max-pool", "window": 3, "stride": 2, "padding_end": 1},
            lambda f, y: f.max_pool2d(f.pad(y, (0, 1, 0, 1), value=-9), 3, 2),
        ),
        (
            "local-norm", {"kind": "local-norm", "size": 3, "alpha": 2, "beta": 0.7, "bias": 2},
            lambda f, y: f.local_response_norm(y, 3, 2, 0.7, 2),
        ),
        ("shuffle", {"kind": "shuffle", "groups": 2}, lambda f, y: f.hardtanh(f.channel_shuffle(y, 2), -9, 9)),
        ("pad", {"kind": "pad", "amounts": [1, 2, 0, 3]}, lambda f, y: f.pad(y, (2, 3, 1, 0))),
        ("concat", {"kind": "concat", "of": ["in", "in"]}, lambda f, y: f.hardtanh(_cat((y, y), 1), -9, 9)),
        ("global-average", {"kind": "global-average"}, lambda f, y: f.adaptive_avg_pool2d(y, 1).flatten(1)),
        (
            "leaky-relu", {"kind": "activation", "activation": "leaky-relu", "slope": 0.2},
            lambda f, y: f.leaky_relu(y, 0.2),
        ),
        ("gelu", {"kind": "activation", "activation": "gelu"}, lambda f, y: f.gelu(y)),
        ("relu", {"kind": "activation", "activation": "relu"}, lambda f, y: f.relu(y)),
        (
            "relu6", {"kind": "activation", "activation": "relu6"},
            lambda f, y: f.relu6(y),
        ),
        ("softmax", {"kind": "activation", "activation": "softmax"}, lambda f, y: f.softmax(y, 1)),
        ("add", {"kind": "add", "of": ["in", "in"]}, lambda f, y: f.hardtanh(y + y, -9, 9)),
        ("multiply", {"kind": "multiply", "of": ["in", "in"]}, lambda f, y: f.hardtanh(y * y, -9, 9)),
        ("upsample", {"kind": "upsample", "factor": 3}, lambda f, y: f.interpolate(y, scale_factor=3)),
    ]
}  # fmt: skip


def _normed(f: Any, w: dict[str, Any], name: str, y: Any) -> Any:
    return f.batch_norm(y, None, None, w[f"{name}.gain"][0], w[f"{name}.offset"][0], training=True)


def _conv_norm(f: Any, w: dict[str, Any], name: str, x: Any, size: int = 1, **more: int) -> Any:
    """Return what PyTorch makes of a convolution and its norm."""
    if "groups" in more:
        kernel = w[name].reshape(size, size, 1, -1).permute(3, 2, 0, 1)
    else:
        kernel = filters(w[name], size, size, bias=False)[0]
    return _normed(f, w, f"{name}-norm", f.conv2d(x, kernel, **more))


def _residual(f: Any, w: dict[str, Any], x: Any) -> Any:
    y = _conv_norm(f, w, "r-2", _conv_norm(f, w, "r-1", x, 3, stride=2, padding=1).relu(), 3, padding=1)
    return (y + _conv_norm(f, w, "r-past", x, 1, stride=2)).relu()


def _bottleneck(f: Any, w: dict[str, Any], x: Any) -> Any:
    y = _conv_norm(f, w, "r-2", _conv_norm(f, w, "r-1", x).relu(), 3, padding=1).relu()
    return (_conv_norm(f, w, "r-3", y) + x).relu()


def _inverted(f: Any, w: dict[str, Any], x: Any) -> Any:
    y = f.hardtanh(_conv_norm(f, w, "r-expand", x), 0, 6)
    y = f.hardtanh(_conv_norm(f, w, "r-depth", y, 3, padding=1, groups=8), 0, 6)
    return _conv_norm(f, w, "r-project", y) + x


CASES |= {
    "residual-block": (
        (6, 5, 2), (FIRST, {"name": "r", "kind": "residual-block", "units": 6, "stride": 2}),
        lambda f, w, x: _residual(f, w, first(f, w, x)),
    ),
    "bottleneck": (
        (6, 5, 2), (conv("in", 8, 1, "tanh"), {"name": "r", "kind": "bottleneck", "units": 8}),
        lambda f, w, x: _bottleneck(f, w, first(f, w, x)),
    ),
    "inverted-residual": (
        (6, 5, 2), (FIRST, {"name": "r", "kind": "inverted-residual", "units": 4, "expansion": 2}),
        lambda f, w, x: _inverted(f, w, first(f, w, x)),
    ),
    "depthwise": (
        (6, 5, 2),
        (FIRST, {
            "name": "d", "kind": "depthwise", "window": [3, 2], "stride": 2, "padding": 1, "activation": "linear",
        }),
        lambda f, w, x: f.conv2d(
            first(f, w, x), w["d"].reshape(3, 2, 1, 4).permute(3, 2, 0, 1), w["d.bias"][0], stride=2, padding=1,
            groups=4,
        ),
    ),
    "conv2d padded at the end": (
        (6, 5, 2), (FIRST, conv("a", 3, 3, "linear", stride=2, padding=0, padding_end=1)),
        lambda f, w, x: f.conv2d(f.pad(first(f, w, x), (0, 1, 0, 1)), *filters(w["a"], 3, 3), stride=2),
    ),
    "depthwise padded at the end": (
        (6, 5, 2),
        (FIRST, {
            "name": "d", "kind": "depthwise", "window": 3, "stride": 2, "padding": 1, "padding_end": 0,
            "activation": "linear",
        }),
        lambda f, w, x: f.conv2d(
            f.pad(first(f, w, x), (1, 0, 1, 0)), w["d"].reshape(3, 3, 1, 4).permute(3, 2, 0, 1), w["d.bias"][0],
            stride=2, groups=4,
        ),
    ),
    "depthwise dilation": (
        (6, 5, 2),
        (FIRST, {
            "name": "d", "kind": "depthwise", "window": 2, "dilation": 3, "activation": "linear", "bias": False,
        }),
        lambda f, w, x: f.conv2d(
            first(f, w, x), w["d"].reshape(2, 2, 1, 4).permute(3, 2, 0, 1), dilation=3, groups=4
        ),
    ),
    "layer-norm without offset": (
        (5, 6, 2), (FIRST, {"name": "n", "kind": "layer-norm", "offset": False}),
        lambda f, w, x: f.layer_norm(first(f, w, x).movedim(1, -1), (4,), w["n.gain"][0]).movedim(-1, 1),
    ),
}  # fmt: skip


def _cat(parts: Any, axis: int = 0) -> Any:
    import torch

    return torch.cat(parts, axis)


def given(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the feeds of a case, and ours: the output and what is learnt (minus the slope of the summed loss)."""
    shape, layers, _ = CASES[name]
    net = chain(list(shape), *layers, std=0.5)
    rng = np.random.default_rng(5)
    feeds = {
        feed: rng.normal(size=(SAMPLES, net.graph.tensors[feed].words)).astype(np.float32) for feed in net.graph.feeds
    }
    made: Any = roomy("digital32", net, SAMPLES)
    learns = {**made.weights, **made.parameters}
    for array in learns.values():
        array[...] += rng.normal(scale=0.3, size=array.shape)
    start = {key: array.copy() for key, array in learns.items()}
    given_shape = net.graph.tensors[net.training[0].results[0][0]].shape
    vectors = SAMPLES * words(given_shape[:-1])  # the rate of a sum, not of the mean over samples and positions
    output = made.run(training_step(made, net, feeds, vectors))
    ours = {f"d {key}": array - start[key] for key, array in learns.items()}
    shaped = output.reshape(SAMPLES, *given_shape)
    return {"feeds": feeds, "start": start}, {"output": shaped, **ours}


def torchs(name: str, told: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return PyTorch's, in our shapes."""
    torch = pytest.importorskip("torch")
    shape, _, function = CASES[name]
    w = {key: torch.tensor(array, requires_grad=True) for key, array in told["start"].items()}
    x = torch.tensor(told["feeds"]["x"].reshape(SAMPLES, *shape)).movedim(-1, 1)
    y = function(torch.nn.functional, w, x)
    if y.ndim == 4:
        y = y.movedim(1, -1)
    (((torch.tensor(told["feeds"]["target"]).reshape(y.shape) - y) ** 2).sum() / 2).backward()
    slopes = {f"d {key}": -one.grad.numpy() for key, one in w.items() if one.grad is not None}
    return {"output": y.detach().numpy(), **slopes}


def probe(array: np.ndarray) -> float:
    return float((array.astype(float).ravel() * np.cos(np.arange(array.size))).sum())


@pytest.mark.parametrize("name", CASES)
def test_a_layer_gives_and_learns_what_pytorchs_does(name: str) -> None:
    told, ours = given(name)
    for key, theirs in torchs(name, told).items():
        assert ours[key].shape == theirs.shape, key
        assert ours[key] == pytest.approx(theirs, rel=1e-5, abs=1e-5 * max(1.0, float(np.abs(theirs).max()))), key


@pytest.mark.parametrize("name", CASES)
def test_a_layer_gives_and_learns_what_pytorchs_did(name: str) -> None:
    _, ours = given(name)
    stored = STORED[name]
    assert {key: probe(ours[key]) for key in stored} == pytest.approx(stored, rel=1e-5, abs=1e-4)


if __name__ == "__main__":
    found = {name: {key: probe(array) for key, array in torchs(name, given(name)[0]).items()} for name in CASES}
    (Path(__file__).parent / "torch_values.json").write_text(json.dumps(found, indent=1) + "\n")
