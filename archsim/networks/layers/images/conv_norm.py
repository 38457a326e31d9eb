"""A convolution, its batch norm and an activation, as one layer: what residual networks are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat

from archsim.base.quantities import Count
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Activation, Layer, Padding, Rate, Size, Slope, Spread
from archsim.networks.layers.images.conv2d import Conv2d
from archsim.networks.layers.images.depthwise import DepthwiseLayer
from archsim.networks.layers.norm import BatchNorm, Epsilon

Momentum = Annotated[FiniteFloat, Field(gt=0, le=1)]


class Normalised(Layer):
    """What is said of all convolutions and batch norms of a layer: rate and spread of matrices; of norms the rest."""

    rate: Rate = 1.0
    initial_std: Spread | None = None
    epsilon: Epsilon = 1e-5
    momentum: Momentum = 0.1

    def part(self, name: str, **told: Any) -> ConvNorm:
        """Return a convolution with its norm, called NAME-`name`, that has what is said of all."""
        said: dict[str, Any] = {key: getattr(self, key) for key in Normalised.model_fields.keys() - Layer.model_fields}
        return ConvNorm(name=f"{self.name}-{name}", **said, **told)

    def kind_of(self, name: str) -> str:
        """Return the kind of a part: of a norm, of a convolution; a block's own are sums."""
        part = name.removeprefix(self.name)
        if part.endswith("-norm"):
            return "batch-norm"
        return "add" if not part else "depthwise" if part == "-depth" else "conv2d"


class ConvNorm(Normalised):
    """f(norm(w W)): a convolution without bias, NAME; a batch norm, NAME-norm; an activation.

    Without `units` the convolution is a `depthwise` one.
    """

    kind: Literal["conv-norm"] = "conv-norm"
    units: Count | None = None
    window: Size
    stride: Size = 1
    padding: Padding = 0
    dilation: Count = 1
    activation: Activation
    slope: Slope | None = None

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the convolution, its norm, and an activation if there is one."""
        told: dict[str, Any] = {"name": self.name, "activation": "linear", "bias": False}
        told |= {key: getattr(self, key) for key in ("window", "stride", "padding", "dilation", "rate", "initial_std")}
        conv: Layer = Conv2d(units=self.units, **told) if self.units else DepthwiseLayer(**told)
        norm = BatchNorm(name=f"{self.name}-norm", epsilon=self.epsilon, momentum=self.momentum)
        y = norm.build(graph, [conv.build(graph, xs)])
        return graph.activate(self.activation, y, self.name, slope=self.slope)

    def kind_of(self, name: str) -> str:
        """Return the kind of a part: of the norm, or of the convolution."""
        return "batch-norm" if name != self.name else "conv2d" if self.units else "depthwise"
