"""What a chip's energy, or the ratio of two, does when the figures of its technology move: one by one, all together.

The bill is linear in the figures, so with a factor k_f on each figure f chip c spends sum_f e_cf k_f a step. A figure
is one fact of the world: its factor is shared by both chips. Times are not varied; they would need another run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.draws import Draws, draw
from archsim.accounting.figures import Figure
from archsim.accounting.technology import Technology
from archsim.base.errors import InputError, nearest
from archsim.records.recorded import Recorded
from archsim.studies.calibrate import energies

F64 = NDArray[np.float64]
NOTHING = 1e-24
"""A variance of the logarithm below this is rounding."""


@dataclass(frozen=True)
class Spent:
    """What each figure costs one chip, or the two chips of a comparison, in one step.

    What is looked at is the energy of a step [J] of one chip, or the ratio of two: the first over the second.

    Parameters
    ----------
    chips : tuple of str
        Names of one or two architectures.
    figures : tuple of Figure
        Those that cost anything.
    energy : float array, (chips, figures) [J]
        At the figures' values.
    """

    chips: tuple[str, ...]
    figures: tuple[Figure, ...]
    energy: F64

    @property
    def paired(self) -> bool:
        """Whether a ratio of two chips is looked at, not the energy of one."""
        return len(self.chips) == 2

    def totals(self, factors: F64) -> F64:
        """Return the energy per step [J] of each chip, (chips, n), under factors, (n, figures)."""
        return np.asarray(self.energy @ factors.T, np.float64)

    def of(self, totals: F64) -> F64:
        """Return what is looked at, (n,), of energies per step [J], (chips, n)."""
        return np.asarray(totals[0] / totals[1] if self.paired else totals[0], np.float64)

    def values(self, factors: F64) -> F64:
        """Return what is looked at, (n,), under factors, (n, figures)."""
        return self.of(self.totals(factors))

    @property
    def nominal(self) -> float:
        """What is looked at with every figure at its value."""
        return float(self.values(np.ones((1, len(self.figures))))[0])


@dataclass(frozen=True, slots=True)
class Swing:
    """What one figure does alone: what is looked at, and each chip's energy per step [J], at both ends of its range."""

    figure: Figure
    values: tuple[float, float]
    energies: tuple[tuple[float, float], ...]

    @property
    def span(self) -> float:
        """Largest over smallest of the two values."""
        return max(self.values) / min(self.values)


@dataclass(frozen=True, slots=True)
class Share:
    """What a figure has for itself in the variance of the logarithm of what is looked at, beside what it shares.

    `first` is its first-order Sobol index: the part that would be gone, on average, if it were known exactly. `total`
    also counts what it does together with others. `error` is the standard error of `first`.
    """

    figure: Figure
    first: float
    total: float
    error: float


@dataclass(frozen=True, slots=True)
class CauseShare:
    """The part of a cause in that variance, as `Share`; with the figures that share it."""

    cause: str
    figures: tuple[Figure, ...]
    first: float
    total: float
    error: float


@dataclass(frozen=True)
class Spread:
    """What is looked at when all figures vary together.

    Parameters
    ----------
    distribution : str
    values : float array, (samples,)
    shares : tuple of Share
        The largest first.
    causes : tuple of CauseShare
        Likewise.
    """

    distribution: str
    values: F64
    shares: tuple[Share, ...]
    causes: tuple[CauseShare, ...] = ()

    def percentile(self, percent: float) -> float:
        """Return the value below which so many percent of the samples lie."""
        return float(np.percentile(self.values, percent))

    @property
    def interval(self) -> tuple[float, float]:
        """The 90 % interval: the 5 % and 95 % percentiles."""
        return self.percentile(5), self.percentile(95)

    def chance(self, value: float) -> float:
        """Return the part of the samples that are as large as `value` or larger."""
        return float(np.mean(self.values >= value))


def read_spent(run: Recorded, technology: Technology, chips: tuple[str, ...]) -> Spent:
    """Return what the figures cost one chip of a recorded run, or two: (baseline, chip).

    Raises
    ------
    InputError
        If a chip spends nothing, a figure is not in the technology, or the run was not priced by it.
    """
    found = energies(run, technology.name)
    for name in chips:
        if not found.get(name):
            raise InputError(key="DIR", value=str(run.path), expected=f"a run in which {name} spends energy")
    names = list(dict.fromkeys(figure for name in chips for figure in found[name]))
    for name in names:
        if name not in technology.figures:
            raise InputError(
                f"names the figure {name!r}, which {technology.name} does not have", file=run.path / "energy.csv",
                expected="the technology as it was when the run was made", hint=nearest(name, technology.figures),
            )  # fmt: skip
    energy = np.array([[found[chip].get(name, 0.0) for name in names] for chip in chips])
    return Spent(chips, tuple(technology.figures[name] for name in names), energy)


def tornado(spent: Spent) -> list[Swing]:
    """Return what each figure does alone between the ends of its range, exactly; the largest span first."""
    swings = []
    for index, figure in enumerate(spent.figures):
        factors = np.ones((2, len(spent.figures)))
        factors[:, index] = figure.low / figure.value, figure.high / figure.value
        totals = spent.totals(factors)
        low, high = spent.of(totals).tolist()
        swings.append(Swing(figure, (low, high), tuple((row[0], row[1]) for row in totals.tolist())))
    return sorted(swings, key=lambda swing: -swing.span)


def bounds(spent: Spent) -> tuple[float, float]:
    """Return the least and the largest value that figures within their ranges can give.

    A ratio of linear functions takes its extremes where each figure stands at an end of its range; Dinkelbach's
    iteration finds which, in a few steps and exactly. The energy of one chip rises with every figure.
    """
    ends = np.array([[figure.low / figure.value, figure.high / figure.value] for figure in spent.figures])
    if not spent.paired:
        low, high = spent.values(ends.T).tolist()
        return low, high
    baseline, chip = spent.energy
    found = []
    for sign in (-1.0, 1.0):
        ratio, before = spent.nominal, math.nan
        while ratio != before:
            gain = sign * (baseline - ratio * chip)
            factors = np.where(gain > 0, ends[:, 1], ends[:, 0])
            ratio, before = float(spent.values(factors[None])[0]), ratio
            if math.isclose(ratio, before, rel_tol=1e-14):
                break
        found.append(ratio)
    return found[0], found[1]


def spread(spent: Spent, *, samples: int = 20_000, distribution: str = "log-triangular", seed: int = 1) -> Spread:
    """Draw all figures together and return the distribution and each figure's share of its variance.

    Parameters
    ----------
    spent : Spent
    samples, distribution, seed
        As for `draw`; one factor a figure and draw, shared by both chips, and one number a cause.

    Raises
    ------
    InputError
        As for `draw`.

    Source
    ------
    Indices by pick-freeze: two independent sets A and B of draws, and A with one source taken from B, a figure's own
    part or a cause. First order after Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), averaged over both ways
    round; total after Jansen, Comput. Phys. Commun. 117, 35 (1999). The bill is linear, so taking one figure from B is
    one sum, not another bill.
    """
    drawn = draw(spent.figures, samples=samples, distribution=distribution, seed=seed)
    values, shares, causes = _shares(spent, drawn)
    return Spread(distribution, values, tuple(shares), tuple(causes))


def _shares(spent: Spent, drawn: Draws) -> tuple[F64, list[Share], list[CauseShare]]:
    """Return what the first set of draws gives, and the indices of figures and of causes."""
    sets = [drawn.set(index) for index in (0, 1)]
    totals = [spent.totals(factors) for factors in sets]
    a, b = (np.log(spent.of(each)) for each in totals)
    variance = float(np.var(np.concatenate([a, b])))
    centre = float(np.mean(np.concatenate([a, b])))

    def indices(items: Sequence[int], taken: Sequence[F64]) -> tuple[float, float, float]:
        """Return first, total and error of a source that moves items to the factors taken, one array a set."""
        if variance < NOTHING:  # every figure is known exactly, or cancels
            return 0.0, 0.0, 0.0
        index = list(items)
        ab, ba = (totals[k] + spent.energy[:, index] @ (taken[k] - sets[k][:, index]).T for k in (0, 1))
        y_ab, y_ba = np.log(spent.of(ab)), np.log(spent.of(ba))
        products = ((b - centre) * (y_ab - a) + (a - centre) * (y_ba - b)) / 2
        total = float(np.mean((a - y_ab) ** 2 + (b - y_ba) ** 2)) / 4 / variance
        return float(np.mean(products)) / variance, total, float(np.std(products)) / math.sqrt(a.size) / variance

    shares = [
        Share(figure, *indices([item], [drawn.with_own(item, k) for k in (0, 1)]))
        for item, figure in enumerate(spent.figures)
    ]
    causes = []
    for number, cause in enumerate(drawn.causes):
        (items, first), (_, second) = (drawn.with_cause(number, k) for k in (0, 1))
        found = indices(items, [first, second])
        causes.append(CauseShare(cause, tuple(spent.figures[item] for item in items), *found))
    by_first = sorted(shares, key=lambda share: -share.first)
    return spent.of(totals[0]), by_first, sorted(causes, key=lambda share: -share.first)


def contents(
    spent: Spent, swings: list[Swing], found: Spread, limits: tuple[float, float], published: float | None
) -> dict[str, Any]:
    """Return what explain.json says of the figures; `published` is the paper's value of what is looked at."""
    low, high = found.interval
    return {
        "of": (of := "ratio" if spent.paired else "energy_per_step_J"),
        of: spent.nominal,
        "bounds": list(limits),
        "distribution": found.distribution,
        "samples": found.values.size,
        "median": found.percentile(50),
        "interval_90": [low, high],
        "published_ratio" if spent.paired else "published_J": published,
        "published_inside": None if published is None else low <= published <= high,
        "chance_of_published_or_more": None if published is None else found.chance(published),
        "tornado": [
            {
                "figure": s.figure.name, "unit": s.figure.unit, "value": s.figure.value, "low": s.figure.low,
                "high": s.figure.high, "basis": s.figure.origin.basis, of if spent.paired else "ends_J": list(s.values),
                "energies_J": {name: list(ends) for name, ends in zip(spent.chips, s.energies, strict=True)},
            }
            for s in swings
        ],
        "variance_shares": [
            {"figure": s.figure.name, "first": s.first, "total": s.total, "error": s.error} for s in found.shares
        ],
        "cause_shares": [
            {
                "cause": s.cause, "figures": [figure.name for figure in s.figures], "first": s.first, "total": s.total,
                "error": s.error,
            }
            for s in found.causes
        ],
    }  # fmt: skip
