"""Joint draws of figures within their ranges: each has a part of its own, and parts that it shares through causes.

A figure's place in its range is Phi(z), z = sum_c sqrt(r_c) z_c + sqrt(1 - sum_c r_c) z_own, with independent standard
normal z: one z_c a cause and draw, for all figures that name the cause, and r_c the part of the variance of z that the
file says is shared through it (`causes`). The distribution of each figure alone is the same whatever it shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.figure_text import CAUSES, Origin
from archsim.base.streams import Streams

F64 = NDArray[np.float64]
_LEAST = 2.0**-54
"""Half of the least uniform number above zero: in place of zero, whose normal score is not finite."""


class Drawn(Protocol):
    """What can be drawn: anything with the origin of a figure, a time or an area."""

    @property
    def origin(self) -> Origin:
        """Where it comes from, and what it shares its uncertainty through."""


@dataclass(frozen=True)
class Draws:
    """Two independent sets of draws, and either with one source taken from the other.

    Parameters
    ----------
    own : float array, (2, samples, items)
        Uniform numbers of the items' own parts.
    common : float array, (2, samples, causes)
        Normal scores of the causes.
    loads : float array, (items, causes)
        Part of each item's variance that it shares through each cause.
    causes : tuple of str
    factors : callable
        Places in the ranges (samples, items), places of items (indices) -> factors.
    """

    own: F64
    common: F64
    loads: F64
    causes: tuple[str, ...]
    factors: Callable[[F64, Sequence[int]], F64]

    def set(self, index: int) -> F64:
        """Return one of the two sets of factors, (samples, items)."""
        return self._mixed(range(self.loads.shape[0]), own=index, common=[index] * len(self.causes))

    def with_own(self, item: int, index: int) -> F64:
        """Return the factors, (samples, 1), of an item in one set with its own part from the other."""
        return self._mixed([item], own=1 - index, common=[index] * len(self.causes))

    def with_cause(self, cause: int, index: int) -> tuple[list[int], F64]:
        """Return which items share a cause, and their factors in one set with the cause from the other."""
        items = [int(item) for item in np.flatnonzero(self.loads[:, cause])]
        common = [index] * len(self.causes)
        common[cause] = 1 - index
        return items, self._mixed(items, own=index, common=common)

    def _mixed(self, items: Sequence[int], *, own: int, common: Sequence[int]) -> F64:
        """Return factors of items with their own parts from one set and each cause from one."""
        from scipy.special import ndtr, ndtri

        places = self.own[own][:, list(items)].copy()
        for column, item in enumerate(items):
            loads = self.loads[item]
            if loads.any():  # an item without causes keeps its uniform number as it was drawn
                score = math.sqrt(max(1 - math.fsum(loads), 0.0)) * ndtri(np.maximum(places[:, column], _LEAST))
                for cause in map(int, np.flatnonzero(loads)):
                    score += math.sqrt(loads[cause]) * self.common[common[cause]][:, cause]
                places[:, column] = ndtr(score)
        return self.factors(places, items)


def draw(items: Sequence[Drawn], factors: Callable[[F64, Sequence[int]], F64], *, samples: int, seed: int) -> Draws:
    """Draw items jointly.

    Parameters
    ----------
    items : figures, times or areas
    factors : as for `Draws`
    samples : int
    seed : int
        Of the streams "explain/figures" and "explain/causes".
    """
    named = [each.origin.causes or {} for each in items]
    causes = tuple(cause for cause in CAUSES if any(cause in each for each in named))
    loads = np.array([[each.get(cause, 0.0) for cause in causes] for each in named]).reshape(len(items), len(causes))
    streams = Streams(seed)
    own = streams.generator("explain/figures").random((2, samples, len(items)))
    common = streams.generator("explain/causes").standard_normal((2, samples, len(causes)))
    return Draws(own, common, loads, causes, factors)
