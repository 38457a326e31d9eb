"""One vector of all that a sample holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.learning.functions import Reshape
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer


class Flatten(Layer):
    """The words of a sample in their order, as one vector: rows, columns, channels of an image."""

    kind: Literal["flatten"] = "flatten"

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Name the words anew."""
        [x] = xs
        return graph.apply(Reshape(x.shape, (x.words,)), [x], self.name)
