"""Normalisation by neighbouring channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from archsim.base.quantities import Count
from archsim.learning.norms.neighbours import ByNeighbours, Neighbours
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer

Positive = Annotated[FiniteFloat, Field(gt=0)]


class LocalNorm(Layer):
    """x / (bias + alpha / size sum x^2)^beta, the sum over `size` channels around each: AlexNet's response norm."""

    kind: Literal["local-norm"] = "local-norm"
    size: Count
    alpha: Positive = 1e-4
    beta: Positive = 0.75
    bias: Positive = 1.0

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the function."""
        [x] = xs
        rule = Neighbours(self.size, self.alpha, self.beta, self.bias)
        return graph.apply(ByNeighbours(x.shape, rule), [x], self.name)
