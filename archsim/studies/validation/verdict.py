"""The verdict over checks: predictions first, of measured silicon before designs on paper, each fact once."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from archsim.studies.validation.validate import Result

SILICON, PAPER = "measured silicon", "simulated and calculated designs"
FIGURES = {"own": "by the case's own figures", "bottom-up": "by independent figures"}


@dataclass(frozen=True, slots=True)
class Group:
    """Predictions of one kind of evidence by one kind of figures: number, median and worst factor, within x1.1, x2."""

    evidence: str
    figures: str
    predictions: int
    median: float
    worst: float
    worst_name: str
    within_ten_percent: int
    within_two: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Over all checks.

    Parameters
    ----------
    predictions : how many, over all groups
    groups : of measured silicon first, each by the case's own figures first; those without predictions are left out
    classes : class -> checks
    misses : checks outside their bands, CASE.CHECK
    problems : what stands wrong, one line a check; exit code 1
    moved : what has left the record, one line a check
    """

    predictions: int
    groups: tuple[Group, ...]
    classes: dict[str, int]
    misses: tuple[str, ...]
    problems: tuple[str, ...]
    moved: tuple[str, ...]


def verdict(results: Sequence[Result]) -> Verdict:
    """Return the verdict; what restates, adds up, does arithmetic or calibrates is counted by class alone."""
    predictions = [r for r in results if r.kind == "prediction"]
    groups = [
        _group([r for r in predictions if of_silicon(r) == silicon and r.figures == figures], silicon, figures)
        for silicon in (True, False) for figures in FIGURES
    ]  # fmt: skip
    return Verdict(
        predictions=len(predictions),
        groups=tuple(group for group in groups if group.predictions),
        classes=dict(Counter(r.kind for r in results)),
        misses=tuple(r.full_name for r in results if not r.ok),
        problems=tuple(f"{r.full_name} {r.problem}" for r in results if r.problem),
        moved=tuple(f"{r.full_name}: {r.moved}" for r in results if r.moved),
    )


def of_silicon(result: Result) -> bool:
    """Whether the published number was measured on silicon."""
    return result.evidence == "measured"


def _group(found: Sequence[Result], silicon: bool, figures: str) -> Group:
    worst = max(found, key=lambda r: r.factor, default=None)
    return Group(
        evidence=SILICON if silicon else PAPER, figures=FIGURES[figures], predictions=len(found),
        median=statistics.median(r.factor for r in found) if found else math.nan,
        worst=worst.factor if worst else math.nan, worst_name=f"{worst.case}: {worst.what}" if worst else "",
        within_ten_percent=sum(r.factor <= 1.1 for r in found), within_two=sum(r.factor <= 2 for r in found),
    )  # fmt: skip
