"""The blocks of residual networks: convolutions with their norms, and what goes past them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Literal

from archsim.base.quantities import Count
from archsim.learning.functions import Sum
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import IMAGE
from archsim.networks.layers.images.conv_norm import ConvNorm, Normalised


class Residual(Normalised):
    """Parts are `conv-norm` layers NAME-1, NAME-2 and so on; `units` are those of the result.

    Where `stride` or the number of channels changes the shape, what goes past is a `conv-norm` of window 1 without
    activation, NAME-past.
    """

    units: Count
    stride: Count = 1

    @abstractmethod
    def parts(self, channels: int) -> Iterable[ConvNorm]:
        """Return the convolutions in order, for an image of so many channels."""

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the parts, what goes past them, the sum, and a ReLU."""
        [x] = xs
        if len(x.shape) != 3:
            raise self.refuse(x, IMAGE)
        y = x
        for part in self.parts(x.shape[-1]):
            y = part.build(graph, [y])
        if x.shape != y.shape:
            past = self.part("past", units=self.units, window=1, stride=self.stride, activation="linear")
            x = past.build(graph, [x])
        return graph.activate("relu", graph.apply(Sum(2, y.shape), [y, x], self.name), self.name)


class ResidualBlock(Residual):
    """Two convolutions of window 3, `stride` in the first: the block of ResNet-18 and ResNet-34 (He et al. 2016)."""

    kind: Literal["residual-block"] = "residual-block"

    def parts(self, channels: int) -> Iterable[ConvNorm]:
        """Return the two convolutions."""
        del channels
        yield self.part("1", units=self.units, window=3, stride=self.stride, padding=1, activation="relu")
        yield self.part("2", units=self.units, window=3, padding=1, activation="linear")


class Bottleneck(Residual):
    """Convolutions of window 1, 3 and 1, the first two with a quarter of `units`: the block of ResNet-50 and deeper.

    `stride` is that of window 3, as in torchvision (ResNet v1.5); He et al. 2016 have it in the first.
    """

    kind: Literal["bottleneck"] = "bottleneck"

    def parts(self, channels: int) -> Iterable[ConvNorm]:
        """Return the three convolutions."""
        del channels
        inner = max(self.units // 4, 1)
        yield self.part("1", units=inner, window=1, activation="relu")
        yield self.part("2", units=inner, window=3, stride=self.stride, padding=1, activation="relu")
        yield self.part("3", units=self.units, window=1, activation="linear")


class InvertedResidual(Normalised):
    """To `expansion` times the channels and back, between them a depthwise convolution: the block of MobileNetV2.

    Parts are `conv-norm` layers: NAME-expand of window 1 (none where `expansion` is 1) and NAME-depth of window 3, with
    ReLU6; NAME-project of window 1 without activation. Where the shape stays, what is given is added (Sandler et al.
    2018).
    """

    kind: Literal["inverted-residual"] = "inverted-residual"
    units: Count
    stride: Count = 1
    expansion: Count = 6

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the parts, and the sum past them if there is one."""
        [x] = xs
        if len(x.shape) != 3:
            raise self.refuse(x, IMAGE)
        inner, y = x.shape[-1] * self.expansion, x
        if self.expansion > 1:
            y = self.part("expand", units=inner, window=1, activation="relu6").build(graph, [y])
        y = self.part("depth", window=3, stride=self.stride, padding=1, activation="relu6").build(graph, [y])
        y = self.part("project", units=self.units, window=1, activation="linear").build(graph, [y])
        return graph.apply(Sum(2, y.shape), [x, y], self.name) if x.shape == y.shape else y
