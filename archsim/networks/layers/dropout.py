"""Dropout, while a network is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from archsim.learning.dropout import Dropout
from archsim.learning.functions import Reshape
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer


class DropoutLayer(Layer):
    """Sets elements to 0 with probability `rate` and divides the others by what is left of 1; training only."""

    kind: Literal["dropout"] = "dropout"
    rate: Annotated[FiniteFloat, Field(gt=0, lt=1)]

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add it, and nothing for inference."""
        [x] = xs
        function = Dropout(x.shape, self.rate, self.name)
        return graph.apply(
            function, [x, graph.seeds()], self.name, inference=(Reshape(x.shape, x.shape), [x])
        )  # fmt: skip
