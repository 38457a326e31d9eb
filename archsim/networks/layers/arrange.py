"""Signals set beside each other, zeros around an image, channels in another order: free, for only words are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archsim.base.quantities import Count
from archsim.learning.functions import Reshape
from archsim.learning.images.padding import Pad
from archsim.learning.moves import Fit, Join, Transpose
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import IMAGE, Layer, Padding


class Concat(Layer):
    """The vectors of several results beside each other: their channels, in the order of `of`."""

    TAKES: ClassVar[int | None] = None
    kind: Literal["concat"] = "concat"

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Name the words anew, if all have the same positions."""
        first, *others = xs
        for x in others:
            if x.shape[:-1] != first.shape[:-1]:
                raise self.refuse(x, f"the positions of {first.name}, {'x'.join(map(str, first.shape[:-1]))}")
        return graph.apply(Join([x.shape for x in xs], -1), xs, self.name)


class PadLayer(Layer):
    """Zeros around an image: rows above, columns to the left, rows below, columns to the right."""

    kind: Literal["pad"] = "pad"
    amounts: Annotated[list[Padding], Field(min_length=4, max_length=4)]

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Name the words anew."""
        [x] = xs
        if len(x.shape) != 3:
            raise self.refuse(x, IMAGE)
        top, left, bottom, right = self.amounts
        return graph.apply(Pad(x.shape, (top, bottom), (left, right)), [x], self.name)


class Shuffle(Layer):
    """The channels of `groups` neighbouring groups dealt out in turn: ShuffleNet's way between groups."""

    kind: Literal["shuffle"] = "shuffle"
    groups: Count

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Name the words anew."""
        [x] = xs
        if x.shape[-1] % self.groups:
            raise self.refuse(x, f"channels that {self.groups} groups divide")
        split = (*x.shape[:-1], self.groups, x.shape[-1] // self.groups)
        order = [*range(len(split) - 2), len(split) - 1, len(split) - 2]
        y = graph.apply(Reshape(x.shape, split), [x], self.name)
        y = graph.apply(Transpose(split, order), [y], self.name)
        return graph.apply(Reshape(y.shape, x.shape), [y], self.name)


class FitLayer(Layer):
    """The words of a sample in their order as another `shape`, as many as that holds, the first ones again if need be.

    For networks of which only the products are known: what the layers between them do is not, and costs nothing here.
    """

    kind: Literal["fit"] = "fit"
    shape: Annotated[list[Count], Field(min_length=1)]

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Name the words anew."""
        [x] = xs
        return graph.apply(Fit(x.shape, tuple(self.shape)), [x], self.name)
