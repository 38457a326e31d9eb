"""What every kind of layer has: a name, and a way to add itself to a graph."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, FiniteFloat

from archsim.base.errors import ModelError
from archsim.base.quantities import Count
from archsim.base.yamlfile import Record
from archsim.learning.images.windows import Window
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers import elsewhere

Activation = Literal[
    "sigmoid", "tanh", "relu", "relu6", "leaky-relu", "elu", "gelu", "silu", "mish", "hard-sigmoid", "hard-swish",
    "softmax", "linear",
]  # fmt: skip
"""What `networks.graph.Builder.activate` knows."""
Rate = Annotated[FiniteFloat, Field(gt=0)]
Spread = Annotated[FiniteFloat, Field(gt=0)]
Slope = Annotated[FiniteFloat, Field(ge=0, le=1)]
"""Of a leaky ReLU or an ELU below zero, of a hard sigmoid at zero."""
Size = Count | Annotated[list[Count], Field(min_length=2, max_length=2)]
"""Of a window, or of its steps: of a square, or rows and columns."""
IMAGE = "an image: rows x columns x channels"
Padding = Annotated[int, Field(ge=0, strict=True)]


def window(
    size: int | list[int], stride: int | list[int], padding: int = 0, dilation: int = 1, end: int | None = None
) -> Window:  # fmt: skip
    """Return the window that a layer speaks of; `end`: zeros at the lower right, where they are not the padding."""
    rows, columns = (size, size) if isinstance(size, int) else size
    down, across = (stride, stride) if isinstance(stride, int) else stride
    extra = 0 if end is None else end - padding
    return Window(rows, columns, down, padding, dilation, extra, across if across != down else None)


class Layer(Record):
    """One layer. `of` names the layers whose results it takes; the one before it if not given.

    A subclass names its `kind` as a literal, says in `TAKES` how many results it takes (None: two or more), and adds
    itself to a graph in `build`.
    """

    TAKES: ClassVar[int | None] = 1
    ELSEWHERE: ClassVar[Mapping[str, str]] = elsewhere.KEYS
    KINDS: ClassVar[Mapping[str, str]] = elsewhere.kinds(get_args(Activation))

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

    def kind_of(self, name: str) -> str:
        """Return the kind of what is booked under a name of the layer's own, such as that of a part."""
        del name
        return self.kind

    def refuse(self, x: Tensor, expected: str) -> ModelError:
        """Return the error for a tensor of a shape that the layer cannot take."""
        return ModelError(f"{self.name} ({self.kind}) is given {x.told}; expected {expected}")


class WeightedLayer(Layer):
    """A layer with a matrix: `rate` is its learning rate over that of the training, `initial_std` its own spread."""

    bias: bool = True
    rate: Rate = 1.0
    initial_std: Spread | None = None


class ActivatedLayer(WeightedLayer):
    """A layer with a matrix whose result passes an activation."""

    activation: Activation
    slope: Slope | None = None

    def activate(self, graph: Builder, y: Tensor) -> Tensor:
        """Return the activation of a product."""
        return graph.activate(self.activation, y, self.name, slope=self.slope)
