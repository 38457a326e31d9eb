"""Pooling of images, and nearest neighbours, its opposite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.base.errors import ModelError
from archsim.base.quantities import Count, Switch
from archsim.learning.images.pooling import AveragePool, MaxPool, Mean, Nearest
from archsim.learning.images.windows import Window
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import IMAGE, Layer, Padding, Size, window


class Pool(Layer):
    """A window over an image; its stride, one number or that of rows and that of columns, is its own size if not given.

    `padding_end` is that below and to the right, where it is another than above and to the left.
    """

    window: Size
    stride: Size | None = None
    padding: Padding = 0
    padding_end: Padding | None = None

    def seen(self, x: Tensor) -> Window:
        """Return the window.

        Raises
        ------
        ModelError
            If it does not suit the image.
        """
        if len(x.shape) != 3:
            raise self.refuse(x, IMAGE)
        rows, columns = (self.window, self.window) if isinstance(self.window, int) else self.window
        if 2 * self.padding > min(rows, columns):
            raise self.refuse(x, f"padding {self.padding} of at most half the window of {rows}x{columns}")
        if (self.padding_end or 0) >= min(rows, columns):
            raise self.refuse(x, f"padding_end {self.padding_end} below the window of {rows}x{columns}")
        found = window(self.window, self.stride or [rows, columns], self.padding, end=self.padding_end)
        try:
            found.places(*x.shape[:2])
        except ModelError as error:
            raise self.refuse(x, f"a larger image: {error}") from None
        return found


class MaxPoolLayer(Pool):
    """The largest element under each window."""

    kind: Literal["max-pool"] = "max-pool"

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the comparisons."""
        [x] = xs
        return graph.apply(MaxPool(x.shape, self.seen(x)), [x], self.name)


class AveragePoolLayer(Pool):
    """The mean under each window; zeros beside the image count, unless `counts_padding` is false."""

    kind: Literal["average-pool"] = "average-pool"
    counts_padding: Switch = True

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the mean."""
        [x] = xs
        return graph.apply(AveragePool(x.shape, self.seen(x), padded=self.counts_padding), [x], self.name)


class GlobalAverage(Layer):
    """The mean over all positions, a vector."""

    kind: Literal["global-average"] = "global-average"

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the mean."""
        [x] = xs
        if len(x.shape) < 2:
            raise self.refuse(x, "an image or a sequence")
        return graph.apply(Mean(x.shape), [x], self.name)


class Upsample(Layer):
    """An image `factor` times as high and wide, each element the nearest of the image that is given."""

    kind: Literal["upsample"] = "upsample"
    factor: Count

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Name the words anew."""
        [x] = xs
        if len(x.shape) != 3:
            raise self.refuse(x, IMAGE)
        return graph.apply(Nearest(x.shape, self.factor), [x], self.name)
