"""Outer products by chance: trains of pulses on rows and columns, whose coincidences are the pulses of a device."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32, F64, I64, U64
from archsim.learning.trains import _kernels
from archsim.learning.trains._kernels import count_met, find_met, within

__all__ = ["Lines", "Part", "PulseTrains", "Sent", "count_met", "find_met", "stretches", "within"]

Lines = tuple[I64, I64, U64, I64]
"""Where the lines of each vector begin, (vectors + 1,); of each line, in rising order, which it is, its train,
(lines, words), and its pulses, below zero where its operand is. Lines without a pulse are not among them."""

DRAWS = 1 << 20
"""Random numbers that are drawn at once; which they are does not hang on it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The trains of some vectors, one after the other.

    Parameters
    ----------
    slots : int64 array, (vectors,)
        Length of the trains of each, 0 where nothing is asked for.
    rows, columns : Lines
    """

    slots: I64
    rows: Lines
    columns: Lines

    def to(self, rows: slice, columns: slice) -> Part:
        """Return what reaches some rows and columns."""
        return Part(self, (rows.start, rows.stop, columns.start, columns.stop))


@dataclass(frozen=True, slots=True)
class Part:
    """Of trains, what reaches one array: its rows and columns of the matrix, (first, last + 1) of either."""

    sent: Sent
    window: tuple[int, int, int, int]

    @property
    def slots(self) -> int:
        """Slots of all vectors."""
        return int(self.sent.slots.sum())

    def begins(self, now_ps: int, slot_ps: int) -> I64:
        """Return when the trains of each vector begin, at `now_ps` and so much a slot later; -1 for what has none."""
        slots = self.sent.slots
        begin: I64 = np.where(slots > 0, now_ps + slot_ps * (np.cumsum(slots) - slots), -1)
        return begin

    def met(self, vector: int) -> tuple[I64, I64]:
        """Return flat positions in the array, row by row, where lines met, and the signed coincidences of each."""
        first, last, begin, end = self.window
        index, pulses = np.empty((2, (last - first) * (end - begin)), np.int64)
        found = find_met(self.sent.rows, self.sent.columns, vector, self.window, index, pulses)
        return index[:found].copy(), pulses[:found].copy()

    def on(self, vector: int) -> tuple[I64, I64]:
        """Return the pulses on each row and on each column of the array."""
        first, last, begin, end = self.window
        return _on(self.sent.rows, vector, first, last), _on(self.sent.columns, vector, begin, end)

    def touched(self) -> tuple[I64, I64]:
        """Return the rows and the columns of the array that any vector pulses."""
        first, last, begin, end = self.window
        found = [np.unique(lines[1]) for lines in (self.sent.rows, self.sent.columns)]
        rows, columns = (
            lines[(lines >= a) & (lines < b)] - a
            for lines, a, b in zip(found, (first, begin), (last, end), strict=True)
        )
        return rows, columns


def _on(lines: Lines, vector: int, first: int, stop: int) -> I64:
    begin, line, _, pulses = lines
    mine = slice(begin[vector], begin[vector + 1])
    here = (line[mine] >= first) & (line[mine] < stop)
    found = np.zeros(stop - first, np.int64)
    found[line[mine][here] - first] = np.abs(pulses[mine][here])
    return found


class PulseTrains:
    """Gives the weight (i, j) one step in the sign of x_i d_j for each slot in which both of its lines are pulsed.

    Row i is pulsed in a slot with the probability sqrt(k/L) |x_i|/max|x|, column j with sqrt(k/L) |d_j|/max|d|, each 1
    at most; k = rate max|x| max|d|/step are the pulses that the largest product asks for, so that the mean of the
    coincidences is rate x_i d_j/step.

    Parameters
    ----------
    shape : (rows, columns)
    length : int
        The longest train, L_max.
    managed : bool
        Whether trains are as long as they need be: L = min(ceil k, L_max); where k is more than L_max, the columns
        alone are clipped: rows get |x_i|/max|x|, columns k/L |d_j|/max|d|. Otherwise L = L_max, and both are clipped.
    random : Generator
        One number a slot of each line that may be pulsed: vector by vector, rows first, line by line.

    Source
    ------
    gokmen2016 (coincidences), ibm2021aihwkit (managed trains).
    """

    def __init__(self, shape: tuple[int, int], *, length: int, managed: bool, random: np.random.Generator) -> None:
        self.shape, self.length, self.managed, self._random = shape, length, managed, random

    def send(self, x: F32, d: F32, k: F64) -> Sent:
        """Return the trains for some vectors.

        Parameters
        ----------
        x, d : float32 arrays, (vectors, rows) and (vectors, columns)
            Over the largest magnitudes of each vector; of fixed trains, as they are.
        k : float64 array, (vectors,)
            Pulses that a product of 1 asks for.
        """
        slots, factors = np.empty(k.size, np.int64), np.empty((k.size, 2), np.float32)
        lines = _kernels.plan(x, d, k, self.length, self.managed, slots, factors)
        parts = [
            self._draw(x[part], d[part], slots[part], factors[part], lines[part], drawn)
            for part, drawn in stretches(lines.sum(axis=1) * slots, DRAWS)
        ]
        return Sent(slots, _joined([each[0] for each in parts]), _joined([each[1] for each in parts]))

    def _draw(self, x: F32, d: F32, slots: I64, factors: F32, lines: I64, drawn: int) -> tuple[Lines, Lines]:
        words = -(-int(slots.max(initial=1)) // _kernels.WORD)
        sides = [_blank(most, slots.size, words) for most in lines.sum(axis=0).tolist()]
        draws = self._random.random(drawn, np.float32)
        found = _kernels.draw(x, d, slots, factors, draws, *sides)
        rows, columns = (
            (begin, line[:n], word[:n], pulses[:n]) for (begin, line, word, pulses), n in zip(sides, found, strict=True)
        )
        return rows, columns


def _blank(most: int, vectors: int, words: int) -> Lines:
    """Return room for the lines of one side."""
    line, pulses = np.empty((2, most), np.int64)
    return np.empty(vectors + 1, np.int64), line, np.empty((most, words), np.uint64), pulses


def stretches(amounts: I64, most: int) -> list[tuple[slice, int]]:
    """Cut vectors into stretches of about `most` of what each takes, and say how much each does; one at the least."""
    if (total := int(amounts.sum())) <= most:
        return [(slice(0, amounts.size), total)]
    whole = np.concatenate([np.zeros(1, np.int64), np.cumsum(amounts)])
    cuts = np.searchsorted(whole, np.arange(most, whole[-1], most)).tolist()
    edges = [0, *sorted({*cuts, amounts.size} - {0})]
    return [(slice(a, b), int(whole[b] - whole[a])) for a, b in pairwise(edges)]


def _joined(parts: list[Lines]) -> Lines:
    """Return the lines of stretches of vectors as those of all."""
    if len(parts) == 1:
        return parts[0]
    begins, lines, trains, pulses = zip(*parts, strict=True)
    before = np.cumsum([0, *(line.size for line in lines)])
    begin = [each[:-1] + first for each, first in zip(begins, before, strict=False)]
    words = max(each.shape[1] for each in trains)
    wide: list[NDArray[np.uint64]] = [np.pad(each, ((0, 0), (0, words - each.shape[1]))) for each in trains]
    return np.concatenate([*begin, before[-1:]]), np.concatenate(lines), np.concatenate(wide), np.concatenate(pulses)
