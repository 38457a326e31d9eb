"""`archsim workloads`, `archs` and `data`: what can be run, on what."""

from __future__ import annotations

from typing import Annotated

import typer

from archsim.cli.group import Group
from archsim.cli.options import Data, Quiet

workloads_app = typer.Typer(cls=Group, help="Workload files: a network, its data, its training.")
archs_app = typer.Typer(cls=Group, help="Architecture files: the structure of a chip.")
data_app = typer.Typer(cls=Group, help="Data sets: which are there, and fetching them.")


@workloads_app.command("list")
def workloads_list() -> None:
    """List the shipped workloads."""
    from archsim.base.files import shipped_names
    from archsim.runs import workload

    for name in shipped_names("workloads"):
        parsed = workload.parse(workload.document(name))
        typer.echo(f"{name:20} {parsed.title}; presets: {', '.join(parsed.presets) or 'none'}")


@workloads_app.command("show")
def workloads_show(name: Annotated[str, typer.Argument(metavar="WORKLOAD")]) -> None:
    """Show a workload's file."""
    from archsim.runs import workload

    document = workload.document(name)
    workload.parse(document)
    typer.echo(document.path.read_text(encoding="utf-8"), nl=False)


@archs_app.command("list")
def archs_list() -> None:
    """List the shipped architectures."""
    from archsim.base.files import shipped_names
    from archsim.chips import architecture

    for name in shipped_names("architectures"):
        typer.echo(f"{name:20} {architecture.parse(architecture.document(name)).title}")


@archs_app.command("show")
def archs_show(name: Annotated[str, typer.Argument(metavar="ARCH")]) -> None:
    """Show an architecture's file."""
    from archsim.chips import architecture

    document = architecture.document(name)
    architecture.parse(document)
    typer.echo(document.path.read_text(encoding="utf-8"), nl=False)


@data_app.command("list")
def data_list(data: Data = None) -> None:
    """List the data sets, whether they are there, and where."""
    from archsim.data import datasets

    for source in datasets.sources(folder=data):
        size = f"{source.bytes / 1e6:.1f} MB" if source.found else ""
        note = f"  ({source.note})" if source.note else ""
        typer.echo(f"{source.name:8} {'found' if source.found else 'missing':8} {size:>9}  {source.where}{note}")


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(metavar="DATASET", help="mnist")], quiet: Quiet = False) -> None:
    """Fetch a data set from its public mirrors into the user's cache, checking sha256."""
    from archsim.data import datasets

    last: list[str] = []

    def progress(file: str, done: int, due: int | None) -> None:
        if file not in last:
            last.append(file)
            typer.echo(f"fetching {file} ({due or '?'} bytes)", err=True)
        del done

    folder = datasets.fetch(name, progress=None if quiet else progress)
    if not quiet:
        typer.echo(f"{name} is in {folder}")
