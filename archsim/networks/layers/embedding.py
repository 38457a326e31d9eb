"""Codes as rows of a table that learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.base.quantities import Count
from archsim.learning.sequences.codes import LookUp
from archsim.networks.graph import Builder, Tensor
from archsim.networks.layers.base import Layer, Rate, Spread


class Embedding(Layer):
    """A row of `size` elements for each code of (steps, 1), from a table in digital with `vocabulary` rows.

    `initial_std` is the spread of the table, `rate` its learning rate over that of the training.
    """

    kind: Literal["embedding"] = "embedding"
    vocabulary: Count
    size: Count
    initial_std: Spread = 1.0
    rate: Rate = 1.0

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the table and its look-up."""
        [x] = xs
        if x.shape[-1] != 1:
            raise self.refuse(x, "codes, one a vector: (steps, 1)")
        table = graph.parameter(self.name, (self.vocabulary, self.size), std=self.initial_std, rate=self.rate)
        return graph.apply(LookUp(x.shape, table.shape), [x, table], self.name)
