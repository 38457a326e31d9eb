"""What each published total asks for by itself: a figure moved alone, all figures in their ranges, another design."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.accounting.figures import Figure
from archsim.studies.explain import sensitivity
from archsim.studies.explain.sensitivity import Spent


@dataclass(frozen=True, slots=True)
class Alone:
    """A figure, and the factor on it that alone makes a chip's total the published one."""

    figure: Figure
    factor: float

    @property
    def within(self) -> bool:
        """Whether its range allows that."""
        return self.figure.low <= self.factor * self.figure.value <= self.figure.high


@dataclass(frozen=True, slots=True)
class Total:
    """A chip's energy of a step beside what was published of it.

    Parameters
    ----------
    chip : str
    energy, published : float [J]
    bounds : (float, float) [J]
        With every figure at one end of its range.
    interval : (float, float) [J]
        90 % of joint draws.
    alone : tuple of Alone
        Those figures that could do it alone, the smallest move first.
    """

    chip: str
    energy: float
    published: float
    bounds: tuple[float, float]
    interval: tuple[float, float]
    alone: tuple[Alone, ...]


def total(spent: Spent, published: float, *, samples: int, distribution: str, seed: int) -> Total:
    """Return a chip's total beside the published one [J]; `spent` is of this chip alone."""
    (chip,), (energies,) = spent.chips, spent.energy
    whole = float(energies.sum())
    moves = (
        Alone(figure, 1 + (published - whole) / energy)
        for figure, energy in zip(spent.figures, energies.tolist(), strict=True)
        if energy > 0
    )
    spread = sensitivity.spread(spent, samples=samples, distribution=distribution, seed=seed)
    return Total(
        chip, whole, published, sensitivity.bounds(spent), spread.interval,
        tuple(sorted((one for one in moves if one.factor > 0), key=lambda one: max(one.factor, 1 / one.factor))),
    )  # fmt: skip
