"""Sums and products of the results of several layers, named in `of`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

from archsim.learning.functions import Elementwise, Sum
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer


class Combination(Layer):
    """An element of the result comes from the same element of each result that is taken."""

    TAKES: ClassVar[int | None] = None

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the function, if all are of one shape."""
        first, *others = xs
        for x in others:
            if x.shape != first.shape:
                raise self.refuse(x, f"{'x'.join(map(str, first.shape))}, as {first.origin} has")
        return self.combine(graph, xs)

    @abstractmethod
    def combine(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Return the combination of tensors of one shape."""


class Add(Combination):
    """The sum: a residual is `of: [LAYER, EARLIER]`."""

    kind: Literal["add"] = "add"

    def combine(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Return the sum."""
        return graph.apply(Sum(len(xs), xs[0].shape), xs, self.name)


class Multiply(Combination):
    """The product, element by element."""

    kind: Literal["multiply"] = "multiply"

    def combine(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Return the product, one factor after the other."""
        y = xs[0]
        for x in xs[1:]:
            y = graph.apply(Elementwise("multiply", x.shape), [y, x], self.name)
        return y
