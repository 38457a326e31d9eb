"""What windows see of an image, which is free, and the sum of what they say of it, which is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.base.arrays import F32
from archsim.base.errors import ModelError
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words
from archsim.learning.images import _kernels


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides over an image (rows, columns, channels).

    Parameters
    ----------
    rows, columns : int
        Of the window.
    stride, padding, dilation : int
        Places from window to window, zeros around the image, places from element to element of the window.
    extra : int
        Rows and columns of zeros at the lower right beyond the padding; below 0 so many fewer.
    across : int, optional
        The stride from window to window of one row, if it is another than that from row to row.
    """

    rows: int
    columns: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    extra: int = 0
    across: int | None = None

    @property
    def strides(self) -> tuple[int, int]:
        """Of rows and of columns."""
        return self.stride, self.stride if self.across is None else self.across

    def places(self, rows: int, columns: int) -> tuple[int, int]:
        """Return how many windows stand below and beside each other.

        Raises
        ------
        ModelError
            If not one fits.
        """
        found = tuple(
            (size + 2 * self.padding + self.extra - self.dilation * (mine - 1) - 1) // stride + 1
            for size, mine, stride in zip((rows, columns), (self.rows, self.columns), self.strides, strict=True)
        )
        if min(found) < 1:
            raise ModelError(
                f"a window of {self.rows}x{self.columns} (dilation {self.dilation}, padding {self.around}) does not "
                f"fit into an image of {rows}x{columns}"
            )
        return found[0], found[1]

    def __str__(self) -> str:
        """Return the window in words."""
        down, across = self.strides
        stride = f"{down}" if down == across else f"{down}x{across}"
        return f"{self.rows}x{self.columns} stride {stride} padding {self.around} dilation {self.dilation}"

    @property
    def around(self) -> str:
        """Zeros around the image in words."""
        return f"{self.padding}+{self.padding + self.extra}" if self.extra else f"{self.padding}"

    @property
    def overlaps(self) -> bool:
        """Whether windows that stand beside or below each other see some of the same elements, if not dilated."""
        return self.strides[0] < self.rows or self.strides[1] < self.columns

    @property
    def numbers(self) -> tuple[int, int, int, int, int, int]:
        """Rows, columns, strides down and across, padding, dilation: how kernels have it."""
        return self.rows, self.columns, *self.strides, self.padding, self.dilation


class Windows(Function):
    """What a window sees at each of its places: image (rows, columns, channels) -> (places, places, window x channels).

    With `one`, each vector has one more element of 1, the input of a bias.
    """

    def __init__(self, shape: Shape, window: Window, *, one: bool = False) -> None:
        rows, columns, channels = shape
        self.name, self.shapes = f"windows {window}{' and one' if one else ''}", (shape,)
        self.out = (*window.places(rows, columns), window.rows * window.columns * channels + one)
        self.window, self._one = window, one

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x places, window x channels)."""
        x = np.ascontiguousarray(operands[0]).reshape(-1, *self.shapes[0])
        out = np.empty((x.shape[0], *self.out), np.float32)
        _kernels.windows(x, self.window.numbers, out)
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
        places = window.places(rows, columns)
        n = words(places) * window.rows * window.columns * channels
        self.shapes = ((*places, window.rows * window.columns * channels + one),)
        self.window, self._one = window, one
        self.cost = Cost(adds=n, reads=2 * n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x rows x columns, channels)."""
        seen = np.ascontiguousarray(operands[0]).reshape(-1, *self.shapes[0])
        out = np.empty((seen.shape[0], *self.out), np.float32)
        _kernels.fold(seen, self.window.numbers, out)
        return out.reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return what the windows see of the gradient."""
        del operand
        if self._one:
            raise ModelError("the windows of a bias have no adjoint of their own")
        return Adjoint(Windows(self.out, self.window))
