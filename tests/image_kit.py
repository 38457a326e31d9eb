"""Small networks of the layers of images, and of activations, norms and sums."""

from __future__ import annotations

from typing import Any

from network_kit import conv, dense

NETWORKS: dict[str, dict[str, Any]] = {
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
    "depthwise": {
        "inputs": [5, 5, 2],
        "layers": [
            conv("a", 3, 1, "tanh"),
            {"name": "b", "kind": "depthwise", "window": [3, 2], "stride": 2, "padding": 1, "activation": "tanh"},
            {"name": "c", "kind": "depthwise", "window": 2, "dilation": 2, "activation": "linear", "bias": False},
        ],
    },
    "conv-norm": {
        "inputs": [5, 4, 2],
        "layers": [
            {"name": "a", "kind": "conv-norm", "units": 3, "window": 3, "padding": 1, "activation": "tanh"},
            {"name": "b", "kind": "conv-norm", "window": 2, "stride": 2, "activation": "linear"},
        ],
    },
    "residual-block": {
        "inputs": [3, 3, 2],
        "kinks": True,
        "layers": [
            {"name": "b", "kind": "residual-block", "units": 2},
            {"name": "c", "kind": "residual-block", "units": 3, "stride": 2},
        ],
    },
    "bottleneck": {
        "inputs": [3, 3, 2],
        "kinks": True,
        "layers": [
            {"name": "a", "kind": "bottleneck", "units": 4, "stride": 2},
            {"name": "b", "kind": "bottleneck", "units": 4},
        ],
    },
    "inverted-residual": {
        "inputs": [3, 3, 2],
        "kinks": True,
        "layers": [
            {"name": "a", "kind": "inverted-residual", "units": 2, "expansion": 1},
            {"name": "b", "kind": "inverted-residual", "units": 2, "expansion": 2},
            {"name": "c", "kind": "inverted-residual", "units": 2, "stride": 2, "expansion": 2},
        ],
    },
    "concat": {
        "inputs": [3, 3, 2],
        "layers": [
            conv("a", 3, 1, "tanh"),
            conv("b", 2, 1, "tanh"),
            {"name": "c", "kind": "concat", "of": ["a", "b", "a"]},
            conv("d", 2, 1, "linear"),
        ],
    },
    "pad": {
        "inputs": [3, 2, 2],
        "layers": [
            conv("a", 3, 1, "tanh"),
            {"name": "b", "kind": "pad", "amounts": [0, 1, 2, 0]},
            conv("c", 2, 2, "linear"),
        ],
    },
    "shuffle": {
        "inputs": [2, 2, 2],
        "layers": [conv("a", 6, 1, "tanh"), {"name": "b", "kind": "shuffle", "groups": 3}, conv("c", 2, 1, "linear")],
    },
    "fit": {
        "inputs": [2, 2, 2],
        "layers": [
            conv("a", 3, 1, "tanh"),
            {"name": "b", "kind": "fit", "shape": [3, 7, 1]},
            conv("c", 2, 1, "tanh"),
            {"name": "d", "kind": "fit", "shape": [5]},
            dense("e", 2, "linear"),
        ],
    },
    "local-norm": {
        "inputs": [2, 2, 2],
        "layers": [
            conv("a", 6, 1, "tanh"),
            {"name": "b", "kind": "local-norm", "size": 4, "alpha": 2, "bias": 2},
            conv("c", 2, 1, "linear"),
        ],
    },
    "strides": {
        "inputs": [5, 4, 2],
        "layers": [
            conv("a", 3, [3, 2], "tanh", stride=[2, 1], padding=1),
            {"name": "b", "kind": "depthwise", "window": 2, "stride": [1, 2], "activation": "tanh"},
            {"name": "c", "kind": "average-pool", "window": [2, 1], "stride": [1, 2]},
        ],
    },
    "padded-at-the-end": {
        "inputs": [4, 4, 2],
        "layers": [
            conv("a", 3, 3, "tanh", stride=2, padding_end=1),
            {
                "name": "b",
                "kind": "depthwise",
                "window": 2,
                "padding": 1,
                "padding_end": 0,
                "activation": "tanh",
            },
            {"name": "c", "kind": "max-pool", "window": 2, "stride": 1, "padding_end": 1},
            {"name": "d", "kind": "average-pool", "window": 2, "padding_end": 1, "stride": 1, "counts_padding": False},
        ],
    },
    "relu6": {"inputs": 6, "layers": [dense("a", 5, "relu6"), dense("b", 3, "linear")]},
    "global-average": {
        "inputs": [3, 3, 2],
        "layers": [conv("a", 3, 1), {"name": "b", "kind": "global-average"}, dense("c", 2, "linear")],
    },
    "upsample": {
        "inputs": [2, 2, 2],
        "layers": [conv("a", 3, 1), {"name": "b", "kind": "upsample", "factor": 2}, conv("c", 2, 2)],
    },
    "leaky-relu": {"inputs": 6, "layers": [dense("a", 5, "leaky-relu", slope=0.3), dense("b", 3, "linear")]},
    "elu": {"inputs": 6, "layers": [dense("a", 5, "elu", slope=0.7), dense("b", 3, "mish")]},
    "hard-swish": {"inputs": 6, "layers": [dense("a", 5, "hard-swish"), dense("b", 3, "hard-sigmoid", slope=0.2)]},
    "silu": {"inputs": 6, "layers": [dense("a", 5, "silu"), dense("b", 3, "linear")]},
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
    "scale": {
        "inputs": [3, 2, 2],
        "layers": [
            conv("a", 3, 1, "tanh"),
            {"name": "b", "kind": "scale"},
            {"name": "c", "kind": "scale", "gain": False},
            conv("d", 2, 1, "tanh"),
        ],
    },
    "gates": {
        "inputs": [3, 2, 2],
        "layers": [
            conv("a", 3, 1, "tanh"),
            {"name": "b", "kind": "global-average"},
            dense("c", 3, "sigmoid"),
            {"name": "d", "kind": "multiply", "of": ["a", "c"]},
            conv("e", 1, 1, "sigmoid"),
            {"name": "f", "kind": "multiply", "of": ["e", "d"]},
            {"name": "g", "kind": "add", "of": ["f", "c"]},
            conv("h", 2, 1, "linear"),
        ],
    },
    "conv2d-transposed": {
        "inputs": [2, 3, 2],
        "layers": [
            conv("a", 3, 1),
            conv("b", 2, [3, 2], kind="conv2d-transposed", stride=2, padding=1, output_padding=1),
            conv("c", 2, 2, kind="conv2d-transposed", bias=False),
        ],
    },
    "layer-norm": {
        "inputs": [3, 4],
        "layers": [dense("a", 5, "tanh"), {"name": "b", "kind": "layer-norm"}, dense("c", 2, "sigmoid")],
    },
    "group-norm": {
        "inputs": [3, 3, 2],
        "layers": [conv("a", 6, 2), {"name": "b", "kind": "group-norm", "groups": 2}, conv("c", 2, 1)],
    },
    "batch-norm": {
        "inputs": [3, 3, 2],
        "layers": [conv("a", 4, 2), {"name": "b", "kind": "batch-norm"}, conv("c", 2, 1)],
    },
    "dropout": {
        "inputs": [3, 4],
        "layers": [
            dense("a", 5, "tanh"),
            {"name": "b", "kind": "dropout", "rate": 0.4},
            dense("c", 4, "tanh"),
            {"name": "d", "kind": "dropout", "rate": 0.1},
            dense("e", 2, "sigmoid"),
        ],
    },
}
"""Name -> what a workload says of it."""
