"""Do a run: every chip of the spec, from the same start, into one directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from archsim.accounting.area import Part, lint_areas
from archsim.accounting.ledger import Entry
from archsim.accounting.technology import Technology, lint
from archsim.base import files, registry
from archsim.base.errors import InputError
from archsim.base.progress import Progress
from archsim.chips import architecture as architectures
from archsim.chips.architecture import Architecture
from archsim.chips.chip import Chip
from archsim.chips.fitting.demands import require
from archsim.runs import checkpoint, layout, owner, rundir, samples, state
from archsim.runs.identity import identity
from archsim.runs.spec import RunSpec
from archsim.runs.summary import Summary
from archsim.runs.train import Trained, Trainer


def execute(
    spec: RunSpec, out: str | Path, *, progress: Progress | None = None, stop: Callable[[], bool] | None = None,
    every_s: float | None = checkpoint.EVERY_S, force: bool = False,
    seen: Callable[[Trained], object] | None = None,
) -> Summary | None:  # fmt: skip
    """Train every architecture of `spec` and write the run directory `out`.

    An unfinished run of the same inputs that stands there goes on from its checkpoints, and gives the bits of one that
    was never interrupted.

    Parameters
    ----------
    progress : callable, optional
        Gets a `base.progress.Report` every few hundred steps.
    stop : callable, optional
        Asked as often; True ends the run, whose directory is then marked partial and keeps its checkpoints.
    every_s : float, optional
        Seconds on the wall between two checkpoints; None for none but when the run is stopped.
    force : bool
        Replace an unfinished run of other inputs.
    seen : callable, optional
        Gets what came of each chip.

    Returns
    -------
    Summary, or None if the run was stopped before its first step.

    Raises
    ------
    InputError
        If `out` cannot be used, the network does not fit a chip (before anything is trained), or a training diverges.
    """
    begin, out = time.perf_counter(), Path(out)
    owner.check(out)
    check_fit(spec)
    trainers = [Trainer(spec, architecture, progress=progress, stop=stop) for architecture in spec.architectures]
    check_prices(spec, trainers)
    with owner.owned(out):
        _make_way(out, spec, force=force)
        rundir.begin(out, spec)
        run = layout.read_run(out)
        keeper = checkpoint.Keeper(out, identity(run), every_s)
        trained: list[Trained] = []
        for trainer in trainers:
            checkpoint.take_up(out, keeper.run, trainer)
            if stop and stop():
                break
            trainer.keep = keeper
            trained.append(_trained(trainer, out, spec))
            if seen:
                seen(trained[-1])
            if trained[-1].steps:
                state.save(out, run, trainer.chip)
                samples.save(out, trainer.architecture.name, trainer.samples)
        if not any(one.steps for one in trained):
            rundir.abandon(out, spec)
            return None
        summary = rundir.finish(out, spec, trained, time.perf_counter() - begin)
        if summary.state == "finished":
            checkpoint.clear(out)
        return summary


def _make_way(out: Path, spec: RunSpec, *, force: bool) -> None:
    """Refuse to replace an unfinished run of other inputs, or remove what it kept."""
    if rundir.unlike(out, spec):
        if not force:
            raise InputError(
                key="--out", value=str(out), expected="a new directory, but it has an unfinished run of other inputs",
                hint=f"archsim resume {out} goes on with that, --force replaces it",
            )  # fmt: skip
        checkpoint.clear(out)


def _trained(trainer: Trainer, out: Path, spec: RunSpec) -> Trained:
    """Train to the end; a training that diverges leaves a directory that says partial."""
    try:
        return trainer.run()
    except InputError:
        rundir.abandon(out, spec)
        raise


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
    }, spec.home, partial(_that_hold, spec))  # fmt: skip


def _that_hold(spec: RunSpec) -> list[str]:
    """Return shipped forms of a run's chips that hold its network: mixed-precision-deep, say, of mixed-precision."""
    found = []
    for one in spec.architectures:
        kind = registry.load("chip", one.chip)
        if not _holds(kind, spec, one):
            forms = [name for name in files.shipped_names("architectures") if name.startswith(f"{one.name}-")]
            each = (architectures.parse(architectures.document(name)) for name in forms)
            found += [form.name for form in each if form.chip == one.chip and _holds(kind, spec, form)][:1]
    return found


def _holds(kind: type[Chip], spec: RunSpec, chip: Architecture) -> bool:
    return all(each.short <= 0 for each in kind.demands(chip, spec.network, spec.training.batch))


def check_prices(spec: RunSpec, trainers: list[Trainer]) -> None:
    """Refuse a technology that cannot price an action or a part of a chip before anything is trained."""
    check_prices_of(
        spec.technologies,
        [entry for trainer in trainers for entry in trainer.chip.entries()],
        [part for trainer in trainers for part in trainer.chip.parts()],
    )


def check_prices_of(technologies: Iterable[Technology], entries: Sequence[Entry], parts: Sequence[Part]) -> None:
    """Refuse technologies that cannot price all actions and parts of some chips."""
    for technology in technologies:
        found = [*lint(technology, entries), *lint_areas(technology, parts)]
        problems = [line for line in found if not line.startswith("note: ")]
        if problems:
            more = f" (and {len(problems) - 1} more: archsim tech lint)" if len(problems) > 1 else ""
            raise InputError(f"{problems[0]}{more}")
