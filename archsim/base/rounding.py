"""Signed, symmetric quantisation: what DACs, ADCs and the operands of the outer product have in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from archsim.base.arrays import F32


@njit(cache=True)
def _quantise(x, scale, levels, out):
    """Write x rounded to the nearest of 2 levels + 1 codes over +-scale into `out`, clipped; both (n, size).

    levels = 0 converts ideally: no rounding, no clipping. Returns how many codes are not zero, how many were clipped.
    """
    nonzero = 0
    clipped = 0
    if levels == 0:
        for v in range(x.shape[0]):
            for j in range(x.shape[1]):
                out[v, j] = x[v, j]
                nonzero += x[v, j] != 0
        return nonzero, clipped
    up = np.float32(levels / scale)
    down = np.float32(scale / levels)
    top = np.float32(levels)
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            code = np.rint(x[v, j] * up)
            clipped += abs(code) > top
            code = min(max(code, -top), top)
            nonzero += code != 0
            out[v, j] = code * down
    return nonzero, clipped


@dataclass(frozen=True, slots=True)
class Quantiser:
    """A signed, symmetric grid of `bits` bits (sign included): 2^(bits-1) - 1 levels to each side.

    Parameters
    ----------
    bits : int
    ideal : bool
        True switches rounding and clipping off.
    """

    bits: int
    ideal: bool = False

    @property
    def levels(self) -> int:
        """Codes to each side of zero; 0 stands for no quantisation."""
        return 0 if self.ideal else 2 ** (self.bits - 1) - 1

    def convert(self, x: F32, scale: float) -> tuple[F32, int, int]:
        """Return x on the grid over +-scale, with the numbers of non-zero codes and of clipped elements.

        Parameters
        ----------
        x : float32 array, (vectors, size)
        scale : float
            Full scale: the value of the outermost code.
        """
        out = np.empty(x.shape, np.float32)
        nonzero, clipped = _quantise(x, scale, self.levels, out)
        return out, nonzero, clipped
