"""A matrix that another layer has, read the other way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.learning.sequences.tables import Against
from archsim.networks.builder import Builder
from archsim.networks.graph import Matrix, Tensor
from archsim.networks.layers.base import Activation, Layer


class Tied(Layer):
    """y = f(x W^T) with the `matrix` of a layer before: a vocabulary's head tied to its embedding.

    The matrix learns from both. It should have no bias, whose row would become one more result. It lies in tiles or in
    a weight memory where a layer that multiplies has it; the table of an embedding lies in digital, and the digital
    unit multiplies by it.
    """

    kind: Literal["tied"] = "tied"
    matrix: str
    activation: Activation

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add a transposed product, or one with a table, and an activation if there is one."""
        [x] = xs
        known = graph.known(self.matrix, self.name)
        if isinstance(known, Matrix):
            product = graph.product(known, x, self.name, transposed=True)
        elif x.shape[-1] != known.shape[-1]:
            raise self.refuse(x, f"vectors of {known.shape[-1]} elements, as the table {self.matrix} has")
        else:
            product = graph.apply(Against(x.shape, known.shape), [x, known], self.name)
        return graph.activate(self.activation, product, self.name)
