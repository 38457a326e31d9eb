"""A window for each channel by itself, its weights parameters that learn in digital: depthwise convolutions.

A channel's weights stay in the unit while its window passes over the image: they are read once a sample, each word that
a window sees once a place, and the sum stays in the unit until it is written.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words
from archsim.learning.images.windows import Window


class _Depthwise(Function):
    """What the three passes share.

    Parameters
    ----------
    shape : of the image (rows, columns, channels)
    window : Window
    """

    def __init__(self, shape: Shape, window: Window) -> None:
        rows, columns, channels = shape
        places = window.places(rows, columns)
        self.image, self.window = shape, window
        self.seen: Shape = (*places, channels)
        self.kernel: Shape = (window.rows * window.columns, channels)
        self.products = words(places) * words(self.kernel)

    def views(self, padded: F32) -> Iterator[F32]:
        """Yield, element by element of the window, what it sees of padded images at all places, as views."""
        window, (rows, columns, _) = self.window, self.seen
        down, across = window.strides
        for row in range(window.rows):
            for column in range(window.columns):
                top, left = row * window.dilation, column * window.dilation
                yield padded[
                    :,
                    top : top + (rows - 1) * down + 1 : down,
                    left : left + (columns - 1) * across + 1 : across,
                ]

    def padded(self, x: F32) -> F32:
        """Return images with zeros around them, (samples, rows, columns, channels)."""
        return np.pad(x.reshape(-1, *self.image), ((0, 0), self.edge, self.edge, (0, 0)))

    @property
    def edge(self) -> tuple[int, int]:
        """Zeros before and after the image; what no window reaches at the end is left out or cut off."""
        return self.window.padding, max(self.window.padding + self.window.extra, 0)


class Depthwise(_Depthwise):
    """The sum over a window of weight times element, channel by channel, of (image, weights): a MAC an element."""

    def __init__(self, shape: Shape, window: Window) -> None:
        super().__init__(shape, window)
        self.name, self.shapes, self.out = f"depthwise {window}", (shape, self.kernel), self.seen
        n = self.products
        self.cost = Cost(adds=n, multiplies=n, reads=n + words(self.kernel), writes=words(self.out))

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x places, channels)."""
        x, kernel = operands
        padded = self.padded(x)
        out = np.zeros((len(padded), *self.out), np.float32)
        for view, weights in zip(self.views(padded), kernel, strict=True):
            out += view * weights
        return out.reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return what the windows say of the image, or of the weights."""
        if operand == 0:
            return Adjoint(DepthwiseFold(self.image, self.window), (1,))
        return Adjoint(DepthwiseSlope(self.image, self.window), (0,))


class DepthwiseFold(_Depthwise):
    """What the windows say of each element of the image, added up, of (gradient, weights): a MAC, a word read each."""

    def __init__(self, shape: Shape, window: Window) -> None:
        super().__init__(shape, window)
        self.name, self.shapes, self.out = f"depthwise fold {window}", (self.seen, self.kernel), shape
        n = self.products
        self.cost = Cost(adds=n, multiplies=n, reads=n + words(self.kernel), writes=words(shape))

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x rows x columns, channels)."""
        d, kernel = operands
        said = d.reshape(-1, *self.seen)
        rows, columns, channels = self.image
        p, more = self.edge
        out = np.zeros((len(said), rows + p + more, columns + p + more, channels), np.float32)
        for view, weights in zip(self.views(out), kernel, strict=True):
            view += said * weights  # noqa: PLW2901  a view of the result
        return np.ascontiguousarray(out[:, p : p + rows, p : p + columns]).reshape(-1, channels)


class DepthwiseSlope(_Depthwise):
    """The sum over places and samples of gradient times what was seen, of (gradient, image), for each weight.

    A MAC an element of a window; the gradient is read once a place, sums are read and written once a sample.
    """

    summed = True

    def __init__(self, shape: Shape, window: Window) -> None:
        super().__init__(shape, window)
        self.name, self.shapes, self.out = f"depthwise slope {window}", (self.seen, shape), self.kernel
        n, size = self.products, words(self.kernel)
        self.cost = Cost(adds=n, multiplies=n, reads=n + words(self.seen) + size, writes=size)

    def __call__(self, *operands: F32) -> F32:
        """Return the sums, (elements of the window, channels)."""
        d, x = operands
        said = d.reshape(-1, *self.seen)
        return np.stack([np.einsum("prck,prck->k", view, said) for view in self.views(self.padded(x))])
