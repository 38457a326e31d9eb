"""`archsim verify`: run a run again, and compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from archsim.cli.options import INTERRUPTED, AsJson, Data, Quiet
from archsim.display import console, stoppable
from archsim.display import progress as show_progress


def verify_command(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory; it is only read.")],
    tech: Annotated[
        list[str] | None, typer.Option("--tech", help="File of a technology of the run that is not a shipped one.")
    ] = None,
    data: Data = None, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Do a run again from its run.yaml and say, bit for bit, what is equal; exit with 1 if anything is not."""
    from archsim.records.verify import surroundings, verify
    from archsim.report.sheet import terminal
    from archsim.report.studies import verify as report
    from archsim.runs.layout import read_run

    if not (quiet or as_json):
        for line in report.foreword(surroundings(read_run(run))):
            typer.echo(line)
    with stoppable() as stop, show_progress(silent=quiet or as_json) as progress:
        found = verify(run, data=data, techs=tuple(tech or ()), progress=progress, stop=lambda: bool(stop))
    if found is None:
        typer.echo("archsim: interrupted; nothing was compared", err=True)
        raise typer.Exit(INTERRUPTED)
    if as_json:
        typer.echo(json.dumps(report.content(found), indent=2))
    elif not quiet:
        console().print(terminal(report.sheet(found)))
        for line in report.words(found):
            typer.echo(line)
    if not found.equal:
        raise typer.Exit(1)
