"""`archsim ablate`: what each non-ideality costs, and converter bits against the metric and energy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from archsim.cli.options import AsJson, Data, On, Preset, Quiet, Settings, going_on
from archsim.display import console, counting


def ablate_command(  # noqa: PLR0917  an option each
    workload: Annotated[str, typer.Argument(metavar="[WORKLOAD]", help="Workload, by name or file.")] = "mlp-mnist",
    steps: Annotated[
        int | None, typer.Option(help="Steps of each training.", show_default="10000, or the preset's")
    ] = None,
    preset: Preset = None,
    seeds: Annotated[int, typer.Option(help="Trainings of each point, with seeds 1, 2, ...")] = 3,
    bits: Annotated[bool, typer.Option(help="Study converters of 4 to 10 bits too.")] = True,
    arch: Annotated[
        str | None, typer.Option(help="Architecture with non-idealities, by name or file.",
                                 show_default="the first of the workload's that has some")
    ] = None,
    tech: Annotated[str, typer.Option(help="Technology that prices the trainings.")] = "bottom-up-14nm",
    settings: Settings = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write, and to go on.", show_default="reports/ablate-WORKLOAD")
    ] = None,
    on: On = "processes", data: Data = None, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Train WORKLOAD with each non-ideality off alone, and with other converters: the metric, energy, time, pulses.

    What --set changes holds for every training, such as weight.device=my-device.yaml; non-idealities that the device
    does not have are left out and named. Each training is kept under OUT/points: the same command again goes on where
    it was, or only draws.
    """
    from archsim.studies.workers.pool import soon

    soon(on)
    from archsim.report.studies import ablate as page
    from archsim.studies.ablate import ablate

    folder = out or Path("reports") / f"ablate-{Path(workload).stem}"
    with going_on(folder), counting("training", silent=quiet or as_json) as shown:

        def done(name: str, seed: int, numbers: dict[str, float], finished: int, due: int) -> None:
            shown(f"{name}, seed {seed}: {numbers['test']:.4g}", finished, due)

        content = ablate(
            workload, folder, arch=arch, tech=tech, preset=preset, steps=steps, seeds=seeds, bits=bits,
            settings=settings or (), data=data, done=done, on=on,
        )  # fmt: skip
    written = page.write(content, folder)
    if as_json:
        typer.echo(json.dumps(content, indent=2))
    elif not quiet:
        for part in page.text(content):
            console().print(part)
        typer.echo(f"Charts and tables: {folder} ({len(written) + 1} files)")
