"""`archsim device`: models of one memory device, and fitting one to a measurement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsim.cli.group import App, Group
from archsim.display import console

if TYPE_CHECKING:
    from archsim.devices.fit import Fit


class _NamesToo(Group):
    """A group whose first word may also be the name of a device: `archsim device pcm` is `archsim device show pcm`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


device_app = App(
    cls=_NamesToo,
    help="Device models: what one memory device does at a pulse, over time and when read.\n\n"
    "`archsim device NAME` shows one, by name, file or model: archsim device pcm --plot",
)  # fmt: skip


@device_app.command("list")
def device_list() -> None:
    """List the shipped devices."""
    from archsim.base.units import show
    from archsim.devices.base import Switches
    from archsim.devices.library import build, device_file, shipped_devices

    for name in shipped_devices():
        device: Any = build(device_file(name), Switches())
        ways = "up, down" if device.bidirectional else "SET"
        typer.echo(
            f"{name:20} {device.file.model:12} {ways:9} epsilon {show(device.epsilon, 'S'):10} {device.file.title}"
        )


@device_app.command("show")
def device_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Device, by name, by file, or by model such as pcm.")],
    plot: Annotated[bool, typer.Option("--plot", help="Sample the device and draw it: PNG and SVG.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the figures.", show_default="reports/device-NAME")] = None,
    devices: Annotated[int, typer.Option(help="Devices in each pulse train of the figures.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Seed of the sampling.")] = 1,
) -> None:
    """Show a device: model, epsilon, bounds, every number with basis and source; with --plot, figures."""
    from archsim.devices.library import find_device

    path = find_device(name)
    _describe(path)
    if plot:
        from archsim.report.studies.device import make
        from archsim.studies.device import study

        done = study(path, devices=devices, seed=seed)
        if done.drift:
            typer.echo(f"drift exponent {done.drift.exponent:g}, fitted to reads {done.drift.fitted:.5f}")
        for file in make(done, out or Path("reports") / f"device-{done.name}"):
            typer.echo(f"written: {file}")


def _describe(path: Path) -> None:
    from rich.table import Table

    from archsim.base.files import display
    from archsim.base.units import show
    from archsim.devices.base import Switches
    from archsim.devices.library import build, memory_of, numbers

    device: Any = build(path, Switches())
    typer.echo(f"{device.file.name}: {device.file.title}")
    typer.echo(f"  file     {display(path)}")
    typer.echo(f"  model    {device.file.model}, {'up and down pulses' if device.bidirectional else 'SET and RESET'}")
    typer.echo(f"  memory   {memory_of(path) or 'not said'}")
    typer.echo(f"  epsilon  {show(device.epsilon, 'S')}, the mean change of one SET pulse")
    whose = ", those of the table; no pulse leaves them" if device.file.model == "table" else ""
    typer.echo(f"  bounds   {show(device.low, 'S')} to {show(device.high, 'S')}{whose}")
    table = Table("entry", "values", "basis", "source or reason")
    for entry in numbers(path):
        table.add_row(entry.name, entry.values, entry.basis, entry.origin)
    console().print(table)


@device_app.command("fit")
def device_fit(  # noqa: PLR0917  an option each
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Measured pulses.")],
    out: Annotated[
        Path | None, typer.Option(metavar="NAME.yaml", help="Device file to write.", show_default="FILE-device.yaml")
    ] = None,
    bins: Annotated[int, typer.Option(help="Bins of conductance at most, for either direction.")] = 20,
    least: Annotated[int, typer.Option(help="Pulses at least in each bin.")] = 30,
    unit: Annotated[str | None, typer.Option(help="Unit of conductances whose columns name none, such as uS.")] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw the device with the measured points over it there.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over existing files.")] = False,
) -> None:
    """Fit a table device to measured pulses: mean and standard deviation of the change over conductance.

    Columns, with units in the names: "conductance (uS)" before the pulse, "change (uS)", direction (up or down); or
    readings: device, pulse, "conductance (uS)" after the pulse, direction of it, the first reading of a device being
    its start; or a ramp of one device a column. Pulses that count anew in each cycle need a column cycle; without a
    direction every pulse is taken for SET.

    A table holds no memory of earlier pulses, as PCM has: it gives what the measured pulses did on average. From 5
    devices on, how much they differ is fitted too. Noise of the readings widens the spread of the pulses; average
    readings before.
    """
    from archsim.devices import fit, measured

    pulses = measured.read_pulses(file, unit=unit)
    made = fit.fit(pulses, bins=bins, least=least)
    written = fit.write(made, out or Path(f"{file.stem}-device.yaml"), file, force=force)
    if plot:
        from archsim.report.studies.fit import make
        from archsim.studies.device import study

        written += make(made, pulses, study(written[0]), plot)
    _show_fit(made)
    typer.echo(f"between devices: {fit.spread_words(made)}")
    for note in pulses.notes:
        typer.echo(f"note: {note}")
    for path in written:
        typer.echo(f"written: {path}")


def _show_fit(made: Fit) -> None:
    from rich.table import Table

    from archsim.base.units import show

    table = Table("direction", "from", "to", "pulses", "mean change", "standard deviation")
    for name, part in made.bins.items():
        for k, points in enumerate(part.points):
            table.add_row(
                name, show(part.edges[k], "S"), show(part.edges[k + 1], "S"), f"{points:.0f}", show(part.mean[k], "S"),
                show(part.std[k], "S"),
            )  # fmt: skip
    console().print(table)
    for name, part in made.bins.items():
        each = f"{part.points.min():.0f} or more each"
        typer.echo(f"{name}: {part.points.sum():.0f} pulses in {part.points.size} bins, {each}")
    if "down" not in made.bins:
        typer.echo("no down pulses: the device can be SET and RESET, not lowered step by step")
    typer.echo(f"bounds: {show(made.low, 'S')} to {show(made.high, 'S')}, the conductances that every table covers")
