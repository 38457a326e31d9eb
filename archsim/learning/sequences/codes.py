"""Functions of sequences of codes: one-hot vectors, rows of a table, and parameters that are added to every sample.

A code is a whole number, held as float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.base.arrays import F32, I64
from archsim.base.errors import ModelError
from archsim.learning.functions import Adjoint, Cost, Function, Reshape, Shape, words
from archsim.learning.moves import Slice


def _places(codes: F32, vocabulary: int) -> I64:
    found = codes.reshape(-1).astype(np.int64)
    if found.size and not 0 <= found.min() <= found.max() < vocabulary:
        raise ModelError(f"codes from {found.min()} to {found.max()}; expected codes from 0 to {vocabulary - 1}")
    return found


class OneHot(Function):
    """A vector of zeros with a one at the place that a code names: (steps, 1) -> (steps, vocabulary).

    A code is read, a vector written.
    """

    def __init__(self, shape: Shape, vocabulary: int) -> None:
        self.name, self.shapes, self.out = "one-hot", (shape,), (*shape[:-1], vocabulary)
        self.vocabulary = vocabulary
        self.cost = Cost(reads=words(shape), writes=words(self.out))

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x steps, vocabulary)."""
        places = _places(operands[0], self.out[-1])
        out = np.zeros((places.size, self.out[-1]), np.float32)
        out[np.arange(places.size), places] = 1
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return none: a code does not learn."""
        del operand
        return None

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return 1."""
        del bounds
        return 1.0


class LookUp(Function):
    """The row of a table that a code names: (steps, 1), (vocabulary, size) -> (steps, size).

    A code and its row are read, the row written.
    """

    def __init__(self, shape: Shape, table: Shape) -> None:
        self.name, self.shapes, self.out = "look-up", (shape, table), (*shape[:-1], table[-1])
        self.vocabulary = table[0]
        n = words(self.out)
        self.cost = Cost(reads=n + words(shape), writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x steps, size)."""
        codes, table = operands
        found: F32 = table[_places(codes, table.shape[0])]
        return found

    def adjoint(self, operand: int) -> Adjoint | None:
        """Add the gradients up by row; a code does not learn."""
        return Adjoint(RowSums(self.out, self.shapes[1]), (0,)) if operand == 1 else None


class RowSums(Function):
    """Vectors added up by the row of a table that their codes name, for the whole batch: adjoint of `LookUp`.

    A vector: a code, the vector and its row read, an addition and a write an element. Rows that no code names cost
    nothing.
    """

    summed = True

    def __init__(self, shape: Shape, table: Shape) -> None:
        self.name, self.shapes, self.out = "sums by row", (shape, (*shape[:-1], 1)), table
        n = words(shape)
        self.cost = Cost(adds=n, reads=2 * n + words(shape[:-1]), writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return the sums, of the table's shape."""
        d, codes = operands
        places = _places(codes, self.out[0])
        order = np.argsort(places, kind="stable")
        rows, begins = np.unique(places[order], return_index=True)
        out = np.zeros((words(self.out[:-1]), self.out[-1]), np.float32)
        out[rows] = np.add.reduceat(d[order], begins, axis=0)
        return out


class Offset(Function):
    """A parameter of a sample's shape, added to every sample: an addition, two reads and a write an element."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "offset", (shape, shape), shape
        n = words(shape)
        self.cost = Cost(adds=n, reads=2 * n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return the sum."""
        x, parameter = operands
        return (x.reshape(-1, *parameter.shape) + parameter).reshape(x.shape)

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the gradient as it is, or its sum over samples for the parameter."""
        return Adjoint(SampleSums(self.out) if operand else Reshape(self.out, self.out))


class SampleSums(Function):
    """The sum over the samples of a batch: an addition, two reads and a write an element of each."""

    summed = True

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "sums over samples", (shape,), shape
        n = words(shape)
        self.cost = Cost(adds=n, reads=2 * n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return the sums, of the shape of one sample."""
        summed: F32 = operands[0].reshape(-1, *self.out).sum(axis=0)
        return summed.reshape(-1, self.out[-1])


class Prepend(Function):
    """A parameter (count, size) before the steps of every sample, (steps, size) -> (count + steps, size): free."""

    def __init__(self, shape: Shape, count: int) -> None:
        steps, size = shape
        self.name, self.shapes, self.out = f"prepend {count}", (shape, (count, size)), (count + steps, size)
        self._count = count

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x (count + steps), size)."""
        x, parameter = operands
        count, size = self._count, self.out[-1]
        samples = x.reshape(-1, *self.shapes[0])
        out = np.empty((len(samples), *self.out), np.float32)
        out[:, :count], out[:, count:] = parameter, samples
        return out.reshape(-1, size)

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the gradient of the steps, or the sum over samples of that of the parameter."""
        count, whole = self._count, self.out[0]
        if operand == 0:
            return Adjoint(Slice(self.out, 0, count, whole))
        return Adjoint(Slice(self.out, 0, 0, count), part=SampleSums(self.shapes[1]))
