"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.base.quantities import Count
from archsim.learning.moves import AppendOne
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import ActivatedLayer


class Dense(ActivatedLayer):
    """y = f(x W + b) for each vector of x; the bias, if any, is one more row of W with input 1."""

    kind: Literal["dense"] = "dense"
    units: Count

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add a product, and an activation if there is one."""
        [x] = xs
        if self.bias:
            x = graph.apply(AppendOne(x.shape), [x], self.name)
        matrix = graph.matrix(self.name, x.shape[-1], self.units, rate=self.rate, initial_std=self.initial_std)
        return self.activate(graph, graph.product(matrix, x, self.name))
