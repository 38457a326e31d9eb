"""Figures, times and areas given for one run: a technology that extends the run's by values alone, without a file.

A run keeps its text as the file of a technology, so that it is found, priced by and checked as any other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archsim.accounting.technology import LAID_OVER, Technology, lay_over
from archsim.base import units
from archsim.base.errors import InputError, nearest
from archsim.base.units import show
from archsim.technologies.rules import check_rule
from archsim.technologies.rules import content as figures_by
from archsim.technologies.writing import dump

Pairs = Sequence[tuple[str, str]]
SECTIONS = ("figures", "times", "areas")
SCALING = "scaling"
"""Key of the pair that names a rule."""
_MOST = 3
"""Keys that a name tells; more would not fit into the name of a file."""


def overlays(technologies: Sequence[Technology], pairs: Pairs) -> tuple[Technology, ...]:
    """Return a run's technologies with values laid over the first, the run's own; times are laid over all.

    Parameters
    ----------
    technologies : the first is the run's own
    pairs : (key, value): a figure, a time or an area by its name, "figures.NAME" where two share one; text with unit;
        or ("scaling", a rule), by which the first's scaled figures are computed again

    Raises
    ------
    InputError
        For an unknown key, with the nearest, or a value that is no quantity of the right unit.
    """
    if not pairs:
        return tuple(technologies)
    rule = next((check_rule(value) for key, value in pairs if key == SCALING), None)
    found = [(*_place(technologies[0], key, value), value) for key, value in pairs if key != SCALING]
    places = [place[:2] for place in found]
    for section, name, value in found:
        if places.count((section, name)) > 1:
            raise InputError(f"given twice: {name}", key=LAID_OVER, value=value, expected="each key once")
    times = [place for place in found if place[0] == "times"]
    laid = [_laid(technologies[0], found, None if rule == technologies[0].scaling else rule)]
    return (*laid, *(_laid(each, times) if times else each for each in technologies[1:]))


def read_pair(text: str) -> tuple[str, str]:
    """Return ("adc.conversion", "1.2 pJ") from "adc.conversion=1.2pJ".

    Raises
    ------
    InputError
        If it is not of that form.
    """
    key, equals, value = (part.strip() for part in text.partition("="))
    if not (key and equals and value):
        raise InputError(key=LAID_OVER, value=text, expected='"KEY=VALUE", such as "adc.conversion=1.2pJ"')
    return key, value


def _place(technology: Technology, key: str, value: str) -> tuple[str, str]:
    """Return section and name of a key."""
    first, _, rest = key.partition(".")
    places = [(section, key) for section in SECTIONS if key in getattr(technology, section)]
    if not places and first in SECTIONS and rest in getattr(technology, first):
        places = [(first, rest)]
    if len(places) == 1:
        return places[0]
    if places:
        named = " or ".join(".".join(place) for place in places)
        raise InputError(f"{key!r} is more than one", key=f"{LAID_OVER} {key}={value}", expected=named)
    known = [name for section in SECTIONS for name in getattr(technology, section)]
    raise InputError(
        f"{technology.name} has no such figure, time or area", key=f"{LAID_OVER} {key}={value}",
        expected=f"one that `archsim tech show {technology.name}` lists", hint=_near(key, known),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Laid:
    """Values that a figure, a time or an area takes one after the other, in SI; `unit` is its own."""

    section: str
    name: str
    unit: str
    values: tuple[float, ...]


def values_of(technology: Technology, key: str, texts: Sequence[str]) -> Laid:
    """Return values of one key as `overlays` would take each of them, without a technology for each.

    Parameters
    ----------
    technology : Technology
    key : a figure, a time or an area by its name, "figures.NAME" where two share one
    texts : values with their unit

    Raises
    ------
    InputError
        As `overlays`, for the first text that it would refuse.
    """
    section, name = _place(technology, key, texts[0])
    unit = getattr(getattr(technology, section)[name], "unit", "s")

    def value(text: str) -> float:
        try:
            return units.parse(text, _DIMENSIONS.get(unit, unit))
        except InputError as error:
            raise InputError(key=f"{LAID_OVER} {key}", value=text, expected=units.like(unit)) from error

    by_unit: dict[str, list[str]] = {}
    for text in texts:
        by_unit.setdefault(re.sub(r"^[\s\d.eE+-]*", "", text), []).append(text)
    for like in by_unit.values():  # what a file may hold is a span: with its ends, all between are right
        numbers = {text: value(text) for text in like[1:-1]}
        ends = {like[0], like[-1], *(f(numbers, key=numbers.__getitem__) for f in (min, max) if numbers)}
        for text in ends:
            _laid(technology, [(section, name, text)])
    return Laid(section, name, unit, tuple(map(value, texts)))


_DIMENSIONS = {"J/bit": "J", "J/bit/m": "J/m", "W/bit": "W", "m^2/bit": "m^2"}
"""Unit of a figure -> its dimension: a bit is a plain number."""


def _near(key: str, known: Sequence[str]) -> str | None:
    inside = [name for name in known if key in name.split(".") or name.endswith(f".{key}")]
    return f"Did you mean {inside[0]!r}?" if inside else nearest(key, known)


def by_rule(technology: Technology, rule: str) -> Technology:
    """Return a technology whose scaled figures are computed by a rule.

    Raises
    ------
    InputError
        If the rule is unknown, or no figure says how it was scaled.
    """
    return overlays([technology], [(SCALING, rule)])[0]


def _laid(technology: Technology, values: Sequence[tuple[str, str, str]], rule: str | None = None) -> Technology:
    if not values and not rule:
        return technology
    told = [rule] if rule else []
    content: dict[str, Any] = {
        "schema": 1, "kind": "technology", "name": _name(technology.name, told + [name for _, name, _ in values]),
        "title": f"{technology.title}; "
        + ", ".join([f"scaled by {each}" for each in told] + [f"{name} = {value}" for _, name, value in values]),
        "extends": technology.path.stem,
    }  # fmt: skip
    if rule:
        content |= {"scaling": rule, "figures": figures_by(technology, rule)}
    for section, name, value in values:
        old = getattr(technology, section)[name]
        before = show(old.value, getattr(old, "unit", "s"), 4)
        why = f"given for one run with {LAID_OVER}; {before} in {technology.name}"
        more = {} if old.value else {"range": [value, value]}
        content.setdefault(section, {})[name] = {"value": value, **more, "basis": "assumed", "why": why}
    return lay_over(technology, content, dump(content))


def _name(base: str, names: Sequence[str]) -> str:
    if len(names) <= _MOST:
        return "+".join((base, *names))
    digest = hashlib.sha256(",".join(names).encode()).hexdigest()[:8]
    return f"{base}+{names[0]}+{len(names) - 1}-more-{digest}"
