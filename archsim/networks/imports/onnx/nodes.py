"""What each kind of ONNX node becomes."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

from archsim.networks.imports.attending import Scores
from archsim.networks.imports.channels_first import Pads, Shape, Steps, Value, same
from archsim.networks.imports.draft import UnknownNodeError, Weight
from archsim.networks.imports.formulas import BY_TANH, UNARY, Formula
from archsim.networks.imports.lines import as_image, as_line, filters_of_one_row, largest, lined, windows_of_one_row
from archsim.networks.imports.moments import Moment
from archsim.networks.imports.moved import Moved, by_vector, settled
from archsim.networks.imports.onnx.attention import multiplied, softened
from archsim.networks.imports.onnx.reader import Reader, attributes, handles, name_of
from archsim.networks.imports.onnx.sequences import recurrent
from archsim.networks.imports.shapes import reshaped, unit_gains
from archsim.networks.imports.turned import upright


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
@handles("Conv")
def _conv(reader: Reader, node: Any) -> Value:
    x, weight = reader.value(node), reader.needed(node, 1)
    told, window = attributes(node), weight.shape[2:]
    if len(window) == 1:
        x = lined(reader.sketch, name_of(node), x)
    if x.layout == "line" and len(window) == 1:
        (window, told), weight = windows_of_one_row(window, told), filters_of_one_row(weight)
    image = as_image(x)
    steps = _steps(told, image.shape[1:], window)
    made = reader.sketch.conv(
        name_of(node), image, weight, reader.weight(node, 2), steps, groups=told.get("group", 1)
    )  # fmt: skip
    return as_line(made, x)


@handles("ConvTranspose")
def _conv_transposed(reader: Reader, node: Any) -> Value:
    x, weight, told = reader.value(node), reader.needed(node, 1), attributes(node)
    more = set(told.get("output_padding", [0]))
    if told.get("group", 1) != 1 or "output_shape" in told or len(more) > 1:
        raise UnknownNodeError("has groups or an output shape; expected neither")
    steps = _steps(told, x.shape[1:], weight.shape[2:])
    return reader.sketch.conv_transposed(name_of(node), x, weight, reader.weight(node, 2), steps, more=more.pop())


@handles("Gemm")
def _gemm(reader: Reader, node: Any) -> Any:
    told = attributes(node)
    if told.get("transA"):
        raise UnknownNodeError("transposes its first operand; expected x W + b")
    weight, bias = _times(reader.needed(node, 1), told.get("alpha", 1)), reader.weight(node, 2)
    return _dense(
        reader, node, _turned(weight) if told.get("transB") else weight, bias and _times(bias, told.get("beta", 1))
    )


def _times(weight: Weight, factor: float) -> Weight:
    return weight if factor == 1 or weight.values is None else Weight(weight.shape, weight.values * np.float32(factor))


def _dense(reader: Reader, node: Any, weight: Weight, bias: Weight | None) -> Any:
    """Return a product with each vector, in whatever order the vectors stand."""
    x = reader.values.get(node.input[0])
    if not isinstance(x, Moved) and getattr(x, "layout", "") != "steps":
        upright_x = upright(reader.sketch, name_of(node), reader.value(node))
        return reader.sketch.dense(name_of(node), upright_x, weight, bias)
    moved = reader.moved(node)
    if moved.factor != 1:
        raise UnknownNodeError("takes a signal that was scaled and moved; expected it as a layer gives it")
    made = reader.sketch.dense(name_of(node), moved.value, weight, bias)
    return settled(by_vector(moved, made), reader.batch)


def _turned(weight: Weight) -> Weight:
    return Weight(weight.shape[::-1], None if weight.values is None else weight.values.T)


@handles("MatMul")
def _matmul(reader: Reader, node: Any) -> Any:
    if node.input[0] in reader.constants:
        raise UnknownNodeError("has its constant in front, W x; expected x W")
    if node.input[1] in reader.values:
        return multiplied(reader, node)
    weight = reader.needed(node, 1)
    if len(weight.shape) < 2 or any(n != 1 for n in weight.shape[:-2]):
        raise UnknownNodeError(f"has a constant of shape {list(weight.shape)}; expected one matrix")
    values = None if weight.values is None else weight.values.reshape(weight.shape[-2:])
    return _dense(reader, node, Weight(weight.shape[-2:], values), None)


handles("LSTM", "GRU", "RNN")(recurrent)


# --- norms ------------------------------------------------------------------------------------------------------------
@handles("BatchNormalization")
def _batch_norm(reader: Reader, node: Any) -> Value:
    told = attributes(node)
    return reader.sketch.batch_norm(
        name_of(node), reader.value(node), [reader.weight(node, 1), reader.weight(node, 2)],
        [reader.needed(node, 3), reader.needed(node, 4)], epsilon=told.get("epsilon", 1e-5),
        momentum=1 - told.get("momentum", 0.9),
    )  # fmt: skip


@handles("LayerNormalization")
def _layer_norm(reader: Reader, node: Any) -> Value:
    x, told = reader.value(node), attributes(node)
    if told.get("axis", -1) not in (-1, len(x.shape)):
        raise UnknownNodeError(f"normalises from axis {told['axis']} on; expected the last")
    return reader.sketch.layer_norm(
        name_of(node), x, [reader.weight(node, 1), reader.weight(node, 2)], epsilon=told.get("epsilon", 1e-5)
    )


@handles("InstanceNormalization", "GroupNormalization")
def _group_norm(reader: Reader, node: Any) -> Any:
    """Add a norm of groups of channels; of an image that was laid out by groups, that of the image."""
    told, gains = attributes(node), [reader.needed(node, 1), reader.needed(node, 2)]
    epsilon, x = told.get("epsilon", 1e-5), reader.values.get(node.input[0])
    if not isinstance(x, Moved) or x.value.layout not in ("image", "line") or x.factor != 1:
        x = reader.value(node)
        groups = told.get("num_groups", x.shape[0])
        if gains[0].shape != (x.shape[0],):
            raise UnknownNodeError(f"has {gains[0].shape[0]} gains for {x.shape[0]} channels; expected one each")
        return reader.sketch.group_norm(name_of(node), x, gains, groups=groups, epsilon=epsilon)
    groups, plain = x.places.shape[1], all(
        one.values is not None and (one.values == k).all() for one, k in zip(gains, (1, 0), strict=True)
    )  # fmt: skip
    if not plain or (x.places.ravel() != np.arange(x.places.size)).any() or node.op_type == "GroupNormalization":
        raise UnknownNodeError("norms elements that were moved; expected those of an image, by groups of its channels")
    made = reader.sketch.group_norm(name_of(node), x.value, unit_gains(x.value), groups=groups, epsilon=epsilon)
    return Moved(made, x.places)


@handles("LRN")
def _local_norm(reader: Reader, node: Any) -> Value:
    told = {"alpha": 1e-4, "beta": 0.75, "bias": 1.0, **attributes(node)}
    keys = {key: float(f"{told[key]:.7g}") for key in ("alpha", "beta", "bias")}  # of a float32, as it was written
    return reader.sketch.local_norm(name_of(node), reader.value(node), size=told["size"], **keys)


# --- activations ------------------------------------------------------------------------------------------------------
_PLAIN = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "HardSwish": "hard-swish", "Mish": "mish"}


def _active(reader: Reader, node: Any, kind: str, slope: float | None = None) -> Value:
    """Return an activation; of the layer before, if nobody else reads that."""
    x = reader.value(node)
    return reader.sketch.activation(name_of(node), x, kind, alone=reader.alone(node), slope=slope)


def _unfinished(reader: Reader, node: Any) -> Formula | None:
    """Return what a node takes, if that is part of an activation that is written out."""
    found = reader.values.get(node.input[0])
    return found if isinstance(found, Formula) and found.kind() is None else None


def _begun(reader: Reader, node: Any) -> Formula:
    """Return what a node takes, as what an activation that is written out may begin with."""
    found = reader.formula(node.input[0])
    return found if found is not None else Formula(reader.value(node), lambda x: x, node.input[0])


@handles(*_PLAIN)
def _activation(reader: Reader, node: Any) -> Any:
    formula = _unfinished(reader, node)
    if formula is not None and node.op_type in UNARY:
        return formula.then(UNARY[node.op_type], node.output[0])
    return _active(reader, node, _PLAIN[node.op_type])


@handles("Gelu")
def _gelu(reader: Reader, node: Any) -> Value:
    if attributes(node).get("approximate", "none") != "none":
        reader.sketch.draft.note(BY_TANH)
    return _active(reader, node, "gelu")


def _told(node: Any, attribute: str, usual: float) -> float:
    """Return an attribute as it was written, not as a float32 has it."""
    return float(f"{attributes(node).get(attribute, usual):.7g}")


@handles("LeakyRelu", "Elu")
def _leaky(reader: Reader, node: Any) -> Value:
    leaky = node.op_type == "LeakyRelu"
    slope = _told(node, "alpha", 0.01 if leaky else 1.0)
    if not 0 <= slope <= 1:
        raise UnknownNodeError(f"has the alpha {slope:g}; expected one from 0 to 1")
    return _active(reader, node, "leaky-relu" if leaky else "elu", slope if leaky or slope != 1 else None)


@handles("PRelu")
def _slopes(reader: Reader, node: Any) -> Value:
    slopes = reader.numbers(node, 1, "slope") or []
    if len(set(slopes)) != 1 or not 0 <= slopes[0] <= 1:
        raise UnknownNodeError("has slopes of its own for each channel; expected one, from 0 to 1, as a leaky ReLU has")
    reader.sketch.draft.note("Its PReLU is a leaky ReLU here, whose slope is not learnt.")
    return _active(reader, node, "leaky-relu", float(f"{slopes[0]:.7g}"))


@handles("HardSigmoid")
def _hard_sigmoid(reader: Reader, node: Any) -> Any:
    slope, middle = _told(node, "alpha", 0.2), _told(node, "beta", 0.5)
    if _unfinished(reader, node) is not None or middle != 0.5 or not 0 < slope <= 1:
        return _begun(reader, node).then(lambda x: np.clip(slope * x + middle, 0, 1), node.output[0])
    return _active(reader, node, "hard-sigmoid", None if math.isclose(slope, 1 / 6, rel_tol=1e-6) else slope)


@handles("Clip")
def _clip(reader: Reader, node: Any) -> Any:
    low, high = reader.numbers(node, 1, "min"), reader.numbers(node, 2, "max")
    least, most = (math.inf * sign if end is None else end[0] for end, sign in ((low, -1), (high, 1)))
    if least == 0 and (most == 6 or most > 1e30) and _unfinished(reader, node) is None:
        return _active(reader, node, "relu6" if most == 6 else "relu")
    return _begun(reader, node).then(lambda x: np.clip(x, least, most), node.output[0])


@handles("Softmax", "LogSoftmax")
def _softmax(reader: Reader, node: Any) -> Any:
    if isinstance(scores := reader.values.get(node.input[0]), Scores):
        return softened(reader, node, scores)
    x = reader.value(node)
    axis = attributes(node).get("axis", 1 if reader.version < 13 else -1)
    last = 1 if x.layout == "point" else len(x.shape)
    if axis not in (-1, last):
        raise UnknownNodeError(f"along axis {axis}; expected the last, {last}")
    if node.op_type == "LogSoftmax":
        reader.sketch.draft.note("The model ends in the logarithm of a softmax; the cross-entropy takes it itself.")
    return reader.sketch.activation(name_of(node), x, "softmax", alone=reader.alone(node))


# --- pools ------------------------------------------------------------------------------------------------------------
@handles("MaxPool", "AveragePool")
def _pool(reader: Reader, node: Any) -> Value:
    x, told = reader.value(node), attributes(node)
    window: Shape = tuple(told["kernel_shape"])
    if len(window) == 1:
        x = lined(reader.sketch, name_of(node), x)
    if x.layout == "line":
        window, told = windows_of_one_row(window, told)
    image = as_image(x)
    made = reader.sketch.pool(
        name_of(node), image, "max-pool" if node.op_type == "MaxPool" else "average-pool", window,
        _steps(told, image.shape[1:], window), ceil=bool(told.get("ceil_mode", 0)),
        counts_padding=bool(told.get("count_include_pad", 0)),
    )  # fmt: skip
    return as_line(made, x)


@handles("GlobalAveragePool")
def _global(reader: Reader, node: Any) -> Value:
    return reader.sketch.global_average(name_of(node), reader.value(node))


@handles("ReduceMean")
def _mean(reader: Reader, node: Any) -> Any:
    given, axes, kept = reader.values.get(node.input[0]), _axes(reader, node), attributes(node).get("keepdims", 1)
    if isinstance(given, Moment):
        if axes == [len(given.of.shape)] and kept and (found := given.meant()) is not None:
            return found
        raise UnknownNodeError("is part of no norm that is known; expected (x - mean) / sqrt(variance + epsilon)")
    x = reader.value(node)
    if x.layout == "plain" and kept and axes == [len(x.shape)]:
        return Moment("mean", x)
    made = reader.sketch.global_average(name_of(node), x) if axes == _positions(x) else None
    if made is None:
        raise UnknownNodeError(f"over the axes {axes}; expected those of positions, {_positions(x)}")
    if made.layout == "point":
        return made if kept else reshaped(reader.sketch, name_of(node), made, made.shape[:1])
    if kept:
        raise UnknownNodeError("keeps the axis of steps; expected keepdims 0")
    return made


@handles("ReduceMax", "GlobalMaxPool")
def _most(reader: Reader, node: Any) -> Value:
    """Return the largest of each channel: a pool with a window of all positions."""
    x = reader.value(node)
    if node.op_type == "ReduceMax" and _axes(reader, node) != _positions(x):
        raise UnknownNodeError(f"over the axes {_axes(reader, node)}; expected those of positions, {_positions(x)}")
    pooled = largest(reader.sketch, name_of(node), x)
    if node.op_type == "GlobalMaxPool" or attributes(node).get("keepdims", 1):
        return as_line(pooled, x) if len(x.shape) == 2 else pooled
    return reshaped(reader.sketch, name_of(node), pooled, pooled.shape[:1])


def _axes(reader: Reader, node: Any) -> list[int] | None:
    """Return the axes that a node goes over, counted from the batch on."""
    axes = reader.numbers(node, 1, "axes")
    return None if axes is None else sorted(int(axis) % len(reader.shape_of(node.input[0])) for axis in axes)


def _positions(x: Value) -> list[int]:
    return [2, 3] if x.layout == "image" else [2] if x.layout in ("columns", "line") else [1]
