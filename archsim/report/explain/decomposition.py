"""What chips' energies per step, and so the ratio of two, are made of: parts, phases, counts and prices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from archsim.base.signal import STEP_PHASES
from archsim.records.lines import Contribution
from archsim.records.recorded import Recorded


@dataclass(frozen=True)
class Heart:
    """The part of a chip that takes most energy, as so many operations at a mean price.

    Parameters
    ----------
    part : str
    count : float
        Operations a step (what is counted in bits or seconds, such as leakage, is left to the rest).
    price : float [J]
        Mean over these operations.
    share : float
        What they make of the chip's step.
    """

    part: str
    count: float
    price: float
    share: float


@dataclass(frozen=True)
class Made:
    """One chip's step.

    Parameters
    ----------
    name : str
    lines : list of Contribution
    total : float [J]
    """

    name: str
    lines: list[Contribution]
    total: float

    @property
    def parts(self) -> list[str]:
        """Names of the parts that cost anything, the most expensive first."""
        names = dict.fromkeys(line.part for line in self.lines if line.energy > 0)
        return sorted(names, key=lambda part: -self.energy(part))

    @property
    def phases(self) -> list[str]:
        """Phases of the step in which anything is spent."""
        return [phase for phase in STEP_PHASES if self.energy(phase=phase) > 0]

    def energy(self, part: str | None = None, phase: str | None = None) -> float:
        """Return the energy [J] of a part, of a phase, or of a part in a phase."""
        return _sum(line for line in self.lines if part in (None, line.part) and phase in (None, line.phase))

    @property
    def heart(self) -> Heart:
        """The largest part, in operations."""
        counted = [line for line in self.lines if line.unit == "1" and line.price > 0]
        energies = {part: _sum(line for line in counted if line.part == part) for part in self.parts}
        part = max(energies, key=lambda name: energies[name])
        count = math.fsum(line.amount for line in counted if line.part == part)
        return Heart(part, count, energies[part] / count, energies[part] / self.total)


Chips = tuple[Made, ...]
"""The chip that is looked at, or the two: the baseline first."""


def _sum(lines: Iterable[Contribution]) -> float:
    return math.fsum(line.energy for line in lines)


def made(run: Recorded, architecture: str, technology: str) -> Made:
    """Return what a chip's step is made of under one technology."""
    return Made(architecture, run.contributions(architecture, technology), run.total(architecture, technology))
