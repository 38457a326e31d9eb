"""Rounding: signed, symmetric grids of converters and of integers, and floating-point numbers of fewer bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.base.arrays import F32


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


@dataclass(frozen=True, slots=True)
class FloatGrid:
    """Floating-point numbers of fewer bits than 32.

    Parameters
    ----------
    mantissa : int
        Bits of the mantissa that are stored; numbers below 2^`least` have the step of the smallest above it.
    least : int
        Exponent of the smallest normal number.
    most : float
        The largest number; what is larger becomes it.
    """

    mantissa: int
    least: int
    most: float

    def round(self, x: F32) -> F32:
        """Return each of x (any shape) as the nearest number of the grid, as the even one of two that are as near."""
        shift = np.uint32(23 - self.mantissa)
        bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
        half = np.uint32((1 << (23 - self.mantissa - 1)) - 1)
        rounded = ((bits + half + ((bits >> shift) & np.uint32(1))) >> shift << shift).view(np.float32)
        step = np.float32(2.0 ** (self.least - self.mantissa))
        if step >= np.finfo(np.float32).tiny:
            rounded = np.where(np.abs(x) < np.float32(2.0**self.least), np.rint(x / step) * step, rounded)
        return np.clip(rounded, -self.most, self.most)


def to_integers(x: F32, levels: int, random: np.random.Generator | None = None) -> F32:
    """Return x (any shape) as whole multiples of its largest magnitude over `levels`.

    Parameters
    ----------
    random : generator, optional
        Rounds up with the chance of the part that is cut off, so that the mean stays; without, to the nearest.
    """
    largest = float(np.max(np.abs(x), initial=0.0))
    if largest == 0:
        return np.zeros_like(x)
    step = np.float32(largest / levels)
    codes = x / step
    whole = np.rint(codes) if random is None else np.floor(codes + random.random(x.shape, np.float32))
    rounded: F32 = np.clip(whole, -levels, levels) * step
    return rounded


def to_largest(x: F32, grid: FloatGrid) -> F32:
    """Return x (any shape) rounded to a grid that a power of two brings as near to its largest magnitude as it can."""
    largest = float(np.max(np.abs(x), initial=0.0))
    if largest == 0:
        return np.zeros_like(x)
    scale = np.float32(2.0 ** np.clip(np.floor(np.log2(grid.most / largest)), -126, 126))
    return grid.round(x * scale) / scale
