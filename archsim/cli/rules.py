"""`archsim rules`: update rules, devices and learning rules side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from archsim.cli.options import AsJson, Data, On, Quiet, Settings, going_on
from archsim.display import console, counting

if TYPE_CHECKING:
    from archsim.studies.rules.results import Results
    from archsim.studies.rules.study import Plan

Workload = Annotated[str, typer.Argument(help="Workload, by name or file.")]
Rules = Annotated[
    list[str] | None,
    typer.Option("--arch", help="Update rule: an architecture, by name or file; repeat for several.",
                 show_default="mixed-precision, multi-pcm, in-array-sgd, tiki-taka, chopped-tiki-taka, agad, hybrid, "
                 "in-array, multi-device, digital32"),
]  # fmt: skip
Devices = Annotated[
    list[str] | None,
    typer.Option("--device", help="Device, by name or file; repeat for several. What a rule refuses is listed.",
                 show_default="each rule's own, and those of the preset"),
]  # fmt: skip
Learnings = Annotated[
    list[str] | None,
    typer.Option("--learning", help="Learning rule; repeat for several.",
                 show_default="backpropagation and direct-feedback-alignment"),
]  # fmt: skip
Rates = Annotated[
    str | None,
    typer.Option(metavar="VALUES", help="Learning rates that are tried for each combination: 0.1,0.3 or "
                 "0.01..1:log:5.", show_default="around that of the workload"),
]  # fmt: skip
Budget = Annotated[
    int | None,
    typer.Option(metavar="STEPS", help="Steps of the search of each combination, shared evenly by the rates.",
                 show_default="as the preset says"),
]  # fmt: skip
Steps = Annotated[int | None, typer.Option(help="Steps of each training.", show_default="as the preset says")]
Seeds = Annotated[int, typer.Option(help="Trainings of each combination.")]
FirstSeed = Annotated[int, typer.Option(help="The first seed; the search has one of its own.")]
Target = Annotated[
    str | None,
    typer.Option(metavar="VALUE", help="What energy and time are told to: a value of the metric, such as 90%.",
                 show_default="what the worst rule that learns reaches"),
]  # fmt: skip
Tech = Annotated[
    str | None, typer.Option("--tech", help="Technology of all.", show_default="that of each device")
]  # fmt: skip
Preset = Annotated[str, typer.Option(help="quick: minutes; full: the workload's own training, hours.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and end.")]
Page = Annotated[bool, typer.Option(help="Write OUT/report: the page and its pictures.")]
Out = Annotated[
    Path | None, typer.Option(help="Where to write, and to go on.", show_default="reports/rules-WORKLOAD")
]  # fmt: skip


def rules_command(  # noqa: PLR0917  an option each
    workload: Workload,
    arch: Rules = None,
    device: Devices = None,
    learning: Learnings = None,
    rates: Rates = None,
    budget: Budget = None,
    steps: Steps = None,
    seeds: Seeds = 3,
    seed: FirstSeed = 1,
    target: Target = None,
    tech: Tech = None,
    set_: Settings = None,
    preset: Preset = "quick",
    data: Data = None,
    dry_run: DryRun = False,
    page: Page = True,
    out: Out = None,
    on: On = "processes", as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Train WORKLOAD by every combination of update rule, device and learning rule, and say what each costs.

    The learning rate of each is found by a search of the same budget, judged without the test set; then each is trained
    with several seeds. Metric, energy and time, both until a target is reached, pulses and wear, memory and area stand
    in a table and on a page that says what the numbers support. What is done is kept in OUT: the same command goes on.
    """
    if not dry_run:
        from archsim.studies.workers.pool import soon

        soon(on)
    from archsim.studies.rules.asked import asked
    from archsim.studies.rules.study import check, folder_of, plan

    study = asked(
        workload, archs=arch, devices=device, learnings=learning, rates=rates, budget=budget, steps=steps, seeds=seeds,
        first_seed=seed, target=target, tech=tech, settings=set_ or (), preset=preset, data=data,
    )  # fmt: skip
    found = plan(study)
    folder = out or folder_of(study)
    silent = quiet or as_json
    if dry_run:
        check(found, folder, on=on)
    if dry_run or not silent:
        _introduce(found, folder)
    if not dry_run:
        _carry_out(found, folder, on, page=page, as_json=as_json, quiet=quiet)


def _introduce(plan: Plan, out: Path) -> None:
    """Say what is done, and what is not possible."""
    if plan.instead_of:
        typer.echo(f"  note       this is {plan.workload}, in place of {plan.instead_of}, whose data were not found")
    for line in plan.lines():
        typer.echo(f"  {line}")
    reasons: dict[str, dict[str, None]] = {}
    for one in plan.combinations:
        if not one.possible:
            reasons.setdefault(one.reason, {})[f"{one.rule} with {one.device}"] = None
    for reason, refused in reasons.items():
        typer.echo(f"  no         {', '.join(refused)}: {reason}")
    typer.echo(f"  into       {out}")


def _carry_out(plan: Plan, out: Path, on: str, *, page: bool, as_json: bool, quiet: bool) -> None:
    """Do the study and print its tables; exit with 130 if it was interrupted, with 1 if something failed."""
    from archsim.studies.rules.study import carry_out

    with going_on(out), counting("training", silent=quiet or as_json) as shown:
        found = carry_out(plan, out, on=on, done=shown)
    if as_json:
        from archsim.studies.rules.table import rows

        typer.echo(json.dumps(rows(found), indent=2))
    elif not quiet:
        _print(found)
    if page:
        from archsim.report.rules.page import FOLDER, write

        written = write(found, out / FOLDER)
        if not (quiet or as_json):
            typer.echo(f"Page: {written[0]} (and {len(written) - 1} files beside it)")
    if found.failed:
        first = found.failed[0]
        typer.echo(
            f"archsim: {len(found.failed)} of {len(plan.possible)} combinations failed, the first, "
            f"{first.combination.named}: {first.reason}", err=True,
        )  # fmt: skip
        raise typer.Exit(1)


def _print(found: Results) -> None:
    """Print the tables, what they say, and where all of it is."""
    from archsim.report.rules import page, words
    from archsim.report.sheet import terminal

    for sheet in page.terminal(found):
        console().print(terminal(sheet))
    for sentence in (*words.overview(found), *words.by_device(found), *words.learnings(found), *words.pulses(found)):
        typer.echo(sentence)
    typer.echo(f"Table: {found.path / 'sweep.csv'} (archsim sweep show {found.path})")
