"""What a study of rules found: each combination's metric, costs, wear and memory, and what the target took."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from archsim.accounting.ledger import Row
from archsim.accounting.technology import Technology
from archsim.base.metrics import Metric
from archsim.studies.rules.combine import NO_DEVICE, Combination
from archsim.studies.rules.rates import Found
from archsim.studies.sweeps.counts import Counts
from archsim.studies.sweeps.pricing import Priced, Pricer

if TYPE_CHECKING:
    from archsim.studies.rules.study import Plan

DONE, FAILED, NOT_POSSIBLE = "done", "failed", "not possible"
_RULES_MEMORIES = ("chi memory", "transfer buffer")
"""Parts of a chip that hold numbers of an update rule beside the weights; the unit of an optimiser does, too."""
_OPTIMISER = "optimiser_unit."
BYTE = 8


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation over the seeds; the second is None of one seed."""

    mean: float
    std: float | None

    def overlaps(self, other: Spread) -> bool:
        """Whether two means differ by no more than their deviations together: a difference within the spread."""
        return abs(self.mean - other.mean) <= (self.std or 0.0) + (other.std or 0.0)


def spread(values: Sequence[float]) -> Spread:
    """Return mean and standard deviation of the values of seeds."""
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None)


@dataclass(frozen=True)
class Reach:
    """What a training had taken when it was as good as the target, between two tests by the line through both.

    Parameters
    ----------
    samples : float
    energy_J : float [J]
    time_s : float [s]
    by_part_J : part of the chip -> energy [J]
    """

    samples: float
    energy_J: float  # noqa: N815  the quantity's unit
    time_s: float
    by_part_J: Mapping[str, float]  # noqa: N815  likewise


@dataclass(frozen=True, eq=False)
class Seeded:
    """What a training of one seed came to.

    Parameters
    ----------
    counts : Counts
    technology : Technology
        That prices it.
    priced : Priced
        Its costs, each an array of one.
    course : tests as (samples, metric, simulated time [s], amounts of the rows)
    wear : pulses of its devices, as `work.wear` returns them, or None
    reach : what the target took, None if it was not reached
    """

    counts: Counts
    technology: Technology
    priced: Priced
    course: Sequence[tuple[int, float, float, Sequence[float]]]
    wear: Mapping[str, Any] | None
    reach: Reach | None = None

    @property
    def test(self) -> float:
        """The metric at the end."""
        return self.course[-1][1]

    @property
    def energy_J(self) -> float:  # noqa: N802  the quantity's unit
        """Energy of a sample [J]."""
        return float(self.priced.per_sample_J[0])

    @property
    def time_s(self) -> float:
        """Simulated time of a sample [s]."""
        return Pricer.latency(self.counts)

    @property
    def pulses(self) -> float | None:
        """Pulses a device and sample, mean over all devices; None without devices."""
        return None if self.wear is None else sum(self.wear["pulses"].values()) / self.wear["devices"] / self.samples

    @property
    def most(self) -> float | None:
        """Pulses a sample of the device that got the most."""
        return None if self.wear is None else self.wear["most"] / self.samples

    @property
    def worn(self) -> float | None:
        """Share of what the most worn device endures that a sample takes, where its file says how much that is."""
        return None if self.wear is None or self.wear["worn"] is None else self.wear["worn"] / self.samples

    @property
    def samples(self) -> int:
        """Samples of the training."""
        return self.counts.samples

    @property
    def state_bytes(self) -> float:
        """Memory of the rule's numbers beside the weights [bytes], as large as the chip has it."""
        bits = [part for part in self.counts.parts if part.unit == "bit"]
        own = [part.amount for part in bits if part.part in _RULES_MEMORIES or part.key.startswith(_OPTIMISER)]
        return sum(own) / BYTE


@dataclass(frozen=True, eq=False)
class Result:
    """What a combination came to.

    Parameters
    ----------
    combination : Combination
    state : DONE, FAILED or NOT_POSSIBLE; of the latter two `reason` says why
    rate : what the search of its learning rate found
    seeds : its trainings
    """

    combination: Combination
    state: str
    reason: str = ""
    rate: Found = field(default_factory=lambda: Found(None, {}))
    seeds: tuple[Seeded, ...] = ()

    @property
    def rule(self) -> str:
        """The update rule."""
        return self.combination.rule

    @property
    def has_device(self) -> bool:
        """Whether its weights lie in devices."""
        return self.combination.device != NO_DEVICE

    @property
    def done(self) -> bool:
        """Whether it has numbers."""
        return self.state == DONE

    def over(self, of: Callable[[Seeded], float | None]) -> Spread | None:
        """Return mean and deviation of something over the seeds; None if it is not known of all of them."""
        known = [value for each in self.seeds if (value := of(each)) is not None and math.isfinite(value)]
        return spread(known) if known and len(known) == len(self.seeds) else None

    @property
    def test(self) -> Spread:
        """The metric at the end."""
        return spread([each.test for each in self.seeds])

    @property
    def energy(self) -> Spread:
        """Energy of a sample [J]."""
        return spread([each.energy_J for each in self.seeds])

    @property
    def to_target(self) -> Spread | None:
        """Energy until the target [J]; None unless all seeds reached it."""
        return self.over(lambda each: each.reach.energy_J if each.reach else None)

    @property
    def time_to_target(self) -> Spread | None:
        """Time until the target [s]; None unless all seeds reached it."""
        return self.over(lambda each: each.reach.time_s if each.reach else None)

    @property
    def reached(self) -> int:
        """Seeds that reached the target."""
        return sum(each.reach is not None for each in self.seeds)


@dataclass(frozen=True, eq=False)
class Results:
    """What a study came to, as far as it is known.

    Parameters
    ----------
    plan : Plan
    all : in the order of the plan; combinations that are not done yet are missing
    target : float or None
        The metric that costs are told to; None if no rule learns.
    path : the study's directory
    """

    plan: Plan
    all: tuple[Result, ...]
    target: float | None
    path: Path = Path()

    @property
    def done(self) -> list[Result]:
        """Those that have numbers."""
        return [each for each in self.all if each.done]

    @property
    def learning(self) -> list[Result]:
        """Those that learn at all, with every seed."""
        return [each for each in self.done if learns(each, self.plan.metric, self.plan.chance)]

    @property
    def failed(self) -> list[Result]:
        """Those that were to be trained and were not."""
        return [each for each in self.all if each.state == FAILED]

    @property
    def refused(self) -> list[Result]:
        """Those that are not possible."""
        return [each for each in self.all if each.state == NOT_POSSIBLE]


def learns(one: Result, metric: Metric, chance: float | None) -> bool:
    """Return whether a combination is clearly better than guessing with every seed."""
    return chance is None or all(metric.worse_by(each.test, chance) < -metric.clear for each in one.seeds)


def best_by_rule(found: Sequence[Result], metric: Metric) -> dict[str, Result]:
    """Return the best combination of each update rule, by the mean metric; of equal ones the first."""
    best: dict[str, Result] = {}
    for each in found:
        if each.rule not in best or metric.worse_by(each.test.mean, best[each.rule].test.mean) < 0:
            best[each.rule] = each
    return best


def usual_target(found: Sequence[Result], metric: Metric) -> float | None:
    """Return what the worst rule that learns reaches: the worst seed of each rule's best one, the worst of these.

    Parameters
    ----------
    found : those that learn
    metric : Metric
    """
    ends = [each.test for one in best_by_rule(found, metric).values() for each in one.seeds]
    if not ends:
        return None
    return min(ends) if metric.higher_is_better else max(ends)


def results(
    plan: Plan, rate: Callable[[Combination], Found | None],
    seeds: Callable[[Combination], list[dict[str, Any] | None]],
) -> Results:  # fmt: skip
    """Return what is known of a study, priced."""
    all_of_it = tuple(each for one in plan.combinations if (each := _result(one, rate, seeds)) is not None)
    found = Results(plan, all_of_it, plan.target)
    if found.target is None:
        found = replace(found, target=usual_target(found.learning, plan.metric))
    if (target := found.target) is None:
        return found
    with_reach = [
        replace(one, seeds=tuple(replace(each, reach=reach(each, plan.metric, target)) for each in one.seeds))
        for one in all_of_it
    ]
    return replace(found, all=tuple(with_reach))


def _result(
    one: Combination, rate: Callable[[Combination], Found | None],
    seeds: Callable[[Combination], list[dict[str, Any] | None]],
) -> Result | None:  # fmt: skip
    """Return what a combination came to; None as long as it is not done."""
    if one.spec is None:
        return Result(one, NOT_POSSIBLE, one.reason)
    if (found := rate(one)) is None:
        return None
    if found.rate is None:
        return Result(one, FAILED, found.reason, found)
    told = seeds(one)
    known = [each for each in told if each is not None]
    if failed := next((each for each in known if each["state"] == FAILED), None):
        return Result(one, FAILED, str(failed["reason"]), found)
    if len(known) < len(told):
        return None
    return Result(one, DONE, "", found, tuple(seeded(each, one.spec.technologies[0]) for each in known))


def seeded(told: Mapping[str, Any], technology: Technology) -> Seeded:
    """Return what a kept training came to, priced by a technology."""
    counts = Counts.of(told)
    tests = [(samples, test, seconds, amounts) for _, samples, test, seconds, amounts in told["course"]]
    return Seeded(counts, technology, Pricer(counts, technology).price({}), tests, told["wear"])


def reach(one: Seeded, metric: Metric, target: float) -> Reach | None:
    """Return what a training had taken at the first time that it was as good as a target; None if it never was.

    Between the first test that is as good and the one before, samples, amounts of the ledger and time are taken on the
    line through both, by the metric. A test before the first step reaches nothing. Nothing is extrapolated.
    """
    for before, at in zip(one.course, one.course[1:], strict=False):
        if metric.reaches(at[1], target):
            whole = abs(at[1] - before[1])
            part = 1.0 if metric.reaches(before[1], target) or not whole else abs(target - before[1]) / whole
            return _between(one, before, at, part)
    return None


def _between(
    one: Seeded, before: tuple[int, float, float, Sequence[float]], at: tuple[int, float, float, Sequence[float]],
    part: float,
) -> Reach:  # fmt: skip
    amounts = [a + part * (b - a) for a, b in zip(before[3], at[3], strict=True)]
    rows = tuple(
        Row(row.phase, row.layer, row.component, row.action, amount)
        for row, amount in zip(one.counts.rows, amounts, strict=True)
    )
    whole = Pricer(replace(one.counts, rows=rows, steps=1, samples=1), one.technology).price({})
    return Reach(
        before[0] + part * (at[0] - before[0]), float(whole.per_step_J[0]), before[2] + part * (at[2] - before[2]),
        {name: float(each[0]) for name, each in whole.by_part_J.items()},
    )  # fmt: skip
