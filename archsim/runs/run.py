"""Do a run: every chip of the spec, from the same start, into one directory."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from archsim.accounting.area import lint_areas
from archsim.accounting.technology import lint
from archsim.base import registry
from archsim.base.errors import InputError
from archsim.chips.demands import require
from archsim.runs import layout, rundir, state
from archsim.runs.spec import RunSpec
from archsim.runs.summary import Summary
from archsim.runs.train import Progress, Trained, Trainer


def execute(
    spec: RunSpec, out: str | Path, *, progress: Progress | None = None, stop: Callable[[], bool] | None = None
) -> Summary | None:
    """Train every architecture of `spec` and write the run directory `out`.

    Parameters
    ----------
    progress : callable, optional
        Gets a `Report` every few hundred steps.
    stop : callable, optional
        Asked as often; True ends the run, whose directory is then marked partial.

    Returns
    -------
    Summary, or None if the run was stopped before its first step.

    Raises
    ------
    InputError
        If `out` cannot be used, or the network does not fit a chip (before anything is trained).
    """
    begin, out = time.perf_counter(), Path(out)
    check_fit(spec)
    trainers = [Trainer(spec, architecture, progress=progress, stop=stop) for architecture in spec.architectures]
    check_prices(spec, trainers)
    rundir.claim(out)
    rundir.begin(out, spec)
    trained: list[Trained] = []
    for trainer in trainers:
        if stop and stop():
            break
        trained.append(trainer.run())
        if trained[-1].steps:
            state.save(out, layout.read_run(out), trainer.chip)
    if not any(one.steps for one in trained):
        rundir.abandon(out, spec)
        return None
    return rundir.finish(out, spec, trained, time.perf_counter() - begin)


def train_all(spec: RunSpec) -> list[Trained]:
    """Train every architecture of `spec` and return what came of it, without a run directory."""
    check_fit(spec)
    trainers = [Trainer(spec, architecture) for architecture in spec.architectures]
    check_prices(spec, trainers)
    return [trainer.run() for trainer in trainers]


def check_fit(spec: RunSpec) -> None:
    """Refuse a network that does not fit: all that it asks of all chips, at once, before any of them is built."""
    require({
        one.name: registry.load("chip", one.chip).demands(one, spec.network, spec.training.batch)
        for one in spec.architectures
    })  # fmt: skip


def check_prices(spec: RunSpec, trainers: list[Trainer]) -> None:
    """Refuse a technology that cannot price an action or a part of a chip before anything is trained."""
    entries = [entry for trainer in trainers for entry in trainer.chip.entries()]
    parts = [part for trainer in trainers for part in trainer.chip.parts()]
    for technology in spec.technologies:
        found = [*lint(technology, entries), *lint_areas(technology, parts)]
        problems = [line for line in found if not line.startswith("note: ")]
        if problems:
            more = f" (and {len(problems) - 1} more: archsim tech lint)" if len(problems) > 1 else ""
            raise InputError(f"{problems[0]}{more}")
