"""The table of a sweep: a row a point and chip, the mean over its seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.accounting.circuits import CHIP_PARTS
from archsim.base.errors import ArchsimError
from archsim.base.metrics import Metric
from archsim.records.seeds import spread
from archsim.records.sweeps import (
    AFTER,
    DONE,
    FIXED,
    METRIC,
    OF_COLUMN,
    PART,
    QUANTITIES,
    SPREAD,
    Axis,
    Quantity,
    metric_quantity,
)
from archsim.studies.sweeps.chips import Asked
from archsim.studies.sweeps.counts import Counts
from archsim.studies.sweeps.plan import Plan, Point, Unit
from archsim.studies.sweeps.pricing import F64, Priced, Pricer
from archsim.studies.sweeps.study import ARCH, TECH, Study
from archsim.studies.sweeps.tariffs import Place, Tariffs
from archsim.studies.sweeps.values import Scale, scale

if TYPE_CHECKING:
    import pandas as pd

FAILED, STOPPED = "failed", "stopped"
ENERGY, LATENCY, AREA = "energy_per_sample_J", "latency_per_sample_s", "area_m2"
EDP, OPERATIONS, RATIO = "edp_per_sample_Js", "ops_per_J", "energy_ratio"
SPREADS = (METRIC, ENERGY, LATENCY)
"""Quantities whose deviation over seeds stands beside them."""

Outcome = Counts | str | None
"""What came of a unit: counts, the reason why there are none, or nothing yet."""


@dataclass(frozen=True)
class Column:
    """An axis with the value that the table has for each of its texts."""

    axis: Axis
    values: Mapping[str, Any]


def columns(study: Study, tariffs: Tariffs) -> list[Column]:
    """Return the axes of a study as the table has them."""
    found = []
    for key, texts in study.axes.items():
        kind = "set"
        if key in study.figures:
            laid = tariffs.laid(key)
            how, kind = Scale(laid.unit, laid.values), "figure"
        elif key == TECH:
            how, kind = Scale("", tuple(tariffs.name(each) for each in texts)), TECH
        elif key == ARCH:
            how, kind = Scale("", texts), ARCH
        else:
            how = scale(texts)
        found.append(Column(Axis(key, kind, how.unit, how.values), dict(zip(texts, how.values, strict=True))))
    return found


def quantities(metric: Metric | None, *, ratio: bool, area: bool = True) -> list[Quantity]:
    """Return what the table has of each point."""
    left = {*(() if ratio else (RATIO,)), *(() if area else (AREA,))}
    told = [each for name, each in QUANTITIES.items() if name not in left]
    return [*([metric_quantity(metric)] if metric else []), *told]


def frame(plan: Plan, outcome: Callable[[Unit], Outcome], stopped: Mapping[int, str]) -> pd.DataFrame:
    """Return the table of all points of which something is known.

    Parameters
    ----------
    plan : Plan
    outcome : callable
        Says what came of a unit.
    stopped : number of a point -> why its training was ended early
    """
    import pandas as pd

    return pd.DataFrame(_rows(plan, outcome, stopped), columns=pd.Index(_names(plan)))


def _names(plan: Plan) -> list[str]:
    axes = [each.axis.column for each in columns(plan.study, plan.tariffs) if each.axis.kind not in OF_COLUMN]
    told = quantities(plan.reading.metric(), ratio=has_ratio(plan))
    measured = [name for each in told for name in ([each.name, each.spread] if each.name in SPREADS else [each.name])]
    return [*FIXED, *axes, *AFTER, *measured, *(f"{PART}{part}" for part in CHIP_PARTS)]


def has_ratio(plan: Plan) -> bool:
    """Whether some point has a baseline beside its chip."""
    return any(point.design.baseline is not None and len(point.design.all) > 1 for point in plan.points)


def _rows(plan: Plan, outcome: Callable[[Unit], Outcome], stopped: Mapping[int, str]) -> list[dict[str, Any]]:
    axes = columns(plan.study, plan.tariffs)
    groups: dict[tuple[int, int, str], list[Point]] = {}
    for point in plan.points:
        groups.setdefault((id(point.design), id(point.clock.technology), ""), []).append(point)
    found: list[tuple[int, list[dict[str, Any]]]] = []
    for points in groups.values():
        found += _group(points, axes, outcome, stopped)
    return [row for _, rows in sorted(found, key=lambda pair: pair[0]) for row in rows]


def _group(
    points: Sequence[Point], axes: Sequence[Column], outcome: Callable[[Unit], Outcome], stopped: Mapping[int, str]
) -> list[tuple[int, list[dict[str, Any]]]]:
    """Return the rows of points of the same chips and times, all priced at once."""
    first = points[0]
    known = {
        (seed, name): outcome(unit) for seed, by_chip in first.units.items() for name, unit in by_chip.items()
    }  # fmt: skip
    own = [each for each in axes if each.axis.kind not in OF_COLUMN]
    common = [
        {"point": point.key, "how": point.how, "technology": point.clock.name,
         **{each.axis.column: each.values[point.values[each.axis.key]] for each in own}}
        for point in points
    ]  # fmt: skip
    if cut := stopped.get(first.number):
        return _without(points, common, STOPPED, cut)
    if (reason := next((each for each in known.values() if isinstance(each, str)), None)) is not None:
        return _without(points, common, FAILED, reason)
    if any(each is None for each in known.values()):
        return []
    counts = {place: each for place, each in known.items() if isinstance(each, Counts)}
    try:
        priced = _priced(points, counts)
    except ArchsimError as error:
        return _without(points, common, FAILED, str(error))
    rows: list[tuple[int, list[dict[str, Any]]]] = []
    chips = [_Measured(one, first, counts, priced) for one in first.design.chips]
    for k, point in enumerate(points):
        rows.append((point.number, [{**common[k], "state": DONE, **chip.row(k)} for chip in chips]))
    return rows


def _without(
    points: Sequence[Point], common: Sequence[Mapping[str, Any]], state: str, reason: str
) -> list[tuple[int, list[dict[str, Any]]]]:
    return [
        (point.number, [{**told, "state": state, "reason": reason, "chip": one.chip.name, "seeds": 0}
                        for one in point.design.chips])
        for point, told in zip(points, common, strict=True)
    ]  # fmt: skip


def _priced(points: Sequence[Point], counts: Mapping[tuple[int, str], Counts]) -> dict[tuple[int, str], Priced]:
    technology = points[0].clock.technology
    places: list[Place] = list(points[0].prices)
    values = {place: np.array([point.prices[place] for point in points], np.float64) for place in places}
    return {place: Pricer(each, technology).price(values) for place, each in counts.items()}


class _Measured:
    """One chip of points that are priced together: its quantities, by point."""

    def __init__(
        self,
        asked: Asked,
        first: Point,
        counts: Mapping[tuple[int, str], Counts],
        priced: Mapping[tuple[int, str], Priced],
    ) -> None:
        name, seeds = asked.chip.name, list(first.units)
        self._name, self._counts = name, [counts[seed, name] for seed in seeds]
        self._priced = [priced[seed, name] for seed in seeds]
        self._operations = asked.learning.operations
        over = first.design.baseline
        beside = over is not None and over is not asked
        self._over = [priced[seed, over.chip.name] for seed in seeds] if over is not None and beside else []
        latencies = [Pricer.latency(each) for each in self._counts]
        self._latency = _spread(latencies)
        self._latencies = latencies
        tests = [each.test for each in self._counts if each.test is not None]
        self._test = _spread(tests) if tests else None
        self._run = next((each.run for each in self._counts if each.run), None)

    def row(self, k: int) -> dict[str, Any]:
        """Return the quantities at the k-th point."""
        energies = [_at(each.per_sample_J, k) for each in self._priced]
        energy, deviation = _spread(energies)
        latency = self._latency[0]
        found: dict[str, Any] = {
            "chip": self._name, "seeds": len(self._counts), "run": self._run,
            ENERGY: energy, f"{ENERGY}{SPREAD}": deviation, LATENCY: latency, f"{LATENCY}{SPREAD}": self._latency[1],
            AREA: _at(self._priced[0].area_m2, k),
            EDP: fmean(a * b for a, b in zip(energies, self._latencies, strict=True)),
            OPERATIONS: self._operations / energy if energy else math.nan,
        }  # fmt: skip
        if self._test is not None:
            found |= {METRIC: self._test[0], f"{METRIC}{SPREAD}": self._test[1]}
        if self._over:
            pairs = zip(self._over, self._priced, strict=True)
            found[RATIO] = fmean(_at(over.per_step_J, k) / _at(own.per_step_J, k) for over, own in pairs)
        for part in self._priced[0].by_part_J:
            found[f"{PART}{part}"] = fmean(
                _at(each.by_part_J[part], k) if part in each.by_part_J else 0.0 for each in self._priced
            )
        return found


def _at(values: F64, k: int) -> float:
    return float(values[k if len(values) > 1 else 0])


def _spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Return mean and standard deviation; of one value that value itself, and none."""
    return (values[0], None) if len(values) == 1 else spread(list(values))
