"""Transposed convolutions of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.base.errors import ModelError
from archsim.base.quantities import Count
from archsim.learning.images.windows import Fold
from archsim.learning.norms.functions import Offset
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import IMAGE, ActivatedLayer, Padding, Size, window


class Conv2dTransposed(ActivatedLayer):
    """The way back of a convolution as a layer: each position says a window of the result, and windows add up.

    The matrix is that of the convolution that would lead from the result to what is given, a row for each element of
    the window and each of `units` channels of the result; it is used transposed. The bias, if any, is a parameter, for
    windows overlap. `output_padding` rows and columns more are made at the lower right, as in PyTorch.
    """

    kind: Literal["conv2d-transposed"] = "conv2d-transposed"
    units: Count
    window: Size
    stride: Count = 1
    padding: Padding = 0
    dilation: Count = 1
    output_padding: Padding = 0

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add a transposed product, the sum of windows, a bias and an activation, the last two if there are any."""
        [x] = xs
        said = window(self.window, self.stride, self.padding, self.dilation)
        if len(x.shape) != 3:
            raise self.refuse(x, IMAGE)
        if self.output_padding >= self.stride:
            raise ModelError(
                f"{self.name}: output_padding {self.output_padding}; expected less than the stride, {self.stride}",
                at=("output_padding",),
            )
        rows, columns = (
            (places - 1) * said.stride - 2 * said.padding + said.dilation * (mine - 1) + 1 + self.output_padding
            for places, mine in zip(x.shape, (said.rows, said.columns), strict=False)
        )
        if min(rows, columns) < 1:
            raise self.refuse(x, f"a larger image: padding {said.padding} leaves {rows}x{columns} of the result")
        elements = said.rows * said.columns * self.units
        matrix = graph.matrix(self.name, elements, x.shape[-1], rate=self.rate, initial_std=self.initial_std)
        windows = graph.product(matrix, x, self.name, transposed=True)
        y = graph.apply(Fold((rows, columns, self.units), said), [windows], self.name)
        if self.bias:
            offset = graph.parameter(f"{self.name}.bias", (self.units,), rate=self.rate)
            y = graph.apply(Offset(y.shape), [y, offset], self.name)
        return self.activate(graph, y)
