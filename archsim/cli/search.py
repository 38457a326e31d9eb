"""`archsim search`: designs that a sampler proposes, estimated first, and trained where that decides something."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.base.frames import records
from archsim.cli.designs import (
    Archs,
    Batch,
    DryRun,
    Estimate,
    Figures,
    KeepRuns,
    Out,
    Page,
    Seeds,
    Sets,
    StudyFile,
    Techs,
    draw,
)
from archsim.cli.options import AsJson, Data, On, Preset, Quiet, Steps, Until, going_on
from archsim.display import console, counting

if TYPE_CHECKING:
    from archsim.studies.search.asked import Search
    from archsim.studies.search.search import Found

MOST_SHOWN = 20
"""Designs of the front that are printed."""


# --- options ----------------------------------------------------------------------------------------------------------
Network = Annotated[
    str | None, typer.Argument(help="Workload, by name or file.", show_default="that of --file")
]  # fmt: skip
Minimise = Annotated[
    list[str] | None,
    typer.Option("--minimise", metavar="QUANTITY", help="Objective: energy, time, area, edp. Repeat for several."),
]  # fmt: skip
Maximise = Annotated[
    list[str] | None,
    typer.Option("--maximise", metavar="QUANTITY", help="Objective: accuracy (or what the workload is judged by), "
                 "operations (per energy), energy_ratio."),
]  # fmt: skip
SubjectTo = Annotated[
    list[str] | None,
    typer.Option("--subject-to", metavar="CONSTRAINT", help='Constraint over quantities or parameters, such as '
                 '"accuracy >= 97 %", "area <= 2 mm2" or "tile.dac.bits >= tile.adc.bits". Repeat for several.'),
]  # fmt: skip
Trials = Annotated[
    int, typer.Option(help="Designs to estimate; with --train, to train.")
]  # fmt: skip
Trainings = Annotated[
    int, typer.Option(help="Of these, designs to train, where the metric is an objective or in a constraint.")
]  # fmt: skip
Sampler = Annotated[
    str, typer.Option(help="tpe or nsga2, of Optuna.")
]  # fmt: skip
Seed = Annotated[
    int, typer.Option(help="Seed of the sampler: the same seed proposes the same designs.")
]  # fmt: skip
AtATime = Annotated[
    int, typer.Option("--at-a-time", help="Designs that are proposed together, whatever the number of workers.")
]  # fmt: skip
Train = Annotated[
    bool, typer.Option("--train", help="Train every design, without estimates.")
]  # fmt: skip
Storage = Annotated[
    str | None, typer.Option(metavar="URL|FILE", help="Where Optuna keeps its trials: a data base, such as "
                             "sqlite:///search.db, or a journal.",
                             show_default="OUT/optuna.log"),
]  # fmt: skip
Join = Annotated[
    bool, typer.Option("--join", help="Take part in the search that another process does in OUT, from here.")
]  # fmt: skip


def search_command(  # noqa: PLR0917  an option each
    workload: Network = None,
    set_: Sets = None,
    figure: Figures = None,
    minimise: Minimise = None,
    maximise: Maximise = None,
    subject_to: SubjectTo = None,
    trials: Trials = 100,
    trainings: Trainings = 20,
    sampler: Sampler = "tpe",
    seed: Seed = 1,
    at_a_time: AtATime = 8,
    estimate: Estimate = False,
    train: Train = False,
    tech: Techs = None,
    arch: Archs = None,
    seeds: Seeds = None,
    preset: Preset = None, steps: Steps = None, until: Until = None,
    batch: Batch = None,
    data: Data = None,
    file: StudyFile = None,
    dry_run: DryRun = False,
    storage: Storage = None,
    keep_runs: KeepRuns = False,
    page: Page = True,
    join: Join = False,
    out: Out = None,
    on: On = "processes", as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Search for the designs of WORKLOAD that no other surpasses in all objectives, within constraints.

    Designs are estimated first. Where the metric is an objective or in a constraint, few of them are trained: half
    spaced evenly from the front of the estimates outwards, then what the sampler proposes; none whose estimate breaks
    a constraint. What is done is kept in OUT, as a sweep's: the same command goes on; archsim sweep show OUT reads it.
    """
    if not dry_run:
        from archsim.studies.workers.pool import soon

        soon(on)
    from archsim.studies.search.asked import folder_of, search
    from archsim.studies.search.search import check

    what = search(
        workload, file=file, settings=set_ or (), figures=figure or (), archs=arch or (), techs=tech or (),
        minimise=minimise or (), maximise=maximise or (), subject_to=subject_to or (), trials=trials,
        trainings=trainings, sampler=sampler, seed=seed, at_a_time=at_a_time, estimate=estimate, train=train,
        seeds=seeds, preset=preset, steps=steps, until=until, batch=batch, data=data,
    )  # fmt: skip
    folder = out or folder_of(what, file.stem if file else None)
    if dry_run:
        check(what, folder, on=on, storage=storage, join=join)
    silent = quiet or as_json
    if dry_run or not silent:
        if what.instead_of:
            typer.echo(f"  note       this is {what.study.workload}, in place of {what.instead_of}, whose data were "
                       "not found")  # fmt: skip
        for line in what.lines():
            typer.echo(f"  {line}")
        typer.echo(f"  into       {folder}")
    if not dry_run:
        _carry_out(what, folder, on, storage=storage, keep_runs=keep_runs, join=join, as_json=as_json,
                   quiet=quiet, page=page)  # fmt: skip


def _carry_out(
    what: Search, out: Path, on: str, *, storage: str | None, keep_runs: bool, join: bool, as_json: bool, quiet: bool,
    page: bool,
) -> None:  # fmt: skip
    """Do the search and print its front; exit with 130 if it was interrupted, with 1 if no design is within."""
    from archsim.studies.search.search import carry_out

    with going_on(out), counting("design", silent=quiet or as_json) as shown:
        found = carry_out(what, out, on=on, storage=storage, keep_runs=keep_runs, join=join, done=shown)
    if as_json:
        typer.echo(json.dumps(records(found.front), indent=2, allow_nan=False))
    elif not quiet:
        _print(what, found, out)
    if page:
        x, y = _pictured([each.name for each in what.goals.objectives])
        draw(found.sweep, silent=quiet or as_json, x=x, y=y)
    if not len(found.front):
        typer.echo(f"archsim: no design of {len(found.frame):,} is within the constraints: {found.nearest}", err=True)
        raise typer.Exit(1)


def _pictured(objectives: list[str]) -> tuple[str | None, str | None]:
    """Return what stands across and up the picture of the front: two objectives, the metric up; None is by default."""
    from archsim.records.sweeps.sweep import METRIC

    if METRIC in objectives:
        return next((name for name in objectives if name != METRIC), None), METRIC
    if len(objectives) > 1:
        return objectives[0], objectives[1]
    return (None, None) if objectives[0] == "latency_per_sample_s" else (objectives[0], None)


def _print(what: Search, found: Found, out: Path) -> None:
    """Print the front, and where all of it is."""
    from archsim.report.studies import sweeps as tables

    if len(found.front):
        names = tables.named(found.sweep, None)
        console(width=tables.WIDEST).print(tables.table(found.sweep, found.front.head(MOST_SHOWN), names))
    hows = found.sweep.finished["how"].value_counts()
    told = ", ".join(f"{count:,} {how}" for how, count in hows.items())
    of_all = "" if what.space.size is None else f" of {what.space.size:,}"
    within = f"{found.fulfilled:,} within the constraints, " if what.goals.limits else ""
    typer.echo(f"{len(found.frame):,}{of_all} designs: {told}; {within}{len(found.front):,} on the front")
    if found.refused:
        name, reason = next(iter(found.refused.items()))
        typer.echo(f"{len(found.refused):,} could not be done, the first, {name}: {reason}")
    failed = found.frame[found.frame["state"] == "failed"]
    if len(failed):
        typer.echo(f"{len(failed):,} failed, the first: {failed['reason'].iloc[0]}")
    typer.echo(f"Table: {out / 'sweep.csv'} (archsim sweep show {out})")
