"""Keys of a figure or a time that belong to its cost law: the law's name, the reference sizes, the points."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from archsim.accounting.laws import Law, Points, law
from archsim.base import units
from archsim.base.errors import InputError
from archsim.base.yamlfile import Document, Key

DATA = r"(?<![A-Za-z])(?:[kKMGT]i?|kilo|mega|giga|kibi|mebi|gibi)?(?:bits?|bytes?|B)(?![A-Za-z])"
"""An amount of data in a unit's text: to pint a bit is a plain number."""


def read_law(document: Document, key: Key, name: str, unit: str) -> Law:
    """Return the law of that name, for a value of a unit.

    Raises
    ------
    InputError
        If there is none, or it makes no price of such a value; with file, line and key, as all functions here.
    """
    try:
        rule = law(name)
    except InputError as error:
        raise document.error((*key, "law"), value=name, expected=error.expected, hint=error.hint) from error
    if unit not in rule.units:
        allowed = " or ".join(rule.units)
        raise document.error((*key, "law"), f"is {name}, but the value is in {unit}", expected=f"a value in {allowed}")
    return rule


def read_at(document: Document, key: Key, rule: Law, given: Mapping[str, Any]) -> dict[str, float]:
    """Return the reference sizes of a law in SI."""
    for name in given:
        if name not in rule.at:
            wanted = f"only {', '.join(rule.at)}" if rule.at else "no reference size"
            raise document.error((*key, "at", name), "unknown key", expected=f"{wanted} for the law {rule.name}")
    for name in rule.at:
        if name not in given:
            wanted = f"{', '.join(rule.at)} for the law {rule.name}"
            raise document.error((*key, "at"), f"lacks {name!r}", expected=wanted)
    return {
        name: _size(document, (*key, "at", name), value, count=not rule.at[name].endswith("_bit"))
        for name, value in given.items()
    }


def read_points(
    document: Document, key: Key, given: list[list[Any]], value: Callable[[Key, object], float]
) -> tuple[tuple[float, float], ...]:
    """Return the points of a law, (size [bit], value); `value` reads what stands at a key."""
    points = []
    for index, pair in enumerate(given):
        here = (*key, "points", index)
        if len(pair) != 2:
            raise document.error(here, f"has {len(pair)} values", expected="a pair such as [1 KiB, 0.12 pJ/word]")
        points.append((_size(document, (*here, 0), pair[0], count=False), value((*here, 1), pair[1])))
    return tuple(points)


def check_law(document: Document, key: Key, rule: Law, at: Mapping[str, float], points: Points) -> None:
    """Refuse reference sizes and points that the law cannot use."""
    try:
        rule.check(at, points)
    except InputError as error:
        raise document.error((*key, error.key or "at"), error.message) from error


def _size(document: Document, key: Key, value: object, *, count: bool) -> float:
    if count:
        if isinstance(value, bool) or not isinstance(value, int):
            raise document.error(key, value=value, expected="a whole number of bits")
        return float(value)
    if isinstance(value, str) and not re.search(DATA, value):
        raise document.error(key, value=value, expected='a quantity in bit with its unit, such as "1 MiB"')
    try:
        return units.parse(value, "bit")
    except InputError as error:
        raise document.error(key, error.message) from error
