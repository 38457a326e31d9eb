"""Multi-head self-attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.base.quantities import Count, Switch
from archsim.learning.moves import AppendOne, Slice
from archsim.learning.sequences.attention import Attend, Heads, Scores, Weighted
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import WeightedLayer


class Attention(WeightedLayer):
    """Each step of (steps, size) looks at the others, or with `causal` at those up to itself.

    Queries, keys and values side by side are one product with NAME-qkv, (size + 1, 3 size); the heads' results one with
    NAME-out, (size + 1, size). Scores are divided by the root of a head's size.
    """

    kind: Literal["attention"] = "attention"
    heads: Count
    causal: Switch = True

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add two products, and the contractions between them."""
        [x] = xs
        if len(x.shape) != 2 or x.shape[-1] % self.heads:
            raise self.refuse(x, f"a sequence (steps, size) with a size that {self.heads} heads divide")
        size = x.shape[-1]
        heads = Heads(*x.shape, self.heads, self.causal)
        qkv = self._product(graph, x, "qkv", 3 * size)
        q, k, v = (
            graph.apply(Slice(qkv.shape, 1, part * size, (part + 1) * size), [qkv], self.name) for part in range(3)
        )
        scores = graph.apply(Scores(heads, (size / self.heads) ** -0.5), [q, k], self.name)
        weights = graph.apply(Attend(heads), [scores], self.name)
        return self._product(graph, graph.apply(Weighted(heads), [weights, v], self.name), "out", size)

    def _product(self, graph: Builder, x: Tensor, part: str, columns: int) -> Tensor:
        if self.bias:
            x = graph.apply(AppendOne(x.shape), [x], self.name)
        name = f"{self.name}-{part}"
        matrix = graph.matrix(name, x.shape[-1], columns, rate=self.rate, initial_std=self.initial_std)
        return graph.product(matrix, x, name)
