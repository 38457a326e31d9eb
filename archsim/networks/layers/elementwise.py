"""Sums and products of the results of several layers, named in `of`: a residual, a gate."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

from archsim.learning.functions import Elementwise, Shape, Sum, words
from archsim.learning.moves import Spread
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer


class Combination(Layer):
    """An element of the result comes from the same element of each result that is taken.

    One of them has the shape of the result. Another may be a vector of its channels, for all positions, or have a
    length of 1 where that one has more: the gates of channels, or of positions, of an image.
    """

    TAKES: ClassVar[int | None] = None

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the function, if all are of one shape or spread over it."""
        whole = max(xs, key=lambda x: words(x.shape))
        taken = []
        for x in xs:
            if x.shape != whole.shape and not _spreads(x.shape, whole.shape):
                raise self.refuse(
                    x, f"{'x'.join(map(str, whole.shape))}, as {whole.origin} has, or what spreads over it"
                )
            taken.append(x if x.shape == whole.shape else graph.apply(Spread(x.shape, whole.shape), [x], self.name))
        return self.combine(graph, taken)

    @abstractmethod
    def combine(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Return the combination of tensors of one shape."""


def _spreads(shape: Shape, whole: Shape) -> bool:
    """Return whether a shape is a vector for all positions of another, or has lengths of 1 in place of its own."""
    if len(shape) == 1:
        return shape == whole[-1:]
    return len(shape) == len(whole) and all(n in (1, m) for n, m in zip(shape, whole, strict=True))


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
