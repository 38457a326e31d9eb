"""What workers do: a training, an estimate, some steps again with other times. A task is what it needs, a result plain.

Workers keep what they read for the next task: technologies, networks. Each is named by the hash of what it was made of.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from archsim.accounting.technology import Technology, read_technology
from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture
from archsim.records.retime import clocked
from archsim.runs import inputs
from archsim.runs.layout import INPUTS, RUN
from archsim.runs.run import check_fit, check_prices, execute
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Trained, Trainer
from archsim.runs.workload import Workload
from archsim.studies.estimate.books import estimate_chip
from archsim.studies.estimate.estimate import known
from archsim.studies.estimate.spec import EstimateSpec, known_bound
from archsim.studies.estimate.spec import resolve as resolve_estimate
from archsim.studies.sweeps.counts import estimated, trained
from archsim.studies.workers.directories import Carried
from archsim.studies.workers.directories import content as carried
from archsim.studies.workers.parcel import Parcel, laid_out, unpacked
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


@dataclass(frozen=True)
class Sent:
    """One chip to be estimated by a worker that sees no file of this machine: all that is read for it, as it was read.

    Parameters
    ----------
    workload : Workload
    architecture : Architecture
        On which the network fits.
    tech : str or Technology
        A name, of what ships with archsim, or what an own file says, with the times in place of its own.
    times : (key, value) of times that stand in place of a named one's own
    batch : int, optional
    devices : path below a run directory -> content
        Own files of devices that the architecture names.
    """

    workload: Workload
    architecture: Architecture
    tech: str | Technology
    times: tuple[tuple[str, str], ...]
    batch: int | None
    devices: Mapping[str, bytes]

    def spec(self, technology_sha256: str) -> EstimateSpec:
        """Return the estimate."""
        tech, architecture = self.tech, self.architecture
        if self.devices:
            home = laid_out({RUN: b"", **self.devices}) / INPUTS / inputs.ARCHITECTURES / architecture.name
            architecture = architecture.at(home)
        technology = _technology(tech, self.times, technology_sha256) if isinstance(tech, str) else tech
        network = self.workload.network.build(bound=known_bound(self.workload))
        samples = self.batch or self.workload.training.batch
        return EstimateSpec(self.workload, network, (architecture,), technology, samples, {}, None, (), ())


def sent(chip: Architecture, document: Document) -> dict[str, bytes]:
    """Return the own files of devices that a chip names, as `Sent` has them; nothing if all ship with archsim."""
    shipped = files.shipped("tech_params").resolve()
    if all(shipped in path.resolve().parents for path in chip.files()):
        return {}
    kept = inputs.contents(inputs.copies(document, (), [((), chip)], ()))
    return {f"{INPUTS}/{name}": each for name, each in kept.items()}


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


def train_away(what: Task | Parcel, data_sha256: str) -> tuple[Content, Carried]:
    """Train a chip as `train`, and return the run directory, too, for one who does not see the worker's folders."""
    with files.scratch() as folder:
        found = train(what, None, folder / "run", data_sha256)
        return found, carried(folder / "run")


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


def estimate(what: Task | Sent, technology_sha256: str) -> Content:
    """Return what a chip is expected to do in a training step, as content of `Counts`."""
    spec = what.spec(technology_sha256) if isinstance(what, Sent) else resolve_estimate(
        what.workload, batch=what.batch, archs=[what.arch], settings=what.settings,
        technology=_technology(what.tech, what.times, technology_sha256),
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
