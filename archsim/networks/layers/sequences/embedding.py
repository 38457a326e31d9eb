"""Codes as rows of a table that learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from archsim.base.quantities import Count
from archsim.learning.moves import Slice
from archsim.learning.sequences.codes import LookUp
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer, Rate, Spread


class Embedding(Layer):
    """A row of `size` elements for each code of (steps, 1), from a table in digital with `vocabulary` rows.

    `initial_std` is the spread of the table, `rate` its learning rate over that of the training. Where each step has
    several codes, (steps, codes), `place` says which is meant, 0 the first.
    """

    kind: Literal["embedding"] = "embedding"
    vocabulary: Count
    size: Count
    initial_std: Spread = 1.0
    rate: Rate = 1.0
    place: Annotated[int, Field(ge=0, strict=True)] | None = None

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the table and its look-up."""
        [x] = xs
        if self.place is not None:
            if self.place >= x.shape[-1]:
                raise self.refuse(x, f"more than {self.place} codes a step")
            x = graph.apply(Slice(x.shape, -1, self.place, self.place + 1), [x], self.name)
        if x.shape[-1] != 1:
            raise self.refuse(x, "codes, one a vector: (steps, 1)")
        table = graph.parameter(self.name, (self.vocabulary, self.size), std=self.initial_std, rate=self.rate)
        return graph.apply(LookUp(x.shape, table.shape), [x, table], self.name)
