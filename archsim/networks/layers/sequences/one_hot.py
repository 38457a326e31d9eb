"""Codes as vectors with a single one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.base.quantities import Count
from archsim.learning.sequences.codes import OneHot as Vectors
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer


class OneHot(Layer):
    """A vector of `vocabulary` places for each code of (steps, 1), one at the code's place and zero elsewhere."""

    kind: Literal["one-hot"] = "one-hot"
    vocabulary: Count

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the function."""
        [x] = xs
        if x.shape[-1] != 1:
            raise self.refuse(x, "codes, one a vector: (steps, 1)")
        return graph.apply(Vectors(x.shape, self.vocabulary), [x], self.name)
