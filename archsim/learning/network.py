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
    """A fully connected layer: y = f(x W + b), the bias, if any, being one more row of W with input 1.

    Parameters
    ----------
    name : str
    inputs, units : int
    activation : str
        Name of an operation of `learning.maths`.
    bias : bool
    rate : float
        The layer's learning rate over that of the training.
    """

    name: str
    inputs: int
    units: int
    activation: str
    bias: bool = True
    rate: float = 1.0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows (inputs and bias) and columns of the weight matrix."""
        return self.inputs + self.bias, self.units

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
    initial_levels : int
        0 draws them from a normal; else each is one of so many equally spaced values around zero, all alike often.
    """

    layers: tuple[Dense, ...]
    initial_std: float
    initial_levels: int = 0

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of the weight matrix of each layer."""
        return {layer.name: layer.shape for layer in self.layers}

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
        """Return weights of mean 0 and deviation `initial_std` by layer: the start that all chips of a run share."""
        found = {}
        for layer in self.layers:
            random = streams.generator(f"initial/{layer.name}")
            if levels := self.initial_levels:
                drawn = (random.integers(levels, size=layer.shape) - (levels - 1) / 2) / np.sqrt((levels**2 - 1) / 12)
            else:
                drawn = random.standard_normal(layer.shape)
            found[layer.name] = (self.initial_std * drawn).astype(np.float32)
        return found
