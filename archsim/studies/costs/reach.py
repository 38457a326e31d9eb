"""Joules to reach a metric: what each chip had spent when it was first as good as the worse chip ever became."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archsim.records.recorded import CoursePoint, Recorded


@dataclass(frozen=True, slots=True)
class Reach:
    """When a chip was as good as a level.

    Parameters
    ----------
    at : CoursePoint
        The first test that was as good.
    before : CoursePoint
        The test before it, which was not: the level was reached between the two.
    """

    at: CoursePoint
    before: CoursePoint

    def energy(self, technology: str) -> tuple[float, float]:
        """Return the energies [J] between which the level was reached: at the test before, and at that one."""
        return self.before.energy_J[technology], self.at.energy_J[technology]


@dataclass(frozen=True, slots=True)
class Reached:
    """The level that all chips of a run reached, the worse chip's best test, and when each did.

    Tests before the first step say what the initial weights are worth and reach nothing.
    """

    level: float
    worst: str
    chips: Mapping[str, Reach]


def reached(run: Recorded) -> Reached | None:
    """Return it; None where a chip was never tested after its first step."""
    metric, tests = run.metric, {name: tested(run, name) for name in run.architectures}
    if any(len(points) < 2 for points in tests.values()):
        return None
    best = {name: metric.best(p.test for p in points[1:] if p.test is not None) for name, points in tests.items()}
    worst = next(name for name in best if all(metric.reaches(other, best[name]) for other in best.values()))
    chips = {}
    for name, points in tests.items():
        k = next(k for k, point in enumerate(points) if k and metric.reaches(point.test, best[worst]))
        chips[name] = Reach(at=points[k], before=points[k - 1])
    return Reached(level=best[worst], worst=worst, chips=chips)


def tested(run: Recorded, chip: str) -> list[CoursePoint]:
    """Return the points of a chip's training at which it was tested, the start first."""
    return [point for point in run.chips[chip].course if point.test is not None]
