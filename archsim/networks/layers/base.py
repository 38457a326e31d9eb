"""What every kind of layer has: a name, and a way to add itself to a graph."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, FiniteFloat

from archsim.base.errors import ModelError
from archsim.base.yamlfile import Record
from archsim.networks.graph import Builder, Tensor

Activation = Literal["sigmoid", "tanh", "relu", "softmax", "linear"]
"""What `networks.graph.Builder.activate` knows."""
Rate = Annotated[FiniteFloat, Field(gt=0)]
Spread = Annotated[FiniteFloat, Field(gt=0)]


class Layer(Record):
    """One layer. `of` names the layers whose results it takes; the one before it if not given.

    A subclass names its `kind` as a literal, says in `TAKES` how many results it takes (None: two or more), and adds
    itself to a graph in `build`.
    """

    TAKES: ClassVar[int | None] = 1

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
    kind: str
    of: Annotated[list[str], Field(min_length=1)] | None = None

    @abstractmethod
    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the layer's nodes to a graph and return its result.

        Raises
        ------
        ModelError
            If the shapes do not suit the layer.
        """

    def refuse(self, x: Tensor, expected: str) -> ModelError:
        """Return the error for a tensor of a shape that the layer cannot take."""
        shape = "x".join(map(str, x.shape))
        return ModelError(f"{self.name} ({self.kind}) is given {x.name} of {shape}; expected {expected}")


class WeightedLayer(Layer):
    """A layer with a matrix: `rate` is its learning rate over that of the training, `initial_std` its own spread."""

    bias: bool = True
    rate: Rate = 1.0
    initial_std: Spread | None = None
