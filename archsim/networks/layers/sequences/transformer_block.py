"""What the blocks of transformers share: attention and two dense layers, each with a norm and a sum past it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from archsim.base.quantities import Count
from archsim.learning.functions import Sum
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import WeightedLayer
from archsim.networks.layers.dense import Dense
from archsim.networks.layers.norm import Epsilon, LayerNorm
from archsim.networks.layers.sequences.attention import Attention


class TransformerBlock(WeightedLayer):
    """Parts are layers NAME-norm1, NAME-attention, NAME-norm2, NAME-up, NAME-down.

    `hidden` is the width between the dense layers, four times that of x if not given. `rate`, `initial_std` and `bias`
    are those of all matrices; without bias, norms have no offset either. `epsilon` is that of the norms.
    """

    heads: Count
    hidden: Count | None = None
    epsilon: Epsilon = 1e-5

    @property
    @abstractmethod
    def causal(self) -> bool:
        """Whether a step sees those up to itself alone."""

    @property
    @abstractmethod
    def first(self) -> bool:
        """Whether norms stand before attention and dense layers, within the sum, or after the sum."""

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the parts, and the sums past them."""
        [x] = xs
        size = x.shape[-1]
        told: dict[str, Any] = {"bias": self.bias, "rate": self.rate, "initial_std": self.initial_std}
        attention = Attention(name=f"{self.name}-attention", heads=self.heads, causal=self.causal, **told)
        up = Dense(name=f"{self.name}-up", units=self.hidden or 4 * size, activation="gelu", **told)
        down = Dense(name=f"{self.name}-down", units=size, activation="linear", **told)
        y = self._past(graph, x, 1, lambda z: attention.build(graph, [z]))
        return self._past(graph, y, 2, lambda z: down.build(graph, [up.build(graph, [z])]))

    def kind_of(self, name: str) -> str:
        """Return the kind of a part: of its norms, its attention, its dense layers; the block's own are sums."""
        part = name.removeprefix(f"{self.name}").removeprefix("-")
        kinds = {"norm": "layer-norm", "attention": "attention", "up": "dense", "down": "dense", "": "add"}
        return next(kind for begin, kind in kinds.items() if part.startswith(begin))

    def _past(self, graph: Builder, x: Tensor, count: int, part: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the sum of x and what a part makes of it, normalised before the part or after the sum."""
        norm = LayerNorm(name=f"{self.name}-norm{count}", epsilon=self.epsilon, offset=self.bias)
        made = part(norm.build(graph, [x]) if self.first else x)
        y = graph.apply(Sum(2, x.shape), [x, made], self.name)
        return y if self.first else norm.build(graph, [y])
