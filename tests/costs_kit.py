"""Made-up networks and chips for tests of what networks cost."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

from archsim.accounting.bill import Line
from archsim.base.metrics import ACCURACY, METRICS, Sample
from archsim.records.recorded import CoursePoint, Recorded
from archsim.studies.costs.asked import Asked
from archsim.studies.costs.costs import Costs
from archsim.studies.costs.reach import reached
from archsim.studies.costs.spent import ChipCost, NetworkCost

TECHNOLOGY = "made-up"
OVER, UNDER = "baseline", "analog"


def line(
    component: str, action: str, amount: float, price: float, phase: str = "forward", layer: str = "fc1",
    part: str = "arithmetic",
) -> Line:  # fmt: skip
    """Return a line of a bill."""
    return Line(
        phase=phase, layer=layer, component=component, action=action, key=f"{component}.{action}", function="",
        part=part, inside=True, amount=amount, unit="", figure="f", price=price, energy_J=amount * price, basis="",
        source="", reason="",
    )  # fmt: skip


def chip(name: str, lines: Sequence[Line], *, pairs: float = 0.0, seconds: float = 1.0) -> ChipCost:
    """Return what a chip spent on one sample."""
    what = {(each.component, each.action): f"one {each.action}" for each in lines}
    return ChipCost(
        name=name, kind=name, lines=tuple(lines), samples=1, steps=1, latency_s={"total": seconds}, late_J=None,
        pairs=pairs, pulses=pairs, what=what,
    )  # fmt: skip


def points(*tests: float | None) -> tuple[CoursePoint, ...]:
    """Return the course of a training with a test at every step, a joule a step."""
    return tuple(
        CoursePoint(k, k, 0.0, 0.1, None, test, float(k), {TECHNOLOGY: float(k)}) for k, test in enumerate(tests)
    )


def run_of(courses: dict[str, tuple[CoursePoint, ...]], workload: str = "net", metric: str = "accuracy") -> Recorded:
    """Return what is asked of a recorded run here."""
    made: Any = SimpleNamespace(
        chips={name: SimpleNamespace(course=course) for name, course in courses.items()},
        architectures=list(courses), metric=METRICS.get(metric, ACCURACY), technology=TECHNOLOGY,
        sample=Sample("image"),
        summary={"workload": workload, "baseline": OVER, "architectures": {n: {"test": 0.5} for n in courses}},
    )  # fmt: skip
    return cast("Recorded", made)


def network(
    label: str, over: ChipCost, under: ChipCost, *, macs: tuple[int, int, int] = (10, 10, 10), weights: int = 10,
    batch: int = 1, kinds: dict[str, str] | None = None,
) -> NetworkCost:  # fmt: skip
    """Return a network on a baseline and on another chip."""
    asked = Asked(dict(zip(("forward", "backward", "update"), macs, strict=True)), 2, 1, weights, 0, batch)
    run = run_of({OVER: points(0.1, 0.5), UNDER: points(0.1, 0.4)}, label)
    layers = {each.layer: "dense" for one in (over, under) for each in one.lines}
    return NetworkCost(label, run, asked, {OVER: over, UNDER: under}, layers | (kinds or {}))


def costs(*networks: NetworkCost) -> Costs:
    """Return networks, the reference first."""
    return Costs(networks, {each.label: reached(each.run) for each in networks})
