"""A study of rules from what is asked to its table: rates are searched, seeds trained, all is kept and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archsim.base.errors import InputError
from archsim.base.metrics import Metric, Sample
from archsim.base.progress import Counted, unheard
from archsim.base.streams import Streams
from archsim.runs.spec import RunSpec
from archsim.runs.train import WINDOW, task_of, total_steps
from archsim.studies.rules import table, work
from archsim.studies.rules.asked import Asked, document_of, target_of
from archsim.studies.rules.combine import Combination, combinations
from archsim.studies.rules.rates import Found, chosen
from archsim.studies.rules.results import Results, results
from archsim.studies.sweeps.chips import digest
from archsim.studies.sweeps.jobs import Jobs, begun
from archsim.studies.sweeps.store import Store
from archsim.studies.sweeps.store import check as check_store
from archsim.studies.sweeps.study import called
from archsim.studies.workers.parcel import pack
from archsim.studies.workers.pool import On, Pool, pool
from archsim.studies.workers.pool import check as check_place

JUDGED = (
    "the running metric over the last half of the steps, at most 1,000 samples, each judged before it is learnt; the "
    "test set is not looked at"
)
"""By what learning rates are chosen, in words."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What a study trains, every combination checked; nothing is begun.

    Parameters
    ----------
    study : Asked
    workload, origin : names of the workload, and of its data
    metric, chance, sample : what trainings are judged by, what guessing gives, what a sample is called
    combinations : those that are possible, and those that are not
    rates : learning rates that are tried
    trial_steps, steps : of each rate's trial, and of each training
    per_epoch : steps of a pass through the training data
    target : value of the metric that was asked for, or None
    """

    study: Asked
    workload: str
    origin: str
    metric: Metric
    chance: float | None
    sample: Sample
    combinations: tuple[Combination, ...]
    rates: tuple[float, ...]
    trial_steps: int
    steps: int
    per_epoch: int
    target: float | None
    instead_of: str | None = None

    @property
    def possible(self) -> list[Combination]:
        """Combinations that are trained."""
        return [each for each in self.combinations if each.possible]

    @property
    def batch(self) -> int:
        """Samples of a step."""
        spec = self.possible[0].spec
        return 1 if spec is None else spec.training.batch

    @property
    def judged_samples(self) -> int:
        """Samples by which each rate is judged."""
        return min(-(-self.trial_steps // 2), max(WINDOW // self.batch, 1)) * self.batch

    def lines(self) -> list[str]:
        """Return in words what is done."""
        count, none = len(self.possible), len(self.combinations) - len(self.possible)
        left = f"; {none} not possible, listed with the reason" if none else ""
        rates = ", ".join(f"{rate:g}" for rate in self.rates)
        trials, seeds = (
            f"{len(self.rates)} rates of {self.trial_steps:,} steps",
            _listed(self.study.numbers),
        )
        return [
            f"rules      {count} combinations of update rule, device and learning rule{left}",
            f"search     of the learning rate, {trials} for each, seed {self.study.search_seed}: {rates}",
            f"           judged by {JUDGED}",
            f"trainings  {count * self.study.seeds:,} of {self.steps:,} steps, seeds {seeds}",
        ]


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) if len(seeds) <= _LISTED else f"{seeds[0]} to {seeds[-1]}"


_LISTED = 10
"""Seeds that are named one by one."""


def plan(study: Asked) -> Plan:
    """Return what a study needs, every combination checked.

    Raises
    ------
    InputError
        If the workload cannot be trained, no combination is possible, or an option does not suit the workload.
    """
    document = document_of(study)
    found = tuple(combinations(study, document))
    spec = next(each.spec for each in found if each.spec is not None)
    task = task_of(spec, Streams(0))
    whole, per_epoch = total_steps(spec)
    much = study.how_much
    steps = study.steps or much.steps(whole, spec.training.batch)
    own = spec.training.learning_rate
    rates = study.rates or tuple(sorted(float(f"{own * factor:.3g}") for factor in much.factors))
    trial = study.budget // len(rates) if study.budget else max(round(steps * much.trial), 1)
    if trial < 1:
        raise InputError(key="--budget", value=study.budget, expected=f"{len(rates)} steps or more: one for each rate")
    return Plan(
        study, spec.workload.name, spec.dataset.origin, task.metric, task.chance, task.sample, found, rates, trial,
        steps, per_epoch, target_of(study.target, task.metric), spec.instead_of,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Job:
    """A trial of a rate, or a training of a seed."""

    key: str
    combination: Combination
    rate: float
    seed: int
    trial: bool

    @property
    def named(self) -> str:
        """It in words."""
        what = f"rate {self.rate:g}" if self.trial else f"seed {self.seed}"
        return f"{self.combination.named}, {what}"


@dataclass(eq=False)
class Doing:
    """A study that is being done. Sole owner of what is known of its jobs.

    Parameters
    ----------
    plan : Plan
    store : Store
    done : callable
        Called with what is finished, how many are, and how many there are.
    """

    plan: Plan
    store: Store
    done: Counted = unheard
    _jobs: Jobs = field(init=False)

    def __post_init__(self) -> None:
        self._jobs = Jobs(self.store, self.write)

    def run(self, on: On) -> None:
        """Do what is not done yet: all trials, then all trainings."""
        if not self._open():
            return
        most = len(self.plan.possible) * max(len(self.plan.rates), self.plan.study.seeds)
        with pool(on, most=most) as place:
            for jobs, what in ((self.trials, work.trial), (self._chosen, work.training)):
                self._do(self._jobs.missing(jobs()), what, place)

    def _open(self) -> bool:
        """Whether anything is left to do: of a combination whose rate is not known, its trials are."""
        return bool(self._jobs.missing(self.trials()) or self._jobs.missing(self._chosen()))

    def _do(self, jobs: Sequence[Job], what: Callable[..., Any], place: Pool) -> None:
        data, later = self.plan.study.data, 0
        if what is work.trial:  # trainings whose rates come first, none of which is done, and those whose rate is known
            later = self.plan.study.seeds * len({job.combination.key for job in jobs})
            later += len(self._jobs.missing(self._chosen()))
        self._jobs.do(
            jobs, lambda job: (what, (pack(self.spec(job), place, data),)), place, self.done, later=later
        )  # fmt: skip

    # --- jobs -----------------------------------------------------------------------------------------------------
    def trials(self) -> Iterator[Job]:
        """Yield the trials of every combination."""
        for one in self.plan.possible:
            yield from self._trials(one)

    def _trials(self, one: Combination) -> Iterator[Job]:
        seed, steps = self.plan.study.search_seed, self.plan.trial_steps
        for rate in self.plan.rates:
            yield Job(digest([one.key, "trial", rate, steps, seed]), one, rate, seed, trial=True)

    def _chosen(self) -> Iterator[Job]:
        for one in self.plan.possible:
            yield from self.trainings(one)

    def trainings(self, one: Combination) -> Iterator[Job]:
        """Yield the trainings of a combination, if its rate is known: a seed after the other."""
        found = self.rate(one)
        much = self.plan.study.how_much
        if found is not None and found.rate is not None:
            for seed in self.plan.study.numbers:
                told = [one.key, "training", found.rate, self.plan.steps, seed, much.tests, much.test_samples]
                yield Job(digest(told), one, found.rate, seed, trial=False)

    def spec(self, job: Job) -> RunSpec:
        """Return the run of a job."""
        spec, much = job.combination.spec, self.plan.study.how_much
        if spec is None:
            raise ValueError(job.named)
        changes: dict[str, Any] = {"learning_rate": job.rate, "steps": self.plan.trial_steps, "until": None}
        if not job.trial:
            tests = max(round(self.plan.per_epoch * much.tests / self.plan.steps), 1)
            changes |= {"steps": self.plan.steps, "evaluations_per_epoch": tests}
            most = [each for each in (spec.training.test_samples, much.test_samples) if each is not None]
            changes["test_samples"] = min(most, default=None)
        training = spec.training.model_copy(update=changes)
        return replace(spec, seed=job.seed, workload=spec.workload.model_copy(update={"training": training}))

    # --- what is known --------------------------------------------------------------------------------------------
    def rate(self, one: Combination) -> Found | None:
        """Return what the search of a combination found, or None as long as a trial is not done."""
        found: dict[float, float | None] = {}
        for job in self._trials(one):
            told = self._jobs.get(job.key)
            if told is None:
                return None
            if told["state"] == "failed":
                return Found(None, {}, str(told["reason"]))
            found[job.rate] = told["score"]
        return chosen(found, self.plan.metric)

    def seeds(self, one: Combination) -> list[dict[str, Any] | None]:
        """Return what came of the trainings of a combination; None of one that is not done."""
        return [self._jobs.get(job.key) for job in self.trainings(one)]

    def results(self) -> Results:
        """Return what is known, priced."""
        return results(self.plan, self.rate, self.seeds)

    def write(self) -> Results:
        """Write the table as far as it is known."""
        found = self.results()
        self.store.write(table.frame(found))
        return found


def definition(plan: Plan) -> dict[str, Any]:
    """Return what a study is, as JSON has it."""
    study, possible = plan.study, plan.possible
    much = study.how_much
    spec = possible[0].spec
    return {
        "kind": "rules", "what": "training", "workload": plan.workload,
        "axes": [axis.content() for axis in table.axes(plan)],
        "quantities": [each.content() for each in table.quantities(plan)],
        "settings": dict(text.split("=", 1) for text in study.settings),
        "combinations": [[one.rule, one.device, one.learning, one.technology, one.key] for one in plan.combinations],
        "search": {"rates": list(plan.rates), "steps": plan.trial_steps, "seed": study.search_seed, "judged": JUDGED},
        "steps": plan.steps, "seeds": list(study.numbers), "target": study.target, "preset": study.preset,
        "batch": plan.batch, "tests": [much.tests, much.test_samples],
        "dataset": None if spec is None else spec.dataset.sha256,
    }  # fmt: skip


def check(plan: Plan, out: Path, *, on: On) -> None:
    """Refuse what `carry_out` would refuse before it does anything; does and writes nothing.

    Raises
    ------
    InputError, SystemFault
        As `carry_out`, and as `studies.workers.pool.check`.
    """
    check_store(out, definition(plan))
    check_place(on)


def carry_out(plan: Plan, out: str | Path, *, on: On = "processes", done: Counted | None = None) -> Results:
    """Do what a plan needs and is not done yet, and return what came of it.

    Parameters
    ----------
    plan : Plan
    out : path
        The study's directory; one of the same definition goes on.
    on : where, as for `studies.workers.pool.pool`; the numbers do not depend on it
    done : callable, optional
        Called with what is finished, how many are, and how many there are.

    Raises
    ------
    InputError
        If the directory cannot be used. What fails is recorded there.
    KeyboardInterrupt
        After Ctrl-C, when what is done has been written.
    """
    path = Path(out)
    with begun(path, definition(plan)) as store:
        doing = Doing(plan, store, done=done or unheard)
        try:
            doing.run(on)
        finally:
            found = doing.write()
    return replace(found, path=path)


def folder_of(study: Asked) -> Path:
    """Return where a study is kept by default."""
    return Path("reports") / f"rules-{called(study.workload)}"
