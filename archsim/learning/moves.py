"""Functions that only re-address words: the constant input of a bias, slices, windows of images and their adjoints.

All are free but `Fold`, which adds up what several windows say of one element.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.base.arrays import F32
from archsim.base.errors import ModelError
from archsim.learning import _kernels
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words


class AppendOne(Function):
    """Each vector with one more element of 1: the input of a bias, a line that is always driven."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "append one", (shape,), (*shape[:-1], shape[-1] + 1)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, size + 1)."""
        [x] = operands
        out = np.empty((x.shape[0], x.shape[1] + 1), np.float32)
        _kernels.extend(x, out)
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Drop the gradient of the constant."""
        del operand
        return Adjoint(DropLast(self.out))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's, or 1."""
        return None if bounds[0] is None else max(bounds[0], 1.0)


class DropLast(Function):
    """Each vector without its last element."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "drop last", (shape,), (*shape[:-1], shape[-1] - 1)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, size - 1), contiguous."""
        inner = operands[0][:, :-1]
        return inner if inner.shape[0] == 1 else np.ascontiguousarray(inner)


class Slice(Function):
    """The places [start, stop) along one axis of a sample."""

    def __init__(self, shape: Shape, axis: int, start: int, stop: int) -> None:
        axis %= len(shape)
        if not 0 <= start < stop <= shape[axis]:
            raise ModelError(f"places {start} to {stop} of axis {axis} of {shape}")
        self.name, self.shapes = f"slice axis {axis} {start}:{stop}", (shape,)
        self.out = (*shape[:axis], stop - start, *shape[axis + 1 :])
        self._where = (slice(None),) * (axis + 1) + (slice(start, stop),)
        self._axis, self._start = axis, start

    def __call__(self, *operands: F32) -> F32:
        """Return the part, contiguous."""
        part = operands[0].reshape(-1, *self.shapes[0])[self._where]
        return np.ascontiguousarray(part).reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Set the gradient among zeros."""
        del operand
        return Adjoint(Place(self.out, self._axis, self._start, self.shapes[0][self._axis]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class Place(Function):
    """A part set among zeros along one axis of a sample, `size` places long: the adjoint of a slice."""

    def __init__(self, shape: Shape, axis: int, start: int, size: int) -> None:
        self.name, self.shapes = f"place axis {axis} at {start} of {size}", (shape,)
        self.out = (*shape[:axis], size, *shape[axis + 1 :])
        self.axis, self.start, self.stop = axis, start, start + shape[axis]
        self.where = (slice(None),) * (axis + 1) + (slice(start, self.stop),)

    def __call__(self, *operands: F32) -> F32:
        """Return the whole."""
        [part] = operands
        shape = self.shapes[0]
        samples = part.size // words(shape)
        out = np.zeros((samples, *self.out), np.float32)
        out[self.where] = part.reshape(samples, *shape)
        return out.reshape(-1, self.out[-1])


class Join(Function):
    """Signals set beside each other along one axis of a sample."""

    def __init__(self, shapes: Sequence[Shape], axis: int) -> None:
        first = shapes[0]
        axis %= len(first)
        if any(len(s) != len(first) or s[:axis] + s[axis + 1 :] != first[:axis] + first[axis + 1 :] for s in shapes):
            raise ModelError(f"shapes {list(shapes)} beside each other along axis {axis}")
        self.name, self.shapes, self._axis = f"join axis {axis}", tuple(shapes), axis
        self.out = (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])

    def __call__(self, *operands: F32) -> F32:
        """Return all of them as one."""
        parts = [part.reshape(-1, *shape) for part, shape in zip(operands, self.shapes, strict=True)]
        return np.concatenate(parts, axis=self._axis + 1).reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the operand's own part of the gradient."""
        start = sum(shape[self._axis] for shape in self.shapes[:operand])
        return Adjoint(Slice(self.out, self._axis, start, start + self.shapes[operand][self._axis]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the largest of the operands'."""
        return None if any(bound is None for bound in bounds) else max(bound for bound in bounds if bound is not None)


class Transpose(Function):
    """The axes of a sample in another order."""

    def __init__(self, shape: Shape, order: Sequence[int]) -> None:
        self.name, self.shapes = f"axes {','.join(map(str, order))}", (shape,)
        self.out = tuple(shape[axis] for axis in order)
        self._order = tuple(order)

    def __call__(self, *operands: F32) -> F32:
        """Return the words in the new order, contiguous."""
        x = operands[0].reshape(-1, *self.shapes[0]).transpose(0, *(axis + 1 for axis in self._order))
        return np.ascontiguousarray(x).reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the way back."""
        del operand
        return Adjoint(Transpose(self.out, [self._order.index(axis) for axis in range(len(self._order))]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides over an image (rows, columns, channels).

    Parameters
    ----------
    rows, columns : int
        Of the window.
    stride, padding, dilation : int
        Places from window to window, zeros around the image, places from element to element of the window.
    """

    rows: int
    columns: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def places(self, rows: int, columns: int) -> tuple[int, int]:
        """Return how many windows stand below and beside each other.

        Raises
        ------
        ModelError
            If not one fits.
        """
        found = tuple(
            (size + 2 * self.padding - self.dilation * (mine - 1) - 1) // self.stride + 1
            for size, mine in ((rows, self.rows), (columns, self.columns))
        )
        if min(found) < 1:
            raise ModelError(
                f"a window of {self.rows}x{self.columns} (dilation {self.dilation}, padding {self.padding}) does not "
                f"fit into an image of {rows}x{columns}"
            )
        return found[0], found[1]

    def __str__(self) -> str:
        """Return the window in words."""
        return f"{self.rows}x{self.columns} stride {self.stride} padding {self.padding} dilation {self.dilation}"

    def parts(self, padded: F32, places: tuple[int, int]) -> list[F32]:
        """Return what each element of the window sees: views (samples, *places, channels) of a padded image."""
        reach = [(count - 1) * self.stride + 1 for count in places]
        return [
            padded[:, a : a + reach[0] : self.stride, b : b + reach[1] : self.stride]
            for a in range(0, self.rows * self.dilation, self.dilation)
            for b in range(0, self.columns * self.dilation, self.dilation)
        ]


class Windows(Function):
    """What a window sees at each of its places: image (rows, columns, channels) -> (places, places, window x channels).

    With `one`, each vector has one more element of 1, the input of a bias.
    """

    def __init__(self, shape: Shape, window: Window, *, one: bool = False) -> None:
        rows, columns, channels = shape
        self.name, self.shapes = f"windows {window}{' and one' if one else ''}", (shape,)
        self._places = window.places(rows, columns)
        self.out = (*self._places, window.rows * window.columns * channels + one)
        self.window, self._one = window, one

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x places, window x channels)."""
        rows, columns, channels = self.shapes[0]
        x = operands[0].reshape(-1, rows, columns, channels)
        window, edge = self.window, self.window.padding
        padded = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0))) if edge else x
        out = np.empty((x.shape[0], *self._places, self.out[-1]), np.float32)
        for k, part in enumerate(window.parts(padded, self._places)):
            out[..., k * channels : (k + 1) * channels] = part
        if self._one:
            out[..., -1] = 1
        return out.reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Add up what the windows say of each element."""
        del operand
        return Adjoint(Fold(self.shapes[0], self.window, one=self._one))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's, or 1."""
        return bounds[0] if bounds[0] is None or not self._one else max(bounds[0], 1.0)


class Fold(Function):
    """The sum over windows of what each says of the elements it sees, as an image of `shape`: adjoint of `Windows`.

    One addition, two reads and a write a word of a window.
    """

    def __init__(self, shape: Shape, window: Window, *, one: bool = False) -> None:
        rows, columns, channels = shape
        self.name, self.out = f"fold {window}{' and one' if one else ''}", shape
        self._places = window.places(rows, columns)
        n = words(self._places) * window.rows * window.columns * channels
        self.shapes = ((*self._places, window.rows * window.columns * channels + one),)
        self.window, self._one = window, one
        self.cost = Cost(adds=n, reads=2 * n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x rows x columns, channels)."""
        rows, columns, channels = self.out
        edge = self.window.padding
        seen = operands[0].reshape(-1, *self.shapes[0])
        padded = np.zeros((seen.shape[0], rows + 2 * edge, columns + 2 * edge, channels), np.float32)
        for k, part in enumerate(self.window.parts(padded, self._places)):
            np.add(part, seen[..., k * channels : (k + 1) * channels], out=part)
        inner = padded[:, edge : edge + rows, edge : edge + columns]
        return np.ascontiguousarray(inner).reshape(-1, channels)

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return what the windows see of the gradient."""
        del operand
        if self._one:
            raise ModelError("the windows of a bias have no adjoint of their own")
        return Adjoint(Windows(self.out, self.window))
