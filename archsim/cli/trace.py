"""`archsim trace`: who did what when in a few steps of a run, for a trace viewer and as a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from archsim.base.errors import InputError
from archsim.base.progress import Report
from archsim.cli.options import AsJson, Data, Quiet
from archsim.display import console


def trace_command(  # noqa: PLR0917  an option each
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory.")],
    steps: Annotated[int, typer.Option(help="Training steps to record.")] = 3,
    skip: Annotated[
        int | None, typer.Option(help="Steps before them.", show_default="1000, or as many as the run leaves")
    ] = None,
    arch: Annotated[
        list[str] | None, typer.Option("--arch", help="Chip of the run; repeat for several.", show_default="all")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Perfetto trace to write.", show_default="DIR/trace/step.pftrace")
    ] = None,
    vcd: Annotated[Path | None, typer.Option(help="Value change dump to write, too.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no trace of archsim's.")] = False,
    tech: Annotated[
        list[str] | None, typer.Option("--tech", help="File of a technology of the run that is not a shipped one.")
    ] = None,
    data: Data = None, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Do some steps of a run again and write their time line: a Perfetto trace, a table, and a picture a chip."""
    from archsim.base.files import claim
    from archsim.records import timeline
    from archsim.records.trace import trace
    from archsim.report.sheet import terminal
    from archsim.report.trace import charts as drawing
    from archsim.report.trace import perfetto
    from archsim.report.trace import vcd as dump

    folder = run / timeline.FOLDER
    target = claim(out or folder / "step.pftrace", mark=perfetto.MARK, what="trace", force=force)
    if vcd and vcd.absolute() == target.absolute():
        raise InputError(key="--vcd", value=str(vcd), expected="another file than --out")
    perfetto.schema()
    if vcd:
        claim(vcd, option="--vcd", mark=perfetto.MARK, what="trace", force=force)
        dump.package()
    silent = quiet or as_json

    def progress(report: Report) -> None:
        typer.echo(f"{report.what}: training up to step {report.due:.0f}, then recording {steps}", err=True)

    found = trace(
        run, steps=steps, skip=skip, archs=tuple(arch or ()), data=data, techs=tuple(tech or ()),
        progress=None if silent else progress,
    )  # fmt: skip
    perfetto.write(found, target)
    if vcd:
        dump.write(found, vcd)
    timeline.write(found, folder)
    drawing.write(found, folder)
    if as_json:
        typer.echo(json.dumps(timeline.content(found), indent=2))
    elif not quiet:
        for chip in found.chips:
            for line in drawing.words(chip):
                typer.echo(line)
            for sheet in drawing.sheets(chip):
                console().print(terminal(sheet))
        typer.echo(f"Trace: {target}" + (f", {vcd}" if vcd else "") + f" ({perfetto.SCALE})")
        typer.echo(f"Table and pictures: {folder}")
