"""A network as data: products with named matrices and functions, over named tensors. Built once, then never changed.

Sharing is naming a matrix twice; a residual is a tensor read twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from archsim.learning.functions import Function, Shape, words

SEEDS, SEED_WORDS = "seeds", 2
"""Name of the feed of what random numbers of a sample are made from, and its words."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A signal of one sample.

    Parameters
    ----------
    name : str
    shape : tuple of int
        The last axis is that of a vector; all others are positions.
    bound : float, optional
        Largest magnitude that an element can have, where that is known.
    """

    name: str
    shape: Shape
    bound: float | None = None

    @property
    def words(self) -> int:
        """Elements."""
        return words(self.shape)

    @property
    def origin(self) -> str:
        """Where it comes from, in words: "the input x", "the result of conv1"."""
        layer, colon, _ = self.name.rpartition(":")
        return f"the result of {layer}" if colon else f"the input {self.name}"

    @property
    def told(self) -> str:
        """Where it comes from, and its shape: "the result of conv1, 28x28x8"."""
        return f"{self.origin}, {'x'.join(map(str, self.shape))}"


Role = Literal["weights", "feedback", "classifier", "signs"]
"""What a matrix is for: to learn; random, for errors to pass; random, to read a hidden layer's result; the signs of
another one's weights, for errors to pass. Only the first kind learns."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Weights that products name.

    Parameters
    ----------
    name : str
    rows, columns : int
        A bias is a last row whose input is 1.
    initial_std : float
        Standard deviation of the initial weights.
    initial_levels : int
        0 draws them from a normal; else each is one of so many equally spaced values around zero, all alike often.
    rate : float
        The matrix's learning rate over that of the training.
    role : Role
    of : str
        Of one that does not learn: the matrix in whose place errors pass it, or the tensor that it reads or gives.
    """

    name: str
    rows: int
    columns: int
    initial_std: float
    initial_levels: int = 0
    rate: float = 1.0
    role: Role = "weights"
    of: str = ""

    @property
    def learns(self) -> bool:
        """Whether it is trained; else it stays as it is, or follows one that is."""
        return self.role == "weights"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    @property
    def weights(self) -> int:
        """Number of weights."""
        return self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Parameter:
    """Numbers that functions read and that learn in digital, 32 bit: gains of a norm, a table of embeddings.

    Parameters
    ----------
    name : str
        Also that of the tensor that functions read.
    shape : tuple of int
        The same for all samples.
    mean : float, or a tuple with one for each place of the last axis
    std : float
        Of the initial values: all as their mean where std is 0.
    rate : float
        The parameter's learning rate over that of the training.
    """

    name: str
    shape: Shape
    mean: float | tuple[float, ...] = 0.0
    std: float = 0.0
    rate: float = 1.0


@dataclass(frozen=True, slots=True)
class Product:
    """x W, or x W^T, for each vector of a tensor."""

    matrix: str
    transposed: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One product or function.

    Parameters
    ----------
    what : Product or Function
    inputs : tuple of str
        Names of tensors.
    output : str
    layer : str
        Under which it is booked.
    inference : Node, optional
        What takes its place, and writes the same tensor, in a pass that trains nothing.
    """

    what: Product | Function
    inputs: tuple[str, ...]
    output: str
    layer: str
    inference: Node | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """A parameter that is no weight but follows a tensor of its shape, one for the whole batch, at every training step.

    Parameters
    ----------
    tensor : str
    part : float
        Of the way from the parameter to the tensor, so much is gone in a step.
    layer : str
        Under which it is booked.
    """

    tensor: str
    part: float
    layer: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in an order in which each reads what is there.

    Parameters
    ----------
    feeds : tuple of str
        Names of the tensors that come from outside.
    tensors, matrices, parameters : by name
    nodes : tuple of Node
    states : feed -> tensor
        Feeds that are carried from batch to batch on the chip, and the tensors that hold what is fed next time.
    tracks : parameter -> what it follows
    """

    feeds: tuple[str, ...]
    tensors: Mapping[str, Tensor]
    matrices: Mapping[str, Matrix]
    parameters: Mapping[str, Parameter]
    nodes: tuple[Node, ...]
    states: Mapping[str, str] = field(default_factory=dict)
    tracks: Mapping[str, Track] = field(default_factory=dict)

    @property
    def learning(self) -> set[str]:
        """Names of all that is trained, or follows a tensor."""
        return {*(name for name, matrix in self.matrices.items() if matrix.learns), *self.parameters}

    def producer(self, tensor: str) -> Node | None:
        """Return the node that writes a tensor; None for one that is fed."""
        return next((node for node in self.nodes if node.output == tensor), None)

    def macs(self) -> dict[str, int]:
        """Return the multiply-accumulates of the products of one sample's forward pass, by matrix."""
        found = {name: 0 for name, matrix in self.matrices.items() if matrix.learns}
        for node in self.nodes:
            if isinstance(node.what, Product):
                vectors = words(self.tensors[node.inputs[0]].shape[:-1])
                found[node.what.matrix] += vectors * self.matrices[node.what.matrix].weights
        return found
