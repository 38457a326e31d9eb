"""Attention without its matrices: between the results of three layers; and parts of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archsim.base.quantities import Count, Switch
from archsim.learning.moves import Slice
from archsim.learning.sequences.attention import Attend, Heads, Scores, Weighted
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer


class AttendLayer(Layer):
    """softmax(scale q . k) v by head, of the results of three layers, (steps, size) each: queries, keys, values.

    With `causal` each step sees those up to itself. `scale` is one over the root of a head's size if not given.
    """

    TAKES: ClassVar[int | None] = 3
    kind: Literal["attend"] = "attend"
    heads: Count
    causal: Switch = False
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the contractions and the softmax between them."""
        q, k, v = xs
        for x in xs:
            if len(x.shape) != 2 or x.shape != q.shape or x.shape[-1] % self.heads:
                raise self.refuse(x, f"sequences (steps, size), all alike, with a size that {self.heads} heads divide")
        heads = Heads(q.shape[0], q.shape[1], self.heads, self.causal)
        scale = self.scale or (q.shape[-1] / self.heads) ** -0.5
        scores = graph.apply(Scores(heads, scale), [q, k], self.name)
        weights = graph.apply(Attend(heads), [scores], self.name)
        return graph.apply(Weighted(heads), [weights, v], self.name)


class Part(Layer):
    """The part at a `place`, 0 the first, of `count` equal parts of each vector; `parts` of them, if so many."""

    kind: Literal["part"] = "part"
    count: Count
    place: Annotated[int, Field(ge=0, strict=True)]
    parts: Count = 1

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Name the words anew."""
        [x] = xs
        if x.shape[-1] % self.count or self.place + self.parts > self.count:
            raise self.refuse(x, f"vectors that {self.count} divides, and a place below it")
        size = x.shape[-1] // self.count
        return graph.apply(Slice(x.shape, -1, self.place * size, (self.place + self.parts) * size), [x], self.name)
