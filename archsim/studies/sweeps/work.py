"""What workers do: a training, an estimate, some steps again with other times. A task is what it needs, a result plain.

Workers keep what they read for the next task: technologies, networks. Each is named by the hash of what it was made of.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from archsim.accounting.technology import Technology, read_technology
from archsim.base.errors import InputError
from archsim.records.retime import clocked
from archsim.runs.run import check_fit, check_prices, execute
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Trained, Trainer
from archsim.studies.estimate.books import estimate_chip
from archsim.studies.estimate.estimate import known
from archsim.studies.estimate.spec import EstimateSpec
from archsim.studies.estimate.spec import resolve as resolve_estimate
from archsim.studies.sweeps.counts import estimated, trained
from archsim.studies.workers.parcel import Parcel, unpacked
from archsim.technologies.overlay import overlays

Content = dict[str, Any]
TIMED_STEPS, WARM_STEPS = 60, 10
"""Steps that are timed to tell how long a sweep takes, after others that compile the kernels."""


@dataclass(frozen=True)
class Task:
    """One chip to be trained or estimated.

    Parameters
    ----------
    workload, arch : name, path or content
    settings : as `--set` takes them, of this chip and the workload alone
    tech : str
        Technology by name or path.
    times : (key, value) of times that stand in place of its own
    seed, preset, steps, until, data : as for a run
    batch : int, optional
    """

    workload: Any
    arch: Any
    settings: tuple[str, ...]
    tech: str
    times: tuple[tuple[str, str], ...] = ()
    seed: int = 1
    preset: str | None = None
    steps: int | None = None
    until: str | None = None
    data: Path | None = None
    batch: int | None = None

    def spec(self) -> RunSpec:
        """Return the run of this chip alone."""
        return resolve(
            self.workload, archs=[self.arch], techs=[self.tech], preset=self.preset, seed=self.seed, steps=self.steps,
            settings=self.settings, figures=dict(self.times), data=self.data, until=self.until,
        )  # fmt: skip


def train(what: Task | Parcel, stop_at: int | None, folder: Path | None, data_sha256: str) -> Content:
    """Train a chip.

    Parameters
    ----------
    what : Task or Parcel
    stop_at : int, optional
        Steps at which to end early, with a test; at the next look between chunks.
    folder : path, optional
        Keeps the run directory there.
    data_sha256 : what the data must be

    Returns
    -------
    dict
        Content of `Counts`.

    Raises
    ------
    InputError
        If the data are other ones here, or the training diverges.
    """
    with _opened(what) as spec:
        if spec.dataset.sha256 != data_sha256:
            raise InputError(f"here is {spec.dataset.origin}", key="--data", expected="the data of the sweep")
        if folder is not None:
            seen: list[Trained] = []
            shutil.rmtree(folder, ignore_errors=True)  # of a sweep that died before it knew of this run
            execute(spec, folder, every_s=None, force=True, seen=seen.append)
            return trained(seen[0]).content()
        check_fit(spec)
        trainer = Trainer(
            spec, spec.architectures[0], stop=lambda: stop_at is not None and trainer.chip.ledger.steps >= stop_at
        )
        check_prices(spec, [trainer])
        return trained(trainer.run()).content()


@contextmanager
def _opened(what: Task | Parcel) -> Iterator[RunSpec]:
    """Yield the run that a worker is to do."""
    if isinstance(what, Task):
        yield what.spec()
        return
    with unpacked(what) as spec:
        yield spec


def again(what: Task | Parcel, steps: int) -> Content:
    """Do the first steps of a training, without tests; returns what `records.retime.clocked` does."""
    with _opened(what) as spec:
        training = spec.training.model_copy(update={"steps": steps})
        return clocked(replace(spec, workload=spec.workload.model_copy(update={"training": training})))


def time_training(task: Task) -> tuple[float, float]:
    """Return seconds of a step, and of a test, on this machine now."""
    trainer = Trainer(spec := task.spec(), spec.architectures[0])
    trainer.train(WARM_STEPS)
    begin = time.perf_counter()
    trainer.train(TIMED_STEPS)
    step = (time.perf_counter() - begin) / TIMED_STEPS
    trainer.evaluate()
    begin = time.perf_counter()
    trainer.evaluate()
    return step, time.perf_counter() - begin


def estimate(task: Task, technology_sha256: str) -> Content:
    """Return what a chip is expected to do in a training step, as content of `Counts`."""
    spec = resolve_estimate(
        task.workload, batch=task.batch, archs=[task.arch], settings=task.settings,
        technology=_technology(task.tech, task.times, technology_sha256),
    )  # fmt: skip
    return estimated(_books(spec), spec.batch).content()


def _books(spec: EstimateSpec) -> Any:
    [chip] = spec.architectures
    return estimate_chip(spec, chip, known(spec, [])(chip))


@lru_cache(maxsize=16)
def _technology(name: str, times: tuple[tuple[str, str], ...], sha256: str) -> Technology:
    """Return a technology, read once a process; `sha256` tells one file from what it was before."""
    [found] = overlays([read_technology(name)], times)
    if found.sha256 != sha256:
        raise InputError("is another one here", key="--tech", value=name, expected="the file of the sweep")
    return found
