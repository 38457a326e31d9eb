"""Small networks of sequences for tests."""

from __future__ import annotations

from typing import Any

from network_kit import dense

CODES = {"inputs": [4, 1], "codes": 5, "loss": "cross-entropy"}
"""Four codes below five, and a class for each."""


def layer(name: str, kind: str, **more: Any) -> dict[str, Any]:
    """Return what a workload says of a layer."""
    return {"name": name, "kind": kind, **more}


ONE_HOT = layer("in", "one-hot", vocabulary=5)
_HEAD = dense("head", 5, "softmax")

NETWORKS: dict[str, dict[str, Any]] = {
    "one-hot": {**CODES, "layers": [ONE_HOT, _HEAD]},
    "embedding": {**CODES, "layers": [layer("in", "embedding", vocabulary=5, size=3), _HEAD]},
    "positions": {
        **CODES,
        "layers": [
            layer("in", "embedding", vocabulary=5, size=3), layer("at", "positions", initial_std=0.5), _HEAD,
        ],
    },
    "lstm": {"inputs": [3, 4], "layers": [layer("in", "lstm", units=3, returns="last"), dense("head", 2, "sigmoid")]},
    "lstm-two": {
        **CODES,
        "layers": [
            layer("in", "embedding", vocabulary=5, size=3), layer("one", "lstm", units=3),
            layer("two", "lstm", units=2, bias=False), _HEAD,
        ],
    },
    "lstm-carried": {**CODES, "layers": [ONE_HOT, layer("one", "lstm", units=3, carry=True), _HEAD]},
    "gru": {"inputs": [3, 4], "layers": [layer("in", "gru", units=3, returns="last"), dense("head", 2, "sigmoid")]},
    "gru-two": {
        **CODES,
        "layers": [
            layer("in", "embedding", vocabulary=5, size=3), layer("one", "gru", units=3),
            layer("two", "gru", units=2, bias=False, carry=True), _HEAD,
        ],
    },
    "rnn": {
        **CODES,
        "layers": [
            ONE_HOT, layer("one", "rnn", units=3), layer("two", "rnn", units=3, reverse=True, activation="relu"), _HEAD,
        ],
    },
    "both-ways": {
        **CODES,
        "layers": [
            layer("in", "embedding", vocabulary=5, size=3), layer("one", "lstm", units=3),
            layer("two", "gru", of=["in"], units=2, reverse=True), layer("both", "concat", of=["one", "two"]), _HEAD,
        ],
    },
    "tied": {
        **CODES,
        "layers": [
            ONE_HOT, dense("table", 3, "linear", bias=False), dense("mix", 3, "tanh"),
            layer("head", "tied", matrix="table", activation="softmax"),
        ],
    },
    "tied-table": {
        **CODES,
        "layers": [
            layer("table", "embedding", vocabulary=5, size=3), dense("mix", 3, "tanh"),
            layer("head", "tied", matrix="table", activation="softmax"),
        ],
    },
    "decoder-block": {
        **CODES,
        "layers": [
            layer("in", "embedding", vocabulary=5, size=4), layer("mix", "decoder-block", heads=2, initial_std=0.4),
            layer("two", "decoder-block", heads=1, hidden=3, bias=False, initial_std=0.4), _HEAD,
        ],
    },
    "encoder-block": {
        **CODES,
        "layers": [
            layer("in", "embedding", vocabulary=5, size=4), layer("mix", "encoder-block", heads=2, initial_std=0.4),
            layer("two", "encoder-block", heads=1, hidden=3, norm="after", initial_std=0.4), _HEAD,
        ],
    },
    "embedding-place": {
        "inputs": [2, 2], "codes": 5, "loss": "cross-entropy",
        "layers": [
            layer("one", "embedding", vocabulary=5, size=3, place=1),
            layer("two", "embedding", of=["x"], vocabulary=5, size=3, place=0),
            layer("sum", "multiply", of=["one", "two"]), _HEAD,
        ],
    },
    "attend": {
        "inputs": [3, 4],
        "layers": [
            dense("a", 12, "tanh"), layer("q", "part", count=3, place=0), layer("k", "part", of=["a"], count=3, place=2),
            layer("mix", "attend", of=["q", "k", "q"], heads=2, causal=True, scale=0.9), dense("head", 2, "sigmoid"),
        ],
    },
    "tokens": {
        "inputs": [2, 2, 3],
        "layers": [
            layer("row", "sequence"), dense("a", 4, "tanh"), layer("t", "tokens", count=2, initial_std=0.5),
            layer("mix", "attention", heads=2, causal=False), layer("first", "take", place=1),
            dense("head", 2, "sigmoid"),
        ],
    },
    "layer-norm-without-offset": {
        "inputs": [3, 4],
        "layers": [
            dense("a", 5, "tanh"), layer("b", "layer-norm", offset=False), dense("c", 2, "sigmoid"),
        ],
    },
    "attention": {"inputs": [3, 4], "layers": [layer("in", "attention", heads=2), dense("head", 2, "sigmoid")]},
    "attention-both-ways": {
        **CODES,
        "layers": [
            layer("in", "embedding", vocabulary=5, size=6, initial_std=0.3), layer("at", "positions", initial_std=0.5),
            layer("mix", "attention", heads=3, causal=False, bias=False, initial_std=0.3), _HEAD,
        ],
    },
}  # fmt: skip
"""Name -> a small network, as in tests/contract/test_layers.py."""
