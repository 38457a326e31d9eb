"""What a sweep's points need: which chips are trained, re-timed or estimated, and which points are priced alone.

A chip's counts are decided by workload, chip, seed and times. Points that share them, because they differ in prices or
in what only another chip has, are priced from one training. Points that differ in times alone are re-timed where a
training is longer than the steps that re-timing takes: its first steps are done again with each of the times. Else they
are trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archsim.base.errors import DoesNotFitError, InputError
from archsim.records.retime import STEPS
from archsim.runs.train import evaluation_steps
from archsim.studies.sweeps import work
from archsim.studies.sweeps.chips import Asked, Design, Reading, digest
from archsim.studies.sweeps.conditions import Condition, hold, place
from archsim.studies.sweeps.conditions import read as read_condition
from archsim.studies.sweeps.study import Study
from archsim.studies.sweeps.tariffs import Clock, Place, Tariffs

TRAINED, RETIMED, PRICED, ESTIMATED = "trained", "retimed", "priced", "estimated"
WHERE = "--where"
MOST_TRAININGS, MOST_POINTS = 1000, 100_000
"""What more must be asked for with `--yes`."""
LIMIT = 5_000_000
"""Points and seeds together of which no plan is made: it would not fit into memory."""


@dataclass(frozen=True, eq=False)
class Unit:
    """One chip to be trained or estimated with one seed, or to be re-timed from `leader`.

    `key` names its counts in the store.
    """

    key: str
    asked: Asked
    clock: Clock
    seed: int
    leader: Unit | None = None

    def task(self, study: Study, workload: Any) -> work.Task:
        """Return what a worker needs to do it."""
        batch = () if study.batch is None or study.estimate else (f"training.batch={study.batch}",)
        settings = (*self.asked.settings, *batch)
        return work.Task(
            workload, self.asked.chip.named, settings, self.clock.given, self.clock.times, self.seed,
            study.preset, study.steps, study.until, study.data, study.batch,
        )  # fmt: skip

    @property
    def named(self) -> str:
        """Its chip, settings and seed in words."""
        return ", ".join([self.asked.chip.name, *self.asked.settings, f"seed {self.seed}"])

    def first(self, steps: int) -> str:
        """Return the key of its first steps, done again."""
        return digest([self.key, "first", steps])

    def early(self, steps: int) -> str:
        """Return the key of its training up to a step."""
        return digest([self.key, "up to", steps])


@dataclass(eq=False, slots=True)
class Point:
    """One point of the grid.

    Parameters
    ----------
    number : int
        In the order of the grid, without those that conditions leave out.
    values : key -> value of each axis, as text
    design, clock : what it asks of chips, and by what it is clocked
    prices : (section, name) of figures and areas -> value [SI]
    units : seed -> chip's name -> unit
    how : "trained", "retimed", "priced" or "estimated"; "" of what does not fit, which has no units
    """

    number: int
    values: dict[str, str]
    design: Design
    clock: Clock
    prices: dict[Place, float]
    units: dict[int, dict[str, Unit]]
    how: str = ""

    @property
    def key(self) -> str:
        """Hash of its inputs without the seed."""
        asked = [one.said for one in self.design.all]
        return digest([self.values, asked, self.clock.technology.sha256, sorted(map(str, self.prices.items()))])

    @property
    def named(self) -> str:
        """Its values in words."""
        return ", ".join(f"{key}={value}" for key, value in self.values.items()) or "the one point"


@dataclass(frozen=True, eq=False)
class Plan:
    """All points and all units of a sweep, in the order in which they are needed."""

    study: Study
    reading: Reading
    tariffs: Tariffs
    points: list[Point]
    units: dict[str, Unit]
    retime: int

    @property
    def leaders(self) -> list[Unit]:
        """Units that are trained or estimated in whole."""
        return [unit for unit in self.units.values() if unit.leader is None]

    @property
    def retimed(self) -> list[Unit]:
        """Units that are re-timed."""
        return [unit for unit in self.units.values() if unit.leader is not None]

    @property
    def misfits(self) -> list[Point]:
        """Points whose network does not fit on a chip: they stand in the table with the reason."""
        return [point for point in self.points if point.design.misfit is not None]

    def again(self) -> dict[str, Unit]:
        """Return key -> unit of all first steps that re-timing does again."""
        found: dict[str, Unit] = {}
        for unit in self.retimed:
            for one in (unit.leader, unit):
                if one is not None:
                    found.setdefault(one.first(self.retime), one)
        return found

    def lines(self) -> list[str]:
        """Return in words how many points there are, and what is done for them."""
        hows = [point.how for point in self.points]
        what = "estimated" if self.study.estimate else "trained"
        parts = [f"{hows.count(what):,} {what}"]
        parts += [f"{hows.count(RETIMED):,} re-timed"] if RETIMED in hows else []
        parts += [f"{hows.count(PRICED):,} priced from these"] if PRICED in hows else []
        out = self.study.size - len(self.points)
        said = [f"points     {len(self.points):,}: {', '.join(parts)}" + (f"; {out:,} left out" if out else "")]
        if misfits := self.misfits:
            said.append(f"no fit     {len(misfits):,}, the first: {misfits[0].named}: {misfits[0].design.misfit}")
        chips: dict[str, int] = {}
        for unit in self.leaders:
            chips[unit.asked.chip.name] = chips.get(unit.asked.chip.name, 0) + 1
        each = ", ".join(f"{name} {count:,}" for name, count in chips.items())
        if self.study.estimate:
            return [*said, f"estimates  {len(self.leaders):,} of one chip: {each}"]
        steps = sorted({unit.asked.learning.steps for unit in self.leaders})
        long = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
        said.append(f"trainings  {len(self.leaders):,} of one chip and seed, {long} steps: {each}")
        if self.retimed:
            said.append(
                f"re-timed   {len(self.retimed):,} from one of these each: the first {self.retime:,} steps again with "
                "both times; the metric, and counts that values decide, stay those of the one trained"
            )
        return said

    def seconds(self, timed: Mapping[str, tuple[float, float]]) -> float:
        """Return about how long all units take on one core, from seconds of a step and of a test by kind of chip."""

        def of(unit: Unit) -> tuple[float, float]:
            return timed.get(unit.asked.chip.name) or next(iter(timed.values()))

        total = 0.0
        for unit in self.leaders:
            step, test = of(unit)
            if self.study.estimate:
                total += step
                continue
            learning, per_epoch = unit.asked.learning, unit.asked.learning.per_epoch
            tests = evaluation_steps(learning.steps, per_epoch, learning.workload.training.evaluations_per_epoch)
            total += learning.steps * step + (1 + len(tests)) * test
        return total + sum(self.retime * of(unit)[0] for unit in self.again().values())


def plan(study: Study, *, retime: int = STEPS, yes: bool = False) -> Plan:
    """Return what a study needs, every point checked; nothing is begun.

    Parameters
    ----------
    study : Study
    retime : int
        Steps that are done again for other times; trainings that are no longer are trained with each of them. 0: all.
    yes : bool
        Whether more than so many trainings or points are wanted.

    Raises
    ------
    InputError
        If something in the study is wrong, a point is refused, no point is left, or there are too many. A network that
        does not fit on the chip of some points is no reason.
    """
    if retime < 0:
        raise InputError(key="--retime", value=retime, expected="a whole number of steps from 0 on")
    _check_size(study, yes=yes)
    tariffs, reading = Tariffs(study), Reading(study)
    conditions = [read_condition(text, study.kinds, option=WHERE) for text in study.conditions]
    units: dict[str, Unit] = {}
    found = Plan(study, reading, tariffs, [], units, retime)
    finder = Finder(study, units, retime)
    fixed = {key: texts[0] for key, texts in {**study.sets, **study.figures}.items()}
    for values in _points(study, conditions, fixed):
        design, clock = reading.design(values), tariffs.clock(values)
        point = Point(len(found.points), values, design, clock, tariffs.overrides(values), {})
        if design.misfit is None:
            finder.find(point)
        found.points.append(point)
    if not found.points:
        said = " and ".join(study.conditions)
        given = place(study.conditions[-1], WHERE)
        raise InputError(f"an empty grid: no point fulfils {said!r}", key=given, expected="one that some fulfil")
    if len(misfits := found.misfits) == len(found.points):
        first = misfits[0]
        raise DoesNotFitError(str(first.design.misfit), key=f"point {first.named}" if first.values else None)
    if len(found.leaders) > MOST_TRAININGS and not yes and not study.estimate:
        raise InputError(
            f"{len(found.leaders):,} trainings", key="--yes",
            expected=f"--yes for more than {MOST_TRAININGS:,}, or fewer values",
        )  # fmt: skip
    return found


def _check_size(study: Study, *, yes: bool) -> None:
    """Refuse a grid before its points are made."""
    if study.size * study.seeds > LIMIT:
        seeds = f" of {study.seeds:,} seeds" if study.seeds > 1 else ""
        raise InputError(
            f"a grid of {study.size:,} points{seeds}", key="--set", expected=f"at most {LIMIT:,}, or fewer values"
        )
    if study.size > MOST_POINTS and not yes:
        raise InputError(
            f"a grid of {study.size:,} points", key="--yes",
            expected=f"--yes for more than {MOST_POINTS:,}, or fewer values",
        )  # fmt: skip
    if study.seeds > MOST_TRAININGS and not yes:
        raise InputError(
            f"{study.seeds:,} seeds", key="--yes", expected=f"--yes for more than {MOST_TRAININGS:,} trainings"
        )


def _points(study: Study, conditions: list[Condition], fixed: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for values in study.grid():
        if not conditions or hold(conditions, {**fixed, **values}):
            yield values


class Finder:
    """Finds the units of points: the same for points that share what decides counts."""

    def __init__(self, study: Study, units: dict[str, Unit], retime: int) -> None:
        self._study, self._units, self._retime = study, units, retime
        self._leaders: dict[tuple[str, int], Unit] = {}
        self._known: dict[tuple[int, str], tuple[dict[int, dict[str, Unit]], str]] = {}

    def find(self, point: Point) -> None:
        """Give a point its units, and say how it comes by its numbers."""
        place = id(point.design), point.clock.times_hash
        if place in self._known:
            point.units, before_it = self._known[place]
            point.how = RETIMED if before_it == RETIMED else PRICED
            return
        before = len(self._units)
        point.units = {
            seed: {one.chip.name: self._unit(one, point.clock, seed) for one in point.design.all}
            for seed in self._study.numbers
        }
        fresh = list(self._units.values())[before:]
        whole = ESTIMATED if self._study.estimate else TRAINED
        mine = [unit for by_chip in point.units.values() for unit in by_chip.values()]
        if any(unit.leader is None for unit in fresh):
            point.how = whole
        else:
            point.how = RETIMED if any(unit.leader for unit in mine) else PRICED
        self._known[place] = point.units, point.how

    def _unit(self, asked: Asked, clock: Clock, seed: int) -> Unit:
        key = digest([asked.said, clock.times_hash, seed])
        if key in self._units:
            return self._units[key]
        leader = self._leaders.get((asked.said, seed))
        long = not self._study.estimate and 0 < self._retime < asked.learning.steps
        unit = Unit(key, asked, clock, seed, leader if long else None)
        self._leaders.setdefault((asked.said, seed), unit)
        self._units[key] = unit
        return unit
