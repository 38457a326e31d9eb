"""A search from what is asked to its table: done in stages, and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base.errors import DoesNotFitError
from archsim.base.progress import Counted
from archsim.records.sweeps.fronts import front
from archsim.records.sweeps.sweep import QUANTITIES, Quantity, Sweep, metric_quantity, read_sweep
from archsim.studies.search import asking, stages
from archsim.studies.search.asked import Search
from archsim.studies.search.designs import Designs, place
from archsim.studies.search.goals import Goals
from archsim.studies.search.loop import Loop
from archsim.studies.search.sharing import Sharing, alone, check_joined, joined
from archsim.studies.search.space import Space
from archsim.studies.sweeps import table
from archsim.studies.sweeps.chips import Design, Reading, digest
from archsim.studies.sweeps.store import Store
from archsim.studies.sweeps.store import check as check_store
from archsim.studies.sweeps.study import called
from archsim.studies.sweeps.tariffs import Tariffs
from archsim.studies.workers.pool import On, Pool, pool
from archsim.studies.workers.pool import check as check_place

if TYPE_CHECKING:
    import pandas as pd

ESTIMATES, TRAINED = "estimates", "trainings"
"""What the two stages are called, in Optuna's storage too."""


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
        with doing.store.begun():
            state = "partial"
            try:
                with pool(on, most=max(what.at_a_time, 1)) as where:
                    doing.run(where, storage)
                state = "finished"
            finally:
                doing.end(state)
    return doing.found()


def check(what: Search, out: Path, *, on: On, storage: str | None = None, join: bool = False) -> None:
    """Refuse what `carry_out` would refuse before it does anything; does and writes nothing.

    Raises
    ------
    InputError, SystemFault
        As `carry_out`, and as `studies.workers.pool.check`.
    """
    if join:
        check_joined(out)
    check_store(out, definition(what), shared=join)
    asking.check_storage(storage)
    check_place(on)


class _Doing:
    """A search that is being done. Sole owner of its stages."""

    def __init__(self, what: Search, path: Path, sharing: Sharing, *, keep_runs: bool, done: Counted) -> None:
        self.what, self._path, self._sharing, self._done = what, path, sharing, done
        self._again: list[Callable[[], object]] = []
        self._studies = [what.estimate_study] if what.estimates else []
        self._studies += [what.study] if not what.study.estimate else []
        told = definition(what)
        self._hash = digest(told)
        self.store = Store(path, told)
        self._designs = [
            Designs(each, what.space, self.store, kept=self._write, keep_runs=keep_runs) for each in self._studies
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
        Loop(asker, what.space, stage, what.at_a_time, first, self._sharing.turn).run()

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
        self.store.write(self._frame())

    def end(self, state: str) -> None:
        """Write the table, and in which state it is; of several processes, the last writes what all have done."""
        with self._sharing.writing():
            for again in self._again if state == "finished" and self._sharing.shared else ():
                again()
            self._write()
            self.store.mark(state, done={"trials": self.what.trials, "trainings": self.what.trainings})

    def found(self) -> Found:
        """Return what the search found."""
        sweep, wanted, what = read_sweep(self._path), self.what.goals, self.what
        rows = sweep.finished
        columns = {axis.key: axis.column for axis in sweep.axes}
        fixed = {**what.space.sets, **what.space.figures}

        def told(row: Mapping[Any, Any]) -> dict[str, Any]:
            return {**fixed, **row, **{key: row[column] for key, column in columns.items()}}

        within = [wanted.fulfilled(told(row)) for row in rows.to_dict("records")]
        feasible = rows.loc[within]
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
