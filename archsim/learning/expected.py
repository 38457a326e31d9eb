"""What learns, without numbers: counts of outer products, of pulses that are due, of the pairs to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32, I64
from archsim.base.expected import Expected, expected
from archsim.base.signal import Scale
from archsim.learning.chi.accumulate import Counts
from archsim.learning.functions import Function, Shape, words
from archsim.learning.optimisers.rules import Optimiser
from archsim.learning.pulses import Due
from archsim.learning.transfer import Buffered, Taken


@dataclass(frozen=True, slots=True)
class Pairs:
    """An expected number of pairs, in the place of their positions."""

    size: float

    def any(self) -> bool:
        """Say that something is due: what is expected always is, be it ever so little."""
        return True


def pairs(size: float) -> I64:
    """Return so many pairs, for whoever takes their positions."""
    return cast("I64", Pairs(size))


def over_tiles(count: int, busiest: float) -> list[float]:
    """Return what each of so many tiles does over their mean: the first is the busiest, the others share the rest."""
    if busiest == 1 or count == 1:
        return [1.0] * count
    most = min(busiest, count)
    return [most, *[(count - most) / (count - 1)] * (count - 1)]


class ExpectedAccumulator:
    """Chi, or a gradient memory, without numbers.

    Parameters
    ----------
    shape : (rows, columns)
    edges : (sequence of int, sequence of int), optional
        Of bands, as for `Accumulator`.
    burst : int
    due : float
        Share of all pairs that are given pulses in a step.
    """

    saturated = 0
    epsilon = 1.0

    def __init__(
        self, shape: tuple[int, int], *, edges: tuple[Sequence[int], Sequence[int]] | None = None, burst: int = 1,
        due: float = 0.0,
    ) -> None:  # fmt: skip
        self.chi = expected(shape[::-1])
        self.burst, self._due = burst, due
        row_edges, column_edges = edges or ((0, shape[0]), (0, shape[1]))
        self._bands = [(int(r), int(c)) for r in np.diff(row_edges) for c in np.diff(column_edges)]

    @property
    def bands(self) -> list[int]:
        """Elements of each band."""
        return [rows * columns for rows, columns in self._bands]

    def accumulate(self, x: F32, d: F32, *, x_scale: Scale, rate: Scale) -> Counts:
        """Return what an outer product is expected to take, by band."""
        del d, x_scale, rate
        if not isinstance(x, Expected):
            raise TypeError(f"{type(x).__name__} in place of an expected array")
        vectors, shares = x.shape[0], x.shares
        bursts = -(-vectors // self.burst)
        counts = [
            [
                round(part * vectors * rows * columns * shares.products), round(part * vectors * rows * shares.rows),
                round(part * bursts * rows * columns * shares.updates),
            ]
            for part, (rows, columns) in zip(over_tiles(len(self._bands), shares.busiest), self._bands, strict=True)
        ]  # fmt: skip
        operands = [vectors * (rows + columns) for rows, columns in self._bands] if self.burst > 1 else []
        return Counts(counts, operands)

    def shift(self, step: F32) -> None:
        """Take a step; what it does to chi is part of what is due."""
        del step

    def apply(self) -> tuple[I64, I64]:
        """Return the pairs that pulses are due for in a step."""
        due = pairs(self._due * sum(self.bands))
        return due, due


class ExpectedLog:
    """How many pairs were programmed since a refresh looked at them last.

    Parameters
    ----------
    looked : float
        Of those noted, the share that is another pair than those before.
    """

    def __init__(self, looked: float) -> None:
        self._looked, self._size = looked, 0.0
        self.steps = 1.0
        """Steps like this one at whose pairs its refresh looks; 0 in one without."""

    def add(self, index: I64) -> None:
        """Note pairs."""
        self._size += index.size

    def noted(self) -> NDArray[Any]:
        """Return how many are noted, once."""
        return np.array([self._size])

    def take(self) -> I64:
        """Return the pairs noted in all steps that a refresh is for, each once, and forget them."""
        found = pairs(self._size * self._looked * self.steps)
        self._size = 0.0
        return found


class ExpectedPulseRule:
    """Finds pulses for outer products without numbers: it counts products, and says no more than that pulses are due.

    Parameters
    ----------
    shape : (rows, columns)
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._weights = shape[0] * shape[1]

    def due(self, x: F32, d: F32) -> Due:
        """Return the products of operands that are not zero; any weight may be due."""
        del d
        if not isinstance(x, Expected):
            raise TypeError(f"{type(x).__name__} in place of an expected array")
        due = pairs(self._weights)
        return Due(round(x.shape[0] * self._weights * x.shares.products), due, due)


@dataclass(frozen=True, slots=True)
class ExpectedSent:
    """Trains of some vectors: their slots in all, and the pulses of a line."""

    vectors: int
    slots: float
    pulsed: float


class ExpectedTrains:
    """Trains of pulses without numbers.

    Parameters
    ----------
    slots, pulsed : float
        Of a vector's trains, the slots and the pulses of a line, in the mean over vectors and lines.
    """

    def __init__(self, *, slots: float, pulsed: float) -> None:
        self._slots, self._pulsed = slots, pulsed

    def send(self, vectors: int) -> ExpectedSent:
        """Return the trains of so many vectors."""
        return ExpectedSent(vectors, vectors * self._slots, vectors * self._pulsed)


class ExpectedTransfer:
    """The buffer of a fast array without numbers: it counts what lines take.

    Parameters
    ----------
    kind : class of `Buffered`
        Whose costs it counts.
    shape : (rows, columns)
    every : int
        Samples between two transfers.
    crossed : float
        Of a line's elements, those that cross the threshold.
    forgets : bool
    flips : float
        How often the sign of a line flips, a transfer.
    """

    def __init__(
        self, kind: type[Buffered], shape: tuple[int, int], *, every: int, crossed: float, forgets: bool, flips: float
    ) -> None:  # fmt: skip
        self.buffer, self.WORDS = expected(shape), kind.WORDS
        self._kind, self._every, self._crossed = kind, every, crossed
        self._given: dict[str, Any] = {"forgets": forgets, "flips": flips}
        self.more = False
        """Whether the step is one of those with a transfer more than the least."""

    def due(self, samples: int) -> list[int]:
        """Return as many lines as are read in a step of so many samples: which ones decides nothing."""
        return [0] * (samples // self._every + self.more)

    def take(self, line: int, read: F32, rate: float) -> Taken:
        """Return what a line takes; any of its weights may be due."""
        del line, rate
        return self._kind.taken(pairs(read.size), self._crossed * read.size, **self._given)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return nothing: there is nothing to keep."""
        return {}


class ExpectedLearnt:
    """Gradient and states of a matrix or parameter, without numbers."""

    def __init__(self, optimiser: Optimiser, gradient: F32) -> None:
        self.optimiser, self.gradient = optimiser, gradient

    def step(self, rate: float) -> F32:
        """Return a step."""
        del rate
        return self.gradient

    def clear(self) -> None:
        """Begin a new sum."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return nothing: there is nothing to keep."""
        return {}


class ExpectedFunction(Function):
    """A function that computes nothing: its result has the right shape, its cost is the function's own."""

    def __init__(self, of: Function) -> None:
        self.name, self.shapes, self.out, self.cost, self.summed = of.name, of.shapes, of.out, of.cost, of.summed

    def __call__(self, *operands: F32) -> F32:
        """Return an expected array of the result's shape."""
        samples = 1 if self.summed else operands[0].size // words(self.shapes[0])
        return expected(_rows(self.out, samples))


def _rows(shape: Shape, samples: int) -> tuple[int, int]:
    """Return the shape of an array of so many samples of a tensor."""
    return samples * words(shape[:-1]), shape[-1]
