"""What the tables and the charts of a comparison say alike: sums of lines, changes, ratios, as text."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from archsim.base.units import show
from archsim.records.differences import NOTHING, Change
from archsim.records.lines import Contribution, per_step
from archsim.records.reprice import Side
from archsim.report.sheet import NONE

MOST = 10
"""Changes shown in the terminal and drawn; the smaller ones are summed."""


def contributions(side: Side) -> list[Contribution]:
    """Return what a side's step is made of: a line a phase, component and action, over all layers."""
    groups: dict[tuple[str, str, str], list[Contribution]] = {}
    for line in side.lines:
        groups.setdefault((line.phase, line.component, line.action), []).append(per_step(line, side.steps))
    return [
        replace(
            lines[0],
            amount=math.fsum(line.amount for line in lines),
            energy=math.fsum(line.energy for line in lines),
        )
        for lines in groups.values()
    ]


def by_part(lines: Iterable[Contribution]) -> dict[str, float]:
    """Return part of the chip -> energy [J]."""
    groups: dict[str, list[float]] = {}
    for line in lines:
        groups.setdefault(line.part, []).append(line.energy)
    return {part: math.fsum(energies) for part, energies in groups.items()}


def change(new: float, old: float) -> float:
    """Return a difference, 0 where only rounding is left of it."""
    return 0.0 if math.isclose(new, old, rel_tol=1e-12) else new - old


def signed(value: float, unit: str, digits: int = 4) -> str:
    """Return a difference with its sign."""
    return ("+" if value > 0 else "") + show(value, unit, digits)


def ratio(over: float, under: float) -> str:
    """Return a ratio for reading, "-" where there is none."""
    return f"{over / under:.4g}" if under else NONE


def moved(change: Change) -> str:
    """Return what moved and by which factor: "price x0.54", "amount: none before"."""
    if change.factor is not None:
        return f"{change.effect} x{change.factor:.4g}"
    return f"{change.effect}: {'none before' if change.to_J else 'none now'}"


def figure_names(change: Change) -> str:
    """Return the figure that moved, by its names on both sides if they differ."""
    before, after = change.figures
    if before == after or NOTHING in (before, after):
        return after if before == NOTHING else before
    return f"{before} -> {after}"
