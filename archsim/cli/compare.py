"""`archsim compare`: technologies, chips or runs side by side, from what was recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from archsim.base.errors import InputError
from archsim.cli.options import AsJson, Data, FigureRule, Quiet
from archsim.display import console


def compare_command(  # noqa: PLR0917  an option each
    runs: Annotated[list[Path], typer.Argument(metavar="RUN [RUN2 ...]", help="Run directories.")],
    tech: Annotated[
        list[str] | None,
        typer.Option("--tech", help="Technology, by name or file; repeat to compare by several, the first with each "
                     "other one.", show_default="the run's own"),
    ] = None,
    arch: Annotated[
        list[str] | None,
        typer.Option("--arch", help="Chip of the run; give two to compare them.", show_default="all of the run"),
    ] = None,
    charts: Annotated[bool, typer.Option("--charts", help="Draw the charts too, which takes a few seconds.")] = False,
    retime: Annotated[
        bool, typer.Option(help="Run steps again for a technology of other times, instead of refusing it.")
    ] = True,
    retime_steps: Annotated[int, typer.Option(help="How many of the run's steps to run again, at most.")] = 3000,
    out: Annotated[Path | None, typer.Option(help="Where to write.", show_default="RUN/compare")] = None,
    figure_rule: FigureRule = None, data: Data = None, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Set the energy of a training step side by side: by technologies, of chips, of runs; and say why."""
    for option, names in (("--tech", tech or []), ("--arch", arch or [])):
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(key=option, value=twice[0], expected="each name once, but this one was given twice")
    if retime_steps < 1:
        raise InputError(key="--retime-steps", value=retime_steps, expected="a whole number from 1 on")
    from archsim.base.files import check_folder
    from archsim.records.compare import compare
    from archsim.report.compare import tables as page

    folder = out or runs[0] / "compare"
    check_folder(folder)
    silent = quiet or as_json

    def say(line: str) -> None:
        if not silent:
            typer.echo(line, err=True)

    found = compare(
        runs, techs=tuple(tech or ()), archs=tuple(arch or ()), points=folder / "points", ranges=charts,
        retime_steps=retime_steps if retime else None, data=data, say=say,
        rule=figure_rule,
    )  # fmt: skip
    written = page.write(found, folder, charts=charts)
    if as_json:
        typer.echo(json.dumps(found.content(), indent=2))
    elif not quiet:
        for part in page.text(found):
            console().print(part)
        typer.echo(f"Tables{' and charts' if charts else ''}: {folder} ({len(written)} files)")
