"""Area: the parts a chip is made of x area figures. The third account, beside energy and time.

A chip declares its parts once; they do not depend on what it does. A part without a figure is listed, never taken as
zero, and makes the total a lower bound. Wiring between components, pads and unused silicon are nobody's part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from archsim.accounting.figures import AreaFigure
from archsim.accounting.technology import Technology
from archsim.base.errors import InputError, ModelError, nearest
from archsim.base.files import display

if TYPE_CHECKING:
    import pandas as pd

AREA_UNITS = {"": "m^2", "bit": "m^2/bit"}
"""Unit of a part's amount -> unit of the area figure that it needs."""


@dataclass(frozen=True, slots=True)
class Part:
    """What takes area on a chip.

    Parameters
    ----------
    component : str
        The component's name on its chip.
    key : str
        "KIND.PART", the name under which a technology gives its area, for example "tile.adc".
    amount : float [unit]
        How many there are in all units of that name.
    unit : str
        "" for a plain count, "bit" for a memory.
    part : str
        The part of the chip that it belongs to: one of `circuits.CHIP_PARTS`.
    """

    component: str
    key: str
    amount: float
    unit: str
    part: str


@dataclass(frozen=True, slots=True)
class AreaLine:
    """One part with its area.

    `price_m2` is the area of one unit of the amount [m^2 per `unit`], `area_m2`, `low_m2` and `high_m2` the part's area
    with the figure's value and the ends of its range. A part without a figure has None there; `reason` says why, as it
    does for an area of zero.
    """

    component: str
    key: str
    amount: float
    unit: str
    part: str
    figure: str | None
    price_m2: float | None
    area_m2: float | None
    low_m2: float | None
    high_m2: float | None
    basis: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Area:
    """The parts of one chip with their areas, by one technology."""

    lines: tuple[AreaLine, ...]

    @property
    def total(self) -> float:
        """Area [m^2] of the parts that have a figure; a lower bound if `unpriced` is not empty."""
        return math.fsum(line.area_m2 or 0.0 for line in self.lines)

    @property
    def low(self) -> float:
        """Area [m^2] with every figure at the low end of its range."""
        return math.fsum(line.low_m2 or 0.0 for line in self.lines)

    @property
    def high(self) -> float:
        """Area [m^2] with every figure at the high end of its range."""
        return math.fsum(line.high_m2 or 0.0 for line in self.lines)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Keys of the parts that no figure gives an area, in the order of the lines."""
        return tuple(dict.fromkeys(line.key for line in self.lines if line.area_m2 is None))

    @property
    def is_lower_bound(self) -> bool:
        """Whether the total lacks a part."""
        return bool(self.unpriced)

    def of(self, component: str) -> Area:
        """Return the part of the account that is one component's."""
        return Area(tuple(line for line in self.lines if line.component == component))

    def by(self, column: str) -> dict[Any, float]:
        """Return the area [m^2] summed by a column of `AreaLine`, such as "component", in the order of the lines.

        Raises
        ------
        InputError
            If the column is unknown.
        """
        known = [field.name for field in fields(AreaLine)]
        if column not in known:
            raise InputError(key="column", value=column, expected=", ".join(known), hint=nearest(column, known))
        groups: dict[Any, list[float]] = {}
        for line in self.lines:
            groups.setdefault(getattr(line, column), []).append(line.area_m2 or 0.0)
        return {value: math.fsum(areas) for value, areas in groups.items()}

    def table(self) -> pd.DataFrame:
        """Return the lines as a table, one row a line; a missing figure is "", its area empty."""
        import pandas as pd

        names = [field.name for field in fields(AreaLine)]
        rows = [[getattr(line, name) for name in names] for line in self.lines]
        table = pd.DataFrame(rows, columns=pd.Index(names))
        table["figure"] = table["figure"].fillna("")
        return table


def area(parts: Iterable[Part], technology: Technology) -> Area:
    """Return the area of a chip's parts.

    Parameters
    ----------
    parts : iterable of Part
    technology : Technology

    Returns
    -------
    Area
        One line a part.

    Raises
    ------
    InputError
        If a figure's unit does not fit a part.
    ModelError
        If a part has a unit that no figure turns into an area.
    """
    return Area(tuple(_line(part, technology) for part in parts))


def _line(part: Part, technology: Technology) -> AreaLine:
    figure = technology.area_for(part.key)
    given = (part.component, part.key, part.amount, part.unit, part.part)
    if figure is None:
        return AreaLine(*given, None, None, None, None, None, "", "", "no figure gives its area")
    basis, source = figure.origin.basis, figure.origin.named
    if part.key in technology.area_covering:
        return AreaLine(*given, figure.name, 0.0, 0.0, 0.0, 0.0, basis, source, f"contained in {figure.name}")
    _check_unit(figure, part)
    reason = "" if figure.value else (figure.origin.why or "")
    value, low, high = (part.amount * each for each in (figure.value, figure.low, figure.high))
    return AreaLine(*given, figure.name, figure.value, value, low, high, basis, source, reason)


def _check_unit(figure: AreaFigure, part: Part) -> None:
    if part.unit not in AREA_UNITS:
        known = ", ".join(repr(unit) for unit in AREA_UNITS)
        raise ModelError(f"{part.key}: a part in {part.unit!r} has no area; expected {known}")
    if figure.unit != AREA_UNITS[part.unit]:
        raise InputError(
            f"gives the area of {part.key!r}, counted in {part.unit or 'pieces'}, in {figure.unit}",
            file=display(figure.file), line=figure.line, key=f"areas.{figure.name}",
            expected=f"an area in {AREA_UNITS[part.unit]}",
        )  # fmt: skip


def lint_areas(technology: Technology, parts: Iterable[Part]) -> list[str]:
    """Return what is wrong with the areas of a technology for the parts of one or more chips.

    Lines that begin with "note: " are worth knowing but not wrong: parts without an area, and areas of nothing.
    """
    where = display(technology.path)
    parts = list(parts)
    lines = dict.fromkeys(misfits(technology, parts))
    for part in parts:
        if technology.area_for(part.key) is None:
            lines[f"note: {where}: no figure gives the area of {part.key!r}"] = None
    known = {part.key for part in parts}
    for figure in technology.areas.values():
        if not known.intersection(figure.prices + figure.covers):
            here = f"{display(figure.file)}:{figure.line}"
            lines[f"note: {here}: areas.{figure.name}: the area of nothing that these chips have"] = None
    return list(lines)


def misfits(technology: Technology, parts: Iterable[Part]) -> list[str]:
    """Return why figures of a technology do not fit some parts, each reason once; a part without a figure is none."""
    found: dict[str, None] = {}
    for part in parts:
        try:
            _line(part, technology)
        except (InputError, ModelError) as error:
            found[str(error)] = None
    return list(found)
