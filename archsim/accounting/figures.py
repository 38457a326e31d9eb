"""Figures: a value with its unit, its range and where it comes from; read from a file and checked, never computed here.

The same schema serves times (seconds, bound when a chip is built), prices (energy and power, bound in the bill) and
areas (bound in `area.area`). Does not know which actions exist, nor any chip.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from archsim.accounting.figure_text import CAUSES, AreaText, FigureText, ItemText, Origin, TimeText
from archsim.accounting.inheritance import Inherited
from archsim.accounting.law_keys import DATA, check_law, read_at, read_law, read_points
from archsim.accounting.laws import LAWS, law, over_capacity
from archsim.base import units
from archsim.base.errors import InputError, nearest
from archsim.base.yamlfile import Document, Key, validate

# To pint a bit is a plain number, so J and J/bit are told apart by the text: (pint's unit, mentions a bit, our unit).
_FORMS = (
    ("J", False, "J"), ("J", True, "J/bit"), ("J/m", True, "J/bit/m"),
    ("V^2", False, "V^2"), ("W", False, "W"), ("W", True, "W/bit"),
)  # fmt: skip


class _Kind(NamedTuple):
    """What a value may be: its forms, one word for it, and what an error expects."""

    forms: tuple[tuple[str, bool, str], ...]
    word: str
    like: str


_PRICE = _Kind(
    _FORMS, "price", 'a price in J, J/bit, J/bit/m, V^2, W or W/bit with its unit, such as "5.12 pJ/conversion"'
)
_AREA = _Kind(
    (("m^2", False, "m^2"), ("m^2", True, "m^2/bit")),
    "area",
    'an area in m^2 or m^2/bit with its unit, such as "40 um^2" or "0.12 um^2/bit"',
)


@dataclass(frozen=True, slots=True)
class Time:
    """A duration of a technology.

    Parameters
    ----------
    value, low, high : float [s]
        Central value, at the capacity `at` if it has points, and the range that expresses its uncertainty.
    origin, file, line, inherited : as for `Figure`
    at : {"capacity": bit} of a memory for which the value holds; empty for other times
    points : its table over capacity, (bit, s)
    """

    name: str
    value: float
    low: float
    high: float
    origin: Origin
    file: Path
    line: int | None
    inherited: Inherited | None = None
    at: Mapping[str, float] = field(default_factory=dict)
    points: tuple[tuple[float, float], ...] = ()

    def of(self, capacity_bit: float | None = None) -> float:
        """Return the time [s], of a memory of a capacity [bit] where the file gives it over capacity.

        Raises
        ------
        InputError
            If the capacity lies outside the points.
        """
        if not self.points or capacity_bit is None:
            return self.value
        try:
            exact = self.value * over_capacity(self.points, capacity_bit, self.at["capacity"])
        except InputError as error:
            raise InputError(file=self.file, line=self.line, key=f"times.{self.name}.points", value=error.message,
                             expected="a bank of a capacity within them") from error  # fmt: skip
        return round(exact, 12)  # the clock counts whole picoseconds


@dataclass(frozen=True, slots=True)
class Figure:
    """A price of a technology.

    Parameters
    ----------
    value, low, high : float [unit]
        Central value at the reference sizes `at`, and the range that expresses its uncertainty.
    unit : str
        SI unit of `value`: J, J/bit, J/bit/m, V^2, W or W/bit.
    prices : tuple of action keys that this figure prices ("tile.adc.convert")
    covers : tuple of action keys whose energy this figure already contains
    law : name of the cost law; `at`: its reference sizes in SI; `points`: its table, (size, value) in SI
    origin : Origin
    file, line : where the figure stands
    inherited : what it kept of the one it replaces in the technology that the file extends
    memories : kinds of memory whose pulses it prices, such as "pcm"; none where it does not say
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    prices: tuple[str, ...]
    covers: tuple[str, ...]
    law: str
    at: Mapping[str, float]
    points: tuple[tuple[float, float], ...]
    origin: Origin
    file: Path
    line: int | None
    inherited: Inherited | None = None
    memories: tuple[str, ...] = ()

    @property
    def price_unit(self) -> str:
        """Unit of the price after the law: the figure's own, or J/bit for a wire."""
        return law(self.law).units[self.unit]

    def price(self, sizes: Mapping[str, float], what: str = "a figure") -> float:
        """Return the unit price [price_unit] for the sizes of one entry; see `laws.Law.price` for errors."""
        return law(self.law).price(self.value, at=self.at, points=self.points, sizes=sizes, what=what)


@dataclass(frozen=True, slots=True)
class AreaFigure:
    """An area of a technology.

    Parameters
    ----------
    value, low, high : float [unit]
        Central value and the range that expresses its uncertainty.
    unit : str
        m^2 for a part that is counted, m^2/bit for a memory.
    prices : tuple of part keys of which this is the area ("tile.adc")
    covers : tuple of part keys whose area this figure already contains
    origin : Origin
    file, line : where the figure stands
    inherited : what it kept of the one it replaces in the technology that the file extends
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    prices: tuple[str, ...]
    covers: tuple[str, ...]
    origin: Origin
    file: Path
    line: int | None
    inherited: Inherited | None = None


def read_time(
    document: Document, name: str, data: dict[str, Any], references: Collection[str], kept: Inherited | None = None
) -> Time:
    """Check and return the time at the key `times.NAME` of a document; parameters as for `read_figure`.

    Raises
    ------
    InputError
        For the first rule of the schema that is broken, with file, line and key.
    """
    key: Key = ("times", name)
    text = validate(document, TimeText, data, at=key)
    value = _second(document, (*key, "value"), text.value)
    pair = text.range and [_second(document, (*key, "range", i), item) for i, item in enumerate(text.range)]
    low, high = _range(document, key, value, pair or None, kept, required=False)
    _check_origin(document, key, text, references, zero=value == 0)
    if text.calibrated:
        _second(document, (*key, "calibrated", "was"), text.calibrated.was)
    at, points = _over_capacity(document, key, text)
    return Time(name, value, low, high, _origin(text), document.path, document.line(key), kept, at, points)


def _over_capacity(
    document: Document, key: Key, text: TimeText
) -> tuple[dict[str, float], tuple[tuple[float, float], ...]]:
    """Return reference capacity and points of a time, both empty if it has none."""
    if not text.at and not text.points:
        return {}, ()
    rule = LAWS["capacity"]
    at = read_at(document, key, rule, text.at)
    points = read_points(document, key, text.points, partial(_second, document))
    check_law(document, key, rule, at, points)
    return at, points


def read_figure(
    document: Document, name: str, data: dict[str, Any], references: Collection[str], kept: Inherited | None = None
) -> Figure:
    """Check and return the figure at the key `figures.NAME` of a document.

    Parameters
    ----------
    document : the file, for the lines of errors
    name, data : the figure's name and its whole mapping, with what it takes over (`inheritance.inherit`)
    references : keys of the bibliography
    kept : what it takes over

    Raises
    ------
    InputError
        For the first rule of the schema that is broken, with file, line and key.
    """
    key: Key = ("figures", name)
    text = validate(document, FigureText, data, at=key)
    value, low, high, unit = _value(document, key, text, _PRICE, references, kept)
    rule = read_law(document, key, text.law, unit)
    at = read_at(document, key, rule, text.at)
    points = read_points(
        document, key, text.points, lambda place, given: _quantity(document, place, given, _PRICE, unit)[0]
    )
    check_law(document, key, rule, at, points)
    return Figure(
        name=name, value=value, low=low, high=high, unit=unit, prices=_actions(document, key, "prices", text.prices),
        covers=_actions(document, key, "covers", text.covers), law=text.law, at=at, points=points,
        origin=_origin(text), file=document.path, line=document.line(key), inherited=kept,
        memories=text.memories,
    )  # fmt: skip


def read_area(
    document: Document, name: str, data: dict[str, Any], references: Collection[str], kept: Inherited | None = None
) -> AreaFigure:
    """Check and return the area at the key `areas.NAME` of a document; parameters and errors as for `read_figure`."""
    key: Key = ("areas", name)
    text = validate(document, AreaText, data, at=key)
    value, low, high, unit = _value(document, key, text, _AREA, references, kept)
    return AreaFigure(
        name=name, value=value, low=low, high=high, unit=unit,
        prices=_actions(document, key, "prices", text.prices, "a part KIND.PART, such as tile.adc"),
        covers=_actions(document, key, "covers", text.covers, "a part KIND.PART, such as tile.adc"),
        origin=_origin(text), file=document.path, line=document.line(key), inherited=kept,
    )  # fmt: skip


def _value(
    document: Document, key: Key, text: ItemText, kind: _Kind, references: Collection[str], kept: Inherited | None
) -> tuple[float, float, float, str]:
    """Return value, low, high and unit of a price or an area, its origin checked."""
    value, unit = _central(document, (*key, "value"), text.value, kind, kept)
    ends = text.range and [
        _quantity(document, (*key, "range", i), item, kind, unit)[0] for i, item in enumerate(text.range)
    ]
    low, high = _range(document, key, value, ends or None, kept, required=value != 0)
    _check_origin(document, key, text, references, zero=value == 0)
    if text.calibrated:
        _quantity(document, (*key, "calibrated", "was"), text.calibrated.was, kind, unit)
    return value, low, high, unit


def _central(document: Document, key: Key, text: object, kind: _Kind, kept: Inherited | None) -> tuple[float, str]:
    """Return a value and its unit, which is the parent's where the value alone has changed."""
    if not (kept and kept.same_unit):
        return _quantity(document, key, text, kind)
    try:
        return _quantity(document, key, text, kind, kept.unit)
    except InputError as error:
        expected = f"a quantity in {kept.unit}, not negative, as {kept.parent} has it"
        raise document.error(key, value=text, expected=expected) from error


def _origin(text: Origin) -> Origin:
    return Origin(**{name: getattr(text, name) for name in Origin.model_fields})


def _second(document: Document, key: Key, text: object) -> float:
    try:
        value = units.parse(text, "s")
    except InputError as error:
        raise document.error(key, error.message) from error
    return _plausible(document, key, text, value, "s")


def _plausible(document: Document, key: Key, text: object, value: float, unit: str) -> float:
    if value < 0:
        raise document.error(key, value=text, expected="a value that is not negative")
    if value > (most := _LARGEST.get(unit, 1e3)):
        raise document.error(key, value=text, expected=f"at most {units.show(most, unit)}, more than any chip has")
    return value


_LARGEST = {"J": 1.0, "m^2": 1.0, "s": 1e3, "W": 1e3}
"""Figures, areas and times that are larger than these are slips of a unit."""


def _quantity(document: Document, key: Key, text: object, kind: _Kind, unit: str | None = None) -> tuple[float, str]:
    """Return a price or an area in SI and its unit; `unit` is the one it must have, if known."""
    per_data = isinstance(text, str) and re.search("/.*" + DATA, text) is not None
    if isinstance(text, str) and not per_data and re.search(DATA, text):
        raise document.error(key, value=text, expected=kind.like)
    first: InputError | None = None
    for dimension, data, form in kind.forms:
        try:
            value = units.parse(text, dimension)
        except InputError as error:
            first = first or error
            continue
        if data == per_data:
            if unit not in (None, form):
                raise document.error(key, value=text, expected=f"a quantity in {unit} like the figure's value")
            return _plausible(document, key, text, value, dimension), form
    problem = first.message.partition("; expected")[0] if first else f"got {text!r}"
    problem = problem.replace(f", which is no quantity in {kind.forms[0][0]}", f", which is no {kind.word}")
    raise document.error(key, problem, expected=kind.like)


def _range(
    document: Document, key: Key, value: float, pair: list[float] | None, kept: Inherited | None, *, required: bool
) -> tuple[float, float]:
    if pair is None and kept and "range" in kept.keys:
        return kept.range(value)
    if pair is None:
        if required:
            raise document.error((*key, "range"), "is missing", expected="[low, high], the figure's uncertainty")
        return value, value
    if len(pair) != 2:
        raise document.error((*key, "range"), f"has {len(pair)} values", expected="two, low and high")
    low, high = pair
    if low > high:
        raise document.error((*key, "range"), "is not in order", expected="low before high")
    if not low <= value <= high:
        raise document.error((*key, "range"), "does not contain the value", expected="low <= value <= high")
    return low, high


def _check_origin(document: Document, key: Key, text: Origin, references: Collection[str], *, zero: bool) -> None:
    """Check what a figure's origin needs beside the rules of all numbers, and that the bibliography has its sources."""
    if zero and not text.why:
        raise document.error((*key, "why"), "is missing, which a value of zero demands", expected="the reason")
    for cause in text.causes or {}:
        if cause not in CAUSES:
            expected = f"one of {', '.join(CAUSES)}"
            raise document.error((*key, "causes", cause), "is no cause", expected=expected, hint=nearest(cause, CAUSES))
    if math.fsum((text.causes or {}).values()) > 1 + 1e-9:
        raise document.error((*key, "causes"), "add up to more than 1", expected="parts of one variance")
    if text.basis == "calibrated" and not (text.source and text.calibrated):
        raise document.error(key, "basis is 'calibrated' but `source` or `calibrated` is missing", expected="both")
    if text.calibrated and text.basis != "calibrated":
        raise document.error((*key, "calibrated"), f"given, but the basis is {text.basis!r}", expected="calibrated")
    for source in text.sources:
        if source not in references:
            raise document.error(
                (*key, "source"), value=source, expected="a key of references.bib", hint=nearest(source, references)
            )


def _actions(
    document: Document, key: Key, name: str, given: list[str],
    expected: str = "an action KIND.ACTION, such as tile.adc.convert",
) -> tuple[str, ...]:  # fmt: skip
    for index, action in enumerate(given):
        if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", action):
            raise document.error((*key, name, index), value=action, expected=expected)
    return tuple(given)
