"""A network as data: products with named matrices and functions, over named tensors. Built once, then never changed.

Sharing is naming a matrix twice; a residual is a tensor read twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from archsim.base.errors import ModelError
from archsim.learning.functions import Elementwise, Function, Shape, words
from archsim.learning.reductions import Softmax

LINEAR = "linear"
"""The activation that is none."""
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


_Kind = TypeVar("_Kind", Matrix, Parameter)


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


@dataclass(slots=True)
class Builder:
    """Collects a graph. Layers call it; none sees a chip.

    Parameters
    ----------
    initial_std : float, "lecun" or "he"
        Of matrices that do not say their own: a number, or 1 or sqrt 2 over the root of a matrix's rows (LeCun et al.
        1998, He et al. 2015).
    initial_levels : int
    """

    initial_std: float | Literal["lecun", "he"]
    initial_levels: int = 0
    _feeds: list[str] = field(default_factory=list)
    _tensors: dict[str, Tensor] = field(default_factory=dict)
    _matrices: dict[str, Matrix] = field(default_factory=dict)
    _parameters: dict[str, Parameter] = field(default_factory=dict)
    _nodes: list[Node] = field(default_factory=list)
    _states: dict[str, str] = field(default_factory=dict)
    _tracks: dict[str, Track] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _again: bool = False

    @contextmanager
    def again(self) -> Iterator[None]:
        """Let layers that are there be built once more: matrices and parameters of their names are those of before.

        Whatever follows a tensor, such as running moments, goes on following that of the first time.
        """
        self._again = True
        try:
            yield
        finally:
            self._again = False

    def feed(self, name: str, shape: Shape, *, bound: float | None = None) -> Tensor:
        """Return a tensor that comes from outside."""
        self._feeds.append(name)
        return self._tensor(name, shape, bound)

    def carry(self, state: Tensor, after: Tensor) -> None:
        """Keep a tensor on the chip, to be fed as `state`, a feed, with the next batch."""
        self._states[state.name] = after.name

    def seeds(self) -> Tensor:
        """Return the feed `SEEDS`, of what random numbers are made from: a training draws it anew for each sample."""
        return self._tensors[SEEDS] if SEEDS in self._tensors else self.feed(SEEDS, (SEED_WORDS,))

    def track(self, parameter: Tensor, tensor: Tensor, part: float, layer: str) -> None:
        """Let a parameter follow a tensor of its shape, a part of the way at every training step."""
        if self._again:
            return
        self._tracks[parameter.name] = Track(tensor.name, part, layer)

    def matrix(
        self, name: str, rows: int, columns: int, *, rate: float = 1.0, initial_std: float | None = None
    ) -> Matrix:
        """Return a new matrix, its initial spread the graph's if none is given; the one of that name within `again`.

        Raises
        ------
        ModelError
            If the name is taken; within `again` if there is none of that name and shape.
        """
        if self._again:
            return self._same(name, self._matrices, (rows, columns))
        if name in self._matrices:
            raise ModelError(f"two matrices are named {name!r}")
        std = self.spread(rows, initial_std)
        made = self._matrices[name] = Matrix(name, rows, columns, std, self.initial_levels, rate)
        return made

    def spread(self, rows: int, initial_std: float | None = None) -> float:
        """Return the deviation of initial weights of so many inputs: the graph's if none is given."""
        wanted = self.initial_std if initial_std is None else initial_std
        return wanted if not isinstance(wanted, str) else math.sqrt((2 if wanted == "he" else 1) / rows)

    def known(self, name: str, layer: str) -> Matrix:
        """Return the matrix of a layer that is there already.

        Raises
        ------
        ModelError
            If there is none of that name.
        """
        if name not in self._matrices:
            there = ", ".join(self._matrices) or "none"
            raise ModelError(
                f"{layer} takes the matrix {name!r}, which no layer before it has; there are {there}", at=("matrix",)
            )
        return self._matrices[name]

    def parameter(
        self, name: str, shape: Shape, *, mean: float | tuple[float, ...] = 0.0, std: float = 0.0, rate: float = 1.0
    ) -> Tensor:  # fmt: skip
        """Return the tensor of a new parameter; of the one of that name within `again`."""
        if self._again:
            return self._tensors[self._same(name, self._parameters, shape).name]
        self._parameters[name] = Parameter(name, shape, mean, std, rate)
        return self._tensor(name, shape, None)

    def product(self, matrix: Matrix, x: Tensor, layer: str, *, transposed: bool = False) -> Tensor:
        """Return x W, or x W^T.

        Raises
        ------
        ModelError
            If the vectors of x have not as many elements as the matrix rows (or columns).
        """
        rows, columns = matrix.shape[::-1] if transposed else matrix.shape
        if x.shape[-1] != rows:
            way = f"{matrix.rows}x{matrix.columns}{', the other way round,' if transposed else ''}"
            raise ModelError(f"{layer} is given {x.told}; the matrix {matrix.name}, {way} takes vectors of {rows}")
        out = self._tensor(self._free(layer), (*x.shape[:-1], columns), None)
        self._nodes.append(Node(Product(matrix.name, transposed), (x.name,), out.name, layer))
        return out

    def apply(
        self, function: Function, xs: Sequence[Tensor], layer: str, *,
        inference: tuple[Function, Sequence[Tensor]] | None = None,
    ) -> Tensor:  # fmt: skip
        """Return a function of tensors, and of others where nothing is trained, if `inference` says so.

        Raises
        ------
        ModelError
            If their shapes are not those of the function.
        """
        for one, taken in ((function, xs), *([inference] if inference else [])):
            if tuple(x.shape for x in taken) != one.shapes:
                raise ModelError(f"{layer}: {one} is given {', '.join(x.told for x in taken)}")
        out = self._tensor(self._free(layer), function.out, function.bound([x.bound for x in xs]))
        instead = None
        if inference is not None:
            instead = Node(inference[0], tuple(x.name for x in inference[1]), out.name, layer)
        self._nodes.append(Node(function, tuple(x.name for x in xs), out.name, layer, instead))
        return out

    def activate(self, name: str, x: Tensor, layer: str, *, slope: float | None = None) -> Tensor:
        """Return an activation of a tensor: softmax, or one of `learning.maths` by name; a leaky ReLU has a slope.

        Raises
        ------
        ModelError
            If another one is given a slope.
        """
        if slope is not None and name != "leaky-relu":
            raise ModelError(f"{layer}: a slope for {name}; expected one for leaky-relu only", at=("slope",))
        if name == LINEAR:
            return x
        return self.apply(Softmax(x.shape) if name == "softmax" else Elementwise(name, x.shape, slope), [x], layer)

    def learning(self) -> set[str]:
        """Return the names of all matrices and parameters up to now."""
        return {*self._matrices, *self._parameters}

    def graph(self) -> Graph:
        """Return what was collected."""
        return Graph(
            tuple(self._feeds), dict(self._tensors), dict(self._matrices), dict(self._parameters), tuple(self._nodes),
            dict(self._states), dict(self._tracks),
        )  # fmt: skip

    @staticmethod
    def _same(name: str, there: Mapping[str, _Kind], shape: Shape) -> _Kind:
        """Return what is there already of that name and shape."""
        if name not in there:
            raise ModelError(f"{name!r} shall be used again and is not there")
        if there[name].shape != shape:
            raise ModelError(f"{name!r} of {there[name].shape} shall be used again with {shape}")
        return there[name]

    def _free(self, layer: str) -> str:
        count = self._counts.get(layer, 0) + 1
        while (name := f"{layer}:{count}") in self._tensors:
            count += 1
        self._counts[layer] = count
        return name

    def _tensor(self, name: str, shape: Shape, bound: float | None) -> Tensor:
        if name in self._tensors:
            raise ModelError(f"two tensors are named {name!r}")
        made = self._tensors[name] = Tensor(name, shape, bound)
        return made
