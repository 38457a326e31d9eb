"""A matrix that another layer has, read the other way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Activation, Layer


class Tied(Layer):
    """y = f(x W^T) with the `matrix` of a layer before: a vocabulary's head tied to its embedding.

    The matrix learns from both. It should have no bias, whose row would become one more result.
    """

    kind: Literal["tied"] = "tied"
    matrix: str
    activation: Activation

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add a transposed product, and an activation if there is one."""
        [x] = xs
        product = graph.product(graph.known(self.matrix, self.name), x, self.name, transposed=True)
        return graph.activate(self.activation, product, self.name)
