"""Layers in the words of frameworks that keep channels first, into layers that keep them last.

A value is a layer's result: the shape that the framework gives it, without the batch, and how our own lies under it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from archsim.networks.imports.draft import INPUT, Draft, UnknownNodeError, Values, Weight

Layout = Literal[
    "plain", "image", "point", "columns", "line", "grouped", "shuffled", "codes", "steps", "directed", "last"
]  # fmt: skip
"""plain: the same as ours; image: (C, H, W), ours (H, W, C); point: (C, 1, 1), ours (C,); columns: (C, T), ours (T, C);
line: (C, T), ours an image of one row, (1, T, C); grouped and shuffled: an image on its way through a channel shuffle;
codes: (T,), ours (T, 1); steps: (T, size), the batch behind the steps; directed: the same with an axis of directions;
last: (size,), behind such an axis."""
Shape = tuple[int, ...]
Pads = tuple[int, int, int, int]
"""Zeros above, to the left, below, to the right."""
_ACTIVATED = {"dense", "conv2d", "depthwise", "conv2d-transposed"}
"""Kinds of layer that have an activation of their own."""


@dataclass(frozen=True, slots=True)
class Value:
    """A layer's result; `order` is the (C, H, W) of an image that was made one vector."""

    layer: str
    shape: Shape
    layout: Layout = "plain"
    order: Shape | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """How a window moves: rows and columns of strides and dilations, and the zeros around."""

    strides: Sequence[int] = (1, 1)
    pads: Pads = (0, 0, 0, 0)
    dilations: Sequence[int] = (1, 1)

    def stride(self) -> int:
        """Return the one stride.

        Raises
        ------
        UnknownNodeError
            If rows and columns have different ones.
        """
        if len(set(self.strides)) > 1:
            raise UnknownNodeError(f"strides {list(self.strides)}; expected the same for rows and columns")
        return self.strides[0]

    def dilation(self) -> int:
        """Return the one dilation, likewise."""
        if len(set(self.dilations)) > 1:
            raise UnknownNodeError(f"dilations {list(self.dilations)}; expected the same for rows and columns")
        return self.dilations[0]

    def places(self, image: Shape, window: Shape) -> Shape:
        """Return how many windows stand below and beside each other."""
        top, left, bottom, right = self.pads
        sizes = zip(image, window, ((top, bottom), (left, right)), self.strides, self.dilations, strict=True)
        return tuple((n + sum(p) - d * (k - 1) - 1) // s + 1 for n, k, p, s, d in sizes)

    def padding(self) -> dict[str, int | None] | None:
        """Return the keys of a layer for the zeros around; None if no layer has such."""
        top, left, bottom, right = self.pads
        if top != left or bottom != right:
            return None
        return {"padding": top or None, "padding_end": bottom if bottom != top else None}


def same(image: Shape, window: Shape, strides: Sequence[int], *, lower: bool = False) -> Pads:
    """Return the zeros that make a window stand at every stride-th place of the image, the odd one at the end.

    `lower`: the odd one at the beginning.
    """
    whole = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(image, window, strides, strict=True)]
    before = [(n + lower) // 2 for n in whole]
    return before[0], before[1], whole[0] - before[0], whole[1] - before[1]


def size(window: Shape) -> int | list[int]:
    """Return a window as a layer has it."""
    return window[0] if window[0] == window[1] else list(window)


class Sketch:
    """Adds layers to a draft, node by node of a framework's graph.

    `last` says that an image is given with its channels last. Methods take the wanted name first; `alone` says that
    nobody else reads the value, so that its layer may change. They raise UnknownNodeError for what no layer does.
    """

    def __init__(self, shape: Shape, *, codes: bool = False, line: bool = False, last: bool = False) -> None:
        image = len(shape) == 3 and not last
        ours = [*shape[1:], shape[0]] if image else [1, shape[1], shape[0]] if line else [*shape, *[1] * codes]
        self.draft = Draft(ours)
        self.input = Value(INPUT, shape, "image" if image else "line" if line else "codes" if codes else "plain")

    # --- products ---------------------------------------------------------------------------------------------------
    def conv(
        self, name: str, x: Value, weight: Weight, bias: Weight | None, steps: Steps, *, groups: int = 1
    ) -> Value:  # fmt: skip
        """Add a convolution with filters (units, channels of a group, rows, columns)."""
        if len(weight.shape) != 4:
            raise UnknownNodeError(f"filters of shape {list(weight.shape)}; expected those of images, four numbers")
        units, _, *window = weight.shape
        if x.layout == "point" and tuple(window) == (1, 1) and groups == 1:
            turned = None if weight.values is None else weight.values.reshape(units, -1).T
            made = self.dense(name, x, Weight((weight.shape[1], units), turned), bias)
            return replace(made, shape=(units, 1, 1), layout="point")
        self._image(x)
        channels, image = x.shape[0], x.shape[1:]
        layer, shape, padding = x.layer, (units, *steps.places(image, tuple(window))), steps.padding()
        if padding is None:
            layer, padding = self.draft.add(f"{name}-pad", "pad", [layer], amounts=list(steps.pads)), {}
        keys: dict[str, Any] = {"window": size(tuple(window)), **_stepped(steps), **padding, "activation": "linear"}
        deep = groups == channels == units and groups > 1
        of_units = {} if deep else {"units": units, "groups": groups if groups > 1 else None}
        conv = self.draft.add(name, "depthwise" if deep else "conv2d", [layer], **of_units, **keys, bias=_said(bias))
        self._filters(conv, weight, bias, groups, deep=deep)
        return Value(conv, shape, "image")

    def conv_transposed(
        self, name: str, x: Value, weight: Weight, bias: Weight | None, steps: Steps, *, more: int = 0
    ) -> Value:  # fmt: skip
        """Add a transposed convolution with filters (channels, units, rows, columns)."""
        self._image(x)
        if len(weight.shape) != 4 or len(set(steps.pads)) > 1:
            raise UnknownNodeError(f"pads {list(steps.pads)}; expected the same on all sides of images")
        _, units, *window = weight.shape
        stride, dilation, pad = steps.stride(), steps.dilation(), steps.pads[0]
        shape = tuple(
            (n - 1) * stride - 2 * pad + dilation * (k - 1) + 1 + more for n, k in zip(x.shape[1:], window, strict=True)
        )
        made = self.draft.add(
            name, "conv2d-transposed", [x.layer], units=units, window=size(tuple(window)), **_stepped(steps),
            padding=pad or None, output_padding=more or None, activation="linear", bias=_said(bias),
        )  # fmt: skip
        values = weight.values
        turned = None if values is None else values.transpose(2, 3, 1, 0).reshape(-1, weight.shape[0])
        self.draft.keep(made, turned)
        if bias is not None:
            self.draft.keep(f"{made}.bias", None if bias.values is None else bias.values.reshape(1, -1))
        return Value(made, (units, *shape), "image")

    def dense(self, name: str, x: Value, weight: Weight, bias: Weight | None) -> Value:
        """Add a product of each vector with a matrix (rows, columns)."""
        rows, units = weight.shape
        mine = x.shape[0] if x.layout == "point" else x.shape[-1]
        if x.layout not in ("plain", "point") or mine != rows:
            raise UnknownNodeError(f"a matrix of {rows} rows for a {_told(x)}; expected vectors of {rows} elements")
        values = weight.values
        if values is not None and x.order is not None:
            values = values.reshape(*x.order, units).transpose(1, 2, 0, 3).reshape(rows, units)
        made = self.draft.add(name, "dense", [x.layer], units=units, activation="linear", bias=_said(bias))
        self.draft.keep(made, _biased(values, bias))
        return Value(made, (units,) if x.layout == "point" else (*x.shape[:-1], units))

    def _filters(self, made: str, weight: Weight, bias: Weight | None, groups: int, *, deep: bool) -> None:
        """Keep the initial values of a convolution: of its matrix, of those of its groups, or of a parameter."""
        units = weight.shape[0]
        if deep:
            turned = None if weight.values is None else weight.values.reshape(units, -1).T
            self.draft.keep(made, turned)
            if bias is not None:
                self.draft.keep(f"{made}.bias", None if bias.values is None else bias.values.reshape(1, -1))
            return
        for g in range(groups):
            part = slice(g * units // groups, (g + 1) * units // groups)
            mine = None
            if weight.values is not None:
                mine = weight.values[part].transpose(2, 3, 1, 0).reshape(-1, units // groups)
            of_bias = None
            if bias is not None:
                of_bias = Weight((units // groups,), None if bias.values is None else bias.values.reshape(-1)[part])
            self.draft.keep(made if groups == 1 else f"{made}.{g}", _biased(mine, of_bias))

    # --- norms, activations, pools ----------------------------------------------------------------------------------
    def batch_norm(
        self, name: str, x: Value, gains: Sequence[Weight | None], moments: Sequence[Weight], *, epsilon: float,
        momentum: float = 0.1,
    ) -> Value:  # fmt: skip
        """Add a batch norm with (gain, offset) and running (mean, variance)."""
        if x.layout not in ("image", "line", "point", "plain") or x.order is not None:
            raise UnknownNodeError(f"a batch norm of a {_told(x)}; expected an image or a vector")
        keys = _unusual(epsilon=(epsilon, 1e-5), momentum=(momentum, 0.1))
        made = self.draft.add(name, "batch-norm", [x.layer], **keys)
        self._gains(made, gains)
        known = all(each.values is not None for each in moments)
        stacked = np.stack([np.ravel(each.values) for each in moments], axis=1) if known else None  # type: ignore[arg-type]
        self.draft.keep(f"{made}.running", stacked)
        return replace(x, layer=made)

    def layer_norm(self, name: str, x: Value, gains: Sequence[Weight | None], *, epsilon: float) -> Value:
        """Add a layer norm with (gain, offset) over the last axis."""
        if x.layout != "plain" or x.order is not None:
            raise UnknownNodeError(f"a layer norm of a {_told(x)}; expected vectors, their elements last")
        offset = None if gains[1] is not None or gains[0] is None else False
        made = self.draft.add(name, "layer-norm", [x.layer], **_unusual(epsilon=(epsilon, 1e-5)), offset=offset)
        self._gains(made, gains)
        return replace(x, layer=made)

    def group_norm(
        self, name: str, x: Value, gains: Sequence[Weight | None], *, groups: int, epsilon: float
    ) -> Value:  # fmt: skip
        """Add a norm of groups of channels over all positions, with (gain, offset) by channel."""
        if x.layout not in ("image", "line"):
            raise UnknownNodeError(f"a norm of groups of a {_told(x)}; expected those of an image's channels")
        made = self.draft.add(name, "group-norm", [x.layer], groups=groups, **_unusual(epsilon=(epsilon, 1e-5)))
        self._gains(made, gains)
        return replace(x, layer=made)

    def part(self, name: str, x: Value, shape: Shape, count: int, place: int, parts: int) -> Value:
        """Add some neighbouring channels: those of `parts` of `count` equal parts, from a place on."""
        made = self.draft.add(
            name, "part", [x.layer], count=count, place=place, parts=parts if parts > 1 else None
        )  # fmt: skip
        return replace(x, layer=made, shape=shape)

    def upsample(self, name: str, x: Value, factor: int) -> Value:
        """Add the nearest neighbours of an image so many times as large."""
        self._image(x)
        made = self.draft.add(name, "upsample", [x.layer], factor=factor)
        return Value(made, (x.shape[0], *(n * factor for n in x.shape[1:])), "image")

    def _gains(self, made: str, gains: Sequence[Weight | None]) -> None:
        for part, weight in zip(("gain", "offset"), gains, strict=True):
            if weight is not None:
                self.draft.keep(f"{made}.{part}", None if weight.values is None else weight.values.reshape(1, -1))

    def local_norm(self, name: str, x: Value, **keys: float) -> Value:
        """Add a norm by neighbouring channels."""
        self._image(x)
        return replace(x, layer=self.draft.add(name, "local-norm", [x.layer], **keys))

    def activation(self, name: str, x: Value, kind: str, *, alone: bool, slope: float | None = None) -> Value:
        """Add an activation, to the layer before if it is alone and has none."""
        if kind == "softmax" and (x.layout not in ("plain", "point") or x.order is not None):
            raise UnknownNodeError(f"a softmax of a {_told(x)}; expected one over the last axis of vectors")
        if alone and x.layer != INPUT:
            before = self.draft.of(x.layer)
            if before["kind"] in _ACTIVATED and before["activation"] == "linear":
                before["activation"] = kind
                if slope is not None:
                    before["slope"] = slope
                return x
        return replace(x, layer=self.draft.add(name, "activation", [x.layer], activation=kind, slope=slope))

    def pool(
        self, name: str, x: Value, kind: Literal["max-pool", "average-pool"], window: Shape, steps: Steps, *,
        ceil: bool = False, counts_padding: bool = True,
    ) -> Value:  # fmt: skip
        """Add a pool."""
        self._image(x)
        if steps.dilation() != 1:
            raise UnknownNodeError(f"dilations {list(steps.dilations)} of a pool; expected none")
        if ceil and (up := _up(x.shape[1:], window, steps)) != steps.pads:
            if counts_padding and any(steps.pads) and kind == "average-pool":
                raise UnknownNodeError(
                    "counts zeros around the image but not those that round up; expected one or none"
                )
            steps, counts_padding = replace(steps, pads=up), False  # what rounds up counts nowhere
        padding = steps.padding()
        if padding is None:
            raise UnknownNodeError(f"pads {list(steps.pads)} of a pool; expected the same for rows and columns")
        counts = counts_padding if kind == "average-pool" and any(steps.pads) else True
        made = self.draft.add(
            name, kind, [x.layer], window=size(window), **padding,
            stride=None if tuple(steps.strides) == window else size(tuple(steps.strides)),
            counts_padding=None if counts else False,
        )  # fmt: skip
        return Value(made, (x.shape[0], *steps.places(x.shape[1:], window)), "image")

    def global_average(self, name: str, x: Value) -> Value:
        """Add the mean over all positions: (C, 1, 1) of an image, (size,) of a sequence."""
        if x.layout == "point":
            return x
        if x.layout not in ("image", "columns", "line") and len(x.shape) != 2:
            raise UnknownNodeError(f"a mean of a {_told(x)}; expected one over the positions of an image or a sequence")
        made = self.draft.add(name, "global-average", [x.layer])
        if x.layout in ("image", "line"):
            return Value(made, (x.shape[0], *[1] * (len(x.shape) - 1)), "point")
        return Value(made, x.shape[:1] if x.layout == "columns" else x.shape[1:])

    def dropout(self, name: str, x: Value, rate: float) -> Value:
        """Add dropout, unless its rate is 0."""
        return replace(x, layer=self.draft.add(name, "dropout", [x.layer], rate=rate)) if 0 < rate < 1 else x

    def embedding(self, name: str, x: Value, table: Weight) -> Value:
        """Add a look-up of codes in a table (vocabulary, size)."""
        if x.layout != "codes":
            raise UnknownNodeError(f"a look-up by a {_told(x)}; expected codes, an input of whole numbers")
        vocabulary, width = table.shape
        made = self.draft.add(name, "embedding", [x.layer], vocabulary=vocabulary, size=width)
        self.draft.keep(made, table.values)
        return Value(made, (*x.shape, width))

    def _image(self, x: Value) -> None:
        if x.layout != "image":
            raise UnknownNodeError(f"works on a {_told(x)}; expected an image (channels, rows, columns)")


def _up(image: Shape, window: Shape, steps: Steps) -> Pads:
    """Return pads with as much more at the end as makes the number of places round up."""
    top, left, *ends = steps.pads
    found = []
    for n, k, s, before, after in zip(image, window, steps.strides, (top, left), ends, strict=True):
        places = -(-(n + before + after - k) // s) + 1
        places -= (places - 1) * s >= n + before  # a window begins in the image, or in the zeros before it
        found.append(max((places - 1) * s + k - n - before, 0))
    return top, left, found[0], found[1]


def _stepped(steps: Steps) -> dict[str, Any]:
    stride = size(tuple(steps.strides))
    return {"stride": stride if stride != 1 else None, **_unusual(dilation=(steps.dilation(), 1))}


def _unusual(**told: tuple[Any, Any]) -> dict[str, Any]:
    """Return keys with what is given, None where it is what a layer has by default."""
    return {
        key: None if math.isclose(given, usual, rel_tol=1e-6) else given for key, (given, usual) in told.items()
    }  # fmt: skip


def _said(bias: Weight | None) -> bool | None:
    """Return what a layer says of its bias: nothing where there is one."""
    return False if bias is None else None


def _biased(values: Values | None, bias: Weight | None) -> Values | None:
    """Return a matrix with its bias as the last row."""
    if bias is None or values is None:
        return values
    return None if bias.values is None else np.vstack([values, bias.values.reshape(1, -1)])


def _told(x: Value) -> str:
    what = "codes" if x.layout == "codes" else "vector" if len(x.shape) == 1 else "value"
    return f"{what} of shape {'x'.join(map(str, x.shape))}"
