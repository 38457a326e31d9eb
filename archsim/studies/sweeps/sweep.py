"""A sweep from what is asked to its table: planned, said, done, and gone on with."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archsim.base.errors import InputError
from archsim.base.progress import Counted, unheard
from archsim.records.retime import between
from archsim.records.sweeps.sweep import Sweep, read_sweep
from archsim.studies.sweeps import table, work
from archsim.studies.sweeps.costs import Costs, Outcome
from archsim.studies.sweeps.counts import Counts
from archsim.studies.sweeps.hopeless import hopeless, rung
from archsim.studies.sweeps.jobs import Jobs, begun
from archsim.studies.sweeps.plan import Plan, Unit
from archsim.studies.sweeps.store import Store
from archsim.studies.sweeps.store import check as check_store
from archsim.studies.sweeps.study import Study, called, is_path
from archsim.studies.workers.finished import Task
from archsim.studies.workers.parcel import Parcel, pack
from archsim.studies.workers.pool import On, Pool, pool
from archsim.studies.workers.pool import check as check_place

AGAIN = "again"


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be done of a unit: all of it, its first steps again, or up to `stop_at`."""

    key: str
    unit: Unit
    how: str = ""
    stop_at: int | None = None

    @property
    def named(self) -> str:
        """It in words."""
        return self.unit.named


@dataclass(eq=False)
class Doing:
    """A sweep that is being done. Sole owner of what is known of its units.

    Parameters
    ----------
    plan : Plan
    store : Store
    stop_hopeless : whether trainings that cannot be of use are ended early (`hopeless`)
    keep_runs : whether each training keeps its run directory
    done : callable
        Called with what is finished, how many are, and how many there are.

    Attributes
    ----------
    costs : Costs
        What was priced, kept for the next table.
    """

    plan: Plan
    store: Store
    stop_hopeless: bool = False
    keep_runs: bool = False
    done: Counted = unheard
    stopped: dict[int, str] = field(default_factory=dict)
    costs: Costs = field(init=False)
    _jobs: Jobs = field(init=False)

    def __post_init__(self) -> None:
        self.costs = Costs(self.outcome)
        self._jobs = Jobs(self.store, self.write)

    def run(self, on: On) -> None:
        """Do what is not done yet; what comes back is kept at once."""
        early = self._jobs.missing(self._early()) if self.stop_hopeless else []
        with self._opened(on, max(len(early), len(self._jobs.missing(self._whole(every=True))))) as place:
            if early:
                self._do(early, place)
            if self.stop_hopeless:
                self.stopped = hopeless(self.plan, self._counts_early)
            self._do(self._jobs.missing(self._whole(every=False)), place)

    @contextmanager
    def _opened(self, on: On, most: int) -> Iterator[Pool | None]:
        """Open the place where tasks run, if there are any."""
        if not most:
            yield None
            return
        with pool(on, most=most) as place:
            yield place

    # --- tasks ----------------------------------------------------------------------------------------------------
    def _what(self, unit: Unit, place: Pool) -> work.Task | work.Sent | Parcel:
        """Return what a worker needs: names and paths where it sees the files of this machine, else what they say."""
        study = self.plan.study
        task = unit.task(study, self.plan.reading.workload)
        if place.shared:
            return task
        if not study.estimate:
            return pack(task.spec(), place, study.data)
        learning, clock = unit.asked.learning, unit.clock
        own = is_path(task.tech)
        tech, times = (clock.technology, ()) if own else (task.tech, task.times)
        chip = unit.asked.chip.architecture
        return work.Sent(learning.workload, chip, tech, times, study.batch, work.sent(chip, learning.document))

    def _task(self, job: Job, place: Pool) -> Task:
        """Return the task of a job."""
        what, study = self._what(job.unit, place), self.plan.study
        if job.how == AGAIN:
            return work.again, (what, self.plan.retime)
        if study.estimate:
            return work.estimate, (what, job.unit.clock.technology.sha256)
        data = job.unit.asked.learning.data
        sha256, kept = data.sha256 if data else "", self.keep_runs and job.stop_at is None
        if kept and not place.shared:  # what is kept there nobody would look for
            return work.train_away, (what, sha256)
        return work.train, (what, job.stop_at, self.store.run(job.unit.key).resolve() if kept else None, sha256)

    def _early(self) -> Iterator[Job]:
        for unit in self.plan.leaders:
            if step := rung(unit.asked.learning.steps):
                yield Job(unit.early(step), unit, stop_at=step)

    def _whole(self, *, every: bool) -> Iterator[Job]:
        """Yield what is trained to its end or estimated, and what is done again to re-time."""
        wanted = None if every or not self.stopped else self._of_points_left()
        for unit in self.plan.leaders:
            if wanted is None or unit.key in wanted:
                yield Job(unit.key, unit)
        for key, unit in self.plan.again().items():
            if wanted is None or unit.key in wanted:
                yield Job(key, unit, how=AGAIN)

    def _of_points_left(self) -> set[str]:
        found: set[str] = set()
        for point in self.plan.points:
            if point.number not in self.stopped:
                for unit in (unit for by_chip in point.units.values() for unit in by_chip.values()):
                    found |= {unit.key, *([unit.leader.key] if unit.leader else [])}
        return found

    def _do(self, jobs: list[Job], place: Pool | None) -> None:
        if jobs and place is not None:
            self._jobs.do(jobs, lambda job: self._task(job, place), place, self.done, told=self._told)

    def _told(self, job: Job, value: Any) -> dict[str, Any]:
        """Return what is kept of what the task of a job returned: its counts, and where its run is if it is kept."""
        counts = value
        if isinstance(value, tuple):
            counts, directory = value
            self.store.keep_run(job.unit.key, directory)
        whole = self.keep_runs and job.key == job.unit.key
        return {**counts, "run": str(self.store.run(job.unit.key))} if whole else counts

    # --- what is known --------------------------------------------------------------------------------------------
    def outcome(self, unit: Unit) -> Outcome:
        """Return what came of a unit: its counts, why there are none, or None."""
        told = self._jobs.get((unit.leader or unit).key)
        if told is None or told["state"] == "failed":
            return None if told is None else str(told["reason"])
        counts = Counts.of(told)
        if unit.leader is None:
            return counts
        found = [self._jobs.get(one.first(self.plan.retime)) for one in (unit.leader, unit)]
        known = [each for each in found if each is not None]
        if failed := next((each for each in known if each["state"] == "failed"), None):
            return str(failed["reason"])
        if len(known) < len(found):
            return None
        return counts.clocked(between(counts.rows, counts.entries, *known))

    def _counts_early(self, unit: Unit) -> Counts | None:
        step = rung(unit.asked.learning.steps)
        told = self._jobs.get(unit.early(step)) if step else None
        return Counts.of(told) if told and told["state"] == "done" else None

    def write(self) -> list[Path]:
        """Write the table as far as it is known."""
        frame = table.frame(self.plan, self.costs, self.stopped)
        return self.store.write(frame)


def carry_out(
    plan: Plan, out: str | Path, *, on: On = "processes", stop_hopeless: bool = False, keep_runs: bool = False,
    done: Counted | None = None, kind: str = "sweep",
) -> Sweep:  # fmt: skip
    """Do what a plan needs and is not done yet, and return the table.

    Parameters
    ----------
    plan : Plan
    out : path
        The sweep's directory; one of the same definition goes on.
    on : where, as for `studies.workers.pool.pool`; the numbers do not depend on it
    stop_hopeless : bool
        End trainings early of points that others surpass in everything, at a part of the steps (`hopeless`).
    keep_runs : bool
        Keep the run directory of every training, where it is done.
    done : callable, optional
        Called with what is finished, how many are, and how many there are.
    kind : "sweep", "search" or "rules"

    Raises
    ------
    InputError
        If the directory cannot be used. What fails at a point is recorded there.
    KeyboardInterrupt
        After Ctrl-C, when what is done has been written.
    """
    path = Path(out)
    _check_hopeless(plan, stop_hopeless=stop_hopeless)
    with begun(path, {**definition(plan), "kind": kind, "stop_hopeless": stop_hopeless}) as store:
        doing = Doing(plan, store, stop_hopeless=stop_hopeless, keep_runs=keep_runs, done=done or unheard)
        try:
            doing.run(on)
        finally:
            doing.write()
    return read_sweep(path)


def check(plan: Plan, out: Path, *, on: On, stop_hopeless: bool = False) -> None:
    """Refuse what `carry_out` would refuse before it trains anything; does and writes nothing.

    Raises
    ------
    InputError, SystemFault
        As `carry_out`, and as `studies.workers.pool.check`.
    """
    _check_hopeless(plan, stop_hopeless=stop_hopeless)
    check_store(out, {**definition(plan), "kind": "sweep", "stop_hopeless": stop_hopeless})
    check_place(on)


def _check_hopeless(plan: Plan, *, stop_hopeless: bool) -> None:
    if stop_hopeless and plan.study.estimate:
        raise InputError("estimates are not ended early", key="--stop-hopeless", expected="trainings")


def definition(plan: Plan) -> dict[str, Any]:
    """Return what a sweep is, as JSON has it."""
    study, reading = plan.study, plan.reading
    metric = reading.metric()
    one = {**study.sets, **study.figures}
    data = plan.points[0].design.chips[0].learning.data
    return {
        "what": "estimate" if study.estimate else "training",
        "workload": str(reading.document.data["name"]),
        "axes": [column.axis.content() for column in table.columns(study, plan.tariffs)],
        "quantities": [each.content() for each in table.quantities(metric, ratio=table.has_ratio(plan))],
        "settings": {key: texts[0] for key, texts in one.items() if len(texts) == 1},
        "conditions": list(study.conditions),
        "archs": [called(each) for each in study.archs] or [chip.chip.name for chip in plan.points[0].design.chips],
        "together": not study.by_arch, "techs": [plan.tariffs.name(each) for each in study.techs],
        "baseline": next((p.design.baseline.chip.name for p in plan.points if p.design.baseline), None),
        "samples": None if data is None else len(getattr(data, "train_x", ())) or None,
        "dataset": None if data is None else data.sha256,
        "seeds": list(study.numbers), "preset": study.preset, "steps": study.steps, "until": study.until,
        "batch": study.batch, "retime_steps": plan.retime,
    }  # fmt: skip


def awaited(plan: Plan, out: Path) -> Sweep:
    """Return a sweep as it is before anything is done: its axes, quantities and columns, and no row."""
    told = definition(plan)
    columns = tuple(column.axis for column in table.columns(plan.study, plan.tariffs))
    asked = tuple(table.quantities(plan.reading.metric(), ratio=table.has_ratio(plan)))
    return Sweep(out, told, columns, asked, table.frame(plan, lambda _: None, {}))


def folder_of(study: Study, name: str | None = None) -> Path:
    """Return where a sweep is kept by default."""
    what = "estimate" if study.estimate else "sweep"
    return Path("reports") / f"{what}-{name or called(study.workload)}"


def timed(plan: Plan) -> Mapping[str, tuple[float, float]]:
    """Return chip -> seconds of a step and of a test, measured here on the chips of the first point that fits."""
    study, reading = plan.study, plan.reading
    found: dict[str, tuple[float, float]] = {}
    first = next(point for point in plan.points if point.units)
    for unit in first.units[study.first_seed].values():
        task, name = unit.task(study, reading.workload), unit.asked.chip.name
        if not study.estimate:
            found[name] = work.time_training(task)
            continue
        for _ in range(2):  # the first one reads what the others share
            begin = time.perf_counter()
            work.estimate(task, unit.clock.technology.sha256)
            found[name] = time.perf_counter() - begin, 0.0
    return found
