"""What each kind of ONNX node becomes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

from archsim.networks.imports.channels_first import Pads, Shape, Steps, Value, same
from archsim.networks.imports.draft import UnknownNodeError, Weight
from archsim.networks.imports.onnx import Reader, attributes, name_of
from archsim.networks.imports.onnx_sequences import (
    as_image,
    as_line,
    filters_of_one_row,
    lstm,
    squeezed,
    turned,
    windows_of_one_row,
)
from archsim.networks.imports.shapes import combined, joined, reshaped, scaled, shifted, transposed

Handler = Callable[[Reader, Any], Value]
HANDLERS: dict[str, Handler] = {}
"""Kind of node -> what returns its result."""


def _of(*kinds: str) -> Callable[[Handler], Handler]:
    def note(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(kinds, handler))
        return handler

    return note


def _steps(told: dict[str, Any], image: Shape, window: Shape) -> Steps:
    """Return how a window moves over an image, by the attributes of a node."""
    strides, dilations = told.get("strides", [1, 1]), told.get("dilations", [1, 1])
    pads, rule = told.get("pads", [0, 0, 0, 0]), told.get("auto_pad", "NOTSET")
    if len(strides) != 2 or len(image) != 2:
        raise UnknownNodeError(f"works on {len(image)} axes; expected images, rows and columns")
    if rule.startswith("SAME"):
        whole = tuple(d * (k - 1) + 1 for k, d in zip(window, dilations, strict=True))
        return Steps(strides, same(image, whole, strides, lower=rule == "SAME_LOWER"), dilations)
    return Steps(strides, cast("Pads", tuple(pads)), dilations)


# --- products ---------------------------------------------------------------------------------------------------------
@_of("Conv")
def _conv(reader: Reader, node: Any) -> Value:
    x, weight = reader.value(node), reader.needed(node, 1)
    told, window = attributes(node), weight.shape[2:]
    if x.layout == "line" and len(window) == 1:
        (window, told), weight = windows_of_one_row(window, told), filters_of_one_row(weight)
    image = as_image(x)
    steps = _steps(told, image.shape[1:], window)
    made = reader.sketch.conv(
        name_of(node), image, weight, reader.weight(node, 2), steps, groups=told.get("group", 1)
    )  # fmt: skip
    return as_line(made, x)


@_of("ConvTranspose")
def _conv_transposed(reader: Reader, node: Any) -> Value:
    x, weight, told = reader.value(node), reader.needed(node, 1), attributes(node)
    more = set(told.get("output_padding", [0]))
    if told.get("group", 1) != 1 or "output_shape" in told or len(more) > 1:
        raise UnknownNodeError("has groups or an output shape; expected neither")
    steps = _steps(told, x.shape[1:], weight.shape[2:])
    return reader.sketch.conv_transposed(name_of(node), x, weight, reader.weight(node, 2), steps, more=more.pop())


@_of("Gemm")
def _gemm(reader: Reader, node: Any) -> Value:
    told = attributes(node)
    if told.get("transA") or told.get("alpha", 1) != 1 or told.get("beta", 1) != 1:
        raise UnknownNodeError("transposes or scales its operands; expected x W + b")
    weight = reader.needed(node, 1)
    return reader.sketch.dense(
        name_of(node), reader.value(node), _turned(weight) if told.get("transB") else weight, reader.weight(node, 2)
    )


def _turned(weight: Weight) -> Weight:
    return Weight(weight.shape[::-1], None if weight.values is None else weight.values.T)


@_of("MatMul")
def _matmul(reader: Reader, node: Any) -> Value:
    if node.input[1] in reader.values:
        raise UnknownNodeError(
            "is a product of two signals; expected one with a weight. Attention is a layer of a workload: "
            "`attention`, `encoder-block` or `decoder-block`"
        )
    return reader.sketch.dense(name_of(node), reader.value(node), reader.needed(node, 1), None)


@_of("Gather")
def _gather(reader: Reader, node: Any) -> Value:
    axis = attributes(node).get("axis", 0)
    if node.input[0] in reader.constants and axis == 0:
        return reader.sketch.embedding(name_of(node), reader.value(node, 1), reader.needed(node, 0))
    x, place = reader.value(node), reader.numbers(node, 1, "")
    if (
        axis != (0 if x.layout == "steps" else 1)
        or x.layout not in ("plain", "steps")
        or len(x.shape) != 2
        or place is None
        or len(place) != 1
    ):
        raise UnknownNodeError("takes some of a signal; expected one place of a sequence")
    at = int(place[0]) % x.shape[0]
    return Value(reader.sketch.draft.add(name_of(node), "take", [x.layer], place=at), x.shape[1:])


_of("LSTM")(lstm)


# --- norms ------------------------------------------------------------------------------------------------------------
@_of("BatchNormalization")
def _batch_norm(reader: Reader, node: Any) -> Value:
    told = attributes(node)
    return reader.sketch.batch_norm(
        name_of(node), reader.value(node), [reader.weight(node, 1), reader.weight(node, 2)],
        [reader.needed(node, 3), reader.needed(node, 4)], epsilon=told.get("epsilon", 1e-5),
        momentum=1 - told.get("momentum", 0.9),
    )  # fmt: skip


@_of("LayerNormalization")
def _layer_norm(reader: Reader, node: Any) -> Value:
    x, told = reader.value(node), attributes(node)
    if told.get("axis", -1) not in (-1, len(x.shape)):
        raise UnknownNodeError(f"normalises from axis {told['axis']} on; expected the last")
    return reader.sketch.layer_norm(
        name_of(node), x, [reader.weight(node, 1), reader.weight(node, 2)], epsilon=told.get("epsilon", 1e-5)
    )


@_of("LRN")
def _local_norm(reader: Reader, node: Any) -> Value:
    told = {"alpha": 1e-4, "beta": 0.75, "bias": 1.0, **attributes(node)}
    keys = {key: float(f"{told[key]:.7g}") for key in ("alpha", "beta", "bias")}  # of a float32, as it was written
    return reader.sketch.local_norm(name_of(node), reader.value(node), size=told["size"], **keys)


# --- activations ------------------------------------------------------------------------------------------------------
_PLAIN = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh"}


@_of(*_PLAIN)
def _activation(reader: Reader, node: Any) -> Value:
    kind = _PLAIN[node.op_type]
    return reader.sketch.activation(name_of(node), reader.value(node), kind, alone=reader.alone(node))


@_of("Gelu")
def _gelu(reader: Reader, node: Any) -> Value:
    if node.op_type == "Gelu" and attributes(node).get("approximate", "none") != "none":
        reader.sketch.draft.note("Its GELU is the approximation by tanh; archsim's is the exact one.")
    return reader.sketch.activation(name_of(node), reader.value(node), "gelu", alone=reader.alone(node))


@_of("LeakyRelu")
def _leaky(reader: Reader, node: Any) -> Value:
    slope = float(f"{attributes(node).get('alpha', 0.01):.7g}")
    return reader.sketch.activation(
        name_of(node), reader.value(node), "leaky-relu", alone=reader.alone(node), slope=slope
    )


@_of("Clip")
def _clip(reader: Reader, node: Any) -> Value:
    low, high = reader.numbers(node, 1, "min"), reader.numbers(node, 2, "max")
    most = math.inf if high is None else high[0]
    if low is None or low[0] != 0 or (most != 6 and most < 1e30):
        raise UnknownNodeError(f"from {low} to {high}; expected from 0 to 6, or from 0 on")
    kind = "relu6" if most == 6 else "relu"
    return reader.sketch.activation(name_of(node), reader.value(node), kind, alone=reader.alone(node))


@_of("Softmax", "LogSoftmax")
def _softmax(reader: Reader, node: Any) -> Value:
    x = reader.value(node)
    axis = attributes(node).get("axis", 1 if reader.version < 13 else -1)
    last = 1 if x.layout == "point" else len(x.shape)
    if axis not in (-1, last):
        raise UnknownNodeError(f"along axis {axis}; expected the last, {last}")
    if node.op_type == "LogSoftmax":
        reader.sketch.draft.note("The model ends in the logarithm of a softmax; the cross-entropy takes it itself.")
    return reader.sketch.activation(name_of(node), x, "softmax", alone=reader.alone(node))


# --- pools ------------------------------------------------------------------------------------------------------------
@_of("MaxPool", "AveragePool")
def _pool(reader: Reader, node: Any) -> Value:
    x, told = reader.value(node), attributes(node)
    window: Shape = tuple(told["kernel_shape"])
    if x.layout == "line":
        window, told = windows_of_one_row(window, told)
    image = as_image(x)
    made = reader.sketch.pool(
        name_of(node), image, "max-pool" if node.op_type == "MaxPool" else "average-pool", window,
        _steps(told, image.shape[1:], window), ceil=bool(told.get("ceil_mode", 0)),
        counts_padding=bool(told.get("count_include_pad", 0)),
    )  # fmt: skip
    return as_line(made, x)


@_of("GlobalAveragePool")
def _global(reader: Reader, node: Any) -> Value:
    return reader.sketch.global_average(name_of(node), reader.value(node))


@_of("ReduceMean")
def _mean(reader: Reader, node: Any) -> Value:
    x, axes = reader.value(node), reader.numbers(node, 1, "axes")
    positions = [2, 3] if x.layout == "image" else [2] if x.layout in ("columns", "line") else [1]
    rank = len(x.shape) + 1
    if axes is None or sorted(int(axis) % rank for axis in axes) != positions:
        raise UnknownNodeError(f"over the axes {axes}; expected those of positions, {positions}")
    made = reader.sketch.global_average(name_of(node), x)
    kept = attributes(node).get("keepdims", 1)
    if made.layout == "point":
        return made if kept else reshaped(reader.sketch, name_of(node), made, made.shape[:1])
    if kept:
        raise UnknownNodeError("keeps the axis of steps; expected keepdims 0")
    return made


# --- sums and moves ---------------------------------------------------------------------------------------------------
@_of("Add", "Sum")
def _add(reader: Reader, node: Any) -> Value:
    return _with_constant(reader, node) or combined(reader.sketch, name_of(node), "add", reader.signals(node))


@_of("Mul")
def _multiply(reader: Reader, node: Any) -> Value:
    return _with_constant(reader, node) or combined(reader.sketch, name_of(node), "multiply", reader.signals(node))


def _with_constant(reader: Reader, node: Any) -> Value | None:
    """Return the sum or product of a signal and a constant, if one of two operands is one."""
    constant = next((k for k, name in enumerate(node.input) if name in reader.constants), None)
    if constant is None or len(node.input) != 2:
        return None
    x, alone = reader.value(node, 1 - constant), reader.alone(node, 1 - constant)
    weight = reader.needed(node, constant)
    if node.op_type == "Mul":
        return scaled(reader.sketch, x, weight, alone=alone)
    return shifted(reader.sketch, name_of(node), x, weight, alone=alone)


@_of("Concat")
def _concat(reader: Reader, node: Any) -> Value:
    xs = reader.signals(node)
    axis = attributes(node)["axis"]
    return joined(reader.sketch, name_of(node), xs, axis - 1 if axis > 0 else axis)


@_of("Identity", "Cast")
def _identity(reader: Reader, node: Any) -> Value:
    return reader.value(node)


@_of("Dropout")
def _dropout(reader: Reader, node: Any) -> Value:
    told = reader.numbers(node, 1, "ratio")
    return reader.sketch.dropout(name_of(node), reader.value(node), 0.5 if told is None else float(f"{told[0]:.7g}"))


@_of("Flatten")
def _flatten(reader: Reader, node: Any) -> Value:
    x = reader.value(node)
    if attributes(node).get("axis", 1) != 1:
        raise UnknownNodeError("from another axis on; expected 1, all but the batch")
    return reshaped(reader.sketch, name_of(node), x, (math.prod(x.shape),))


@_of("Reshape")
def _reshape(reader: Reader, node: Any) -> Value:
    x, wanted = reader.value(node), reader.weight(node, 1)
    if wanted is not None and wanted.values is None:
        shape = reader.inferred.get(node.output[0])
        if shape is None:
            raise UnknownNodeError("has a shape without values in the file")
        return reshaped(reader.sketch, name_of(node), x, shape[1:])
    told = reader.numbers(node, 1, "shape")
    if told is None:
        raise UnknownNodeError("has no shape")
    whole = (1, *x.shape)
    found = [whole[k] if n == 0 else int(n) for k, n in enumerate(told)]
    if -1 in found[1:]:
        rest = math.prod(n for n in found[1:] if n != -1)
        found[found.index(-1, 1)] = math.prod(x.shape) // rest
    return reshaped(reader.sketch, name_of(node), x, tuple(found[1:]))


@_of("Squeeze", "Unsqueeze")
def _squeeze(reader: Reader, node: Any) -> Value:
    x, axes = reader.value(node), reader.numbers(node, 1, "axes")
    if axes is None:
        raise UnknownNodeError("names no axes")
    if node.op_type == "Squeeze" and (found := squeezed(x, [int(axis) for axis in axes])) is not None:
        return found
    shape = [1, *x.shape]
    rank = len(shape) + (len(axes) if node.op_type == "Unsqueeze" else 0)
    for axis in sorted((int(each) % rank for each in axes), reverse=node.op_type == "Squeeze"):
        if node.op_type == "Squeeze":
            del shape[axis]
        else:
            shape.insert(axis, 1)
    return reshaped(reader.sketch, name_of(node), x, tuple(shape[1:]))


@_of("Transpose")
def _transpose(reader: Reader, node: Any) -> Value:
    x = reader.value(node)
    order = attributes(node).get("perm", [])
    if (found := turned(x, order)) is not None:
        return found
    if x.layout == "line" and order == [0, 2, 1]:
        return Value(reader.sketch.draft.add(name_of(node), "sequence", [x.layer]), x.shape[::-1])
    if not order or order[0] != 0:
        raise UnknownNodeError(f"moves the batch: {order}; expected it first")
    return transposed(x, [axis - 1 for axis in order[1:]])


@_of("Pad")
def _pad(reader: Reader, node: Any) -> Value:
    x, pads, told = reader.value(node), reader.numbers(node, 1, "pads"), attributes(node)
    filled = reader.numbers(node, 2, "value")
    if told.get("mode", "constant") != "constant" or (filled is not None and filled[0] != 0) or pads is None:
        raise UnknownNodeError("pads with something else than zeros")
    if x.layout != "image" or len(pads) != 8 or any(pads[k] for k in (0, 1, 4, 5)):
        raise UnknownNodeError(f"pads {pads}; expected rows and columns of images")
    top, left, bottom, right = (int(pads[k]) for k in (2, 3, 6, 7))
    made = reader.sketch.draft.add(name_of(node), "pad", [x.layer], amounts=[top, left, bottom, right])
    return Value(made, (x.shape[0], x.shape[1] + top + bottom, x.shape[2] + left + right), "image")
