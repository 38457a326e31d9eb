"""What each place of a sample adds to what stands there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from archsim.learning.sequences.codes import Offset
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import Layer, Rate


class Positions(Layer):
    """x + p, with a parameter p of the shape of a sample, kept in digital: learned positions of a sequence.

    `initial_std` is its spread, `rate` its learning rate over that of the training.
    """

    kind: Literal["positions"] = "positions"
    initial_std: Annotated[FiniteFloat, Field(ge=0)] = 0.02
    rate: Rate = 1.0

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the parameter, and its sum with the input."""
        [x] = xs
        parameter = graph.parameter(self.name, x.shape, std=self.initial_std, rate=self.rate)
        return graph.apply(Offset(x.shape), [x, parameter], self.name)
