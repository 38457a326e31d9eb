"""Plain gradient descent in the devices: an outer product becomes whole numbers of pulses up and down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.base.arrays import F32, I64
from archsim.learning import _kernels

_NONE = np.empty(0, np.float32)
_NO_SUMS = np.empty((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Due:
    """What one outer product asks for.

    Parameters
    ----------
    products : int
        Pairs of non-zero operands that were multiplied.
    index, pulses : int64 arrays
        Flat positions of the weights to be pulsed, row by row, and the signed number of pulses of each.
    """

    products: int
    index: I64
    pulses: I64


class PulseRule:
    """Turns sum_v x_i d_j into n_ij = round(sum / step) pulses. Keeps nothing from one outer product to the next.

    Parameters
    ----------
    shape : (rows, columns)
    up, down : float
        Weight change that one pulse is taken to make in each direction, both positive.
    random : Generator, optional
        Rounds up as often as the fraction says; to the nearest without it.

    Source
    ------
    chen2018neurosim (nearest), as its code rounds the number of pulses.
    """

    def __init__(
        self, shape: tuple[int, int], *, up: float, down: float, random: np.random.Generator | None = None
    ) -> None:
        self.shape, self.up, self.down, self._random = shape, up, down, random
        size = shape[0] * shape[1]
        self._index, self._pulses = np.empty(size, np.int64), np.empty(size, np.int64)

    def due(self, x: F32, d: F32) -> Due:
        """Return the pulses for the outer product of x (vectors, rows) and d (vectors, columns), the rate in it."""
        draws = _NONE
        if self._random is not None:
            rows = np.count_nonzero(x) if x.shape[0] == 1 else np.count_nonzero(x.any(axis=0))
            draws = self._random.random(int(rows) * self.shape[1], np.float32)
        sums = x.T @ d if x.shape[0] > 1 else _NO_SUMS
        found, products = _kernels.due_pulses(x, d, sums, 1 / self.up, 1 / self.down, draws, self._index, self._pulses)
        return Due(products, self._index[:found].copy(), self._pulses[:found].copy())
