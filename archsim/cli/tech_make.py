"""`archsim tech` scale, diff, new, add-adc, import: commands that make and compare technology files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsim.cli.options import Archs, AsJson
from archsim.display import console

if TYPE_CHECKING:
    from archsim.technologies.diff import FigureChange
    from archsim.technologies.scaling import Scaled

Tech = Annotated[str, typer.Argument(metavar="TECH", help="Technology, by name or file.")]
Write = Annotated[Path, typer.Option(help="Technology file to write.")]
Force = Annotated[bool, typer.Option("--force", help="Write over an existing file.")]


def tech_scale(  # noqa: PLR0917  an option each
    tech: Tech,
    node: Annotated[str, typer.Option(help="Node to scale to, such as 7nm.")],
    rule: Annotated[str, typer.Option(help="table-interpolation or stillmaker-baas, for the central value; the range "
                                           "covers both where both apply.")] = "table-interpolation",
    out: Annotated[Path | None, typer.Option(help="File to write.", show_default="TECH-at-NODE.yaml")] = None,
    voltage: Annotated[str | None, typer.Option(help="Supply there.", show_default="the node's usual one")] = None,
    from_node: Annotated[str | None, typer.Option(help="Node of TECH, where its file does not say one.")] = None,
    from_voltage: Annotated[str | None, typer.Option(help="Supply of TECH.", show_default="the usual one")] = None,
    times: Annotated[bool, typer.Option("--times", help="Scale clocks and memory accesses by the delay, too.")] = False,
    force: Force = False,
    keep: Annotated[list[str] | None, typer.Option(help="Figure or area to leave as it is; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Scale TECH to another node: a new file in which every figure says how it was scaled, or that it was not.

    Digital figures follow one of two published rules and wires the voltage squared; analog blocks, devices, leakage
    and links stay. The table shows both rules' factors, which differ by a factor of two and more.
    """
    from archsim.accounting.technology import read_technology
    from archsim.base.files import check_yaml, display
    from archsim.studies.inventory import declared
    from archsim.technologies.nodes import node_text
    from archsim.technologies.scaling import move, scale

    technology = read_technology(tech)
    how = move(technology, node, declared=declared(), rule=rule, source_node=from_node,
               volt=_volts(voltage, "--voltage"), source_volt=_volts(from_voltage, "--from-voltage"),
               times=times, keep=keep or ())  # fmt: skip
    path = out or Path(f"{technology.name}-at-{node_text(how.target.node).replace(' ', '')}.yaml")
    check_yaml(path, force=force)
    done = scale(technology, how, path)
    if as_json:
        _print_json({"file": str(path), "from": str(how.source), "to": str(how.target), "rule": how.rule,
                     "figures": done})  # fmt: skip
        return
    _show_scaled(done, f"{technology.name}, {how}, by {how.rule}")
    typer.echo(f"written: {display(path)}")


def _volts(text: str | None, option: str) -> float | None:
    from archsim.base.errors import InputError
    from archsim.base.units import parse

    try:
        return None if text is None else parse(text, "V")
    except InputError as error:
        raise InputError(error.message, key=option) from error


def _show_scaled(done: list[Scaled], title: str) -> None:
    from rich.table import Table

    table = Table("figure", "kind", "before", "after", "range", "table-interpolation", "stillmaker-baas", title=title)
    for each in done:
        if not each.why_not:
            both = [f"x {each.factors[rule]:.3g}" if rule in each.factors else "-"
                    for rule in ("table-interpolation", "stillmaker-baas")]  # fmt: skip
            table.add_row(each.name, each.circuit, each.before, each.after, f"{each.low} .. {each.high}", *both)
    console().print(table)
    reasons: dict[str, list[str]] = {}
    for each in done:
        if each.why_not:
            reasons.setdefault(each.why_not, []).append(f"{each.name} {each.before}")
    for why, names in reasons.items():
        typer.echo(f"not scaled: {', '.join(names)}\n  {why}")


def tech_diff(
    a: Annotated[str, typer.Argument(metavar="A", help="Technology, by name or file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Technology that is compared with it.")],
    as_json: AsJson = False,
) -> None:
    """Show what technology B has that A has not, and the other way: figures, times and areas. The exit code is 0."""
    from archsim.accounting.technology import read_technology
    from archsim.technologies.diff import NUMBERS, diff

    found = diff(read_technology(a), read_technology(b))
    if as_json:
        _print_json(found.record())
        return
    from rich.table import Table

    table = Table("", "figure", found.a, found.b, "ratio", "what differs", title=f"{found.a} -> {found.b}")
    signs = {"added": "+", "removed": "-", "changed": "~"}
    for change in found.changes:
        if change.kind == "changed" and not NUMBERS & set(change.keys):
            continue
        name = f"{change.section}.{change.name}"
        ratio = f"x {change.ratio:.3g}" if change.ratio is not None else ""
        table.add_row(signs[change.kind], name, _side(change.a), _side(change.b), ratio, _what(change))
    if table.row_count:
        console().print(table)
    if words := [f"{c.section}.{c.name}" for c in found.of("changed") if not NUMBERS & set(c.keys)]:
        typer.echo(f"{len(words)} changed in basis, source or note alone: {', '.join(words)}")
    counts = ", ".join(f"{len(found.of(kind))} {kind}" for kind in signs)
    typer.echo(f"{counts}, {found.unchanged} unchanged")
    typer.echo("files: equal" if found.same_files else "files: different bytes")
    typer.echo("times: equal, one run can be priced by both" if found.same_times
               else "times: different, a run is needed for each")  # fmt: skip


def _side(content: Any) -> str:
    if content is None:
        return "-"
    low, high = content.get("range", ("", ""))
    law = f"; {content['law']}" if "law" in content else ""
    source = content.get("source", "")
    source = ", ".join(source) if isinstance(source, list) else source
    span = f" ({low} .. {high})" if low else ""
    return f"{content['value']}{span}{law}\n{content['basis']}{': ' if source else ''}{source}"


def _what(change: FigureChange) -> str:
    return ", ".join(change.keys) if change.kind == "changed" else change.kind


def tech_new(
    arch: Annotated[
        list[str] | None, typer.Option("--arch", help="Architecture to price; repeat for several.")
    ] = None,
    extends: Annotated[
        str | None, typer.Option(help="Technology to take over, by name or file: a short file that changes it.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("my-technology.yaml"),
    force: Force = False,
) -> None:  # fmt: skip
    """Write a technology to begin with: short with --extends, whole with --arch.

    With --arch it holds every action, time and area of an architecture, with units and sizes, and is refused, line by
    line, until each TODO: in it has been replaced. With --extends it takes over another's figures; a value alone
    replaces a value, and keeps its law and reference size.
    """
    from archsim.accounting.technology import read_technology
    from archsim.base.errors import InputError
    from archsim.base.files import check_yaml, display
    from archsim.studies.skeleton import write_short, write_skeleton

    if bool(arch) == bool(extends):
        given = "both given" if arch else "neither is given"
        raise InputError(given, key="--extends, --arch", expected="one of them, such as --extends bottom-up-14nm")
    check_yaml(out, force=force)
    if extends:
        count = write_short(read_technology(extends), out)
        typer.echo(f"written: {display(out)}: it extends {extends}; its {count} values are there as comments")
        return
    times, figures, areas = write_skeleton(arch or [], out)
    typer.echo(f"written: {display(out)}: {times} times, {figures} figures and {areas} areas to fill in")
    typer.echo("--extends TECH instead of --arch writes a short file that changes another technology")


def tech_add_adc(  # noqa: PLR0917  an option each
    tech: Tech,
    survey: Annotated[list[Path], typer.Option(help="CSV of the public ADC survey; repeat for several sheets.")],
    out: Write,
    row: Annotated[int | None, typer.Option(help="One row alone, as a spreadsheet counts them.")] = None,
    enob: Annotated[str | None, typer.Option(help="Band of effective bits, such as 7..8.5.")] = None,
    node: Annotated[str | None, typer.Option(help="Band of nodes in nm, such as 10..32.")] = None,
    max_rate: Annotated[str | None, typer.Option(help="Highest Nyquist rate, such as 2GHz.")] = None,
    bits: Annotated[int | None, typer.Option(help="Resolution they stand for.", show_default="that in TECH")] = None,
    force: Force = False,
) -> None:  # fmt: skip
    """Take a row or a band of the ADC survey (Murmann) into a new technology that extends TECH.

    Energy is power over Nyquist rate and effective bits are (SNDR - 1.76 dB)/6.02 dB, as the survey counts; the figure
    is the median, its range the 10th to 90th percentile. The area likewise, where the rows give one.
    """
    from archsim.api.tech import add_adc
    from archsim.base.files import display
    from archsim.base.units import show

    taken, chosen, read = add_adc(
        tech, survey, out, row=row, enob=enob, node=node, max_rate=max_rate, bits=bits, force=force
    )
    typer.echo(f"{len(chosen)} of {read} converters")
    for each in chosen:
        area = f"  {show(each.area, 'm^2', 3)}" if each.area else ""
        typer.echo(f"  {show(each.energy, 'J', 3):>9}{area}  {each}")
    typer.echo(f"conversion of {taken.bits} bit: {_spread(taken.energy, 'J')}")
    if taken.area:
        typer.echo(f"area: {_spread(taken.area, 'm^2')}")
    for note in taken.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"written: {display(out)}")


def _spread(values: tuple[float, float, float], unit: str) -> str:
    from archsim.base.units import show

    middle, low, high = (show(value, unit, 3) for value in values)
    return f"median {middle}, 10th to 90th percentile {low} to {high}"


def tech_import(  # noqa: PLR0917  an option each
    table: Annotated[Path, typer.Argument(metavar="CSV", help="Component table.")],
    out: Write,
    form: Annotated[str, typer.Option("--format", help="Kind of table.")] = "accelergy",
    extends: Annotated[str | None, typer.Option(help="Technology to extend with the figures.")] = None,
    source: Annotated[str | None, typer.Option(help="Key of references.bib to cite for them.")] = None,
    where: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Take rows with this alone.")] = None,
    energy_unit: Annotated[str | None, typer.Option(help="Unit of energies the header leaves out, such as pJ.")] = None,
    area_unit: Annotated[str | None, typer.Option(help="Unit of areas, likewise, such as um^2.")] = None,
    arch: Archs = None, force: Force = False,
) -> None:  # fmt: skip
    """Read a component table of the Accelergy kind and say what it could not map. Units are never guessed.

    With --arch, say also which actions of the architectures have no price yet.
    """
    from archsim.api.tech import import_
    from archsim.base.files import display

    found = import_(
        table, out, form=form, extends=extends, source=source, where=_pairs(where or []), energy_unit=energy_unit,
        area_unit=area_unit, force=force,
    )  # fmt: skip
    for row, name in found.mapped:
        typer.echo(f"mapped:     {row} -> {name}")
    for row, reason in found.unmapped:
        typer.echo(f"not mapped: {row}: {reason}")
    _say_open(arch or [], found, extends)
    typer.echo(f"written: {display(out)}")
    if source is None:
        typer.echo("its sources are still to be filled in: the file is refused until each TODO: is replaced")


def _say_open(archs: list[str], found: Any, extends: str | None) -> None:
    from archsim.accounting.technology import read_technology
    from archsim.studies.inventory import AskedTimes, entries

    base = read_technology(extends) if extends else None
    priced = {action for figure in found.figures.values() for action in figure["prices"]}
    priced |= set(base.pricing) | set(base.covering) if base else set()
    for arch in archs:
        missing = sorted({entry.key for entry in entries(arch, AskedTimes())} - priced)
        typer.echo(f"{arch}: " + (f"no price yet for {', '.join(missing)}" if missing else "every action has a price"))


def _pairs(texts: list[str]) -> dict[str, str]:
    from archsim.base.errors import InputError

    pairs = [text.partition("=") for text in texts]
    for text, (key, equals, value) in zip(texts, pairs, strict=True):
        if not (key and equals and value):
            raise InputError(key="--where", value=text, expected='"key=value", such as "resolution=8"')
    return {key.strip(): value.strip() for key, _, value in pairs}


def _print_json(content: Any) -> None:
    import json
    from dataclasses import asdict, is_dataclass

    def plain(value: Any) -> Any:
        return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)

    typer.echo(json.dumps(content, indent=2, default=plain))


COMMANDS: dict[str, Callable[..., None]] = {
    "scale": tech_scale, "diff": tech_diff, "new": tech_new, "add-adc": tech_add_adc, "import": tech_import,
}  # fmt: skip
"""Name -> command, for the group `archsim tech`."""
