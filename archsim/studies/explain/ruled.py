"""A technology by each scaling rule: what its figures become, and the energy of a recorded run's steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archsim.accounting.technology import Technology
from archsim.records import recorded
from archsim.records.reprice import under
from archsim.technologies.overlay import by_rule
from archsim.technologies.rules import RULES, TIMES, table


@dataclass(frozen=True, slots=True)
class UnderRules:
    """What each rule makes of a technology.

    Parameters
    ----------
    technology : str
    own : its own rule
    figures : figure -> (its unit, rule -> value in that unit)
    energies : chip -> rule -> energy of a step [J]; empty without a run
    times : why no rule changes a time
    """

    technology: str
    own: str | None
    figures: dict[str, tuple[str, dict[str, float]]]
    energies: dict[str, dict[str, float]]
    times: str


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
    return UnderRules(technology.name, technology.scaling, figures, energies, TIMES)
