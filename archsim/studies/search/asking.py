"""Optuna asked for designs and told what came of them: nothing else of archsim knows it.

Each trial has a sampler of its own, seeded by the search's seed and by how many came before, so that a search that goes
on proposes what it would have proposed, and what is proposed does not depend on where and how quickly tasks run.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archsim.base import files
from archsim.base.errors import InputError, nearest
from archsim.studies.search.space import Drawn, Parameter, Space

TPE, NSGA2 = "tpe", "nsga2"
SAMPLERS = (TPE, NSGA2)
LEAST_POPULATION = 4
"""Designs of a generation of NSGA-II at least; else those of a batch."""
STARTUP = 10
"""Designs that TPE draws at random before it models them."""
JOURNAL = "optuna.log"
"""Optuna's storage in the store of a search."""
DOABLE = "done"
"""The constraint that a design lies beyond if it cannot be done: refused, or failed."""
_BATCH, _BY, _WHAT = "batch", "by", "what"
_MOST_ENTRIES = 2**31


@dataclass(frozen=True)
class Verdict:
    """What came of a design.

    Parameters
    ----------
    losses : tuple of float, optional
        Objectives, low being better; None if it has none: refused, failed, or not worth doing.
    excesses : constraint -> by how much the design lies beyond it; 0 or less: fulfilled
    """

    losses: tuple[float, ...] | None
    excesses: Mapping[str, float]

    @property
    def fulfilled(self) -> bool:
        """Whether it has objectives and lies beyond no constraint."""
        return self.losses is not None and all(value <= 0 for value in self.excesses.values())


@dataclass(frozen=True)
class Proposal:
    """A design that was proposed and is not told yet; `number` is Optuna's of its trial."""

    number: int
    values: dict[str, str]
    trial: Any


def optuna() -> Any:
    """Return Optuna, made silent.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import optuna as found
    except ImportError as error:
        raise InputError(
            f"needs optuna, which is not installed ({error})", key="search", expected="pip install 'archsim[search]'"
        ) from error
    found.logging.set_verbosity(logging.ERROR)
    return found


def check_sampler(name: str) -> str:
    """Return a sampler's name.

    Raises
    ------
    InputError
        If it is none.
    """
    if name not in SAMPLERS:
        expected, hint = f"one of {', '.join(SAMPLERS)}", nearest(name, SAMPLERS)
        raise InputError(key="--sampler", value=name, expected=expected, hint=hint)
    return name


_JOURNAL = b'"op_code"'
"""What stands in each line of a journal of Optuna's."""


@contextmanager
def _silent() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def storage(url: str | None, folder: Path, *, mend: bool) -> Any:
    """Open where Optuna keeps its trials.

    Parameters
    ----------
    url : str, optional
        Of a data base, "sqlite:///search.db", or the path of a journal; by default a journal in the store.
    folder : Path
        The store.
    mend : bool
        Whether no other process has it open: what a killed one left is put in order.

    Raises
    ------
    InputError
        If it cannot be opened.
    """
    found = optuna()
    path = folder / JOURNAL if url is None else Path(url).expanduser()
    check_storage(url)
    with _silent(), _opened(url, path):
        if url is not None and "://" in url:
            return found.storages.RDBStorage(url)
        if url is None and mend:
            _mend(path)
        kept = found.storages.JournalStorage(found.storages.journal.JournalFileBackend(str(path)))
        kept.get_all_studies()  # so that what is damaged is told here
        return kept


def check_storage(url: str | None) -> None:
    """Refuse a storage that is none; nothing is connected to, and no file is made.

    Raises
    ------
    InputError
        If it is the URL of no data base, or no file can be there; if the file has something else, so that nothing is
        lost.
    """
    if url is None:
        return
    if "://" not in url:
        path = Path(url).expanduser()
        empty = path.is_file() and not path.stat().st_size  # another process may just have made it
        files.claim(path, option="--storage", mark=_JOURNAL, what="journal", force=empty or None)
        return
    with _opened(url, None):
        from sqlalchemy import create_engine  # Optuna's own

        create_engine(url).dispose()


@contextmanager
def _opened(url: str | None, path: Path | None) -> Iterator[None]:
    """Say in one line what keeps a storage from being opened; `path`: where its journal is, if it is one."""
    try:
        yield
    except Exception as error:
        said = " ".join(str(error).split())[:200]
        if url is None and path is not None:
            raise InputError(
                f"cannot be read ({said})", file=path, expected="the journal that archsim search wrote",
                hint="Without it the search proposes anew; what was estimated and trained is kept",
            ) from error  # fmt: skip
        raise InputError(
            f"cannot be opened ({said})", key="--storage", value=url,
            expected="the path of a journal, or a data base such as sqlite:///search.db",
        ) from error  # fmt: skip


def _mend(path: Path) -> None:
    """Take back the half of a line, and the lock, that a killed search left in the journal of its store."""
    with suppress(FileNotFoundError):
        path.with_name(f"{path.name}.lock").unlink()
    if path.is_file():
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            path.write_bytes(content[: content.rfind(b"\n") + 1])


class Asker:
    """One stage's study of Optuna's. Sole owner of its trials, except in a storage that others share.

    Parameters
    ----------
    place : storage
    name : str
    what : str
        Hash of all that the study is about.
    space : Space
    objectives : int
        How many there are.
    sampler : "tpe" or "nsga2"
    seed : int
    at_a_time : int
        Designs that are proposed together: a generation of NSGA-II.
    by : str
        What this process is called in the trials that it takes.
    alive : callable
        Whether another one, by what it is called, is still there; None stands for one that has not said it yet.

    Raises
    ------
    InputError
        If the storage has a study of that name about something else.
    """

    def __init__(
        self, place: Any, name: str, *, what: str, space: Space, objectives: int, sampler: str, seed: int,
        at_a_time: int, by: str, alive: Callable[[str | None], bool],
    ) -> None:  # fmt: skip
        self._optuna, self._space, self.kind = optuna(), space, check_sampler(sampler)
        self._seed, self._by, self._alive = seed, by, alive
        self._population = max(at_a_time, LEAST_POPULATION)
        with _silent():
            self._study = self._optuna.create_study(
                storage=place, study_name=name, directions=["minimize"] * objectives, load_if_exists=True
            )
            told = self._study.user_attrs.get(_WHAT)
            if told is None:
                self._study.set_user_attr(_WHAT, what)
            elif told != what:
                raise InputError(
                    f"has a search named {name!r} of another space", key="--storage",
                    expected="a storage of the same search, or a new one",
                )  # fmt: skip
        self._distributions = {each.key: self._distribution(each) for each in space.parameters}

    def _distribution(self, each: Parameter) -> Any:
        kinds = self._optuna.distributions
        if each.ends is not None and each.whole:
            return kinds.IntDistribution(int(each.ends[0]), int(each.ends[1]), log=each.log)
        if each.ends is not None:
            return kinds.FloatDistribution(*each.ends, log=each.log)
        if each.ordered:
            return kinds.IntDistribution(0, len(each.levels) - 1)
        return kinds.CategoricalDistribution(each.levels)

    # --- what is known --------------------------------------------------------------------------------------------
    def _trials(self, *states: str) -> list[Any]:
        kinds = tuple(getattr(self._optuna.trial.TrialState, state) for state in states)
        found: list[Any] = self._study.get_trials(deepcopy=False, states=kinds)
        return found

    def _values(self, drawn: Mapping[str, Drawn]) -> dict[str, str]:
        return {each.key: each.text(drawn[each.key]) for each in self._space.parameters}

    def told(self) -> list[tuple[dict[str, str], bool]]:
        """Return the values of every trial that was told, and whether the design was done, or could not be."""
        complete = self._optuna.trial.TrialState.COMPLETE
        return [
            (self._values(each.params), each.state == complete or DOABLE in each.constraints)
            for each in self._trials("COMPLETE", "PRUNED")
        ]  # fmt: skip

    def begun(self) -> tuple[list[Proposal], bool]:
        """Return what was proposed and never told, because the search was ended; and whether more was to be proposed.

        The former is this process's from now on. What was not proposed in whole is given up: it is proposed again.
        """
        running, found = [each for each in self._trials("RUNNING") if not self._alive(each.user_attrs.get(_BY))], []
        for each in running:
            if _BATCH in each.user_attrs:
                with _silent():
                    trial = self._optuna.trial.Trial(self._study, each._trial_id)  # noqa: SLF001  there is no other way
                    trial.set_user_attr(_BY, self._by)
                found.append(Proposal(each.number, self._values(each.params), trial))
            else:
                self._study.tell(each.number, state=self._optuna.trial.TrialState.FAIL)
        batches = {each.user_attrs.get(_BATCH) for each in running} - {None}
        ended = any(each.user_attrs.get(_BATCH) in batches for each in self._trials("COMPLETE", "PRUNED"))
        return found, bool(found) and not ended

    def elsewhere(self) -> list[dict[str, str]]:
        """Return the values of what other processes do now."""
        return [
            self._values(each.params) for each in self._trials("RUNNING")
            if each.user_attrs.get(_BY, self._by) != self._by and self._alive(each.user_attrs[_BY])
        ]  # fmt: skip

    # --- asking and telling ---------------------------------------------------------------------------------------
    @property
    def count(self) -> int:
        """Trials so far, those that were given up left out."""
        return len(self._trials("COMPLETE", "PRUNED", "RUNNING", "WAITING"))

    def random(self) -> np.random.Generator:
        """Return the generator of the next trial."""
        return np.random.default_rng([self._seed, self.count])

    def ask(self, forced: Mapping[str, str] | None = None) -> Proposal:
        """Return what the sampler proposes next, or a design that is to be done whatever it thinks."""
        with _silent():
            self._study.sampler = self._sampler(int(self.random().integers(_MOST_ENTRIES)))
            if forced is not None:
                self._study.enqueue_trial({each.key: each.drawn(forced[each.key]) for each in self._space.parameters})
            trial = self._study.ask(self._distributions)
        return Proposal(trial.number, self._values(trial.params), trial)

    def _sampler(self, seed: int) -> Any:
        if self.kind == NSGA2:
            return self._optuna.samplers.NSGAIISampler(population_size=self._population, seed=seed)
        return self._optuna.samplers.TPESampler(n_startup_trials=STARTUP, multivariate=True, seed=seed)

    def take(self, proposal: Proposal, batch: int) -> None:
        """Note that a proposal is going to be done, and with which others."""
        proposal.trial.set_user_attr(_BY, self._by)
        proposal.trial.set_user_attr(_BATCH, batch)

    def tell(self, proposal: Proposal, verdict: Verdict) -> None:
        """Tell what came of a proposal."""
        states = self._optuna.trial.TrialState
        with _silent():
            for name, value in verdict.excesses.items():
                proposal.trial.set_constraint(name, value)
            if verdict.losses is None:
                self._study.tell(proposal.number, state=states.PRUNED)
            else:
                self._study.tell(proposal.number, [*verdict.losses])
