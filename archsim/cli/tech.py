"""`archsim tech`: technology files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from archsim.cli.group import App, Group
from archsim.cli.options import Archs, AsJson, tell_lint
from archsim.cli.tech_make import COMMANDS, Force
from archsim.display import console

tech_app = App(cls=Group, help="Technology files: figures with units and sources.")
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
    from archsim.accounting.technology import list_technologies
    from archsim.api.tech import lint
    from archsim.base.files import shipped_names

    archs = arch or shipped_names("architectures")
    tell_lint(((name, lint(name, archs=archs)) for name in names or list_technologies()), archs)


@tech_app.command("rules")
def tech_rules(
    name: Annotated[str, typer.Argument(metavar="TECH", help="Technology, by name or file.")] = "bottom-up-14nm",
    run: Annotated[
        Path | None, typer.Option(help="A run of the technology's times: energies of its steps by every rule, too.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every scaled figure of TECH, and the totals of a run, under each scaling rule."""
    from rich.table import Table

    from archsim.accounting.technology import read_technology
    from archsim.base.units import show
    from archsim.studies.explain.ruled import under_rules

    found = under_rules(read_technology(name), run)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
        return
    rules = list(next(iter(found.figures.values()))[1])
    heads = [f"{rule} (own)" if rule == found.own else rule for rule in rules]
    table = Table("figure", *heads, title=f"{found.technology} under each scaling rule (--figure-rule)")
    for figure, (unit, values) in found.figures.items():
        table.add_row(figure, *(show(values[rule], unit, 4) for rule in rules))
    for chip, energies in found.energies.items():
        table.add_row(f"{chip}, a step", *(show(energies[rule], "J", 4) for rule in rules))
    console().print(table)
    typer.echo(f"{found.times[0].upper()}{found.times[1:]}.")


@tech_app.command("calibrate")
def tech_calibrate(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory of a run of both chips.")],
    out: Annotated[Path, typer.Option(help="Technology file to write.")],
    tech: Annotated[str, typer.Option(help="Technology to start from; the run was priced by it.")] = "bottom-up-14nm",
    force: Force = False,
) -> None:
    """Move TECH's figures as little as possible so that the run gives the paper's two totals; say by how much."""
    from archsim.studies.calibrate import calibrate

    for move in calibrate(run, tech, out, force=force):
        note = "" if move.inside else "  outside its published range"
        typer.echo(f"{move.figure.name:20} x{move.factor:<8.3g}{note}")
    typer.echo(f"written: {out}")
