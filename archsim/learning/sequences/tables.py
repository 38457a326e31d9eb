"""Products with a table that learns in digital: the head of a vocabulary that shares the table of its look-up."""

from __future__ import annotations

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words


class Against(Function):
    """The products of a vector with each row of a table: (..., size), (vocabulary, size) -> (..., vocabulary).

    A product and an addition an element of each row. A vector is read once, a row for each vector; a result is written
    once.
    """

    def __init__(self, shape: Shape, table: Shape) -> None:
        self.name, self.shapes, self.out = "against a table", (shape, table), (*shape[:-1], table[0])
        products = words(self.out) * table[1]
        self.cost = Cost(
            multiplies=products, adds=products, reads=words(shape) + products, writes=words(self.out)
        )  # fmt: skip

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, vocabulary)."""
        x, table = operands
        found: F32 = x @ table.T
        return found

    def adjoint(self, operand: int) -> Adjoint | None:
        """Add the rows up by the gradients of their products; or the vectors, for the table."""
        shape, table = self.shapes
        return Adjoint(OfVectors(self.out, shape, table), (0,)) if operand else Adjoint(OfRows(self.out, table), (1,))


class OfRows(Function):
    """The sum of a table's rows by weights: (..., vocabulary), (vocabulary, size) -> (..., size); counted likewise."""

    def __init__(self, shape: Shape, table: Shape) -> None:
        self.name, self.shapes, self.out = "sum of rows", (shape, table), (*shape[:-1], table[1])
        products = words(shape) * table[1]
        self.cost = Cost(
            multiplies=products, adds=products, reads=words(shape) + products, writes=words(self.out)
        )  # fmt: skip

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, size)."""
        weights, table = operands
        found: F32 = weights @ table
        return found


class OfVectors(Function):
    """The outer products of weights and vectors, added up for the whole batch: what the table of `Against` learns from.

    A product and an addition an element of each; both operands are read once, and the sums once a sample, and written.
    """

    summed = True

    def __init__(self, shape: Shape, vectors: Shape, table: Shape) -> None:
        self.name, self.shapes, self.out = "outer products by row", (shape, vectors), table
        products, sums = words(shape) * table[1], words(table)
        self.cost = Cost(
            multiplies=products, adds=products, reads=words(shape) + words(vectors) + sums, writes=sums
        )  # fmt: skip

    def __call__(self, *operands: F32) -> F32:
        """Return the sums, of the table's shape."""
        weights, vectors = operands
        found: F32 = np.ascontiguousarray(weights.T) @ vectors
        return found
