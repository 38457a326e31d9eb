"""Depthwise convolutions, in the digital unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.base.errors import ModelError
from archsim.base.quantities import Count
from archsim.learning.images.depthwise import Depthwise
from archsim.learning.norms.functions import Offset
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import IMAGE, ActivatedLayer, Padding, Size, window


class DepthwiseLayer(ActivatedLayer):
    """A window for each channel by itself; its weights are a parameter, kept in digital.

    On tiles a channel would fill as many rows as its window has elements, and one column: 960 channels of 3x3 are 960
    matrices of 9 weights, or tiles of which all but a diagonal is empty. Chips with tiles therefore give such layers to
    a digital unit (assumed here as everywhere in archsim; `conv2d` with `groups` puts them on tiles, a matrix a group).
    """

    kind: Literal["depthwise"] = "depthwise"
    window: Size
    stride: Size = 1
    padding: Padding = 0
    padding_end: Padding | None = None
    dilation: Count = 1

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the weights, the convolution, a bias and an activation, the last two if there are any."""
        [x] = xs
        if len(x.shape) != 3:
            raise self.refuse(x, IMAGE)
        try:
            seen = window(self.window, self.stride, self.padding, self.dilation, self.padding_end)
            made = Depthwise(x.shape, seen)
        except ModelError as error:
            raise self.refuse(x, f"a larger image: {error}") from None
        spread = graph.spread(made.kernel[0], self.initial_std)
        kernel = graph.parameter(self.name, made.kernel, std=spread, rate=self.rate)
        y = graph.apply(made, [x, kernel], self.name)
        if self.bias:
            offset = graph.parameter(f"{self.name}.bias", x.shape[-1:], rate=self.rate)
            y = graph.apply(Offset(y.shape), [y, offset], self.name)
        return self.activate(graph, y)
