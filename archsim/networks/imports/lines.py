"""Lines, (channels, places): their convolutions and pools are those of an image of one row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archsim.networks.imports.channels_first import Shape, Sketch, Steps, Value
from archsim.networks.imports.draft import Weight


def lined(sketch: Sketch, name: str, x: Value) -> Value:
    """Return a sequence that lies (size, steps) as a line, (channels, places); all else as it is."""
    if x.layout != "columns":
        return x
    channels, places = x.shape
    return Value(sketch.draft.add(f"{name}-line", "fit", [x.layer], shape=[1, places, channels]), x.shape, "line")


def as_image(x: Value) -> Value:
    """Return a line as an image of one row; all else as it is."""
    return replace(x, shape=(x.shape[0], 1, x.shape[1]), layout="image") if x.layout == "line" else x


def as_line(x: Value, of: Value) -> Value:
    """Return what was made of a line as one."""
    return replace(x, shape=(x.shape[0], x.shape[2]), layout="line") if of.layout == "line" else x


def windows_of_one_row(window: Shape, told: dict[str, Any]) -> tuple[Shape, dict[str, Any]]:
    """Return a window over a line, and a node's attributes, as those over an image of one row.

    Strides and dilations of the one row decide nothing: they are those of its places.
    """
    found = dict(told)
    for key in ("strides", "dilations"):
        found[key] = list(told.get(key, [1])) * 2
    before, after = told.get("pads", [0, 0])
    return (1, *window), {**found, "pads": [0, before, 0, after]}


def filters_of_one_row(weight: Weight) -> Weight:
    """Return filters (units, channels, places) as those of images of one row."""
    units, channels, places = weight.shape
    values = None if weight.values is None else weight.values.reshape(units, channels, 1, places)
    return Weight((units, channels, 1, places), values)


def largest(sketch: Sketch, name: str, x: Value) -> Value:
    """Return the largest of each channel, (C, 1, 1): a pool with one window over all positions."""
    if x.layout == "plain":
        x = Value(x.layer, x.shape[::-1], "columns")
    image = as_image(lined(sketch, name, x))
    return sketch.pool(name, image, "max-pool", image.shape[1:], Steps([max(image.shape[1:])] * 2))
