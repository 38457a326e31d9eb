"""A graph as layers make it: each asks for matrices, products and functions, and is given tensors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from archsim.base.errors import ModelError
from archsim.learning.functions import Elementwise, Function, Shape
from archsim.learning.maths import SLOPED
from archsim.learning.reductions import Softmax
from archsim.networks.graph import SEED_WORDS, SEEDS, Graph, Matrix, Node, Parameter, Product, Tensor, Track

LINEAR = "linear"
"""The activation that is none."""
MOST_WEIGHTS = 10**11
"""Of a matrix: a million tiles and more, assumed to be more than anyone asks for; a slip would fill the memory."""
_Kind = TypeVar("_Kind", Matrix, Parameter)


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
            If the name is taken, or the matrix is larger than any; within `again` if there is none of that name and
            shape.
        """
        if self._again:
            return self._same(name, self._matrices, (rows, columns))
        if rows * columns > MOST_WEIGHTS:
            raise ModelError(
                f"the matrix {name}, {rows:,} x {columns:,}, is larger than archsim takes: {MOST_WEIGHTS:,} weights"
            )
        if name in self._matrices:
            raise ModelError(f"two matrices are named {name!r}")
        std = self.spread(rows, initial_std)
        made = self._matrices[name] = Matrix(name, rows, columns, std, self.initial_levels, rate)
        return made

    def spread(self, rows: int, initial_std: float | None = None) -> float:
        """Return the deviation of initial weights of so many inputs: the graph's if none is given."""
        wanted = self.initial_std if initial_std is None else initial_std
        return wanted if not isinstance(wanted, str) else math.sqrt((2 if wanted == "he" else 1) / rows)

    def known(self, name: str, layer: str) -> Matrix | Tensor:
        """Return the matrix of a layer that is there already, or the tensor of a parameter with two axes.

        Raises
        ------
        ModelError
            If there is none of that name.
        """
        tables = [key for key, one in self._parameters.items() if len(one.shape) == 2]
        if name in tables:
            return self._tensors[name]
        if name not in self._matrices:
            there = ", ".join([*self._matrices, *tables]) or "none"
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
        """Return an activation of a tensor: softmax, or one of `learning.maths` by name; some have a slope.

        Raises
        ------
        ModelError
            If another one is given a slope.
        """
        if slope is not None and name not in SLOPED:
            raise ModelError(f"{layer}: a slope for {name}; expected one for {', '.join(SLOPED)} only", at=("slope",))
        if name == LINEAR:
            return x
        return self.apply(Softmax(x.shape) if name == "softmax" else Elementwise(name, x.shape, slope), [x], layer)

    def names(self) -> set[str]:
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
