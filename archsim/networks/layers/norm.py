"""Normalisation: of each vector, of groups of channels, of channels over a batch; and a scale by channel alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from archsim.base.quantities import Count, Switch
from archsim.learning.norms.functions import Gain, Groups, Moments, Normalise, Offset
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer, Rate

Epsilon = Annotated[FiniteFloat, Field(gt=0)]


class Norm(Layer):
    """gain (x - mean) / sqrt(variance + epsilon) + offset; gain and offset are parameters, an element of a vector each.

    `epsilon` is PyTorch's if not given; `rate` is the learning rate of gain and offset over that of the training;
    `offset: false` leaves the offset out.
    """

    epsilon: Epsilon = 1e-5
    rate: Rate = 1.0
    offset: Switch = True

    def parameters(self, graph: Builder, x: Tensor) -> list[Tensor]:
        """Return gain and, if there is one, offset, which start at 1 and 0."""
        size = x.shape[-1:]
        found = [graph.parameter(f"{self.name}.gain", size, mean=1.0, rate=self.rate)]
        if self.offset:
            found.append(graph.parameter(f"{self.name}.offset", size, rate=self.rate))
        return found

    def by(self, graph: Builder, x: Tensor, groups: Groups) -> Tensor:
        """Return x normalised by the moments of groups of its own."""
        moments = graph.apply(Moments(groups), [x], self.name)
        normalise = Normalise(groups, self.epsilon, offset=self.offset)
        return graph.apply(normalise, [x, moments, *self.parameters(graph, x)], self.name)


class LayerNorm(Norm):
    """Each vector by its own mean and variance."""

    kind: Literal["layer-norm"] = "layer-norm"

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add moments and what they are for."""
        [x] = xs
        return self.by(graph, x, Groups(x.shape, "vector"))


class GroupNorm(Norm):
    """Each of `groups` of neighbouring channels by its mean and variance over all positions of the sample."""

    kind: Literal["group-norm"] = "group-norm"
    groups: Count

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add moments and what they are for."""
        [x] = xs
        if x.shape[-1] % self.groups:
            raise self.refuse(x, f"channels that {self.groups} groups divide")
        return self.by(graph, x, Groups(x.shape, "sample", self.groups))


class BatchNorm(Norm):
    """Each channel by its mean and variance over all positions and samples of the batch.

    Inference takes running ones: at every training step they go `momentum` of the way to those of the batch (PyTorch's
    if not given). They start at 0 and 1, and the variance is that of the population, as in PyTorch.
    """

    kind: Literal["batch-norm"] = "batch-norm"
    momentum: Annotated[FiniteFloat, Field(gt=0, le=1)] = 0.1

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add moments, what they are for, and what follows them."""
        [x] = xs
        groups = Groups(x.shape, "batch", x.shape[-1])
        moments = graph.apply(Moments(groups), [x], self.name)
        running = graph.parameter(f"{self.name}.running", moments.shape, mean=(0.0, 1.0))
        graph.track(running, moments, self.momentum, self.name)
        gains = self.parameters(graph, x)
        trained, passed = (
            Normalise(groups, self.epsilon, running=of_all, offset=self.offset) for of_all in (False, True)
        )
        return graph.apply(
            trained, [x, moments, *gains], self.name, inference=(passed, [x, running, *gains])
        )  # fmt: skip


class Scale(Layer):
    """gain x + offset, an element of a vector each, parameters that start at 1 and 0; either can be left out.

    `rate` is their learning rate over that of the training.
    """

    kind: Literal["scale"] = "scale"
    rate: Rate = 1.0
    gain: Switch = True
    offset: Switch = True

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add a product and a sum."""
        [y] = xs
        if not self.gain and not self.offset:
            raise self.refuse(y, "gain or offset")
        if self.gain:
            gain = graph.parameter(f"{self.name}.gain", y.shape[-1:], mean=1.0, rate=self.rate)
            y = graph.apply(Gain(y.shape), [y, gain], self.name)
        if self.offset:
            offset = graph.parameter(f"{self.name}.offset", y.shape[-1:], rate=self.rate)
            y = graph.apply(Offset(y.shape), [y, offset], self.name)
        return y
