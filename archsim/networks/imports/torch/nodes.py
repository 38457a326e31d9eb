"""What each operator of ATen becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from archsim.networks.imports.attending import Scores
from archsim.networks.imports.channels_first import Sketch, Steps, Value
from archsim.networks.imports.draft import UnknownNodeError, Weight
from archsim.networks.imports.formulas import BY_TANH
from archsim.networks.imports.lines import as_image, as_line, filters_of_one_row, largest, lined
from archsim.networks.imports.moved import MOVES, Moved, by_vector, places, settled
from archsim.networks.imports.shapes import combined, joined, reshaped, scaled, shifted, transposed
from archsim.networks.imports.torch import attention
from archsim.networks.imports.torch.export import Reader, name_of
from archsim.networks.imports.torch.sequences import GATES, Last, States, recurrent
from archsim.networks.imports.turned import alike, upright

Handler = Callable[[Reader, Any], Any]
HANDLERS: dict[str, Handler] = {}
"""Operator -> what returns its result."""


def _of(*kinds: str) -> Callable[[Handler], Handler]:
    def note(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(kinds, handler))
        return handler

    return note


def _told(node: Any, place: int, usual: Any) -> Any:
    """Return an argument of a node, what it is if not given otherwise."""
    return node.args[place] if place < len(node.args) else usual


def _pair(told: Any) -> tuple[int, int]:
    both = [told, told] if isinstance(told, int) else [*told, *told][:2]
    return int(both[0]), int(both[1])


def _steps(node: Any, first: int, *, stride: Any = 1) -> Steps:
    """Return stride, padding and dilation, arguments from one on."""
    pads, strides = _told(node, first + 1, 0), _told(node, first, stride)
    if isinstance(pads, str):
        raise UnknownNodeError(f"padding {pads!r}; expected numbers")
    rows, columns = _pair(pads)
    return Steps(_pair(strides or stride), (rows, columns, rows, columns), _pair(_told(node, first + 2, 1)))


# --- products ---------------------------------------------------------------------------------------------------------
@_of("conv2d")
def _conv(reader: Reader, node: Any) -> Value:
    return reader.sketch.conv(
        node.name, reader.value(node), reader.needed(node, 1), reader.weight(node, 2), _steps(node, 3),
        groups=_told(node, 6, 1),
    )  # fmt: skip


@_of("conv1d")
def _conv_of_line(reader: Reader, node: Any) -> Value:
    """Add a convolution of a line, also of one that stood as a sequence before."""
    x = _line(reader, node)
    weight = filters_of_one_row(reader.needed(node, 1))
    made = reader.sketch.conv(
        node.name, as_image(x), weight, reader.weight(node, 2), _of_one_row(node, 3), groups=_told(node, 6, 1)
    )  # fmt: skip
    return as_line(made, x)


def _line(reader: Reader, node: Any) -> Value:
    x = lined(reader.sketch, node.name, reader.value(node))
    if x.layout != "line":
        raise UnknownNodeError("works on what is no line (channels, places) that a layer gives")
    return x


def _of_one_row(node: Any, first: int, *, stride: Any = 1) -> Steps:
    """Return stride, padding and dilation of places, arguments from one on."""
    told = [_told(node, first + k, usual) for k, usual in enumerate((stride, 0, 1))]
    if any(isinstance(each, str) for each in told):
        raise UnknownNodeError(f"padding {told[1]!r}; expected numbers")
    strides, pad, dilation = (_pair(each)[0] for each in told)
    return Steps((strides, strides), (0, pad, 0, pad), (dilation, dilation))


@_of("conv_transpose2d")
def _conv_transposed(reader: Reader, node: Any) -> Value:
    more, groups = _pair(_told(node, 5, 0)), _told(node, 6, 1)
    rows, columns = _pair(_told(node, 4, 0))
    if groups != 1 or len(set(more)) > 1:
        raise UnknownNodeError("has groups, or unlike rows and columns; expected neither")
    steps = Steps(_pair(_told(node, 3, 1)), (rows, columns, rows, columns), _pair(_told(node, 7, 1)))
    x, weight, bias = reader.value(node), reader.needed(node, 1), reader.weight(node, 2)
    return reader.sketch.conv_transposed(node.name, x, weight, bias, steps, more=more[0])


@_of("linear")
def _linear(reader: Reader, node: Any) -> Value | Moved:
    weight = reader.needed(node, 1)
    turned = Weight(weight.shape[::-1], None if weight.values is None else weight.values.T)
    return _dense(reader, node, turned, reader.weight(node, 2))


@_of("matmul", "bmm")
def _matmul(reader: Reader, node: Any) -> Any:
    if not reader.is_constant(node.args[1]):
        return attention.multiplied(reader, node)
    return _dense(reader, node, reader.needed(node, 1), None)


def _dense(reader: Reader, node: Any, weight: Weight, bias: Weight | None) -> Value | Moved:
    """Return a product with each vector, in whatever order the vectors stand."""
    given = reader.values.get(node.args[0])
    if not isinstance(given, Moved):
        x = upright(reader.sketch, node.name, reader.value(node))
        return reader.sketch.dense(node.name, x, weight, bias)
    return settled(by_vector(given, reader.sketch.dense(node.name, given.value, weight, bias)), reader.batch)


@_of("embedding")
def _embedding(reader: Reader, node: Any) -> Value:
    return reader.sketch.embedding(node.name, reader.value(node, 1), reader.needed(node, 0))


_of("scaled_dot_product_attention")(attention.whole)
_of("masked_fill")(attention.filled)
_of(*GATES)(recurrent)


# --- norms, activations, pools ----------------------------------------------------------------------------------------
@_of("batch_norm")
def _batch_norm(reader: Reader, node: Any) -> Value:
    gains = [reader.weight(node, 1), reader.weight(node, 2)]
    return reader.sketch.batch_norm(
        node.name, reader.value(node), gains, [reader.needed(node, 3), reader.needed(node, 4)],
        momentum=node.args[6], epsilon=node.args[7],
    )  # fmt: skip


@_of("group_norm")
def _group_norm(reader: Reader, node: Any) -> Value:
    gains = [reader.weight(node, 2), reader.weight(node, 3)]
    return reader.sketch.group_norm(
        node.name, reader.value(node), gains, groups=int(node.args[1]), epsilon=_told(node, 4, 1e-5)
    )  # fmt: skip


@_of("upsample_nearest2d")
def _upsample(reader: Reader, node: Any) -> Value:
    x, sizes, factors = reader.value(node), _told(node, 1, None), _told(node, 2, None)
    if factors is None and sizes is not None:
        factors = [size / mine for size, mine in zip(sizes, x.shape[1:], strict=True)]
    factor = int(factors[0]) if factors else 0
    if factor < 1 or list(factors) != [factor] * 2:
        raise UnknownNodeError(f"makes an image {factors} times as large; expected a whole number, the same both ways")
    return reader.sketch.upsample(node.name, x, factor)


@_of("layer_norm")
def _layer_norm(reader: Reader, node: Any) -> Value:
    if len(node.args[1]) != 1:
        raise UnknownNodeError(f"normalises over {node.args[1]}; expected the last axis")
    gains = [reader.weight(node, 2), reader.weight(node, 3)]
    return reader.sketch.layer_norm(node.name, reader.value(node), gains, epsilon=_told(node, 4, 1e-5))


_PLAIN = {
    "relu": "relu", "relu6": "relu6", "sigmoid": "sigmoid", "tanh": "tanh", "silu": "silu", "mish": "mish",
    "hardsigmoid": "hard-sigmoid", "hardswish": "hard-swish",
}  # fmt: skip


@_of(*_PLAIN)
def _activation(reader: Reader, node: Any) -> Value:
    kind = next(_PLAIN[name] for name in sorted(_PLAIN, reverse=True) if name_of(node).startswith(name))
    return reader.sketch.activation(node.name, reader.value(node), kind, alone=reader.alone(node))


@_of("gelu")
def _gelu(reader: Reader, node: Any) -> Value:
    if node.kwargs.get("approximate", "none") != "none":
        reader.sketch.draft.note(BY_TANH)
    return reader.sketch.activation(node.name, reader.value(node), "gelu", alone=reader.alone(node))


@_of("elu")
def _elu(reader: Reader, node: Any) -> Value:
    slope, scales = float(_told(node, 1, 1.0)), (_told(node, 2, 1.0), _told(node, 3, 1.0))
    if not 0 <= slope <= 1 or set(scales) != {1}:
        raise UnknownNodeError(f"has the alpha {slope:g} and scales; expected one from 0 to 1, and none")
    told = slope if slope != 1 else None
    return reader.sketch.activation(node.name, reader.value(node), "elu", alone=reader.alone(node), slope=told)


@_of("leaky_relu")
def _leaky(reader: Reader, node: Any) -> Value:
    slope = float(_told(node, 1, 0.01))
    return reader.sketch.activation(node.name, reader.value(node), "leaky-relu", alone=reader.alone(node), slope=slope)


@_of("hardtanh", "clamp")
def _clip(reader: Reader, node: Any) -> Value:
    low, high = _told(node, 1, None), _told(node, 2, None)
    if low != 0 or high not in (6, None):
        raise UnknownNodeError(f"from {low} to {high}; expected from 0 to 6, or from 0 on")
    kind = "relu" if high is None else "relu6"
    return reader.sketch.activation(node.name, reader.value(node), kind, alone=reader.alone(node))


@_of("softmax", "_softmax", "log_softmax", "_log_softmax")
def _softmax(reader: Reader, node: Any) -> Value | Scores:
    if isinstance(scores := reader.values.get(node.args[0]), Scores):
        return attention.softened(node, scores)
    x = reader.value(node)
    if node.args[1] not in (-1, len(x.shape)):
        raise UnknownNodeError(f"along axis {node.args[1]}; expected the last")
    return reader.sketch.activation(node.name, x, "softmax", alone=reader.alone(node))


@_of("max_pool2d")
def _max_pool(reader: Reader, node: Any) -> Value:
    window = _pair(node.args[1])
    steps, ceil = _steps(node, 2, stride=window), bool(_told(node, 5, False))
    return reader.sketch.pool(node.name, reader.value(node), "max-pool", window, steps, ceil=ceil)


@_of("max_pool1d")
def _max_pool_of_line(reader: Reader, node: Any) -> Value:
    x, window = _line(reader, node), (1, _pair(node.args[1])[0])
    steps, ceil = _of_one_row(node, 2, stride=window[1]), bool(_told(node, 5, False))
    return as_line(reader.sketch.pool(node.name, as_image(x), "max-pool", window, steps, ceil=ceil), x)


@_of("avg_pool2d")
def _average_pool(reader: Reader, node: Any) -> Value:
    window = _pair(node.args[1])
    rows, columns = _pair(_told(node, 3, 0))
    if _told(node, 6, None) is not None:
        raise UnknownNodeError("divides by a number of its own")
    steps = Steps(_pair(_told(node, 2, None) or window), (rows, columns, rows, columns))
    return reader.sketch.pool(
        node.name, reader.value(node), "average-pool", window, steps, ceil=bool(_told(node, 4, False)),
        counts_padding=bool(_told(node, 5, True)),
    )  # fmt: skip


@_of("max", "amax", "adaptive_max_pool1d", "adaptive_max_pool2d")
def _most(reader: Reader, node: Any) -> Any:
    """Return the largest of each channel over all positions; where the operator says their places too, none of them."""
    x, kind, told = reader.value(node), name_of(node), _told(node, 1, None)
    axes = [told] if isinstance(told, int) else list(told or ())
    pool = kind.startswith("adaptive")
    if pool and set(axes) != {1}:
        raise UnknownNodeError(f"to {axes}; expected one, the largest of all")
    if not pool and sorted(axis % (len(x.shape) + 1) for axis in axes) != _positions(x):
        raise UnknownNodeError(f"over the axes {axes}; expected those of positions, {_positions(x)}")
    made = largest(reader.sketch, node.name, x)
    if pool or _told(node, 2, False):
        made = as_line(made, replace(x, layout="line")) if len(x.shape) == 2 else made
    else:
        made = reshaped(reader.sketch, node.name, made, made.shape[:1])
    return made if kind == "amax" else [made, None]


def _positions(x: Value) -> list[int]:
    return [2, 3] if x.layout == "image" else [2] if x.layout in ("columns", "line") else [1]


@_of("adaptive_avg_pool2d", "mean")
def _mean(reader: Reader, node: Any) -> Value:
    x, kind, told = reader.value(node), name_of(node), node.args[1]
    if kind == "adaptive_avg_pool2d" and tuple(told) != (1, 1):
        return _adaptive(reader.sketch, node.name, x, _pair(told))
    rank, kept, positions = len(x.shape) + 1, kind != "mean" or bool(_told(node, 2, False)), _positions(x)
    if kind == "mean" and sorted(axis % rank for axis in told) != positions:
        raise UnknownNodeError(f"over the axes {list(told)}; expected those of positions, {positions}")
    made = reader.sketch.global_average(node.name, x)
    if made.layout == "point":
        return made if kept else reshaped(reader.sketch, node.name, made, made.shape[:1])
    if kept:
        raise UnknownNodeError("keeps the axis of steps; expected to lose it")
    return made


def _adaptive(sketch: Sketch, name: str, x: Value, wanted: tuple[int, int]) -> Value:
    """Return an image as it is, or pooled by equal windows."""
    image = x.shape[1:]
    if image == wanted:
        return x
    if len(image) != 2 or image[0] % wanted[0] or image[1] % wanted[1]:
        raise UnknownNodeError(f"to {list(wanted)} from {list(image)}; expected a part that goes into it")
    window = image[0] // wanted[0], image[1] // wanted[1]
    return sketch.pool(name, x, "average-pool", window, Steps(window))


@_of("dropout")
def _dropout(reader: Reader, node: Any) -> Value | Moved | Scores:
    given = reader.values.get(node.args[0])
    if isinstance(given, Moved | Scores):
        return given
    return reader.sketch.dropout(node.name, reader.value(node), node.args[1])


# --- sums and moves ---------------------------------------------------------------------------------------------------
_TURNED: dict[str, Callable[[Any], Any]] = {"sub": np.negative, "div": np.reciprocal}
"""What is a sum or a product with another constant: what makes that of the one that is given."""


@_of("add", "mul", "sub", "div")
def _sum(reader: Reader, node: Any) -> Value | Moved | Scores:
    kind = name_of(node)
    product, turn = kind in ("mul", "div"), _TURNED.get(kind)
    if node.kwargs.get("alpha", 1) != 1 or node.kwargs.get("rounding_mode") is not None:
        raise UnknownNodeError("adds a multiple, or rounds")
    constant = next((k for k in (1, 0) if reader.is_constant(node.args[k])), None)
    if turn is not None and constant != 1:
        raise UnknownNodeError("of two signals, or from a constant; expected a signal, and a constant behind it")
    if constant is None:
        xs = alike(reader.sketch, node.name, [reader.value(node, 0), reader.value(node, 1)])
        return combined(reader.sketch, node.name, "multiply" if product else "add", xs)
    weight = reader.needed(node, constant)
    if turn is not None:
        weight = replace(weight, values=turn(np.asarray(weight.values, np.float32)))
    if (found := attention.changed(reader.values.get(node.args[1 - constant]), weight, product=product)) is not None:
        return found
    x, alone = reader.value(node, 1 - constant), reader.alone(node, 1 - constant)
    if product:
        return scaled(reader.sketch, node.name, x, weight, alone=alone)
    return shifted(reader.sketch, node.name, x, weight, alone=alone)


@_of("cat")
def _cat(reader: Reader, node: Any) -> Value:
    given, axis = node.args[0], _told(node, 1, 0)
    if len(given) == 2 and given[0] in reader.known and axis == 1:
        return _tokens(reader, node.name, reader.known[given[0]], reader.values.get(given[1]))
    xs = [reader.whole(one) for one in given]
    if not all(isinstance(x, Value) for x in xs):
        raise UnknownNodeError("takes what is no whole signal")
    return joined(reader.sketch, node.name, xs, axis - 1 if axis > 0 else axis)


def _tokens(reader: Reader, name: str, token: Any, x: Any) -> Value:
    """Return a sequence with the same vectors before that of every sample."""
    values = token.detach().numpy()
    if not isinstance(x, Value) or x.layout != "plain" or len(x.shape) != 2 or values.ndim != 3:
        raise UnknownNodeError("sets a constant before what is no sequence")
    if (values != values[:1]).any():
        raise UnknownNodeError("sets another constant before each sample")
    count = values.shape[1]
    made = reader.sketch.draft.add(name, "tokens", [x.layer], count=count if count > 1 else None)
    reader.sketch.draft.keep(made, values[0])
    return Value(made, (x.shape[0] + count, x.shape[1]))


@_of("flatten", "view", "reshape", "unsqueeze", "squeeze", "permute", "transpose", "select")
def _move(reader: Reader, node: Any) -> Any:
    """Return what a layer makes of a move, if one does; else the elements in their other order."""
    kind, x = name_of(node), reader.values.get(node.args[0])
    if isinstance(x, Last | States):
        return x.moved(kind, *node.args[1:])
    if isinstance(x, Value):
        own = places(x, reader.batch)
        found = MOVES[kind](own, *node.args[1:])
        if kind == "select" and x.layout == "plain" and len(x.shape) == 2 and node.args[1] in (1, -2):
            place = node.args[2] % x.shape[0]
            return Value(reader.sketch.draft.add(node.name, "take", [x.layer], place=place), x.shape[1:])
        try:
            if kind in ("permute", "transpose"):
                order = _order(kind, own.ndim, node.args[1:])
                return transposed(x, [axis - 1 for axis in order[1:]]) if order[0] == 0 else Moved(x, found)
            if found.shape[0] == reader.batch and kind != "select":
                return reshaped(reader.sketch, node.name, x, found.shape[1:])
        except UnknownNodeError:
            pass
    return reader.move(node, kind)


def _order(kind: str, rank: int, told: Any) -> list[int]:
    """Return the axes in their other order."""
    if kind == "permute":
        return [axis % rank for axis in told[0]]
    order = list(range(rank))
    i, j = (axis % rank for axis in told)
    order[i], order[j] = order[j], order[i]
    return order
