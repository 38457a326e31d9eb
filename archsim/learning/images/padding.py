"""Zeros around an image, and the image within them: free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Function, Shape

Edge = tuple[int, int]
"""Zeros before and after the image along an axis."""


class Pad(Function):
    """An image (rows, columns, channels) with zeros around it."""

    def __init__(self, shape: Shape, rows: Edge, columns: Edge) -> None:
        self.name, self.shapes = f"pad {rows[0]}+{rows[1]} by {columns[0]}+{columns[1]}", (shape,)
        self.out = shape[0] + sum(rows), shape[1] + sum(columns), shape[2]
        self._edges = rows, columns

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x rows x columns, channels)."""
        whole = np.pad(operands[0].reshape(-1, *self.shapes[0]), ((0, 0), *self._edges, (0, 0)))
        return whole.reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Drop the gradient of the zeros."""
        del operand
        return Adjoint(Crop(self.out, *self._edges))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class Crop(Function):
    """An image without its edges: adjoint of `Pad`."""

    def __init__(self, shape: Shape, rows: Edge, columns: Edge) -> None:
        self.name, self.shapes = f"crop {rows[0]}+{rows[1]} by {columns[0]}+{columns[1]}", (shape,)
        self.out = shape[0] - sum(rows), shape[1] - sum(columns), shape[2]
        self._begin = rows[0], columns[0]

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x rows x columns, channels)."""
        (top, left), (rows, columns, channels) = self._begin, self.out
        x = operands[0].reshape(-1, *self.shapes[0])[:, top : top + rows, left : left + columns]
        return np.ascontiguousarray(x).reshape(-1, channels)
