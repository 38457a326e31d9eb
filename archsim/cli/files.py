"""`archsim workloads`, `archs` and `data`: what can be run, on what."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from archsim.base.progress import Report
from archsim.cli.group import App, Group
from archsim.cli.options import AsJson, Data, Quiet, tell_lint
from archsim.display import console

Write = Annotated[Path, typer.Option(help="File to write.")]
Force = Annotated[bool, typer.Option("--force", help="Write over an existing file.")]

workloads_app = App(cls=Group, help="Workload files: a network, its data, its training.")
archs_app = App(cls=Group, help="Architecture files: the structure of a chip.")
data_app = App(cls=Group, help="Data sets: which are there, and fetching them.")


@workloads_app.command("list")
def workloads_list() -> None:
    """List the shipped workloads."""
    from archsim.base.files import shipped_names
    from archsim.runs import workload

    for name in shipped_names("workloads"):
        parsed = workload.parse(workload.document(name))
        presets = f"presets: {', '.join(parsed.presets) or 'none'}"
        typer.echo(f"{name:20} {parsed.title}; {presets if parsed.dataset else 'shapes alone, to be estimated'}")


@workloads_app.command("show")
def workloads_show(
    name: Annotated[str, typer.Argument(metavar="WORKLOAD", help="Workload, by name or file.")],
    program: Annotated[
        bool, typer.Option("--program", help="Print instead what chips are told in a training step, call by call.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the network, node by node, into a .png, .svg or .pdf instead."),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(help="Architecture whose tiles are counted.", show_default="the first of the workload's"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one value of the workload first, such as "
                     "network.learning=feedback-alignment."),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Show a workload's file, its network, and the paths of all values that --set may change.

    The network: layers, shapes, multiply-accumulates, weights and tiles, of one sample's forward pass; and what its
    learning rule needs beside, if that is not backpropagation.
    """
    from archsim.api.workloads import drawn, read
    from archsim.studies.anatomy import anatomy
    from archsim.studies.learning import rule_content, rule_lines
    from archsim.studies.structure import layer_lines, listing

    document, parsed, chip = read(name, arch=arch, settings=settings or ())
    built = parsed.network.build()
    found = anatomy(built, chip)
    if plot:
        typer.echo(f"Picture: {drawn(found, parsed.title, plot)}")
        return
    digests = {each.name: each.sha256 for each in built.programs}
    texts = {each.name: each.text() for each in built.training}
    if as_json:
        content = {
            "name": parsed.name,
            "title": parsed.title,
            **found.content(),
            **rule_content(parsed, built),
            "programs_sha256": digests,
        }
        typer.echo(json.dumps(content | ({"program": texts} if program else {}), indent=2))
    elif program:
        for title, text in texts.items():
            typer.echo(f"{title}\n{text}\nsha256 {digests[title]}")
    else:
        typer.echo(listing(document, parsed), nl=False)
        for line in [*layer_lines(found), *rule_lines(parsed, built, chip)]:
            typer.echo(f"#{f' {line}' if line else ''}")


@workloads_app.command("new")
def workloads_new(out: Write = Path("my-workload.yaml"), force: Force = False) -> None:
    """Write a complete workload to begin with: a network, its data set and its training, with comments."""
    from archsim.base.files import check_yaml, display
    from archsim.studies.structure import write_workload

    check_yaml(out, force=force)
    write_workload(out)
    typer.echo(f"written: {display(out)}; archsim run {display(out)} --steps 1000 runs it")


@workloads_app.command("import")
def workloads_import(
    file: Annotated[Path, typer.Argument(
        metavar="FILE", help="An ONNX model (.onnx), a torch.export file (.pt2), a topology of "
        "SCALE-Sim (.csv), or a workload of ZigZag or AccelForge (.yaml).")],
    out: Annotated[Path | None, typer.Option(help="Workload to write.", show_default="the model's name.yaml")] = None,
    shapes: Annotated[bool, typer.Option("--shapes", help="Leave the weights of the model out.")] = False,
    same: Annotated[bool, typer.Option("--same", help="Pad the convolutions of a topology, which says no padding, to "
                                       "the same size.")] = False,
    sample: Annotated[str | None, typer.Option(metavar="SHAPE", help="Shape of a sample, channels first, where an ONNX "
                                               "model leaves it open: 128, 3x224x224.")] = None,
    force: Force = False,
) -> None:  # fmt: skip
    """Write the network of another tool's file as a workload, with its weights beside it in an .npz file."""
    from archsim.api.workloads import import_
    from archsim.base.files import display
    from archsim.networks.imports.files import sample_of

    shape = None if sample is None else sample_of(sample)
    done = import_(file, out, shapes=shapes, same=same, sample=shape, force=force)
    for note in done.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"written: {display(done.file)}" + (f" and {display(done.initial)}" if done.initial else ""))
    typer.echo(f"archsim workloads show {display(done.file)} shows its layers")


@archs_app.command("list")
def archs_list() -> None:
    """List the shipped architectures."""
    from archsim.base.files import shipped_names
    from archsim.chips import architecture

    for name in shipped_names("architectures"):
        typer.echo(f"{name:20} {architecture.parse(architecture.document(name)).title}")


@archs_app.command("show")
def archs_show(name: Annotated[str, typer.Argument(metavar="ARCH", help="Architecture, by name or file.")]) -> None:
    """Show an architecture's file, with what it extends, and the paths of all values that --set may change."""
    from archsim.chips import architecture
    from archsim.studies.structure import listing

    document = architecture.document(name)
    typer.echo(listing(document, architecture.parse(document)), nl=False)


@archs_app.command("new")
def archs_new(
    parent: Annotated[
        str, typer.Option("--from", metavar="ARCH", help="Architecture to extend, by name or file.")
    ] = "mixed-precision",
    out: Write = Path("my-chip.yaml"),
    force: Force = False,
) -> None:
    """Write an architecture that extends another: what it says replaces, all else is taken over."""
    from archsim.base.files import check_yaml, display
    from archsim.studies.structure import write_short

    check_yaml(out, force=force)
    write_short(parent, out)
    typer.echo(f"written: {display(out)}: it extends {parent}; its values are there as comments, to be changed")


@archs_app.command("lint")
def archs_lint(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ARCH]...", help="Architectures; all shipped ones if none.")
    ] = None,
    tech: Annotated[
        list[str] | None, typer.Option("--tech", help="Technology to price by; may be repeated.",
                                       show_default="bottom-up-14nm"),
    ] = None,
) -> None:  # fmt: skip
    """Check architectures: schema, device, and that every action has a price in the technologies."""
    from archsim.base.files import shipped_names
    from archsim.studies.structure import lint_architecture

    techs = tech or ["bottom-up-14nm"]
    found = ((name, lint_architecture(name, techs)) for name in names or shipped_names("architectures"))
    tell_lint(found, techs)


@archs_app.command("diff")
def archs_diff(
    a: Annotated[str, typer.Argument(metavar="A", help="Architecture, by name or file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Architecture that is compared with it.")],
    as_json: AsJson = False,
) -> None:
    """Show the values that architecture B has otherwise than A, each with what it extends. The exit code is 0."""
    from archsim.studies.structure import diff

    changes = diff(a, b)
    if as_json:
        typer.echo(json.dumps([asdict(change) for change in changes], indent=2))
        return
    from rich.table import Table

    table = Table("value", Path(a).stem, Path(b).stem, title=f"{Path(a).stem} -> {Path(b).stem}")
    for change in changes:
        table.add_row(change.path, *("-" if side is None else side for side in (change.a, change.b)))
    if changes:
        console().print(table)
    typer.echo(f"{len(changes)} differ" if changes else "no value differs")


@archs_app.command("from-aihwkit")
def archs_from_aihwkit(
    config: Annotated[str, typer.Argument(metavar="RPU_CONFIG", help="FILE.py:NAME, or FILE.json that was dumped.")],
    out: Write = Path("rpu-config.yaml"),
    device: Annotated[str | None, typer.Option(help="Device of archsim's in place of the configuration's.")] = None,
    force: Force = False,
) -> None:
    """Write an rpu_config of aihwkit as an architecture, its device beside it; say what could not be mapped.

    FILE.py:NAME is run, where aihwkit is installed; FILE.json is what archsim/studies/aihwkit/dump.py wrote there.
    """
    from archsim.api.archs import from_aihwkit

    done = from_aihwkit(config, out, device=device, force=force)
    typer.echo(f"Architecture: {done.architecture}")
    if done.device is not None:
        typer.echo(f"Device: {done.device}")
    for line in done.lost:
        typer.echo(f"not mapped: {line}")


@data_app.command("list")
def data_list(data: Data = None) -> None:
    """List the data sets, whether they are there, and where."""
    from archsim.data import datasets

    for source in datasets.sources(folder=data):
        size = f"{source.bytes / 1e6:.1f} MB" if source.found else ""
        note = f"  ({source.note})" if source.note else ""
        typer.echo(f"{source.name:19} {'found' if source.found else 'missing':8} {size:>9}  {source.where}{note}")


@data_app.command("fetch")
def data_fetch(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="mnist, cifar10 or shakespeare")], quiet: Quiet = False
) -> None:
    """Fetch a data set from its public addresses into the user's cache, checking its digest."""
    from archsim.data.fetch import fetch

    last: list[str] = []

    def progress(report: Report) -> None:
        if report.what not in last:
            last.append(report.what)
            due = f"{report.due:.0f}" if report.due else "?"
            typer.echo(f"fetching {report.what} ({due} {report.unit})", err=True)

    folder = fetch(name, progress=None if quiet else progress)
    if not quiet:
        typer.echo(f"{name} is in {folder}")
