"""Functions that only re-address words, and are free: the constant input of a bias, slices, other orders."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from archsim.base.arrays import F32
from archsim.base.errors import ModelError
from archsim.learning import _kernels
from archsim.learning.functions import Adjoint, Cost, Function, Shape, words


class AppendOne(Function):
    """Each vector with one more element of 1: the input of a bias, a line that is always driven."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "append one", (shape,), (*shape[:-1], shape[-1] + 1)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, size + 1)."""
        [x] = operands
        out = np.empty((x.shape[0], x.shape[1] + 1), np.float32)
        _kernels.extend(x, out)
        return out

    def adjoint(self, operand: int) -> Adjoint | None:
        """Drop the gradient of the constant."""
        del operand
        return Adjoint(DropLast(self.out))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's, or 1."""
        return None if bounds[0] is None else max(bounds[0], 1.0)


class DropLast(Function):
    """Each vector without its last element."""

    def __init__(self, shape: Shape) -> None:
        self.name, self.shapes, self.out = "drop last", (shape,), (*shape[:-1], shape[-1] - 1)

    def __call__(self, *operands: F32) -> F32:
        """Return (vectors, size - 1), contiguous."""
        inner = operands[0][:, :-1]
        return inner if inner.shape[0] == 1 else np.ascontiguousarray(inner)


class Slice(Function):
    """The places [start, stop) along one axis of a sample."""

    def __init__(self, shape: Shape, axis: int, start: int, stop: int) -> None:
        axis %= len(shape)
        if not 0 <= start < stop <= shape[axis]:
            raise ModelError(f"places {start} to {stop} of axis {axis} of {shape}")
        self.name, self.shapes = f"slice axis {axis} {start}:{stop}", (shape,)
        self.out = (*shape[:axis], stop - start, *shape[axis + 1 :])
        self._where = (slice(None),) * (axis + 1) + (slice(start, stop),)
        self._axis, self._start = axis, start

    def __call__(self, *operands: F32) -> F32:
        """Return the part, contiguous."""
        part = operands[0].reshape(-1, *self.shapes[0])[self._where]
        return np.ascontiguousarray(part).reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Set the gradient among zeros."""
        del operand
        return Adjoint(Place(self.out, self._axis, self._start, self.shapes[0][self._axis]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class Place(Function):
    """A part set among zeros along one axis of a sample, `size` places long: the adjoint of a slice."""

    def __init__(self, shape: Shape, axis: int, start: int, size: int) -> None:
        self.name, self.shapes = f"place axis {axis} at {start} of {size}", (shape,)
        self.out = (*shape[:axis], size, *shape[axis + 1 :])
        self.axis, self.start, self.stop = axis, start, start + shape[axis]
        self.where = (slice(None),) * (axis + 1) + (slice(start, self.stop),)

    def __call__(self, *operands: F32) -> F32:
        """Return the whole."""
        [part] = operands
        shape = self.shapes[0]
        samples = part.size // words(shape)
        out = np.zeros((samples, *self.out), np.float32)
        out[self.where] = part.reshape(samples, *shape)
        return out.reshape(-1, self.out[-1])


class Join(Function):
    """Signals set beside each other along one axis of a sample."""

    def __init__(self, shapes: Sequence[Shape], axis: int) -> None:
        first = shapes[0]
        axis %= len(first)
        if any(len(s) != len(first) or s[:axis] + s[axis + 1 :] != first[:axis] + first[axis + 1 :] for s in shapes):
            raise ModelError(f"shapes {list(shapes)} beside each other along axis {axis}")
        self.name, self.shapes, self._axis = f"join axis {axis}", tuple(shapes), axis
        *self._starts, whole = accumulate((shape[axis] for shape in shapes), initial=0)
        self.out = (*first[:axis], whole, *first[axis + 1 :])

    def __call__(self, *operands: F32) -> F32:
        """Return all of them as one."""
        parts = [part.reshape(-1, *shape) for part, shape in zip(operands, self.shapes, strict=True)]
        return np.concatenate(parts, axis=self._axis + 1).reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the operand's own part of the gradient."""
        start = self._starts[operand]
        return Adjoint(Slice(self.out, self._axis, start, start + self.shapes[operand][self._axis]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the largest of the operands'."""
        return None if any(bound is None for bound in bounds) else max(bound for bound in bounds if bound is not None)


class Fit(Function):
    """The words of a sample in their order, as many as another shape holds: from the first on again, if there are less.

    Free. The gradient of a word is the sum of what is said of its copies: an addition, two reads and a write a copy.
    """

    def __init__(self, shape: Shape, out: Shape) -> None:
        self.name, self.shapes, self.out = "fit", (shape,), out

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, size)."""
        x = operands[0].reshape(-1, words(self.shapes[0]))
        places = np.arange(words(self.out)) % x.shape[1]
        return x[:, places].reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Add up what is said of the copies."""
        del operand
        return Adjoint(FitAdjoint(self.out, self.shapes[0]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class FitAdjoint(Function):
    """The sum over the copies of each word; zero where there is none."""

    def __init__(self, shape: Shape, out: Shape) -> None:
        self.name, self.shapes, self.out = "fit back", (shape,), out
        more = max(words(shape) - words(out), 0)
        self.cost = Cost(adds=more, reads=2 * more, writes=more)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, size)."""
        size = words(self.out)
        d = operands[0].reshape(-1, words(self.shapes[0]))
        rounds = -(-d.shape[1] // size)
        whole = np.zeros((len(d), rounds * size), np.float32)
        whole[:, : d.shape[1]] = d
        summed: F32 = whole.reshape(-1, rounds, size).sum(axis=1)
        return summed.reshape(-1, self.out[-1])


class Transpose(Function):
    """The axes of a sample in another order."""

    def __init__(self, shape: Shape, order: Sequence[int]) -> None:
        self.name, self.shapes = f"axes {','.join(map(str, order))}", (shape,)
        self.out = tuple(shape[axis] for axis in order)
        self._order = tuple(order)

    def __call__(self, *operands: F32) -> F32:
        """Return the words in the new order, contiguous."""
        x = operands[0].reshape(-1, *self.shapes[0]).transpose(0, *(axis + 1 for axis in self._order))
        return np.ascontiguousarray(x).reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Return the way back."""
        del operand
        return Adjoint(Transpose(self.out, [self._order.index(axis) for axis in range(len(self._order))]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class Spread(Function):
    """A signal at all places along which its length is 1, or all positions of a vector, of another shape.

    Free, for whoever reads it reads the one word.
    """

    def __init__(self, shape: Shape, out: Shape) -> None:
        self.name, self.shapes, self.out = "spread", (shape,), out
        self._shape = (*[1] * (len(out) - len(shape)), *shape)
        if len(self._shape) != len(out) or any(n not in (1, m) for n, m in zip(self._shape, out, strict=True)):
            raise ModelError(f"{shape} does not spread over {out}")

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, size)."""
        x = operands[0].reshape(-1, *self._shape)
        return np.ascontiguousarray(np.broadcast_to(x, (len(x), *self.out))).reshape(-1, self.out[-1])

    def adjoint(self, operand: int) -> Adjoint | None:
        """Add up what is said of the copies."""
        del operand
        return Adjoint(SpreadAdjoint(self.out, self.shapes[0]))

    def bound(self, bounds: Sequence[float | None]) -> float | None:
        """Return the operand's."""
        return bounds[0]


class SpreadAdjoint(Function):
    """The sum over the copies of each word: an addition a copy but the first, and a read."""

    def __init__(self, shape: Shape, out: Shape) -> None:
        self.name, self.shapes, self.out = "sum of copies", (shape,), out
        padded = (*[1] * (len(shape) - len(out)), *out)
        self._axes = tuple(k + 1 for k, (n, m) in enumerate(zip(padded, shape, strict=True)) if n < m)
        n, made = words(shape), words(out)
        self.cost = Cost(adds=n - made, reads=n, writes=made)

    def __call__(self, *operands: F32) -> F32:
        """Return (samples x positions, size)."""
        summed: F32 = operands[0].reshape(-1, *self.shapes[0]).sum(axis=self._axes)
        return summed.reshape(-1, self.out[-1])
