"""Elements in an order that no layer gives: layers that name words anew set them in it, where a few can."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from archsim.networks.imports.channels_first import Sketch, Value
from archsim.networks.imports.moved import Moved, Places, places, whole

_LINES = ("columns", "line")
"""Layouts of (channels, places)."""


def upright(sketch: Sketch, name: str, x: Value) -> Value:
    """Return (channels, places) as vectors of its last axis, for a layer that works on these; all else as it is."""
    if x.layout not in _LINES:
        return x
    return laid(sketch, f"{name}-turned", whole(x, 1), 1) or x


def alike(sketch: Sketch, name: str, xs: list[Value]) -> list[Value]:
    """Return values that are to be added or multiplied; as vectors of their last axes where some lie otherwise."""
    kinds = {x.layout for x in xs}
    if len(kinds) == 1 or not kinds <= {"plain", *_LINES} or {len(x.shape) for x in xs} != {2}:
        return xs
    return [upright(sketch, name, x) for x in xs]


def laid(sketch: Sketch, name: str, moved: Moved, batch: int) -> Value | None:
    """Return all elements of a layer's result in another order as a vector, a sequence or an image (channels first).

    That order is the layer's own under another shape, or one in which neighbouring groups are dealt out in turn, as a
    transpose of two axes does; None for any other.
    """
    own, given = places(moved.value, batch), moved.places
    if moved.factor != 1 or given.size != own.size or not 2 <= given.ndim <= 4 or given.shape[0] != batch:
        return None
    order = given[0].ravel()
    count = order.size
    if not np.array_equal(given.reshape(batch, -1), own.reshape(batch, -1)[:, :1] + order):
        return None
    words, shape = _words(moved.value)[order].reshape(given.shape[1:]), given.shape[1:]
    image = len(shape) == 3
    if image:
        words = words.transpose(1, 2, 0)
    groups = _dealt(words.ravel())
    if groups is None:
        return None
    layer = moved.value.layer
    if groups > 1:
        flat = layer if len(moved.value.shape) == 1 else sketch.draft.add(f"{name}-flat", "fit", [layer], shape=[count])
        layer = sketch.draft.add(f"{name}-shuffle", "shuffle", [flat], groups=groups)
    if groups == 1 or len(shape) > 1:
        layer = sketch.draft.add(name, "fit", [layer], shape=list(words.shape))
    return Value(layer, shape, "image" if image else "plain")


def _words(x: Value) -> Places:
    """Return where each element of a value, in its own order, lies in the words of its layer: channels last."""
    count = math.prod(x.shape)
    if x.order is not None:
        return _words(replace(x, shape=x.order, layout="image", order=None))
    if x.layout not in ("image", *_LINES):
        return np.arange(count)
    channels, *rest = x.shape
    return np.moveaxis(np.arange(count).reshape(*rest, channels), -1, 0).ravel()


def _dealt(words: Places) -> int | None:
    """Return how many neighbouring groups are dealt out in turn; 1 for the order as it is, None for another."""
    step = int(words[1]) if words.size > 1 else 1
    if step < 1 or words.size % step:
        return None
    groups = words.size // step if step > 1 else 1
    return groups if np.array_equal(words, np.arange(words.size).reshape(groups, -1).T.ravel()) else None
