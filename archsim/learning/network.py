"""Networks as data: layers, shapes, initial weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from archsim.base.arrays import F32
from archsim.base.signal import PHASES, Tag
from archsim.base.streams import Streams


@dataclass(frozen=True)
class Dense:
    """A fully connected layer with bias: y = f(x W + b), the bias being one more row of W with input 1.

    Parameters
    ----------
    name : str
    inputs, units : int
    activation : str
        Name of an operation of `learning.maths`.
    """

    name: str
    inputs: int
    units: int
    activation: str

    @property
    def shape(self) -> tuple[int, int]:
        """Rows (inputs and bias) and columns of the weight matrix."""
        return self.inputs + 1, self.units

    @property
    def weights(self) -> int:
        """Number of weights, bias included."""
        return self.shape[0] * self.shape[1]

    @cached_property
    def tags(self) -> dict[str, Tag]:
        """The layer's tag in each phase."""
        return {phase: Tag(phase, self.name) for phase in PHASES}


@dataclass(frozen=True)
class Network:
    """A chain of dense layers trained on the squared error of its last activation.

    Parameters
    ----------
    layers : tuple of Dense
    initial_std : float
        Standard deviation of the initial weights.
    """

    layers: tuple[Dense, ...]
    initial_std: float

    @property
    def inputs(self) -> int:
        """Elements of a sample."""
        return self.layers[0].inputs

    @property
    def outputs(self) -> int:
        """Classes."""
        return self.layers[-1].units

    @property
    def weights(self) -> int:
        """Number of weights, biases included."""
        return sum(layer.weights for layer in self.layers)

    def initial_weights(self, streams: Streams) -> dict[str, F32]:
        """Return Normal(0, initial_std) weights by layer: the start that all chips of a run share."""
        return {
            layer.name: (
                self.initial_std * streams.generator(f"initial/{layer.name}").standard_normal(layer.shape)
            ).astype(np.float32)
            for layer in self.layers
        }
