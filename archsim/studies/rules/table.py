"""The table of a study of rules: a row a combination, the mean over its seeds, in a sweep's form."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from archsim.accounting.circuits import CHIP_PARTS
from archsim.records.sweeps.sweep import (
    AFTER,
    FIXED,
    METRIC,
    PART,
    QUANTITIES,
    SPREAD,
    Axis,
    Quantity,
    metric_quantity,
)
from archsim.studies.rules.results import DONE, Result, Results, Seeded, spread
from archsim.studies.sweeps.chips import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from archsim.studies.rules.study import Plan

DEVICE, LEARNING, RATE = "weight.device", "network.learning", "training.learning_rate"
ENERGY, TIME = "energy_per_sample_J", "latency_per_sample_s"
ENERGY_TO, TIME_TO, SAMPLES_TO = "energy_to_target_J", "time_to_target_s", "samples_to_target"
PULSES, MOST, WORN = "pulses_per_device_sample", "most_pulses_per_sample", "worn_per_sample"
MEMORY = "state_bytes"
EDGE, SAMPLES, REACHED = "rate_edge", "samples", "seeds_at_target"
"""Columns that are no quantities: at which end of the grid the rate lies; samples of a training; seeds that reached the
target."""
_OWN = (
    Quantity(ENERGY_TO, "energy to the target", "J"),
    Quantity(TIME_TO, "time to the target", "s"),
    Quantity(SAMPLES_TO, "samples to the target"),
    Quantity(PULSES, "pulses per device and sample"),
    Quantity(MOST, "pulses per sample of the most pulsed device"),
    Quantity(WORN, "share of its endurance per sample of the most worn device"),
    Quantity(MEMORY, "memory of the rule's numbers", "byte"),
)
_SPREAD = (METRIC, ENERGY, TIME, ENERGY_TO, TIME_TO, SAMPLES_TO, PULSES, MOST)
"""Quantities whose deviation over seeds stands beside them."""


def axes(plan: Plan) -> list[Axis]:
    """Return the axes of a study: update rules, devices, learning rules."""

    def all_of(of: Callable[[Any], str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(of(one) for one in plan.combinations))

    found = [
        Axis("arch", "arch", "", all_of(lambda one: one.rule)),
        Axis(DEVICE, "set", "", all_of(lambda one: one.device)),
    ]
    return [*found, Axis(LEARNING, "set", "", all_of(lambda one: one.learning))]


def quantities(plan: Plan) -> list[Quantity]:
    """Return what the table has of each combination."""
    usual = [QUANTITIES[name] for name in (ENERGY, TIME, "area_m2", "edp_per_sample_Js")]
    return [metric_quantity(plan.metric), *usual, *_OWN]


def names(plan: Plan) -> list[str]:
    """Return the columns of the table."""
    own = [each.column for each in axes(plan) if each.kind == "set"]
    measured = [
        name
        for each in quantities(plan)
        for name in ([each.name, each.spread] if each.name in _SPREAD else [each.name])
    ]
    return [*FIXED, *own, *AFTER, RATE, EDGE, SAMPLES, *measured, REACHED, *(f"{PART}{part}" for part in CHIP_PARTS)]


def frame(found: Results) -> pd.DataFrame:
    """Return the table of all combinations of which something is known."""
    import pandas as pd

    return pd.DataFrame(rows(found), columns=pd.Index(names(found.plan)))


def rows(found: Results) -> list[dict[str, Any]]:
    """Return the rows of the table, column -> value; None where there is none."""
    wanted = names(found.plan)
    return [{name: cells.get(name) for name in wanted} for cells in map(_cells, found.all)]


def _cells(one: Result) -> dict[str, Any]:
    made = one.combination
    found: dict[str, Any] = {
        "point": made.key or digest([made.rule, made.device, made.learning]), "state": one.state,
        "reason": one.reason or None, "how": "trained" if one.state == DONE else None, "chip": made.rule,
        "technology": made.technology, DEVICE: made.device, LEARNING: made.learning, "seeds": len(one.seeds),
        RATE: one.rate.rate, EDGE: one.rate.edge or None,
    }  # fmt: skip
    if not one.done:
        return found
    measured: dict[str, Callable[[Seeded], float | None]] = {
        METRIC: lambda each: each.test, ENERGY: lambda each: each.energy_J, TIME: lambda each: each.time_s,
        "area_m2": lambda each: float(each.priced.area_m2[0]),
        "edp_per_sample_Js": lambda each: each.energy_J * each.time_s,
        ENERGY_TO: lambda each: each.reach.energy_J if each.reach else None,
        TIME_TO: lambda each: each.reach.time_s if each.reach else None,
        SAMPLES_TO: lambda each: each.reach.samples if each.reach else None,
        PULSES: lambda each: each.pulses, MOST: lambda each: each.most, WORN: lambda each: each.worn,
        MEMORY: lambda each: each.state_bytes,
    }  # fmt: skip
    for name, of in measured.items():
        if (value := one.over(of)) is not None:
            found |= {name: value.mean, f"{name}{SPREAD}": value.std}
    found |= {SAMPLES: one.seeds[0].samples, REACHED: one.reached}
    for part in one.seeds[0].priced.by_part_J:
        found[f"{PART}{part}"] = spread(
            [float(each.priced.by_part_J.get(part, [math.nan])[0]) for each in one.seeds]
        ).mean
    return found
