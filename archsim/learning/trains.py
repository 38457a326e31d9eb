"""Outer products by chance: trains of pulses on rows and columns, whose coincidences are the pulses of a device."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from archsim.base.arrays import F32, I64


@dataclass(frozen=True, slots=True)
class Sent:
    """The trains of one vector.

    Parameters
    ----------
    slots : int
        Length of all trains.
    index, pulses : int64 arrays
        Flat positions of the weights whose lines met, row by row, and the signed number of coincidences of each.
    rows, columns : int64 arrays
        Pulses on each line.
    """

    slots: int
    index: I64
    pulses: I64
    rows: I64
    columns: I64


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
        One number a slot of each line that may be pulsed: rows first, line by line.

    Source
    ------
    gokmen2016 (coincidences), ibm2021aihwkit (managed trains).
    """

    def __init__(self, shape: tuple[int, int], *, length: int, managed: bool, random: np.random.Generator) -> None:
        self.shape, self.length, self.managed, self._random = shape, length, managed, random

    def send(self, x: F32, d: F32, k: float) -> Sent | None:
        """Return the trains for one vector, None if nothing is asked for.

        Parameters
        ----------
        x, d : float32 arrays, (rows,) and (columns,)
            Over their largest magnitudes; of fixed trains, as they are.
        k : float
            Pulses that a product of 1 asks for.
        """
        rows, columns = np.flatnonzero(x), np.flatnonzero(d)
        if k <= 0 or not rows.size or not columns.size:
            return None
        slots = min(math.ceil(k), self.length) if self.managed else self.length
        of_rows = of_columns = math.sqrt(k / slots)
        if self.managed and k > slots:
            of_rows, of_columns = 1.0, k / slots
        x_pulses, d_pulses = (
            self._random.random((lines.size, slots), np.float32) < np.float32(factor) * abs(values[lines, None])
            for lines, values, factor in ((rows, x, of_rows), (columns, d, of_columns))
        )
        met = x_pulses.astype(np.float32) @ d_pulses.astype(np.float32).T  # whole numbers, exact in float32
        i, j = np.nonzero(met)
        up = np.sign(x[rows[i]]) * np.sign(d[columns[j]])
        sent = np.zeros(self.shape[0], np.int64), np.zeros(self.shape[1], np.int64)
        for lines, pulses, line in zip((rows, columns), (x_pulses, d_pulses), sent, strict=True):
            line[lines] = pulses.sum(axis=1)
        return Sent(slots, rows[i] * self.shape[1] + columns[j], (met[i, j] * up).astype(np.int64), *sent)
