"""A technology by each scaling rule: what its figures become, and the energy of a recorded run's steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archsim.accounting.technology import Technology
from archsim.base.errors import InputError
from archsim.records import recorded
from archsim.records.reprice import Side, Tariff, price_chip
from archsim.studies.sensitivity import Spent
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
        for rule, each in made.items():
            for chip, side in _sides(run, each).items():
                energies.setdefault(chip, {})[rule] = side.energy()
    return UnderRules(technology.name, technology.scaling, figures, energies)


def spent_by(run: Path, technology: Technology, chips: tuple[str, str]) -> Spent:
    """Return what figures cost chips of a recorded run priced by a technology of its times, (baseline, chip).

    Raises
    ------
    InputError
        If the run has other times, or lacks a chip.
    """
    sides = _sides(run, technology)
    for name in chips:
        if name not in sides:
            raise InputError(key="DIR", value=str(run), expected=f"a run in which {name} spends energy")
    found = {name: _by_figure(sides[name]) for name in chips}
    names = list(dict.fromkeys(figure for name in chips for figure in found[name]))
    energy = np.array([[found[name].get(figure, 0.0) for figure in names] for name in chips])
    return Spent(*chips, tuple(technology.figures[name] for name in names), energy)


def _sides(run: Path, technology: Technology) -> dict[str, Side]:
    known = recorded.read(run)
    times_s = {name: time.value for name, time in technology.times.items()}
    tariff = Tariff(technology.name, technology.sha256, times_s, technology)
    return {name: price_chip(known, chip, tariff) for name, chip in known.chips.items()}


def _by_figure(side: Side) -> dict[str, float]:
    """Return figure -> energy of a step [J], of those that cost anything."""
    lines = [line for line in side.lines if line.energy_J > 0 and line.figure]
    return {
        figure: math.fsum(line.energy_J for line in lines if line.figure == figure) / side.steps
        for figure in dict.fromkeys(str(line.figure) for line in lines)
    }
