"""Functions that take samples apart and set them together, free all: rows of a sequence, stacks of them, zeros.

What several slices of one tensor say of it is set side by side by `Spread`, not added up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.base.arrays import F32
from archsim.learning.functions import Adjoint, Function, Shape, words
from archsim.learning.moves import Place, Slice


class Row(Slice):
    """One place along the first axis: (steps, ...) -> (...)."""

    def __init__(self, shape: Shape, place: int) -> None:
        super().__init__(shape, 0, place, place + 1)
        self.name, self.out = f"row {place}", shape[1:]

    def adjoint(self, operand: int) -> Adjoint | None:
        """Set the gradient among zeros."""
        del operand
        return Adjoint(Place((1, *self.out), 0, self._start, self.shapes[0][0]))


class Stack(Function):
    """Signals of one shape, one after the other along a new first axis: the steps of a sequence."""

    def __init__(self, count: int, shape: Shape) -> None:
        self.name, self.shapes, self.out = f"stack of {count}", (shape,) * count, (count, *shape)

    def __call__(self, *operands: F32) -> F32:
        """Return all of them as one."""
        parts = [part.reshape(-1, words(self.out[1:])) for part in operands]
        return np.concatenate(parts, axis=1).reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the operand's own row of the gradient."""
        return Adjoint(Row(self.out, operand))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the largest of the operands'."""
        return None if any(bound is None for bound in bounds) else max(bound for bound in bounds if bound is not None)


class Zeros(Function):
    """Zeros of a shape, as many samples as the operand has: the state before the first step. No gradient passes it."""

    def __init__(self, shape: Shape, out: Shape) -> None:
        self.name, self.shapes, self.out = "zeros", (shape,), out

    def __call__(self, *operands: F32) -> F32:
        """Return zeros."""
        samples = operands[0].size // words(self.shapes[0])
        return np.zeros((samples * words(self.out[:-1]), self.out[-1]), np.float32)

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return none."""
        del operand
        return None

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return 0."""
        del bounds
        return 0.0


class Spread(Function):
    """Parts of one whole, each at its place along the same axis, none over another; zeros where there is none."""

    def __init__(self, places: Sequence[Place]) -> None:
        places = sorted(places, key=lambda place: place.start)
        first = places[0]
        self.shapes, self.out = tuple(place.shapes[0] for place in places), first.out
        self._places, self._axis = places, first.axis
        self._whole = sum(place.stop - place.start for place in places) == first.out[first.axis]
        where = "all" if self._whole else ",".join(str(place.start) for place in places)
        self.name = f"spread axis {first.axis} at {where}"

    def __call__(self, *operands: F32) -> F32:
        """Return the whole, for the parts in the order of their places."""
        parts = [part.reshape(-1, *shape) for part, shape in zip(operands, self.shapes, strict=True)]
        if self._whole:
            return np.concatenate(parts, axis=self._axis + 1).reshape(-1, self.out[-1])
        out = np.zeros((parts[0].shape[0], *self.out), np.float32)
        for place, part in zip(self._places, parts, strict=True):
            out[place.where] = part
        return out.reshape(-1, self.out[-1])


def apart(places: Sequence[Place]) -> list[list[int]]:
    """Return the numbers of places in groups, each of one axis, in order, in which none lies over another."""
    groups: list[list[int]] = []
    for k in sorted(range(len(places)), key=lambda k: (places[k].start, k)):
        mine = places[k]
        for group in groups:
            last = places[group[-1]]
            if last.axis == mine.axis and last.stop <= mine.start:
                group.append(k)
                break
        else:
            groups.append([k])
    return groups
