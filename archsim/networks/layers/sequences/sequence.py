"""An image as a sequence, and one place of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from archsim.base.quantities import Count
from archsim.learning.functions import Reshape, words
from archsim.learning.parts import Row
from archsim.learning.sequences.codes import Prepend
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer, Rate


class SequenceLayer(Layer):
    """The vectors of a sample one after the other: (rows, columns, channels) -> (rows x columns, channels)."""

    kind: Literal["sequence"] = "sequence"

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Name the words anew."""
        [x] = xs
        return graph.apply(Reshape(x.shape, (words(x.shape[:-1]), x.shape[-1])), [x], self.name)


class Take(Layer):
    """The vector at a `place` of a sequence (steps, size), 0 the first: what stands for the whole of it."""

    kind: Literal["take"] = "take"
    place: Annotated[int, Field(ge=0, strict=True)]

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Name the words anew."""
        [x] = xs
        if len(x.shape) != 2 or self.place >= x.shape[0]:
            raise self.refuse(x, f"a sequence (steps, size) with a place {self.place}")
        return graph.apply(Row(x.shape, self.place), [x], self.name)


class Tokens(Layer):
    """`count` vectors before a sequence (steps, size), the same for all samples: a parameter, kept in digital.

    A vision transformer's class token is one. `initial_std` is its spread, `rate` its learning rate over that of the
    training.
    """

    kind: Literal["tokens"] = "tokens"
    count: Count = 1
    initial_std: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.02
    rate: Rate = 1.0

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the parameter, and set it before what is given."""
        [x] = xs
        if len(x.shape) != 2:
            raise self.refuse(x, "a sequence (steps, size)")
        mine = graph.parameter(self.name, (self.count, x.shape[-1]), std=self.initial_std, rate=self.rate)
        return graph.apply(Prepend(x.shape, self.count), [x, mine], self.name)
