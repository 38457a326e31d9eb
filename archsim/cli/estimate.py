"""`archsim estimate`: what a training step and an inference of a network cost, without data and without training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from archsim.base.errors import InputError
from archsim.cli.options import AsJson, Details, Figures, Quiet, Settings
from archsim.display import console


def estimate_command(  # noqa: PLR0917  an option each
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="Workload, by name or file; no data are read.")],
    batch: Annotated[
        int | None, typer.Option(help="Samples of a step.", show_default="that of the workload's training")
    ] = None,
    archs: Annotated[
        list[str] | None,
        typer.Option("--arch", help="Architecture, by name or file; repeat for several.",
                     show_default="those of the workload"),
    ] = None,
    tech: Annotated[str, typer.Option(help="Technology that prices the estimate.")] = "bottom-up-14nm",
    settings: Settings = None, figures: Figures = None,
    activity: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Directory of a run whose activity is taken, instead of one assumed by kind "
                     "of layer."),
    ] = None,
    window: Annotated[
        str | None, typer.Option(metavar="FROM:TO", help="Steps of that run.", show_default="all")
    ] = None,
    samples: Annotated[
        float | None, typer.Option(help="Samples of a whole training, such as 60e6: its joules, seconds and wear.")
    ] = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Refuse a network that does not fit; else chips are made large enough.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for estimate.json and tables.", show_default="none is written")
    ] = None,
    details: Details = False, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Estimate one training step and one inference of NETWORK on each chip: energy, time, area, tiles.

    The same programs, units and books as in a training; values are not computed, what they decide is expected: how many
    codes are zero, how large they are, how often devices are pulsed. A chip is made as large as the network asks for,
    and what was made larger is said.
    """
    from archsim.report.studies import estimate as page
    from archsim.studies.estimate.estimate import estimate

    content = estimate(
        network, batch=batch, archs=archs, tech=tech, settings=settings or (), figures=figures or (),
        activity=activity, window=_window(window), as_is=as_is, samples=samples,
    )  # fmt: skip
    if out is not None:
        page.write(content, out)
    if as_json:
        typer.echo(json.dumps(content, indent=2))
    elif not quiet:
        for part in page.text(content, details=details):
            console().print(part)
        if out is not None:
            typer.echo(f"Written: {out}")


def _window(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, colon, last = text.partition(":")
    if colon and first.strip().isdecimal() and last.strip().isdecimal() and int(first) < int(last):
        return int(first), int(last)
    raise InputError(key="--window", value=text, expected='two steps, such as "5000:10000"')
