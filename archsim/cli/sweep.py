"""`archsim sweep`: a grid of designs, trained or estimated, and its table; `archsim sweep show DIR` reads one."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsim.base.errors import InputError
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
    only,
    tell_page,
)
from archsim.cli.options import AsJson, Data, On, Preset, Quiet, Steps, Until, going_on
from archsim.display import console, counting, lasting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from archsim.records.sweeps.sweep import Sweep
    from archsim.studies.sweeps.plan import Plan

SHOW, REPORT = "show", "report"
OF_SHOW = ("--where", "--sort", "--best", "--columns", "--csv", "--json", "--quiet")
OF_REPORT = ("--x", "--y", "--map", "--fix", "--out", "--quiet")
BEST = 5
"""Points that a sweep ends with."""


# --- options ----------------------------------------------------------------------------------------------------------
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="WORKLOAD | show DIR | report DIR", help="Workload, by name or file; or `show` or "
                   "`report` and the directory of a sweep.", show_default="that of --file"),
]  # fmt: skip
Together = Annotated[
    bool, typer.Option("--together", help="All --arch are chips of every point; the first digital is the baseline.")
]  # fmt: skip
Ratio = Annotated[
    bool, typer.Option(help="Train the baseline beside --arch, for the ratio.")
]  # fmt: skip
Conditions = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="CONDITION", help='Points to take, such as "tile.dac.bits >= tile.adc.bits"; '
                 'with show, rows, such as "accuracy >= 97 %". Repeat for several.'),
]  # fmt: skip
FirstSeed = Annotated[
    int | None, typer.Option(help="The first seed.", show_default="1")
]  # fmt: skip
Yes = Annotated[
    bool, typer.Option("--yes", help="More than 1,000 trainings, or 100,000 points, are wanted.")
]  # fmt: skip
Retime = Annotated[
    int, typer.Option(help="Steps done again for other times, of a longer training; 0: train with each.")
]  # fmt: skip
StopHopeless = Annotated[
    bool,
    typer.Option("--stop-hopeless", help="Test all after a quarter of the steps; end those that another of the "
                 "same chip surpasses clearly in the metric, at no more energy, time and area."),
]  # fmt: skip
Sort = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Sort rows by a quantity, the best first, or by an axis.")
]  # fmt: skip
Best = Annotated[
    int | None, typer.Option(metavar="N", help="Show so many rows.")
]  # fmt: skip
Columns = Annotated[
    str | None, typer.Option(metavar="A,B", help="Show these columns.", show_default="axes and quantities")
]  # fmt: skip
AsCsv = Annotated[
    bool, typer.Option("--csv", help="Print the rows as CSV, and nothing else.")
]  # fmt: skip
Across = Annotated[
    str | None, typer.Option("--x", metavar="QUANTITY", help="With report: across the front's picture.",
                             show_default="energy")
]  # fmt: skip
Up = Annotated[
    str | None, typer.Option("--y", metavar="QUANTITY", help="With report: up it.", show_default="the metric")
]  # fmt: skip
Map = Annotated[
    str | None, typer.Option("--map", metavar="A,B", help="With report: the two axes of the map.",
                             show_default="those that decide most")
]  # fmt: skip
Fix = Annotated[
    list[str] | None, typer.Option("--fix", metavar="KEY=VALUE", help="With report: where the map holds another "
                                   "axis; repeat for several.", show_default="the mean over it")
]  # fmt: skip


def sweep_command(  # noqa: PLR0917  an option each
    context: typer.Context,
    words: Words = None,
    set_: Sets = None,
    figure: Figures = None,
    tech: Techs = None,
    arch: Archs = None,
    together: Together = False,
    ratio: Ratio = True,
    condition: Conditions = None,
    seeds: Seeds = None,
    seed: FirstSeed = None,
    estimate: Estimate = False,
    preset: Preset = None, steps: Steps = None, until: Until = None,
    batch: Batch = None, data: Data = None, file: StudyFile = None,
    dry_run: DryRun = False, yes: Yes = False,
    retime: Retime = 3000,
    stop_hopeless: StopHopeless = False,
    keep_runs: KeepRuns = False,
    out: Out = None,
    on: On = "processes",
    sort: Sort = None,
    best: Best = None,
    columns: Columns = None,
    as_csv: AsCsv = False,
    page: Page = True,
    x: Across = None,
    y: Up = None,
    map_: Map = None,
    fix: Fix = None,
    as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Train or estimate WORKLOAD at every point of a grid: metric, energy, time, area and more, a row a point and chip.

    No more is trained than decides the counts: points that differ in prices alone are priced from one training, points
    that differ in times alone are re-timed. What is done is kept in OUT: the same command goes on, after Ctrl-C too.
    OUT/sweep.csv is the table. archsim sweep show OUT prints, filters and sorts it; archsim sweep report OUT draws it.
    """
    if as_csv and as_json:
        raise InputError("both given", key="--csv, --json", expected="one of them")
    view = {"sort": sort, "best": best, "columns": columns, "as_csv": as_csv, "as_json": as_json}
    if words and words[0] == REPORT:
        only(context, OF_REPORT, "sweep report")
        _report(words[1:], out, {"x": x, "y": y, **_map(map_, fix or ())}, quiet=quiet)
        return
    if words and words[0] == SHOW:
        only(context, OF_SHOW, "sweep show")
        _show(words[1:], condition, view)
        return
    only(context, _own(context), "a sweep, but of sweep report")
    if words and len(words) > 1:
        raise InputError(key="WORKLOAD", value=" ".join(words), expected="one workload, or `show` and a directory")
    if not dry_run:
        from archsim.studies.workers.pool import soon

        soon(on)
    from archsim.studies.sweeps import plan as plans
    from archsim.studies.sweeps.study import asked
    from archsim.studies.sweeps.sweep import awaited, check, folder_of

    study = asked(
        words[0] if words else None, file=file, settings=set_ or (), figures=figure or (), archs=arch, techs=tech,
        preset=preset, together=together or None, reference=None if ratio else False, estimate=estimate or None,
        seeds=seeds, first_seed=seed, steps=steps, until=until, batch=batch, data=data,
        conditions=tuple(condition) if condition else None,
    )  # fmt: skip
    plan = plans.plan(study, retime=retime, yes=yes)
    folder = out or folder_of(study, file.stem if file else None)
    _choose(awaited(plan, folder), (), view)  # so that a wrong name is told now, not after hours
    silent = quiet or as_json or as_csv
    if dry_run:
        check(plan, folder, on=on, stop_hopeless=stop_hopeless)
    if dry_run or not silent:
        _introduce(plan, folder, on, dry_run=dry_run)
    if not dry_run:
        _carry_out(plan, folder, on, view, silent=silent, stop_hopeless=stop_hopeless, keep_runs=keep_runs, page=page)


def _own(context: typer.Context) -> list[str]:
    """Return the options of a sweep that is done."""
    names = [name for each in context.command.params for name in each.opts]
    return [name for name in names if name not in OF_REPORT or name in ("--out", "--quiet")]


def _introduce(plan: Plan, out: Path, on: str, *, dry_run: bool) -> None:
    """Say how many points there are, what is trained for them, and about how long that takes."""
    from archsim.studies.sweeps.sweep import timed
    from archsim.studies.workers.lanes import cores

    if plan.reading.instead_of:
        name = plan.reading.document.data["name"]
        typer.echo(f"  note       this is {name}, in place of {plan.reading.instead_of}, whose data were not found")
    for line in plan.lines():
        typer.echo(f"  {line}")
    if dry_run:
        seconds = plan.seconds(timed(plan))
        where = f"; on {cores()} cores some {lasting(seconds / cores())}" if on == "processes" and cores() > 1 else ""
        how = "estimates" if plan.study.estimate else "steps and tests"
        typer.echo(f"  duration   some {lasting(seconds)} on one core{where}, by {how} of the first point, timed here")
    typer.echo(f"  into       {out}")


_SELDOM_S = 0.5
"""Seconds between two looks at the progress."""


def _carry_out(
    plan: Plan,
    out: Path,
    on: str,
    view: dict[str, Any],
    *,
    silent: bool,
    stop_hopeless: bool,
    keep_runs: bool,
    page: bool,
) -> None:
    """Do the sweep and print its best points; exit with 130 if it was interrupted, with 1 if points failed."""
    from archsim.studies.sweeps.sweep import carry_out

    what = "estimate" if plan.study.estimate else "training"
    with going_on(out), counting(what, silent=silent) as shown:
        told = [0.0]

        def done(name: str, finished: int, due: int) -> None:
            if finished == due or time.monotonic() > told[0] + _SELDOM_S:  # thousands come by
                told[0] = time.monotonic()
                shown(name, finished, due)

        found = carry_out(plan, out, on=on, stop_hopeless=stop_hopeless, keep_runs=keep_runs, done=done)
    to_read = not (view["as_csv"] or view["as_json"])
    best = BEST if to_read and view["best"] is None else view["best"]
    _print(found, (), {**view, "best": best}, silent=silent and to_read)
    if not silent:
        typer.echo(f"Table: {out / 'sweep.csv'} ({len(found.frame):,} rows; archsim sweep show {out})")
    if page:
        draw(found, silent=silent)
    cut = found.frame[found.frame["state"] == "stopped"]["point"].nunique()
    if cut and not silent:
        typer.echo(f"{cut} of {len(plan.points):,} points were cut early; their rows say why")
    failed = found.frame[found.frame["state"] == "failed"]
    if len(failed):
        typer.echo(
            f"archsim: {failed['point'].nunique()} of {len(plan.points):,} points failed, the first: "
            f"{failed['reason'].iloc[0]}", err=True,
        )  # fmt: skip
        raise typer.Exit(1)


def _show(words: list[str], conditions: list[str] | None, view: dict[str, Any]) -> None:
    from archsim.records.sweeps.sweep import read_sweep

    if len(words) != 1:
        raise InputError(key="show", value=" ".join(words), expected="the directory of a sweep")
    _print(read_sweep(Path(words[0])), conditions or (), view, silent=False)


def _map(told: str | None, fix: Sequence[str]) -> dict[str, Any]:
    """Return what `report.sweeps.write` takes of --map and --fix."""
    pair = tuple(each.strip() for each in told.split(",")) if told is not None else None
    if pair is not None and (len(pair) != 2 or not all(pair)):
        raise InputError(key="--map", value=told, expected="two axes, such as tile.adc.bits,tile.rows")
    fixed: dict[str, str] = {}
    for text in fix:
        key, _, value = (part.strip() for part in text.partition("="))
        if not (key and value) or key in fixed:
            raise InputError(key="--fix", value=text, expected="KEY=VALUE, each key once, such as adc.conversion=1pJ")
        fixed[key] = value
    return {"pair": pair, "fixed": fixed or None}


def _report(words: list[str], out: Path | None, drawn: dict[str, Any], *, quiet: bool) -> None:
    """Draw the pictures and write the page of a sweep."""
    if len(words) != 1:
        raise InputError(key="report", value=" ".join(words), expected="the directory of a sweep")
    tell_page(Path(words[0]), out, silent=quiet, **drawn)


def _print(found: Sweep, conditions: Any, view: dict[str, Any], *, silent: bool) -> None:
    from archsim.report.studies import sweeps as tables

    if silent:
        return
    rows, names = _choose(found, conditions, view)
    if view["as_csv"]:
        typer.echo(rows[names].to_csv(index=False, lineterminator="\n"), nl=False)
    elif view["as_json"]:
        typer.echo(json.dumps(records(rows[names]), indent=2, allow_nan=False))
    elif rows.empty:
        typer.echo(f"none of {len(found.frame):,} rows")
    else:
        console(width=tables.WIDEST).print(tables.table(found, rows, names))


def _choose(found: Sweep, conditions: Any, view: dict[str, Any]) -> tuple[Any, list[str]]:
    """Return the rows and the names of the columns that are asked for."""
    from archsim.report.studies import sweeps as tables

    to_read = not (view["as_csv"] or view["as_json"])
    rows = tables.chosen(found, conditions, sort=view["sort"], best=view["best"], to_read=to_read)
    return rows, tables.named(found, view["columns"])
