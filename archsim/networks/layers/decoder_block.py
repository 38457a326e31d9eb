"""A block of a decoder of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from archsim.base.quantities import Count
from archsim.learning.functions import Sum
from archsim.networks.graph import Builder, Tensor
from archsim.networks.layers.attention import Attention
from archsim.networks.layers.base import WeightedLayer
from archsim.networks.layers.dense import Dense
from archsim.networks.layers.norm import LayerNorm


class DecoderBlock(WeightedLayer):
    """x + attention(norm x), then y + dense(gelu(dense(norm y))): pre-norm, each step seeing those up to itself.

    Its parts are layers NAME-norm1, NAME-attention, NAME-norm2, NAME-up, NAME-down. `hidden` is the width between the
    dense layers, four times that of x if not given. `rate`, `initial_std` and `bias` are those of all matrices.
    """

    kind: Literal["decoder-block"] = "decoder-block"
    heads: Count
    hidden: Count | None = None

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the parts, and the sums past them."""
        [x] = xs
        size = x.shape[-1]
        told: dict[str, Any] = {"bias": self.bias, "rate": self.rate, "initial_std": self.initial_std}
        attention = Attention(name=f"{self.name}-attention", heads=self.heads, causal=True, **told)
        up = Dense(name=f"{self.name}-up", units=self.hidden or 4 * size, activation="gelu", **told)
        down = Dense(name=f"{self.name}-down", units=size, activation="linear", **told)
        mixed = attention.build(graph, [self._norm(graph, x, 1)])
        y = graph.apply(Sum(2, x.shape), [x, mixed], self.name)
        found = down.build(graph, [up.build(graph, [self._norm(graph, y, 2)])])
        return graph.apply(Sum(2, x.shape), [y, found], self.name)

    def kind_of(self, name: str) -> str:
        """Return the kind of a part: of its norms, its attention, its dense layers; the block's own are sums."""
        part = name.removeprefix(f"{self.name}").removeprefix("-")
        kinds = {"norm": "layer-norm", "attention": "attention", "up": "dense", "down": "dense", "": "add"}
        return next(kind for begin, kind in kinds.items() if part.startswith(begin))

    def _norm(self, graph: Builder, x: Tensor, count: int) -> Tensor:
        return LayerNorm(name=f"{self.name}-norm{count}").build(graph, [x])
