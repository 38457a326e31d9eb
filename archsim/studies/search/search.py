"""A search from what is asked to its table: declared, checked, done in stages, and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base.errors import DoesNotFitError, InputError
from archsim.base.progress import Counted
from archsim.base.yamlfile import Document
from archsim.chips import architecture as architectures
from archsim.records.fronts import front
from archsim.records.sweeps import QUANTITIES, Quantity, Sweep, metric_quantity, read_sweep
from archsim.runs import workload as workloads
from archsim.runs.spec import DIGITAL
from archsim.studies.search import asking, goals, stages
from archsim.studies.search.designs import Designs, place
from archsim.studies.search.goals import Goals
from archsim.studies.search.loop import Loop, listed
from archsim.studies.search.sharing import Sharing, alone, joined
from archsim.studies.search.space import Space
from archsim.studies.search.space import space as read_space
from archsim.studies.sweeps import table
from archsim.studies.sweeps.chips import Design, Reading, digest
from archsim.studies.sweeps.measures import of_texts
from archsim.studies.sweeps.store import Store
from archsim.studies.sweeps.study import Named, Study, called
from archsim.studies.sweeps.study import asked as asked_of_sweep
from archsim.studies.sweeps.tariffs import Tariffs
from archsim.studies.workers.pool import On, Pool, pool

if TYPE_CHECKING:
    import pandas as pd

AT_A_TIME, TRIALS, TRAININGS = 8, 100, 20
ESTIMATES, TRAINED = "estimates", "trainings"
"""What the two stages are called, in Optuna's storage too."""


@dataclass(frozen=True, eq=False)
class Search:
    """What a search is, checked; nothing is begun.

    Parameters
    ----------
    space : Space
    goals : Goals
    study : Study
        As it is trained, or estimated if nothing is trained.
    estimates : bool
        Whether designs are estimated, first or at all.
    trials : int
        Designs that are estimated; without estimates, trained.
    trainings : int
        Designs that are trained after that; 0 if the metric is not asked for.
    sampler : "tpe" or "nsga2"
    seed : int
        Of the sampler.
    at_a_time : int
        Designs that are proposed together.
    """

    space: Space
    goals: Goals
    study: Study
    estimates: bool
    trials: int
    trainings: int
    sampler: str
    seed: int
    at_a_time: int
    instead_of: str | None = None

    @property
    def estimate_study(self) -> Study:
        """The study of the estimates."""
        return replace(self.study, estimate=True, seeds=1, first_seed=1, steps=None, until=None)

    def lines(self) -> list[str]:
        """Return in words what is searched for, where, and how."""
        many = "no end of designs" if self.space.size is None else f"{self.space.size:,} designs"
        keys = "; ".join(f"{each.key} {each.named()}" for each in self.space.parameters)
        said = [f"space      {many}: {keys}"]
        first, *rest = self.goals.lines()
        said += [f"goal       {first}", *(f"           {each}" for each in rest)]
        how = f"proposed by {self.sampler}, {self.at_a_time} at a time, seed {self.seed}"
        if self.estimates:
            known = ", ".join(each.title for each in self.goals.estimable().objectives)
            said.append(f"estimates  up to {self.trials:,} designs by {known}, {how}")
        else:
            said.append(f"trainings  up to {self.trials:,} designs, {how}")
        if self.trainings:
            said.append(f"trainings  up to {self.trainings:,} of these: {stages.RULE}")
        return said


def search(
    workload: Named, *, settings: Sequence[str] | Mapping[str, Any] = (),
    figures: Sequence[str] | Mapping[str, Any] = (), archs: Sequence[Named] = (), techs: Sequence[str] = (),
    minimise: Sequence[str] = (), maximise: Sequence[str] = (), subject_to: Sequence[str] = (),
    trials: int = TRIALS, trainings: int = TRAININGS, sampler: str = asking.TPE, seed: int = 1,
    at_a_time: int = AT_A_TIME, estimate: bool = False, train: bool = False, **told: Any,
) -> Search:  # fmt: skip
    """Return what options ask for, checked.

    Parameters
    ----------
    workload : as for `archsim.resolve`
    settings, figures : as `space` takes them
    archs : one chip a design, more than one to choose from; by default the workload's own that are no baseline
    techs : likewise technologies
    minimise, maximise, subject_to : as `goals` takes them
    trials, trainings, at_a_time : int
    sampler, seed
    estimate : bool
        Train nothing.
    train : bool
        Train every design, without estimates.
    **told : further fields of a sweep's study: seeds, preset, steps, until, batch, data

    Raises
    ------
    InputError
        For the first thing wrong.
    """
    for option, value in (("--trials", trials), ("--trainings", trainings), ("--at-a-time", at_a_time)):
        if value < 1:
            raise InputError(key=option, value=value, expected="a whole number from 1 on")
    if seed < 0:
        raise InputError(key="--seed", value=seed, expected="a whole number from 0 on")
    if estimate and train:
        raise InputError(key="--train", value="", expected="one of --estimate and --train")
    asking.check_sampler(sampler)
    asking.optuna()
    own = tuple(archs) or _own(workloads.document(workload))
    declared = read_space(settings, figures, techs=techs, archs=own)
    study = asked_of_sweep(
        workload, settings=declared.texts("set"), figures=declared.texts("figure"), archs=own, techs=techs or None,
        reference=False, **told,
    )  # fmt: skip
    names = [*minimise, *maximise]
    trained = train or (not estimate and goals.asks_metric(names, subject_to))
    study = replace(study, estimate=not trained)
    if not trained and (study.seeds > 1 or study.steps or study.until):
        raise InputError(
            key="--estimate", value="", expected="no --seeds, --steps or --until, for nothing is trained: ask for "
            "the metric, or --train",
        )  # fmt: skip
    reading = _checked(study, declared)
    kinds = {each.key: of_texts(each.levels) for each in declared.parameters} | study.kinds
    wanted = goals.goals(minimise, maximise, subject_to, keys=kinds, metric=reading.metric())
    listed(declared, wanted)
    study = replace(study, reference=wanted.asks_ratio, workload=reading.workload)
    return Search(
        declared, wanted, study, not train, trials, trainings if wanted.judged and not train else 0, sampler, seed,
        at_a_time, reading.instead_of,
    )  # fmt: skip


def _checked(study: Study, declared: Space) -> Reading:
    """Read each level once, so that a wrong key or value is told before anything begins.

    Levels that do not fit the chip beside the first of all others may fit beside other ones.

    Raises
    ------
    InputError
        That names it.
    """
    reading, tariffs = Reading(study), Tariffs(study)
    for values in declared.ends():
        tariffs.clock(values)
        with suppress(DoesNotFitError):
            reading.design(values)
    return reading


def _own(document: Document) -> tuple[Named, ...]:
    """Return the architectures of a workload that are no baseline; if there is none, all."""
    names = [*workloads.architectures(document)]
    kinds = [architectures.document(name).data.get("chip") for name in names]
    return tuple(name for name, kind in zip(names, kinds, strict=True) if kind != DIGITAL) or tuple(names)


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found.

    Parameters
    ----------
    sweep : Sweep
        Its table.
    front : pandas.DataFrame
        The rows that fulfil all constraints and that no other such row surpasses in the objectives.
    fulfilled : int
        Rows that fulfil all constraints.
    refused : design in words -> why it could not be done
    """

    sweep: Sweep
    front: pd.DataFrame
    fulfilled: int
    refused: Mapping[str, str]
    nearest: str = ""

    @property
    def frame(self) -> pd.DataFrame:
        """The table."""
        return self.sweep.frame


def carry_out(
    what: Search, out: str | Path, *, on: On = "processes", storage: str | None = None, keep_runs: bool = False,
    join: bool = False, done: Counted | None = None,
) -> Found:  # fmt: skip
    """Do a search, or go on with it, and return what it found.

    Parameters
    ----------
    what : Search
    out : path
        The store; one of the same search goes on, also with more trials or trainings.
    on : where tasks run, as for `studies.workers.pool.pool`; neither proposals nor numbers depend on it
    storage : str, optional
        Where Optuna keeps its trials; by default a journal in the store.
    keep_runs : bool
    join : bool
        Take part in a search that other processes do in the same store. What is proposed then depends on who is quick.
    done : callable, optional
        Called with what is finished, how many are, and how many there are.

    Raises
    ------
    InputError
        If the store or the storage cannot be used. What fails at a design is in the table.
    KeyboardInterrupt
        After Ctrl-C, when what is done has been written.
    """
    path = Path(out)
    with joined(path) if join else alone(path) as sharing:
        doing = _Doing(what, path, sharing, keep_runs=keep_runs, done=done or (lambda *_: None))
        state = "partial"
        try:
            with pool(on, most=max(what.at_a_time, 1)) as where:
                doing.run(where, storage)
            state = "finished"
        finally:
            doing.end(state)
    return doing.found()


class _Doing:
    """A search that is being done. Sole owner of its stages."""

    def __init__(self, what: Search, path: Path, sharing: Sharing, *, keep_runs: bool, done: Counted) -> None:
        self.what, self._path, self._sharing, self._done = what, path, sharing, done
        self._again: list[Callable[[], object]] = []
        self._studies = [what.estimate_study] if what.estimates else []
        self._studies += [what.study] if not what.study.estimate else []
        told = definition(what)
        self._hash = digest(told)
        self._store = Store(path, told)
        self._store.begin()
        self._designs = [
            Designs(each, what.space, self._store, kept=self._write, keep_runs=keep_runs) for each in self._studies
        ]  # fmt: skip

    def run(self, where: Pool, storage: str | None) -> None:
        """Do both stages, as far as they are asked for."""
        what = self.what
        kept = asking.storage(storage, self._path, mend=not self._sharing.others())
        first = stages.Estimates(
            self._designs[0], what.goals.estimable() if what.estimates else what.goals, what.trials, where, self._done
        )  # fmt: skip
        self._loop(first, ESTIMATES if what.estimates else TRAINED, kept)
        if what.estimates and what.trainings:
            second = stages.Trainings(self._designs[-1], what.goals, first, what.trainings, where, self._done)
            if begin := second.first():  # else nothing is within the constraints, and trainings would not change that
                self._loop(second, TRAINED, kept, begin)

    def _loop(
        self, stage: stages.Estimates | stages.Trainings, name: str, kept: Any, first: Sequence[dict[str, str]] = ()
    ) -> None:
        what = self.what
        asker = asking.Asker(
            kept, name, what=self._hash, space=what.space, objectives=len(stage.goals.objectives),
            sampler=what.sampler, seed=what.seed, at_a_time=what.at_a_time, by=self._sharing.name,
            alive=self._sharing.alive,
        )  # fmt: skip
        self._again.append(lambda: stage.again(asker.told()))
        Loop(asker, what.space, stage, what.at_a_time, first).run()

    def _frame(self) -> pd.DataFrame:
        """Return one row a design: that of its training, else that of its estimate."""
        import pandas as pd

        frames = [each.frame() for each in self._designs]
        if len(frames) == 1:
            return frames[0]
        estimated, trained = frames
        keys = {place(point.values): point.key for point in self._designs[1].plan.points}
        rows = {row["point"]: row for row in trained.to_dict("records")}
        own = {point.key: place(point.values) for point in self._designs[0].plan.points}
        found = [rows.pop(keys.get(own[row["point"]], ""), row) for row in estimated.to_dict("records")]
        return pd.DataFrame([*found, *rows.values()], columns=trained.columns)

    def _write(self) -> None:
        self._store.write(self._frame())

    def end(self, state: str) -> None:
        """Write the table, and in which state it is; of several processes, the last writes what all have done."""
        with self._sharing.writing():
            for again in self._again if state == "finished" and self._sharing.shared else ():
                again()
            self._write()
            self._store.mark(state, done={"trials": self.what.trials, "trainings": self.what.trainings})

    def found(self) -> Found:
        """Return what the search found."""
        sweep, wanted, what = read_sweep(self._path), self.what.goals, self.what
        rows = sweep.finished
        columns = {axis.key: axis.column for axis in sweep.axes}
        fixed = {**what.space.sets, **what.space.figures}

        def told(row: Mapping[Any, Any]) -> dict[str, Any]:
            return {**fixed, **row, **{key: row[column] for key, column in columns.items()}}

        within = [wanted.fulfilled(told(row)) for row in rows.to_dict("records")]
        feasible = rows[within]
        best = feasible[front(feasible, wanted.objectives)] if len(feasible) else feasible
        nearest = "" if len(feasible) else _nearest(wanted, [told(row) for row in rows.to_dict("records")])
        refused = {
            ", ".join(key): reason for each in self._designs for key, reason in each.refused.items()
        }  # fmt: skip
        ordered = best.sort_values(wanted.objectives[0].name, kind="stable")
        return Found(sweep, ordered.reset_index(drop=True), len(feasible), refused, nearest)


def _nearest(wanted: Goals, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return in words which constraint no design fulfils, or that none fulfils all at once."""
    for each in wanted.limits:
        excesses = [each.excess(row) for row in rows]
        if excesses and min(excesses) > 0:
            best = rows[excesses.index(min(excesses))]
            told = [
                f"{quantity.title} {quantity.text(best[quantity.name])}" for quantity in _quantities(wanted)
                if quantity.name in each.columns.values() and best.get(quantity.name) is not None
            ]  # fmt: skip
            return f"none fulfils {each.condition.text!r}" + (f"; the nearest has {', '.join(told)}" if told else "")
    return "none fulfils all constraints at once" if rows else "none could be done"


def _quantities(wanted: Goals) -> list[Quantity]:
    return [*([metric_quantity(wanted.metric)] if wanted.metric else []), *QUANTITIES.values()]


def definition(what: Search) -> dict[str, Any]:
    """Return what a search is, as JSON has it: without how long it goes on."""
    study = what.study
    reading = Reading(study)
    design, tariffs = _fitting(reading, what.space), Tariffs(study)
    learning = design.chips[0].learning
    metric = reading.metric()
    own = {**what.goals.content(), "sampler": what.sampler, "seed": what.seed, "at_a_time": what.at_a_time,
           "estimates": what.estimates, "space": what.space.content()}  # fmt: skip
    return {
        "kind": "search", "what": "estimate" if study.estimate else "training",
        "workload": str(reading.document.data["name"]),
        "axes": [column.axis.content() for column in table.columns(study, tariffs)],
        "quantities": [each.content() for each in table.quantities(metric, ratio=len(design.all) > 1)],
        "settings": {**what.space.sets, **what.space.figures}, "search": own,
        "archs": [called(each) for each in study.archs], "techs": [tariffs.name(each) for each in study.techs],
        "baseline": design.baseline.chip.name if design.baseline else None,
        "samples": None if learning.data is None else len(getattr(learning.data, "train_x", ())) or None,
        "dataset": learning.data.sha256 if learning.data else None, "chip": design.chips[0].said,
        "seeds": list(study.numbers), "preset": study.preset, "steps": study.steps, "until": study.until,
        "batch": study.batch,
    }  # fmt: skip


def _fitting(reading: Reading, declared: Space) -> Design:
    """Return the first of the designs read once that fits the chip.

    Raises
    ------
    DoesNotFitError
        If none does, of the first.
    """
    for values in declared.ends():
        with suppress(DoesNotFitError):
            return reading.design(values)
    return reading.design(declared.first())


def folder_of(what: Search) -> Path:
    """Return where a search is kept by default."""
    return Path("reports") / f"search-{called(what.study.workload)}"
