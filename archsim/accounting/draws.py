"""Joint draws of figures within their ranges: each has a part of its own, and parts that it shares through causes.

A figure's place in its range is Phi(z), z = sum_c sqrt(r_c) z_c + sqrt(1 - sum_c r_c) z_own, with independent standard
normal z: one z_c a cause and draw, for all figures that name the cause, and r_c the part of the variance of z that the
file says is shared through it (`causes`). The distribution of each figure alone is the same whatever it shares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.figure_text import CAUSES
from archsim.accounting.figures import AreaFigure, Figure, Time
from archsim.base.errors import InputError, nearest
from archsim.base.streams import Streams

F64 = NDArray[np.float64]
Distribution = Callable[[F64, F64, F64], F64]
Ranged = Figure | AreaFigure | Time
"""What has a value between two ends."""
LEAST = 100
"""Draws for a percentile."""
_LEAST = 2.0**-54
"""Half of the least uniform number above zero: in place of zero, whose normal score is not finite."""


@dataclass(frozen=True)
class Draws:
    """One set of draws, or two independent ones and either with one source taken from the other.

    Parameters
    ----------
    own : float array, (sets, samples, items)
        Uniform numbers of the items' own parts.
    common : float array, (sets, samples, causes)
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
        """Return one of the sets of factors, (samples, items)."""
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


def log_uniform(u: F64, low: F64, high: F64) -> F64:
    """Return ln k for uniform u in [0, 1): every factor of the range [low, high] (as ln) as likely as any other."""
    return np.asarray(low + u * (high - low), np.float64)


def log_triangular(u: F64, low: F64, high: F64) -> F64:
    """Return ln k for uniform u in [0, 1): most likely 0 (the value), less so towards the ends, never beyond them."""
    width = np.where(high > low, high - low, 1.0)
    left = low + np.sqrt(u * width * -low)
    right = high - np.sqrt((1 - u) * width * high)
    return np.asarray(np.where(u * width < -low, left, right), np.float64)


DISTRIBUTIONS: dict[str, Distribution] = {"log-triangular": log_triangular, "log-uniform": log_uniform}
"""How a figure's factor is drawn within its published range. Both work in the logarithm, for the ranges span factors,
some of them decades, and lie unevenly about the value; both stop at the ends, for nothing was published beyond them."""


def draw(
    items: Sequence[Ranged], *, samples: int, distribution: str = "log-triangular", seed: int = 1, sets: int = 2
) -> Draws:  # fmt: skip
    """Return independent sets of joint draws of factors on figures, areas or times.

    The one place where they are drawn: every interval and every share rests on it.

    Parameters
    ----------
    items : sequence of figures, areas or times
    samples : int
    distribution : str
        A key of `DISTRIBUTIONS`.
    seed : int
        Of the streams "explain/figures" and "explain/causes".
    sets : int
        2 for variance shares; 1 where intervals are all that is asked, which gives the first of the two.

    Raises
    ------
    InputError
        For an unknown distribution, too few samples, or a range that begins at zero.
    """
    if distribution not in DISTRIBUTIONS:
        known = ", ".join(DISTRIBUTIONS)
        hint = nearest(distribution, DISTRIBUTIONS)
        raise InputError(key="--distribution", value=distribution, expected=f"one of {known}", hint=hint)
    if samples < LEAST:
        raise InputError(key="--samples", value=samples, expected=f"{LEAST} or more")
    low, high = _ends(items)

    def factors(places: F64, chosen: Sequence[int]) -> F64:
        index = list(chosen)
        return np.asarray(np.exp(DISTRIBUTIONS[distribution](places, low[index], high[index])), np.float64)

    named = [each.origin.causes or {} for each in items]
    causes = tuple(cause for cause in CAUSES if any(cause in each for each in named))
    loads = np.array([[each.get(cause, 0.0) for cause in causes] for each in named]).reshape(len(items), len(causes))
    streams = Streams(seed)
    own = streams.generator("explain/figures").random((sets, samples, len(items)))
    common = streams.generator("explain/causes").standard_normal((sets, samples, len(causes)))
    return Draws(own, common, loads, causes, factors)


def _ends(items: Sequence[Ranged]) -> tuple[F64, F64]:
    for item in items:
        if item.low <= 0:
            raise InputError(
                file=item.file, line=item.line, key=f"figures.{item.name}.range", value=item.low,
                expected="a low end above zero, since figures vary on a log scale",
            )  # fmt: skip
    low = np.array([math.log(item.low / item.value) for item in items])
    return low, np.array([math.log(item.high / item.value) for item in items])
