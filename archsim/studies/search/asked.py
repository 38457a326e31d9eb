"""What is asked of a search: from options, from a study's file, or from both; declared and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archsim.base.errors import DoesNotFitError, InputError
from archsim.base.yamlfile import Document
from archsim.chips import architecture as architectures
from archsim.runs import workload as workloads
from archsim.runs.spec import DIGITAL
from archsim.studies.search import asking, goals, stages
from archsim.studies.search.goals import Goals
from archsim.studies.search.loop import listed
from archsim.studies.search.space import Space, pairs
from archsim.studies.search.space import space as read_space
from archsim.studies.sweeps.chips import Reading
from archsim.studies.sweeps.measures import of_texts
from archsim.studies.sweeps.study import Named, Study, as_written, called, from_file
from archsim.studies.sweeps.study import asked as asked_of_sweep
from archsim.studies.sweeps.tariffs import Tariffs

AT_A_TIME, TRIALS, TRAININGS = 8, 100, 20


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
    workload: Named | None = None, *, file: Path | None = None, settings: Sequence[str] | Mapping[str, Any] = (),
    figures: Sequence[str] | Mapping[str, Any] = (), archs: Sequence[Named] = (), techs: Sequence[str] = (),
    minimise: Sequence[str] = (), maximise: Sequence[str] = (), subject_to: Sequence[str] = (),
    trials: int = TRIALS, trainings: int = TRAININGS, sampler: str = asking.TPE, seed: int = 1,
    at_a_time: int = AT_A_TIME, estimate: bool = False, train: bool = False, **told: Any,
) -> Search:  # fmt: skip
    """Return what options ask for, checked.

    Parameters
    ----------
    workload : as for `archsim.resolve`; by default the file's
    file : path, optional
        A study, as of a sweep: its values are what is chosen from, its conditions constraints. Options win.
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
    _check_numbers({"--trials": trials, "--trainings": trainings, "--at-a-time": at_a_time}, seed)
    if estimate and train:
        raise InputError("is given with --estimate", key="--train", expected="one of the two")
    asking.check_sampler(sampler)
    asking.optuna()
    base = _base(file, told.get("preset"), workload)
    if base is not None:
        workload, archs, techs = workload or base.workload, archs or base.archs, techs or base.techs
        settings = {**_unread(base.sets), **pairs(settings, "--set")}
        figures = {**_unread(base.figures), **pairs(figures, "--figure")}
        subject_to, estimate = (*base.conditions, *subject_to), estimate or (base.estimate and not train)
    names = [*minimise, *maximise]
    trained = train or (not estimate and goals.asks_metric(names, subject_to))
    if base is not None:  # how it trains is nothing to an estimate
        kept = {name: getattr(base, name) for name in (_OF_TRAINING if trained else ("batch",))}
        told = {**kept, **{name: value for name, value in told.items() if value is not None}, "preset": base.preset}
    if workload is None:
        raise InputError(key="WORKLOAD", value=None, expected="a workload, by name or file, or --file with a study")
    own = tuple(archs) or _own(workloads.document(workload))
    declared = read_space(settings, figures, techs=techs, archs=own)
    study = asked_of_sweep(
        workload, settings=declared.texts("set"), figures=declared.texts("figure"), archs=own, techs=techs or None,
        reference=False, **told,
    )  # fmt: skip
    study = replace(study, estimate=not trained)
    if not trained and (study.seeds > 1 or study.steps or study.until):
        raise InputError(
            "nothing is trained", key="--estimate",
            expected="no --seeds, --steps or --until; or the metric as a goal, or --train",
        )  # fmt: skip
    reading = _checked(study, declared)
    kinds = {each.key: of_texts(each.levels) for each in declared.parameters} | study.kinds
    wanted = goals.goals(minimise, maximise, subject_to, keys=kinds, metric=reading.metric())
    listed(declared, wanted)
    study = replace(study, reference=wanted.asks_ratio, workload=reading.workload)
    found = Search(
        declared, wanted, study, not train, trials, trainings if wanted.judged and not train else 0, sampler, seed,
        at_a_time, reading.instead_of,
    )  # fmt: skip
    if found.estimates and trained:
        _checked(found.estimate_study, declared)
    return found


def _check_numbers(counts: Mapping[str, int], seed: int) -> None:
    for option, value in counts.items():
        if value < 1:
            raise InputError(key=option, value=value, expected="a whole number from 1 on")
    if seed < 0:
        raise InputError(key="--seed", value=seed, expected="a whole number from 0 on")


_OF_TRAINING = ("seeds", "first_seed", "steps", "until", "batch")


def _base(file: Path | None, preset: str | None, workload: Named | None) -> Study | None:
    """Return what a study's file says, its values as they were written."""
    if file is None:
        return None
    found = from_file(file, preset, workload=workload, values=as_written)
    if found.together:
        raise InputError(file=file, key="together", value=True, expected="false: a design of a search has one chip")
    return found


def _unread(values: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return values as a mapping gives them: of one text that text, for it may be a range."""
    return {key: texts[0] if len(texts) == 1 else [*texts] for key, texts in values.items()}


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


def folder_of(what: Search, name: str | None = None) -> Path:
    """Return where a search is kept by default."""
    return Path("reports") / f"search-{name or called(what.study.workload)}"
