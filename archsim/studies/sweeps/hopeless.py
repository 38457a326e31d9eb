"""Which trainings are ended early: those of points that another surpasses in everything, by a clear margin.

The rule: all points are trained for a quarter of their steps and tested. A point is cut if another of the same chip is
then better in the metric by more than the metric's clear margin, and takes no more energy, time and area a sample. What
is cut is known before anything goes on, so it does not depend on the order in which trainings end. A training that any
of its points needs goes on for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from archsim.studies.sweeps.counts import Counts
from archsim.studies.sweeps.plan import Plan, Point, Unit
from archsim.studies.sweeps.pricing import Pricer

SHARE, LEAST = 4, 500
"""Of the steps a quarter; trainings that are shorter than so many are not worth it."""


def rung(steps: int) -> int:
    """Return after how many steps of a training points are compared; 0 if it is too short."""
    return steps // SHARE if steps >= LEAST else 0


@dataclass(frozen=True)
class _Standing:
    """Where a chip of a point stands: the metric, and what a sample takes."""

    test: float
    costs: tuple[float, float, float]


def hopeless(plan: Plan, counts: Callable[[Unit], Counts | None]) -> dict[int, str]:
    """Return number of a point -> why it is cut.

    Parameters
    ----------
    plan : Plan
    counts : callable
        What a unit did up to `rung`; None where that is not known.
    """
    metric = plan.reading.metric()
    if metric is None:
        return {}
    standings: dict[str, dict[int, _Standing]] = {}
    points = [point for point in plan.points if point.design.misfit is None]
    compared = {point.number: _compared(point) for point in points}
    for point in points:
        for name in compared[point.number]:
            if (found := _standing(point, name, counts)) is not None:
                standings.setdefault(name, {})[point.number] = found
    cut: dict[int, str] = {}
    for point in points:
        better = [_surpassed(point.number, standings.get(name, {}), metric.clear, high=metric.higher_is_better)
                  for name in compared[point.number]]  # fmt: skip
        known = [each for each in better if each is not None]
        if known and len(known) == len(better):
            name, other = compared[point.number][0], known[0]
            own, its = standings[name][point.number], standings[name][other]
            steps = rung(point.design.chips[0].learning.steps)
            cut[point.number] = (
                f"cut after {steps:,} steps: {metric.text(own.test)}, where {plan.points[other].named} has "
                f"{metric.number(its.test)} and takes no more energy, time and area"
            )
    return _of_no_use_to_others(plan, cut)


def _of_no_use_to_others(plan: Plan, cut: dict[int, str]) -> dict[int, str]:
    """Return the points that are cut without those that share a training with one that is not: it is done anyway."""
    sharing: dict[str, list[int]] = {}
    mine: dict[int, list[str]] = {}
    for point in plan.points:
        names = _compared(point)
        units = [by_chip[name] for by_chip in point.units.values() for name in names]
        mine[point.number] = [(unit.leader or unit).key for unit in units]
        for key in mine[point.number]:
            sharing.setdefault(key, []).append(point.number)
    return {
        number: reason
        for number, reason in cut.items()
        if all(other in cut for key in mine[number] for other in sharing[key])
    }


def _compared(point: Point) -> list[str]:
    """Return the chips of a point by which it is judged: those that are not the baseline, if there are any."""
    names = [one.chip.name for one in point.design.chips]
    over = point.design.baseline.chip.name if point.design.baseline else None
    return [name for name in names if name != over] or names


def _standing(point: Point, name: str, counts: Callable[[Unit], Counts | None]) -> _Standing | None:
    found = [counts(by_chip[name].leader or by_chip[name]) for by_chip in point.units.values()]
    known = [each for each in found if each is not None and each.test is not None]
    if len(known) < len(found):
        return None
    values = {place: np.array([value]) for place, value in point.prices.items()}
    priced = [Pricer(each, point.clock.technology).price(values) for each in known]
    costs = (
        fmean(float(each.per_sample_J[0]) for each in priced), fmean(map(Pricer.latency, known)),
        float(np.nan_to_num(priced[0].area_m2[0])),
    )  # fmt: skip
    return _Standing(fmean(each.test for each in known if each.test is not None), costs)


def _surpassed(number: int, all_of_it: dict[int, _Standing], margin: float, *, high: bool) -> int | None:
    """Return the best of the points that surpass one in everything, or None."""
    if number not in all_of_it:
        return None
    own, sign = all_of_it[number], 1 if high else -1
    better = [
        (sign * each.test, -other) for other, each in all_of_it.items()
        if sign * (each.test - own.test) > margin and all(a <= b for a, b in zip(each.costs, own.costs, strict=True))
    ]  # fmt: skip
    return -max(better)[1] if better else None
