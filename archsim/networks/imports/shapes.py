"""Reshapes, transposes, sums and constants, in the words of frameworks: what moves and joins the values of a sketch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from archsim.networks.imports.channels_first import Shape, Sketch, Value
from archsim.networks.imports.draft import INPUT, UnknownNodeError, Weight

_GAINED = ("batch-norm", "layer-norm", "group-norm", "scale")
"""Kinds of layer with a gain and an offset by channel."""


def reshaped(sketch: Sketch, name: str, x: Value, shape: Shape) -> Value:
    """Return a value under another shape.

    Raises
    ------
    UnknownNodeError
        If it is none of: one vector of all, positions in a row, the groups of a channel shuffle.
    """
    if shape == x.shape:
        return x
    if shape == (math.prod(x.shape),) and x.layout in ("plain", "image", "point", "columns", "line"):
        return _flat(sketch, name, x)
    if x.layout == "plain" and x.order is None and len(x.shape) == 1 and shape == (*x.shape, 1, 1):
        return replace(x, shape=shape, layout="point")
    if (found := _in_a_row(sketch, name, x, shape) or _dealt(sketch, name, x, shape)) is not None:
        return found
    raise UnknownNodeError(
        f"{list(x.shape)} under the shape {list(shape)}; expected one vector, or the positions of an image in a row"
    )


def _in_a_row(sketch: Sketch, name: str, x: Value, shape: Shape) -> Value | None:
    """Return the positions of an image as a sequence, or a sequence as those of an image, if the shape says that."""
    if x.layout == "image" and shape == (x.shape[0], math.prod(x.shape[1:])):
        return Value(sketch.draft.add(name, "sequence", [x.layer]), shape, "columns")
    if x.layout == "plain" and x.order is None and len(x.shape) == 2 and len(shape) == 3 and shape[2] == x.shape[1]:
        return Value(sketch.draft.add(name, "fit", [x.layer], shape=list(shape)), shape)
    if x.layout == "plain" and len(x.shape) == 3 and shape == (math.prod(x.shape[:2]), x.shape[2]):
        return Value(sketch.draft.add(name, "sequence", [x.layer]), shape)
    return None


def _dealt(sketch: Sketch, name: str, x: Value, shape: Shape) -> Value | None:
    """Return an image whose channels are taken apart into groups, or set together again, if the shape says so."""
    if x.layout == "image" and len(shape) == 4 and shape[0] * shape[1] == x.shape[0] and shape[2:] == x.shape[1:]:
        return Value(x.layer, shape, "grouped")
    if x.layout == "shuffled" and shape == (x.shape[0] * x.shape[1], *x.shape[2:]):
        return Value(sketch.draft.add(name, "shuffle", [x.layer], groups=x.shape[1]), shape, "image")
    return None


def _flat(sketch: Sketch, name: str, x: Value) -> Value:
    size = (math.prod(x.shape),)
    if x.layout == "point":
        return Value(x.layer, size)
    order = None
    if x.layout in ("image", "columns", "line"):
        order = x.shape if x.layout == "image" else (*x.shape, 1)
    kept = order if order is not None and math.prod(order[1:]) > 1 else None
    return Value(sketch.draft.add(name, "flatten", [x.layer]), size, order=kept)


def transposed(x: Value, order: Sequence[int]) -> Value:
    """Return a value with its axes, without the batch, in another order: no layer does anything.

    Raises
    ------
    UnknownNodeError
        If our own would have to be moved.
    """
    shape, moved = tuple(x.shape[axis] for axis in order), tuple(order)
    if moved == tuple(range(len(order))):
        return x
    turns = {
        ("image", (1, 2, 0)): "plain", ("columns", (1, 0)): "plain", ("grouped", (1, 0, 2, 3)): "shuffled",
    }  # fmt: skip
    back = {(2, 0, 1): "image", (1, 0): "columns"}
    if (found := turns.get((x.layout, moved))) or (x.layout == "plain" and (found := back.get(moved))):
        return Value(x.layer, shape, found)  # type: ignore[arg-type]
    raise UnknownNodeError(f"axes of {list(x.shape)} in the order {list(order)}; expected channels moved first or last")


def combined(sketch: Sketch, name: str, kind: str, xs: Sequence[Value]) -> Value:
    """Return the sum, or the product ("add", "multiply"), of values of one shape, or that spread over it."""
    whole = max(xs, key=lambda x: math.prod(x.shape))
    for x in xs:
        if not _spreads(x, whole):
            raise UnknownNodeError(
                f"values of {list(whole.shape)} and {list(x.shape)}; expected the same shape, or 1 where it is spread"
            )
    if kind == "multiply" and len(xs) == 2 and (found := _gated(sketch, name, *xs) or _gated(sketch, name, *xs[::-1])):
        return found
    return replace(whole, layer=sketch.draft.add(name, kind, [x.layer for x in xs]))


def _spreads(x: Value, whole: Value) -> bool:
    """Return whether a value has the shape of another, or lengths of 1 in place of its own."""
    if (x.shape, x.layout, x.order) == (whole.shape, whole.layout, whole.order):
        return True
    alike = x.layout == whole.layout or (x.layout == "point" and whole.layout in ("image", "line"))
    fits = len(x.shape) == len(whole.shape) and all(n in (1, m) for n, m in zip(x.shape, whole.shape, strict=True))
    return alike and fits and x.order is None is whole.order


def _gated(sketch: Sketch, name: str, x: Value, gate: Value) -> Value | None:
    """Return a SiLU or a hard swish, where that is what x times a gate is: its own sigmoid, or hard sigmoid."""
    if gate.layer == INPUT or (x.shape, x.layout) != (gate.shape, gate.layout):
        return None
    layer = sketch.draft.of(gate.layer)
    kind = {"sigmoid": "silu", "hard-sigmoid": "hard-swish"}.get(str(layer.get("activation")))
    if layer["kind"] != "activation" or sketch.draft.takes[gate.layer] != [x.layer] or kind is None or "slope" in layer:
        return None
    return sketch.activation(name, x, kind, alone=False)


def joined(sketch: Sketch, name: str, xs: Sequence[Value], axis: int) -> Value:
    """Return values set beside each other along their channels; `axis` counts without the batch."""
    first = xs[0]
    channels = 0 if first.layout in ("image", "point", "columns", "line") else len(first.shape) - 1
    if axis % len(first.shape) != channels or any(x.layout != first.layout or x.order is not None for x in xs):
        shapes = ", ".join(str(list(x.shape)) for x in xs)
        raise UnknownNodeError(f"{shapes} beside each other along axis {axis + 1}; expected their channels")
    total = sum(x.shape[channels] for x in xs)
    shape = (*first.shape[:channels], total, *first.shape[channels + 1 :])
    return Value(sketch.draft.add(name, "concat", [x.layer for x in xs]), shape, first.layout)


def shifted(sketch: Sketch, name: str, x: Value, constant: Weight, *, alone: bool, own: bool = True) -> Value:
    """Return a value and a constant added: the bias of the layer before, learned positions, or, if `own`, a layer."""
    before = sketch.draft.of(x.layer) if x.layer != INPUT else {"kind": "input"}
    if alone and (by_channel(x, constant) or math.prod(constant.shape) == 1):
        if before["kind"] in _GAINED:
            before.pop("offset", None)
            _plainly(sketch, x, "offset")
            _change(sketch, f"{x.layer}.offset", constant, np.add)
            return x
        if _linear(before, "dense", "conv2d"):
            had = bool(before.pop("bias", True))
            for matrix, part in _matrices(before, constant):
                _bias(sketch, matrix, part, had=had)
            return x
        if _linear(before, "depthwise"):
            if not before.pop("bias", True):
                sketch.draft.keep(f"{x.layer}.bias", np.zeros((1, x.shape[0])))
            _change(sketch, f"{x.layer}.bias", constant, np.add)
            return x
    if x.layout == "plain" and x.order is None and _stripped(constant.shape) == _stripped(x.shape):
        if before["kind"] == "positions" and alone:
            _change(sketch, x.layer, constant, np.add)
            return x
        made = sketch.draft.add(name, "positions", [x.layer])
        sketch.draft.keep(made, None if constant.values is None else constant.values.reshape(x.shape))
        return replace(x, layer=made)
    return _by_itself(sketch, name, x, constant, "offset", own=own)


def unit_gains(x: Value) -> list[Weight]:
    """Return the gain and offset of a norm that has none: 1 and 0, by channel."""
    size = x.shape[0] if x.layout in ("image", "point", "columns", "line") else x.shape[-1]
    return [Weight((size,), fill(size)) for fill in (np.ones, np.zeros)]


def scaled(sketch: Sketch, name: str, x: Value, constant: Weight, *, alone: bool, own: bool = True) -> Value:
    """Return a value times a constant, by channel or all alike: within the layer before, or, if `own`, by another."""
    before = sketch.draft.of(x.layer) if x.layer != INPUT else {"kind": "input"}
    if alone and (by_channel(x, constant) or math.prod(constant.shape) == 1):
        if before["kind"] in _GAINED:
            before.pop("gain", None)
            for part in ("gain", "offset") if before.get("offset", True) else ("gain",):
                _plainly(sketch, x, part)
                _change(sketch, f"{x.layer}.{part}", constant, np.multiply)
            return x
        if _linear(before, "dense", "conv2d", "depthwise"):
            for matrix, part_of in _matrices(before, constant):
                _change(sketch, matrix, part_of, np.multiply)
            if before["kind"] == "depthwise" and before.get("bias", True):
                _change(sketch, f"{x.layer}.bias", constant, np.multiply)
            return x
    return _by_itself(sketch, name, x, constant, "gain", own=own)


def _by_itself(sketch: Sketch, name: str, x: Value, constant: Weight, part: str, *, own: bool) -> Value:
    """Return a value scaled or shifted, by channel or all alike, by a layer of its own, if there may be one."""
    fits = math.prod(constant.shape) == 1 or by_channel(x, constant)
    if not own or not fits or x.order is not None or x.layout in ("codes", "grouped", "shuffled"):
        how = "times" if part == "gain" else "added to"
        raise UnknownNodeError(
            f"a constant of shape {list(constant.shape)} {how} a value of shape {list(x.shape)}; expected one number "
            "for each channel, or one for all"
        )
    size = x.shape[0] if x.layout in ("image", "point", "columns", "line") else x.shape[-1]
    left_out = "offset" if part == "gain" else "gain"
    made = sketch.draft.add(name, "scale", [x.layer], **{left_out: False})
    values = constant.values
    sketch.draft.keep(f"{made}.{part}", None if values is None else np.broadcast_to(values.reshape(1, -1), (1, size)))
    return replace(x, layer=made)


def _linear(before: Mapping[str, Any], *kinds: str) -> bool:
    """Return whether a layer is of one of some kinds, and has no activation yet."""
    return before["kind"] in kinds and before["activation"] == "linear"


def _matrices(before: Mapping[str, Any], constant: Weight) -> list[tuple[str, Weight]]:
    """Return the matrices of a layer, each with its part of a constant by channel; a single number is for all."""
    groups = before.get("groups", 1)
    names = [before["name"]] if groups == 1 else [f"{before['name']}.{g}" for g in range(groups)]
    if constant.values is None or constant.values.size == 1:
        return [(name, constant) for name in names]
    return [(name, Weight(part.shape, part)) for name, part in
            zip(names, np.split(constant.values.ravel(), groups), strict=True)]  # fmt: skip


def _stripped(shape: Shape) -> Shape:
    """Return a shape without ones in front."""
    first = next((k for k, n in enumerate(shape) if n != 1), len(shape) - 1)
    return shape[first:]


def by_channel(x: Value, constant: Weight) -> bool:
    """Return whether a constant has a number for each channel and is spread over all else."""
    first = x.layout in ("image", "point", "columns", "line")
    channels, behind = (x.shape[0], len(x.shape) - 1) if first else (x.shape[-1], 0)
    return _stripped(constant.shape) == (channels, *[1] * behind) and x.order is None


def _plainly(sketch: Sketch, x: Value, part: str) -> None:
    """Note what a norm has where the model gives it no gain or offset, so that it can be changed."""
    if (name := f"{x.layer}.{part}") not in sketch.draft.arrays and name not in sketch.draft.missing:
        sketch.draft.keep(name, np.asarray(unit_gains(x)[part == "offset"].values).reshape(1, -1))


def _change(sketch: Sketch, name: str, constant: Weight, change: np.ufunc) -> None:
    arrays = sketch.draft.arrays
    if constant.values is None:
        arrays.pop(name, None)
        sketch.draft.missing.append(name)
    elif name in arrays:
        shape = arrays[name].shape if constant.values.size == arrays[name].size else (1, -1)
        arrays[name] = change(arrays[name], constant.values.reshape(shape)).astype(np.float32)


def _bias(sketch: Sketch, matrix: str, constant: Weight, *, had: bool) -> None:
    """Add a constant to the last row of a matrix, its bias; or as such a row, if it had none."""
    arrays = sketch.draft.arrays
    if constant.values is None:
        arrays.pop(matrix, None)
        sketch.draft.missing.append(matrix)
    elif matrix in arrays:
        row = constant.values.reshape(1, -1).astype(np.float32)
        if had:
            arrays[matrix][-1:] += row
        else:
            arrays[matrix] = np.vstack([arrays[matrix], np.broadcast_to(row, (1, arrays[matrix].shape[1]))])
