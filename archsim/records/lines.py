"""Views of a recorded bill for reading: what an action costs in a step, and the area of a part."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from archsim.accounting.area import AreaLine
from archsim.accounting.bill import Line


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one action of one component costs in a step: amount x price = energy [J].

    `low` and `high` are that energy with the figure at the ends of its range; NaN where they are not known.
    `part` is the part of the chip that the action belongs to, the same word for every chip.
    """

    phase: str
    component: str
    action: str
    amount: float
    unit: str
    figure: str
    price: float
    energy: float
    basis: str
    source: str
    part: str
    low: float = math.nan
    high: float = math.nan


def per_step(line: Line, steps: int, ends: tuple[float, float] = (math.nan, math.nan)) -> Contribution:
    """Return a line of a bill as what it costs in one of so many steps; `ends` are its prices at the ends [J/unit]."""
    amount = line.amount / steps
    return Contribution(
        phase=line.phase, component=line.component, action=line.action, amount=amount, unit=line.unit or "1",
        figure=line.figure or "", price=line.price, energy=line.energy_J / steps, basis=line.basis,
        source=line.source, part=line.part, low=amount * ends[0], high=amount * ends[1],
    )  # fmt: skip


def largest(lines: Iterable[Contribution], most: int) -> list[Contribution]:
    """Return the largest contributors, summed over phases and layers, the largest first."""
    sums: dict[tuple[str, str], Contribution] = {}
    for line in lines:
        if found := sums.get(key := (line.component, line.action)):
            parts = {name: getattr(line, name) + getattr(found, name) for name in ("amount", "energy", "low", "high")}
            line = replace(line, **parts)  # noqa: PLW2901  the sum takes the line's place
        sums[key] = replace(line, phase="step")
    return sorted(sums.values(), key=lambda line: -line.energy)[:most]


@dataclass(frozen=True, slots=True)
class PartArea:
    """The area of one part of a chip [m^2], with the ends of its range; NaN where no figure gives it."""

    component: str
    key: str
    amount: float
    unit: str
    figure: str
    price: float
    area: float
    low: float
    high: float
    basis: str
    source: str
    part: str

    @property
    def name(self) -> str:
        """The part without the kind of its component."""
        return self.key.partition(".")[2]


def part_area(line: AreaLine) -> PartArea:
    """Return a line of the account of areas for reading."""

    def known(value: float | None) -> float:
        return math.nan if value is None else value

    return PartArea(
        component=line.component, key=line.key, amount=line.amount, unit=line.unit or "1", figure=line.figure or "",
        price=known(line.price_m2), area=known(line.area_m2), low=known(line.low_m2), high=known(line.high_m2),
        basis=line.basis, source=line.source, part=line.part,
    )  # fmt: skip
