"""`archsim hold` and `archsim endurance`: what becomes of a trained chip, and how worn its devices are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from archsim.base.errors import InputError
from archsim.base.progress import Report
from archsim.cli.options import AsJson, Data, Quiet
from archsim.display import console

RunDirectory = Annotated[Path, typer.Argument(metavar="DIR", help="Run directory.")]


def hold_command(  # noqa: PLR0917  an option each
    run: RunDirectory,
    duration: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long, with its unit: 30d, 12h. At most 106 days.")
    ] = "90d",
    repeats: Annotated[int, typer.Option(help="Tests at each time, each with other read noise.")] = 3,
    tech: Annotated[
        list[str] | None, typer.Option("--tech", help="File of a technology of the run that is not a shipped one.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write.", show_default="DIR/hold")] = None,
    data: Data = None, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Let the trained chips of a run drift and test them on the way, with and without global drift compensation."""
    from archsim.base.units import parse
    from archsim.report.studies import hold as drawing
    from archsim.studies.hold import hold

    try:
        duration_s = parse(duration, "s")
    except InputError as error:
        raise InputError(
            error.message.partition("; expected")[0], key="--for",
            expected='a time from 1 s to 106 days with its unit, such as "30d" or "12h"',
        ) from error  # fmt: skip
    silent = quiet or as_json

    def progress(report: Report) -> None:
        typer.echo(f"{report.what}: testing {drawing.at(report.done)}", err=True)

    content = hold(
        run, duration_s=duration_s, repeats=repeats, out=out, data=data, techs=tuple(tech or ()),
        progress=None if silent else progress,
    )  # fmt: skip
    folder = out or run / "hold"
    written = drawing.write(content, folder)
    if as_json:
        typer.echo(json.dumps(content, indent=2))
    elif not quiet:
        for part in drawing.text(content):
            console().print(part)
        typer.echo(f"Points, results and chart: {folder} ({len(written) + 2} files)")


def endurance_command(
    run: RunDirectory,
    limit: Annotated[
        float | None,
        typer.Option(help="Pulses of a kind that a device endures.", show_default="what the device file states"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write.", show_default="DIR/endurance")] = None,
    as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Show how many pulses each device got in a run: a map a tile, a histogram, against a stated endurance."""
    from archsim.report.studies import endurance as drawing
    from archsim.studies.endurance import endurance

    folder = out or run / "endurance"
    found = endurance(run, limit=limit, out=folder)
    contents: dict[str, Any] = {one.architecture: one.content() for one in found}
    written = [path for one in found for path in drawing.write(one, folder)]
    if as_json:
        typer.echo(json.dumps(contents, indent=2))
    elif not quiet:
        for one in found:
            for part in drawing.text(one):
                console().print(part)
        typer.echo(f"Maps, histogram and tables: {folder} ({len(written) + 2} files)")
