"""`archsim costs`: what each network costs on each chip, why its ratio is another one, joules to reach a metric."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import AsJson, Data, On, Preset, Quiet, Seed, Steps, Techs, interrupted
from archsim.display import console, counting, stoppable

if TYPE_CHECKING:
    from archsim.runs.summary import Summary
    from archsim.studies.costs.costs import Job


def costs_command(  # noqa: PLR0917  an option each
    given: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORKLOAD|DIR]...", help="Workloads, by name or file, and directories of finished "
                       "runs; the others are set beside the first.", show_default="all shipped, the perceptron first"),
    ] = None,
    preset: Preset = "quick", steps: Steps = None, seed: Seed = 1, tech: Techs = None,
    tests: Annotated[
        int | None, typer.Option(help="About so many tests of each training, evenly over it: joules to reach a "
                                 "metric lie between two.", show_default="the preset's")
    ] = None,
    times: Annotated[
        bool, typer.Option("--times", help="Do a step of each run again and say, by kind of layer and unit, where its "
                           "time goes.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where to write, and to go on.")] = Path("reports/costs"),
    plan_only: Annotated[bool, typer.Option("--plan", help="Say what would be done, and how long, and end.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Train again where OUT has runs of other inputs.")] = False,
    on: On = "processes", data: Data = None, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Train networks on their chips and say what each costs, and why its ratio is not that of the first.

    The page says by phase, kind of layer and part of the chip where energy goes, what a multiply-accumulate takes, and
    by which actions that differs from the first network; and draws the metric over joules, with what each chip took to
    be as good as the worse one became. A first network that is a workload is trained on the others' chips, too: what
    the chips change is told from what the network changes. Runs are kept under OUT/runs: the same command goes on.
    """
    if not plan_only:
        from archsim.studies.workers.pool import soon

        soon(on)
    from archsim.report.costs import page
    from archsim.report.sheet import terminal
    from archsim.studies.costs import costs as study

    silent = quiet or as_json
    jobs = study.plan(
        given or (), out=out, preset=preset, seed=seed, steps=steps, tests=tests,
        **({"techs": tuple(tech)} if tech else {}), data=data, force=force,
    )  # fmt: skip
    if not silent:
        _introduce(jobs, out)
    if plan_only:
        return
    _carry_out(jobs, out / study.RUNS, on, silent=silent)
    with counting("step again", silent=silent or not times) as shown:
        seen: list[str] = []

        def told(label: str) -> None:
            seen.append(label)
            shown(label, len(seen), len(jobs))

        found = study.costs(jobs, timed=times, data=data, done=told)
    written = page.write(found, out)
    if as_json:
        typer.echo(json.dumps(study.content(found), indent=2))
    elif not quiet:
        for sheet in page.terminal(found):
            console().print(terminal(sheet))
        typer.echo(f"Page: {written[0]} (and {len(written) - 1} more files beside it)")


def _carry_out(jobs: list[Job], runs: Path, on: str, *, silent: bool) -> None:
    """Do the runs that are due; exit with 130 if they were interrupted."""
    from archsim.base.files import made
    from archsim.studies.costs import costs as study
    from archsim.studies.workers.directories import STOP

    due, finished = sum(job.due for job in jobs), list[str]()
    with made(runs), counting("training", silent=silent) as shown, stoppable((runs / STOP).touch) as stop:

        def done(label: str, summary: Summary) -> None:
            finished.append(label)
            shown(f"{label}, {summary.wall_time_s:.0f} s", len(finished), due)

        try:
            whole = study.carry_out(jobs, done=done, on=on)
        finally:
            (runs / STOP).unlink(missing_ok=True)
    if stop or not whole:
        interrupted(runs)


def _introduce(jobs: list[Job], out: Path) -> None:
    """Say what is there, what is to be trained, and about how long that takes."""
    from archsim.studies.costs.costs import minutes

    for job in jobs:
        length = f"{job.steps:,} steps of {job.batch}" if job.steps else f"batches of {job.batch}"
        doing = {"given": "read", "finished": "kept", "unfinished": "goes on", "new": "to train"}[job.state]
        time = f", some {minutes(job.seconds)}" if job.due else ""
        note = f" ({job.note})" if job.note else ""
        typer.echo(f"  {job.label}: {length}, {doing}{time}{note}")
    if any(job.due for job in jobs):
        total = minutes(sum(job.seconds for job in jobs))
        typer.echo(f"  all in all some {total} on one core, by multiply-accumulates; less on several. Into {out}")
