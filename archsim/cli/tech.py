"""`archsim tech`: technology files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from archsim.cli.group import Group
from archsim.cli.options import Archs
from archsim.cli.tech_make import COMMANDS
from archsim.display import console

tech_app = typer.Typer(cls=Group, help="Technology files: figures with units and sources.")
for command, function in COMMANDS.items():
    tech_app.command(command)(function)


@tech_app.command("list")
def tech_list() -> None:
    """List the shipped technologies."""
    from archsim.accounting.technology import list_technologies, read_technology

    for name in list_technologies():
        technology = read_technology(name)
        typer.echo(f"{name:28} {technology.node:8} {len(technology.figures):3} figures  {technology.title}")


@tech_app.command("show")
def tech_show(name: Annotated[str, typer.Argument(metavar="TECH", help="Technology, by name or file.")]) -> None:
    """Show every time, price and area of TECH: value, range, basis, source."""
    from rich.table import Table

    from archsim.accounting.technology import read_technology
    from archsim.base.units import show

    technology = read_technology(name)
    table = Table("figure", "value", "range", "basis", "source or reason", "prices", title=technology.title)
    for time in technology.times.values():
        table.add_row(time.name, show(time.value, "s"), "", time.origin.basis, _origin(time.origin), "time")
    for figure in technology.figures.values():
        unit = figure.price_unit
        low, high = show(figure.low, unit), show(figure.high, unit)
        table.add_row(
            figure.name, show(figure.value, unit), f"{low} .. {high}", figure.origin.basis, _origin(figure.origin),
            ", ".join(figure.prices) or "nothing",
        )  # fmt: skip
    for area in technology.areas.values():
        low, high = show(area.low, area.unit), show(area.high, area.unit)
        table.add_row(
            area.name, show(area.value, area.unit), f"{low} .. {high}", area.origin.basis, _origin(area.origin),
            f"area of {', '.join(area.prices) or 'nothing'}",
        )  # fmt: skip
    console().print(table)


def _origin(origin: Any) -> str:
    text = origin.named or str(origin.why or "")
    return f"{text}; {origin.note}" if origin.basis == "calibrated" else text


@tech_app.command("lint")
def tech_lint(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[TECH]...", help="Technologies; all shipped ones if none.")
    ] = None,
    arch: Archs = None,
) -> None:
    """Check technologies: schema, units, sources, and that every action of the architectures has exactly one price."""
    from archsim.accounting.area import lint_areas
    from archsim.accounting.technology import lint, list_technologies, read_technology
    from archsim.base.files import shipped_names
    from archsim.studies.inventory import entries, parts

    problems = 0
    archs = arch or shipped_names("architectures")
    for name in names or list_technologies():
        technology = read_technology(name)
        found = lint(technology, [entry for a in archs for entry in entries(a, technology)])
        found += lint_areas(technology, [part for a in archs for part in parts(a, technology)])
        for line in found:
            typer.echo(line)
        bad = sum(not line.startswith("note: ") for line in found)
        problems += bad
        typer.echo(f"{technology.name}: {'ok' if not bad else f'{bad} problems'} for {', '.join(archs)}")
    if problems:
        raise typer.Exit(1)


@tech_app.command("calibrate")
def tech_calibrate(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory of a run of both chips.")],
    out: Annotated[Path, typer.Option(help="Technology file to write.")],
    tech: Annotated[str, typer.Option(help="Technology to start from; the run was priced by it.")] = "bottom-up-14nm",
) -> None:
    """Move TECH's figures as little as possible so that the run gives the paper's two totals; say by how much."""
    from archsim.studies.calibrate import calibrate

    for move in calibrate(run, tech, out):
        note = "" if move.inside else "  outside its published range"
        typer.echo(f"{move.figure.name:20} x{move.factor:<8.3g}{note}")
    typer.echo(f"written: {out}")
