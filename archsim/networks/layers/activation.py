"""An activation as a layer of its own: after a norm, or after a sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Activation, Layer, Slope


class ActivationLayer(Layer):
    """f(x) of each element, or of each vector for softmax.

    `slope` is that of a leaky ReLU or an ELU below zero, of a hard sigmoid at zero.
    """

    kind: Literal["activation"] = "activation"
    activation: Activation
    slope: Slope | None = None

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the activation."""
        [x] = xs
        return graph.activate(self.activation, x, self.name, slope=self.slope)
