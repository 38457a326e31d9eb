"""What a DAC makes of a burst of vectors, worked out once for all tiles that it drives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.analog import _kernels
from archsim.base.arrays import F32, I64

SLAB = 4096
"""Vectors that are multiplied at once, so that what is set up for them stays small."""


@dataclass(frozen=True, slots=True)
class Codes:
    """A burst of vectors on the grid of a DAC.

    Parameters
    ----------
    values : float32 array, (vectors, lines)
        Within +-1 of the DAC's full scale.
    driven : int64 array, (lines,)
        Vectors whose code is not zero.
    magnitude : float64 array, (lines,)
        Sum over vectors of |code|: times the conductance of the line's devices, what they conduct.
    """

    values: F32
    driven: I64
    magnitude: NDArray[np.float64]

    @classmethod
    def of(cls, x: F32, levels: int) -> Codes:
        """Return x, (vectors, lines), rounded to `levels` codes to each side of zero and clipped; 0: as it is."""
        lines = x.shape[1]
        made = cls(np.empty_like(x), np.empty(lines, np.int64), np.empty(lines))
        _kernels.encode(x, levels, made.values, made.driven, made.magnitude)
        return made

    @property
    def shape(self) -> tuple[int, ...]:
        """Vectors and lines."""
        return self.values.shape

    def part(self, lines: slice) -> Codes:
        """Return a view of some lines: what drives one tile of several."""
        return Codes(self.values[:, lines], self.driven[lines], self.magnitude[lines])
