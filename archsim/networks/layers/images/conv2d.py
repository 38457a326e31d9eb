"""Convolutions of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.base.errors import ModelError
from archsim.base.quantities import Count
from archsim.learning.images.windows import Window, Windows
from archsim.learning.moves import AppendOne, Join, Slice
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import IMAGE, ActivatedLayer, Padding, Size, window


class Conv2d(ActivatedLayer):
    """y = f(w W + b) for what a window sees at each of its places, w; `units` is the number of filters.

    The matrix has a row for each element of the window and channel of the image, channels fastest; the bias, if any, is
    one more row with input 1. In `groups`, each group of channels has a matrix of its own, NAME.0, NAME.1 and so on,
    with its part of the filters. `padding_end` is the padding below and to the right, where it is another one;
    `stride` one number, or that of rows and that of columns.
    """

    kind: Literal["conv2d"] = "conv2d"
    units: Count
    window: Size
    stride: Size = 1
    padding: Padding = 0
    padding_end: Padding | None = None
    dilation: Count = 1
    groups: Count = 1

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add a product for each group, and an activation if there is one."""
        [x] = xs
        seen = window(self.window, self.stride, self.padding, self.dilation, self.padding_end)
        if len(x.shape) != 3:
            raise self.refuse(x, IMAGE)
        channels = x.shape[-1]
        if channels % self.groups or self.units % self.groups:
            raise self.refuse(x, f"channels, and {self.units} units, that {self.groups} groups divide")
        try:
            seen.places(*x.shape[:2])
        except ModelError as error:
            raise self.refuse(x, f"a larger image: {error}") from None
        if self.groups == 1:
            y = self._group(graph, x, seen, self.name)
        else:
            size = channels // self.groups
            parts = [
                graph.apply(Slice(x.shape, -1, g * size, (g + 1) * size), [x], self.name) for g in range(self.groups)
            ]
            made = [self._group(graph, part, seen, f"{self.name}.{g}") for g, part in enumerate(parts)]
            y = graph.apply(Join([part.shape for part in made], -1), made, self.name)
        return self.activate(graph, y)

    def _group(self, graph: Builder, x: Tensor, seen: Window, name: str) -> Tensor:
        """Return what the filters of one group say of their channels."""
        if seen.numbers != (1, 1, 1, 1, 0, seen.dilation) or seen.extra:
            x = graph.apply(Windows(x.shape, seen, one=self.bias), [x], self.name)
        elif self.bias:
            x = graph.apply(AppendOne(x.shape), [x], self.name)
        matrix = graph.matrix(
            name, x.shape[-1], self.units // self.groups, rate=self.rate, initial_std=self.initial_std
        )
        return graph.product(matrix, x, self.name)
