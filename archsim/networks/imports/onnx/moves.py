"""What only moves signals in ONNX: other shapes, axes in another order, parts, and what stands beside what.

Where no layer does the same, the elements are followed one by one until they stand in a layer's order again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from archsim.networks.imports.attending import Scores
from archsim.networks.imports.channels_first import Value
from archsim.networks.imports.draft import UnknownNodeError
from archsim.networks.imports.lines import as_image, as_line, lined
from archsim.networks.imports.moved import Expanded, Moved, Places, places, settled
from archsim.networks.imports.onnx import attention
from archsim.networks.imports.onnx.reader import Reader, attributes, handles, name_of
from archsim.networks.imports.onnx.sequences import BATCH_INSIDE, States, squeezed, turned
from archsim.networks.imports.shapes import joined, reshaped, transposed


def _followed(reader: Reader, node: Any, change: Callable[[Places], Any]) -> Any:
    """Return elements in another order; of a list, each part."""
    x = reader.moved(node)
    found = change(x.places)
    parts = found if isinstance(found, list) else [found]
    made = [_taken(reader, node, Moved(x.value, np.ascontiguousarray(each), x.factor)) for each in parts]
    return made if isinstance(found, list) else made[0]


def _taken(reader: Reader, node: Any, moved: Moved) -> Any:
    """Return elements in another order; as a layer's where they are its own, or the vectors of one place."""
    x = moved.value
    vectors = x.layout == "plain" and len(x.shape) == 2 and moved.places.shape == (reader.batch, x.shape[1])
    if vectors and moved.factor == 1:
        place = int(moved.places[0, 0]) // x.shape[1]
        if place < x.shape[0] and (moved.places == places(x, reader.batch)[:, place]).all():
            return Value(reader.sketch.draft.add(name_of(node), "take", [x.layer], place=place), x.shape[1:])
    return settled(moved, reader.batch)


def _by_layer(reader: Reader, node: Any, by: Callable[[Value], Any], change: Callable[[Places], Any]) -> Any:
    """Return what a layer makes of a signal, if one does; else its elements in their other order."""
    x = reader.values.get(node.input[0])
    if isinstance(x, Moved):
        return _followed(reader, node, change)
    try:
        return by(reader.value(node))
    except UnknownNodeError:
        if x is None:
            raise
        return _followed(reader, node, change)


# --- shapes -----------------------------------------------------------------------------------------------------------
@handles("Flatten")
def _flatten(reader: Reader, node: Any) -> Any:
    axis = attributes(node).get("axis", 1)

    def by_layer(x: Value) -> Value:
        if axis != 1 or x.layout in BATCH_INSIDE:
            raise UnknownNodeError("from another axis on; expected 1, all but the batch")
        return reshaped(reader.sketch, name_of(node), x, (math.prod(x.shape),))

    return _by_layer(reader, node, by_layer, lambda a: a.reshape(math.prod(a.shape[: axis % a.ndim]), -1))


@handles("Reshape")
def _reshape(reader: Reader, node: Any) -> Any:
    whole = reader.shape_of(node.input[0])
    wanted = reader.weight(node, 1)
    if wanted is not None and wanted.values is None:
        shape = reader.inferred.get(node.output[0])
        if shape is None:
            raise UnknownNodeError("has a shape without values in the file")
        found = [reader.batch, *shape[1:]]
    else:
        told = reader.numbers(node, 1, "shape")
        if told is None:
            raise UnknownNodeError("has no shape")
        kept = not attributes(node).get("allowzero", 0)
        found = [whole[k] if n == 0 and kept else int(n) for k, n in enumerate(told)]
    if -1 in found:
        rest = math.prod(n for n in found if n != -1)
        found[found.index(-1)] = math.prod(whole) // max(rest, 1)
    if math.prod(found) != math.prod(whole):
        raise UnknownNodeError(f"gives {list(whole)} the shape {found}; expected one of as many elements")
    if isinstance(x := reader.values.get(node.input[0]), Scores):
        return attention.reshaped(x, found)

    def by_layer(x: Value) -> Value:
        if found[0] != reader.batch or x.layout in BATCH_INSIDE:
            raise UnknownNodeError("moves the batch")
        return reshaped(reader.sketch, name_of(node), x, tuple(found[1:]))

    return _by_layer(reader, node, by_layer, lambda a: a.reshape(found))


@handles("Squeeze", "Unsqueeze")
def _squeeze(reader: Reader, node: Any) -> Any:
    axes, whole = reader.numbers(node, 1, "axes"), reader.shape_of(node.input[0])
    if axes is None and node.op_type == "Squeeze":
        axes = [k for k, n in enumerate(whole) if n == 1 and k]
    if axes is None:
        raise UnknownNodeError("names no axes")
    rank = len(whole) + (len(axes) if node.op_type == "Unsqueeze" else 0)
    at = tuple(sorted(int(each) % rank for each in axes))
    squeeze = node.op_type == "Squeeze"

    def moved(a: Places) -> Places:
        return np.squeeze(a, at) if squeeze else np.expand_dims(a, at)

    def by_layer(x: Value) -> Value:
        if squeeze and (found := squeezed(x, [int(axis) for axis in axes])) is not None:
            return found
        if 0 in at or x.layout in BATCH_INSIDE:
            raise UnknownNodeError("moves the batch; expected it first")
        return reshaped(reader.sketch, name_of(node), x, moved(np.empty((1, *x.shape), np.int8)).shape[1:])

    return _by_layer(reader, node, by_layer, moved)


# --- order ------------------------------------------------------------------------------------------------------------
@handles("Transpose")
def _transpose(reader: Reader, node: Any) -> Any:
    order = attributes(node).get("perm") or list(range(len(reader.shape_of(node.input[0]))))[::-1]

    def by_layer(x: Value) -> Value:
        if (found := turned(x, order)) is not None:
            return found
        if x.layout == "line" and order == [0, 2, 1]:
            return Value(reader.sketch.draft.add(name_of(node), "sequence", [x.layer]), x.shape[::-1])
        if order[0] != 0 or x.layout in BATCH_INSIDE:
            raise UnknownNodeError(f"moves the batch: {order}; expected it first")
        return transposed(x, [axis - 1 for axis in order[1:]])

    return _by_layer(reader, node, by_layer, lambda a: a.transpose(order))


# --- parts and joins --------------------------------------------------------------------------------------------------
@handles("Split")
def _split(reader: Reader, node: Any) -> Any:
    told = attributes(node)
    axis, sizes = told.get("axis", 0), reader.numbers(node, 1, "split")
    length = reader.shape_of(node.input[0])[axis]
    if sizes is None:
        each = -(-length // len(node.output))
        edges = list(range(each, length, each))
    else:
        edges = [int(n) for n in np.cumsum(sizes)[:-1]]
    return _followed(reader, node, lambda a: list(np.split(a, edges, axis)))


@handles("Slice")
def _slice(reader: Reader, node: Any) -> Any:
    starts, ends = reader.numbers(node, 1, "starts"), reader.numbers(node, 2, "ends")
    if starts is None or ends is None:
        raise UnknownNodeError("has no ends that are known")
    axes = reader.numbers(node, 3, "axes") or list(range(len(starts)))
    steps = reader.numbers(node, 4, "steps") or [1] * len(starts)
    rank = len(reader.shape_of(node.input[0]))
    parts = [slice(None)] * rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        parts[int(axis) % rank] = slice(int(start), int(end) if abs(end) < 2**31 - 1 else None, int(step))
    return _followed(reader, node, lambda a: a[tuple(parts)])


@handles("Gather")
def _gather(reader: Reader, node: Any) -> Any:
    axis = attributes(node).get("axis", 0)
    if node.input[0] in reader.constants and axis == 0:
        return reader.sketch.embedding(name_of(node), reader.value(node, 1), reader.needed(node, 0))
    place = reader.weight(node, 1)
    if place is None or place.values is None or place.values.ndim > 1:
        raise UnknownNodeError("takes some of a signal by what is no place; expected constants")
    at = np.asarray(place.values)
    if isinstance(states := reader.values.get(node.input[0]), States) and axis == 0 and at.ndim == 0:
        return replace(states.values[int(at)], layout="plain")

    def by_layer(x: Value) -> Value:
        steps = 0 if x.layout == "steps" else 1
        if at.size != 1 or at.ndim or axis != steps or x.layout not in ("plain", "steps") or len(x.shape) != 2:
            raise UnknownNodeError("takes some of a signal; expected one place of a sequence")
        made = reader.sketch.draft.add(name_of(node), "take", [x.layer], place=int(at) % x.shape[0])
        return Value(made, x.shape[1:])

    return _by_layer(reader, node, by_layer, lambda a: np.take(a, at, axis))


@handles("Concat")
def _concat(reader: Reader, node: Any) -> Any:
    axis = attributes(node)["axis"]
    first = reader.constants.get(node.input[0])
    if first is not None and len(node.input) == 2 and axis in (1, -2) and len(first.shape) == 3:
        return _tokens(reader, node)
    if axis == 0:
        states = [reader.values.get(name) for name in node.input]
        if all(isinstance(x, Value) and x.layout == "last" for x in states):
            return States(tuple(states))  # type: ignore[arg-type]
        raise UnknownNodeError("sets samples one behind the other; expected signals beside each other in each")
    return joined(reader.sketch, name_of(node), reader.signals(node), axis - 1 if axis > 0 else axis)


def _tokens(reader: Reader, node: Any) -> Value:
    """Return a sequence with the same vectors before that of every sample."""
    tokens, x = reader.needed(node, 0), reader.value(node, 1)
    if x.layout != "plain" or len(x.shape) != 2:
        raise UnknownNodeError("sets a constant before what is no sequence")
    if tokens.values is not None and (tokens.values != tokens.values[:1]).any():
        raise UnknownNodeError("sets another constant before each sample")
    count = tokens.shape[1]
    made = reader.sketch.draft.add(name_of(node), "tokens", [x.layer], count=count if count > 1 else None)
    reader.sketch.draft.keep(made, None if tokens.values is None else tokens.values[0])
    return Value(made, (x.shape[0] + count, x.shape[1]))


@handles("Identity", "Cast")
def _identity(reader: Reader, node: Any) -> Any:
    if (found := reader.values.get(node.input[0])) is None:
        raise UnknownNodeError("takes no signal")
    return found


@handles("Dropout")
def _dropout(reader: Reader, node: Any) -> Any:
    x = reader.values.get(node.input[0])
    told = reader.numbers(node, 1, "ratio")
    if isinstance(x, Moved | Scores):
        return x
    return reader.sketch.dropout(name_of(node), reader.value(node), 0.5 if told is None else float(f"{told[0]:.7g}"))


_QUANTISED = (
    "The model is quantised: its scales and codes are left out here, for the chip's own converters and formats are "
    "what rounds."
)


@handles("QuantizeLinear", "DequantizeLinear")
def _quantised(reader: Reader, node: Any) -> Any:
    reader.sketch.draft.note(_QUANTISED)
    return _identity(reader, node)


@handles("Expand")
def _expand(reader: Reader, node: Any) -> Any:
    """Note that a signal is repeated; what is repeated nowhere is itself."""
    own, told = reader.shape_of(node.input[0]), reader.numbers(node, 1, "shape")
    try:
        shape = np.broadcast_shapes(own, tuple(int(n) for n in told or ()))
    except ValueError:
        raise UnknownNodeError(f"expands {list(own)} to {told}; expected lengths of 1 in place of others") from None
    return reader.values[node.input[0]] if shape == own else Expanded(reader.value(node), shape)


@handles("Pad")
def _pad(reader: Reader, node: Any) -> Value:
    x, pads, told = reader.value(node), reader.numbers(node, 1, "pads"), attributes(node)
    filled = reader.numbers(node, 2, "value")
    if told.get("mode", "constant") != "constant" or (filled is not None and filled[0] != 0) or pads is None:
        raise UnknownNodeError("pads with something else than zeros")
    rank = len(x.shape) + 1
    axes = [int(axis) % rank for axis in reader.numbers(node, 3, "axes") or range(rank)]
    around = {axis: (int(pads[k]), int(pads[k + len(axes)])) for k, axis in enumerate(axes)}
    x = lined(reader.sketch, name_of(node), x)
    if x.layout not in ("image", "line") or any(any(around.get(axis, (0, 0))) for axis in (0, 1)):
        raise UnknownNodeError(
            f"pads {[int(n) for n in pads]}; expected rows and columns of images, or places of lines"
        )
    if min(n for both in around.values() for n in both) < 0:
        raise UnknownNodeError(f"cuts off what it pads by less than 0, {[int(n) for n in pads]}; expected zeros around")
    image = as_image(x)
    (top, bottom), (left, right) = (around.get(axis, (0, 0)) if axis else (0, 0) for axis in
                                    ((2, 3) if x.layout == "image" else (0, 2)))  # fmt: skip
    made = reader.sketch.draft.add(name_of(node), "pad", [x.layer], amounts=[top, left, bottom, right])
    shape = (image.shape[0], image.shape[1] + top + bottom, image.shape[2] + left + right)
    return as_line(Value(made, shape, "image"), x)


@handles("Resize", "Upsample")
def _resize(reader: Reader, node: Any) -> Value:
    """Add nearest neighbours, if that is what the node asks for: each element so many times along rows and columns."""
    x, told, first = reader.value(node), attributes(node), node.op_type == "Upsample" or reader.version < 11
    sizes = None if first else reader.numbers(node, 3, "sizes")
    scales = reader.numbers(node, 1 if first else 2, "scales")
    if x.layout != "image":
        raise UnknownNodeError("changes the size of what is no image")
    if sizes is not None:
        scales = [n / mine for n, mine in zip(sizes[-2:], x.shape[1:], strict=True)]
    factors = [float(n) for n in (scales or [])[-2:]]
    if told.get("mode", "nearest") != "nearest":
        raise UnknownNodeError(f"mode {told['mode']}; expected nearest: no layer interpolates")
    factor = int(factors[0]) if factors else 0
    if factors != [factor] * 2 or factor < 1 or any(n != 1 for n in (scales or [])[:-2]) or told.get("axes"):
        raise UnknownNodeError(f"makes an image {factors} times as large; expected a whole number, the same both ways")
    if factor > 1 and not (first or _copies(told, factor)):
        raise UnknownNodeError("takes other elements than the nearest ones in turn; expected each so many times")
    return reader.sketch.upsample(name_of(node), x, factor)


def _copies(told: dict[str, Any], factor: int) -> bool:
    """Return whether each element stands so many times in a row, by the rules of coordinates and of rounding."""
    at = np.arange(5 * factor)
    ways = {"half_pixel": (at + 0.5) / factor - 0.5, "asymmetric": at / factor}
    ways["pytorch_half_pixel"] = ways["half_pixel"]
    ways["tf_half_pixel_for_nn"] = (at + 0.5) / factor
    found = ways.get(told.get("coordinate_transformation_mode", "half_pixel"))
    rounded: dict[str, Callable[[Any], Any]] = {
        "floor": np.floor, "ceil": np.ceil, "round_prefer_floor": lambda a: np.ceil(a - 0.5),
        "round_prefer_ceil": lambda a: np.floor(a + 0.5),
    }  # fmt: skip
    near = rounded[told.get("nearest_mode", "round_prefer_floor")]
    return found is not None and bool((np.clip(near(found), 0, 4) == at // factor).all())
