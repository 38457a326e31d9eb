"""Functions of signals, bound to the shapes of one sample: what they compute, what that costs, and their adjoints.

A signal of tensor shape (..., size) travels as a float32 array (samples x positions, size); positions are all axes but
the last. A function takes such arrays and returns one; its cost is that of one sample. What only re-addresses a memory
(a reshape, the windows of a convolution) is free: whoever uses the result reads the words where they lie.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from archsim.base.arrays import F32
from archsim.base.errors import ModelError
from archsim.learning.maths import OPS, Op

Shape = tuple[int, ...]
"""Shape of one sample; the last axis is that of a vector."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Elementary operations of a digital unit for one sample, and the words of its buffer that are read and written."""

    adds: int = 0
    multiplies: int = 0
    compares: int = 0
    lookups: int = 0
    reads: int = 0
    writes: int = 0

    @property
    def operations(self) -> int:
        """Elementary operations, each a cycle of a lane."""
        return self.adds + self.multiplies + self.compares + self.lookups

    @property
    def free(self) -> bool:
        """Whether nothing is done but naming words anew."""
        return not (self.operations or self.reads or self.writes)


FREE = Cost()


class Adjoint(NamedTuple):
    """How a gradient passes a function: what is applied to (gradient of the result, *needs).

    A need is the number of an operand, or "y", the result. Where one function gives the gradients of several operands,
    each of their adjoints names the same function, and what is free and takes the `part` for its operand.
    """

    function: Function
    needs: tuple[int | str, ...] = ()
    part: Function | None = None


class Function(ABC):
    """A function of signals.

    Attributes
    ----------
    name : str
        With all that decides what is computed, but for the shapes.
    shapes : of the operands, for one sample
    out : shape of the result
    cost : Cost
    summed : bool
        Whether the result is one for the whole batch, as the gradient of a parameter is, instead of one a sample.
    """

    name: str
    shapes: tuple[Shape, ...]
    out: Shape
    cost: Cost = FREE
    summed: bool = False

    @abstractmethod
    def __call__(self, *operands: F32) -> F32:
        """Return the result, (samples x positions, size), for operands likewise."""

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return how the gradient reaches an operand; None where none does.

        Raises
        ------
        ModelError
            If the function has none.
        """
        raise ModelError(f"{self.name} has no gradient by operand {operand}")

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the largest magnitude that the result can have, given those of the operands; None if there is none."""
        del bounds
        return None

    def __repr__(self) -> str:
        """Return name and shapes: what a program says of the function."""
        taken = ", ".join("x".join(map(str, shape)) for shape in self.shapes)
        if len(self.shapes) > 3 and len(set(self.shapes)) == 1:
            taken = f"{len(self.shapes)} of {'x'.join(map(str, self.shapes[0]))}"
        return f"{self.name}({taken}) -> {'x'.join(map(str, self.out))}{' summed' if self.summed else ''}"


def words(shape: Shape) -> int:
    """Return the elements of a shape."""
    return math.prod(shape)


class Elementwise(Function):
    """A named operation of `learning.maths` on operands of one shape, with its setting, if it has one."""

    def __init__(self, op: str, shape: Shape, setting: float | None = None) -> None:
        self._op = OPS[op]
        given = self._op.setting if setting is None else setting
        self._settings = () if self._op.setting is None else (given,)
        self.name = op if self._op.setting is None else f"{op} {given:g}"
        self.shapes, self.out = (shape,) * self._op.operands, shape
        self.cost = _cost(self._op, words(shape))

    def __call__(self, *operands: F32) -> F32:
        """Apply the operation."""
        out = np.empty(operands[-1].shape, np.float32)
        self._op.kernel(*operands, out, *self._settings)
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the operation's derivative, as `learning.maths` declares it."""
        if operand not in self._op.adjoints:
            raise ModelError(f"{self.name} has no gradient by operand {operand}")
        name, needs = self._op.adjoints[operand]
        return Adjoint(Elementwise(name, self.out, *self._settings), needs)

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operation's own bound, or that of its operand where it shrinks what it is given."""
        return bounds[0] if self._op.shrinks else self._op.bound


def _cost(op: Op, elements: int) -> Cost:
    return Cost(
        adds=op.adds * elements, multiplies=op.multiplies * elements, compares=op.compares * elements,
        lookups=op.lookups * elements, reads=op.operands * elements, writes=elements,
    )  # fmt: skip


class Sum(Function):
    """The sum of several signals of one shape, taken one after the other into a result that stays in the unit."""

    def __init__(self, count: int, shape: Shape) -> None:
        self.name, self.shapes, self.out = f"sum of {count}", (shape,) * count, shape
        n = words(shape)
        self.cost = Cost(adds=(count - 1) * n, reads=count * n, writes=n)

    def __call__(self, *operands: F32) -> F32:
        """Return the sum."""
        out: F32 = np.add(operands[0], operands[1])
        for operand in operands[2:]:
            out += operand
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the gradient as it is."""
        del operand
        return Adjoint(Reshape(self.out, self.out))


class Reshape(Function):
    """The same words under another shape."""

    def __init__(self, shape: Shape, out: Shape) -> None:
        if words(shape) != words(out):
            raise ModelError(f"a reshape of {shape} to {out}: other words")
        self.name, self.shapes, self.out = "reshape", (shape,), out

    def __call__(self, *operands: F32) -> F32:
        """Return a view."""
        return operands[0].reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the way back."""
        del operand
        return Adjoint(Reshape(self.out, self.shapes[0]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]
