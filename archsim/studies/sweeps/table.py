"""The table of a sweep: a row a point and chip, the mean over its seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.accounting.circuits import CHIP_PARTS
from archsim.base.metrics import Metric
from archsim.records.sweeps.sweep import (
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
from archsim.studies.sweeps.costs import Cost, Costs, Outcome
from archsim.studies.sweeps.plan import Plan, Point, Unit
from archsim.studies.sweeps.pricing import F64
from archsim.studies.sweeps.study import ARCH, TECH, Study
from archsim.studies.sweeps.tariffs import Tariffs
from archsim.studies.sweeps.values import Scale, scale

if TYPE_CHECKING:
    import pandas as pd

FAILED, STOPPED = "failed", "stopped"
ENERGY, LATENCY, AREA = "energy_per_sample_J", "latency_per_sample_s", "area_m2"
EDP, OPERATIONS, RATIO = "edp_per_sample_Js", "ops_per_J", "energy_ratio"
SPREADS = (METRIC, ENERGY, LATENCY)
"""Quantities whose deviation over seeds stands beside them."""

ORDER = " order"
"""Column by which rows are put in the order of the grid; it is not in the table."""
Cells = dict[str, list[Any]]


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


def frame(
    plan: Plan, outcome: Callable[[Unit], Outcome] | Costs, stopped: Mapping[int, str]
) -> pd.DataFrame:  # fmt: skip
    """Return the table of all points of which something is known.

    Parameters
    ----------
    plan : Plan
    outcome : callable or Costs
        Says what came of a unit; `Costs` keep what they priced for the next table.
    stopped : number of a point -> why its training was ended early
    """
    import pandas as pd

    axes = columns(plan.study, plan.tariffs)
    costs = outcome if isinstance(outcome, Costs) else Costs(outcome)
    groups: dict[tuple[int, int], list[Point]] = {}
    for point in plan.points:
        groups.setdefault((id(point.design), id(point.clock.technology)), []).append(point)
    names = _names(plan)
    whole: dict[str, list[Any]] = {name: [] for name in (ORDER, *names)}
    for points in groups.values():
        for part in _group(points, axes, costs, stopped):
            count = len(part[ORDER])
            for name, cells in whole.items():
                cells.extend(part.get(name) or [None] * count)
    found = pd.DataFrame(whole, columns=pd.Index((ORDER, *names)))
    return found.sort_values(ORDER, kind="stable", ignore_index=True).drop(columns=ORDER)


def _names(plan: Plan) -> list[str]:
    axes = [each.axis.column for each in columns(plan.study, plan.tariffs) if each.axis.kind not in OF_COLUMN]
    told = quantities(plan.reading.metric(), ratio=has_ratio(plan))
    measured = [name for each in told for name in ([each.name, each.spread] if each.name in SPREADS else [each.name])]
    return [*FIXED, *axes, *AFTER, *measured, *(f"{PART}{part}" for part in CHIP_PARTS)]


def has_ratio(plan: Plan) -> bool:
    """Whether some point has a baseline beside its chip."""
    return any(point.design.baseline is not None and len(point.design.all) > 1 for point in plan.points)


def _group(
    points: Sequence[Point], axes: Sequence[Column], costs: Costs, stopped: Mapping[int, str]
) -> list[Cells]:  # fmt: skip
    """Return the rows of points of the same chips and times, all priced at once, column by column: a part a chip."""
    first, count = points[0], len(points)
    own = [each for each in axes if each.axis.kind not in OF_COLUMN]
    common: Cells = {
        ORDER: [point.number for point in points], "point": [point.key for point in points],
        "how": [point.how for point in points], "technology": [first.clock.name] * count,
        **{each.axis.column: [each.values[point.values[each.axis.key]] for point in points] for each in own},
    }  # fmt: skip
    if cut := stopped.get(first.number):
        return _without(common, first, STOPPED, cut)
    if first.design.misfit is not None:
        return _without(common, first, FAILED, str(first.design.misfit))
    values = {place: np.array([point.prices[place] for point in points], np.float64) for place in first.prices}
    known = {
        (seed, name): costs.of(unit, first.clock.technology, values)
        for seed, by_chip in first.units.items() for name, unit in by_chip.items()
    }  # fmt: skip
    if (reason := next((each for each in known.values() if isinstance(each, str)), None)) is not None:
        return _without(common, first, FAILED, reason)
    did = {place: each for place, each in known.items() if isinstance(each, Cost)}
    if len(did) < len(known):
        return []
    done = {**common, "state": [DONE] * count}
    return [{**done, **_measured(one, first, count, did)} for one in first.design.chips]


def _without(common: Cells, first: Point, state: str, reason: str) -> list[Cells]:
    """Return rows that say why they have no numbers."""
    count = len(common[ORDER])
    told: Cells = {"state": [state] * count, "reason": [reason] * count, "seeds": [0] * count}
    return [{**common, **told, "chip": [one.chip.name] * count} for one in first.design.chips]


def _measured(asked: Asked, first: Point, count: int, costs: Mapping[tuple[int, str], Cost]) -> Cells:
    """Return the quantities of one chip of so many points, mean over the seeds."""
    name, seeds = asked.chip.name, list(first.units)
    did = [costs[seed, name] for seed in seeds]
    priced = [each.priced for each in did]
    energies = _all([each.per_sample_J for each in priced], count)
    latencies = _all([np.array([each.latency_s]) for each in did], count)
    energy = _mean(energies)
    found: dict[str, F64] = {
        ENERGY: energy, f"{ENERGY}{SPREAD}": _deviation(energies), LATENCY: _mean(latencies),
        f"{LATENCY}{SPREAD}": _deviation(latencies), AREA: _all([priced[0].area_m2], count)[0],
        EDP: _mean(energies * latencies),
        OPERATIONS: np.divide(asked.learning.operations, energy, out=np.full(count, np.nan), where=energy > 0),
    }  # fmt: skip
    if all(each.test is not None for each in did):
        tests = _all([np.array([each.test], np.float64) for each in did], count)
        found |= {METRIC: _mean(tests), f"{METRIC}{SPREAD}": _deviation(tests)}
    over = first.design.baseline
    if over is not None and over is not asked:
        beside = _all([costs[seed, over.chip.name].priced.per_step_J for seed in seeds], count)
        found[RATIO] = _mean(beside / _all([each.per_step_J for each in priced], count))
    for part in priced[0].by_part_J:
        none = np.zeros(1)
        found[f"{PART}{part}"] = _mean(_all([each.by_part_J.get(part, none) for each in priced], count))
    cells: Cells = {name: values.tolist() for name, values in found.items()}
    run = next((each.run for each in did if each.run), None)
    return {**cells, "chip": [name] * count, "seeds": [len(did)] * count, "run": [run] * count}


def _all(values: Sequence[F64], count: int) -> F64:
    """Return values by seed and point, (seeds, n); what is the same at every point comes as one number a seed."""
    return np.stack([np.broadcast_to(each, (count,)) for each in values]).astype(np.float64, copy=False)


def _mean(values: F64) -> F64:
    """Return the mean over the seeds, correctly rounded sums; of one seed that itself."""
    if len(values) == 1:
        one: F64 = values[0]
        return one
    return np.array([math.fsum(each) for each in values.T.tolist()], np.float64) / len(values)


def _deviation(values: F64) -> F64:
    """Return the standard deviation over the seeds; NaN of one."""
    return np.full(values.shape[1], np.nan) if len(values) == 1 else np.std(values, axis=0, ddof=1)
