"""A technology by each scaling rule: what its figures become, and the energy of a recorded run's steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archsim.accounting.technology import Technology
from archsim.records import recorded
from archsim.records.recorded import Recorded
from archsim.records.reprice import under
from archsim.studies.explain.sensitivity import Spent
from archsim.technologies.overlay import by_rule
from archsim.technologies.rules import RULES, table


@dataclass(frozen=True, slots=True)
class UnderRules:
    """What each rule makes of a technology.

    Parameters
    ----------
    technology : str
    own : its own rule
    figures : figure -> (its unit, rule -> value in that unit)
    energies : chip -> rule -> energy of a step [J]; empty without a run
    """

    technology: str
    own: str | None
    figures: dict[str, tuple[str, dict[str, float]]]
    energies: dict[str, dict[str, float]]


def under_rules(technology: Technology, run: Path | None = None) -> UnderRules:
    """Return a technology by every rule, and a recorded run priced by each, with its own times.

    Raises
    ------
    InputError
        If the technology has no scaled figures, or cannot price the run.
    """
    made = {rule: by_rule(technology, rule) for rule in RULES}
    figures = {name: (technology.figures[name].unit, dict(values)) for name, values in table(technology).items()}
    energies: dict[str, dict[str, float]] = {}
    if run:
        known = recorded.read(run)
        for rule, each in made.items():
            for chip in known.architectures:
                energies.setdefault(chip, {})[rule] = under(known, each).total(chip, each.name)
    return UnderRules(technology.name, technology.scaling, figures, energies)


def spent_by(run: Recorded, technology: Technology, chips: tuple[str, ...]) -> Spent:
    """Return what figures cost chips of a recorded run priced by a technology of its times, as `read_spent` does.

    Raises
    ------
    InputError
        If the technology has other times than the run, or cannot price it.
    """
    known = under(run, technology)
    found: dict[str, dict[str, float]] = {}
    for name in chips:
        lines = [line for line in known.contributions(name, technology.name) if line.energy > 0]
        found[name] = {
            figure: math.fsum(line.energy for line in lines if line.figure == figure)
            for figure in dict.fromkeys(line.figure for line in lines)
        }
    names = list(dict.fromkeys(figure for name in chips for figure in found[name]))
    energy = np.array([[found[name].get(figure, 0.0) for figure in names] for name in chips])
    return Spent(chips, tuple(technology.figures[name] for name in names), energy)
