"""The technologies of a sweep: by what times a point is clocked, and what figures it is priced with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from archsim.accounting.technology import Technology, read_technology
from archsim.base.errors import InputError
from archsim.studies.sweeps.study import TECH, Study
from archsim.studies.sweeps.values import check_once
from archsim.technologies.overlay import Laid, overlays, values_of

Place = tuple[str, str]
"""Section and name of a figure or an area."""


@dataclass(frozen=True, eq=False)
class Clock:
    """A technology with a point's times.

    Parameters
    ----------
    given : str
        The technology as it was named.
    name : str
        Its own name, without what is laid over it.
    technology : Technology
        Its times are the point's, its figures its own.
    times : (key, value) that stand in place of its own times
    times_hash : str
    """

    given: str
    name: str
    technology: Technology
    times: tuple[tuple[str, str], ...]
    times_hash: str


class Tariffs:
    """Reads the technologies of a study and the values of its figures, each once. Sole owner of what it read.

    Parameters
    ----------
    study : Study

    Raises
    ------
    InputError
        If a technology cannot be read, a key is unknown, or a value is no quantity of the right unit.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._read = {name: read_technology(name) for name in study.techs}
        names = [each.name for each in self._read.values()]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise InputError(f"two technologies are both named {twice!r}", key="--tech", expected="each name once")
        self._laid: dict[tuple[str, str], Laid] = {
            (name, key): values_of(technology, key, texts)
            for name, technology in self._read.items()
            for key, texts in study.figures.items()
        }
        for (_, key), laid in self._laid.items():
            check_once(study.figures[key], laid.values, key=f"--figure {key}")
        self._numbers = {
            place: dict(zip(study.figures[place[1]], laid.values, strict=True)) for place, laid in self._laid.items()
        }
        self._clocks: dict[tuple[str, tuple[tuple[str, str], ...]], Clock] = {}

    def laid(self, key: str) -> Laid:
        """Return section, unit and values of a figure, a time or an area that the study gives."""
        return self._laid[self._study.techs[0], key]

    def add(self, key: str, text: str) -> None:
        """Know one more value of a figure, a time or an area, after those of the study.

        Raises
        ------
        InputError
            If it is no quantity of the right unit.
        """
        for name, technology in self._read.items():
            place = name, key
            more = values_of(technology, key, [text])
            self._laid[place] = replace(more, values=(*self._laid[place].values, *more.values))
            self._numbers[place][text] = more.values[0]

    def name(self, given: str) -> str:
        """Return the own name of a technology as it was named."""
        return self._read[given].name

    def clock(self, point: Mapping[str, str]) -> Clock:
        """Return by what a point is clocked."""
        name = point.get(TECH, self._study.techs[0])
        times = tuple(
            (key, point.get(key, texts[0]))
            for key, texts in self._study.figures.items()
            if self._laid[name, key].section == "times"
        )
        if (name, times) not in self._clocks:
            base = self._read[name]
            [technology] = overlays([base], times)
            self._clocks[name, times] = Clock(name, base.name, technology, times, technology.times_hash)
        return self._clocks[name, times]

    def overrides(self, point: Mapping[str, str]) -> dict[Place, float]:
        """Return (section, name) -> value [SI] of the figures and areas that a point gives."""
        name = point.get(TECH, self._study.techs[0])
        found = {}
        for key, texts in self._study.figures.items():
            laid = self._laid[name, key]
            if laid.section != "times":
                found[laid.section, laid.name] = self._numbers[name, key][point.get(key, texts[0])]
        return found
