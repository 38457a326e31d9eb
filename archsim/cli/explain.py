"""`archsim explain`: take a chip of a run, or the comparison of two, apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from archsim.cli.options import AsJson, Data, FigureRule, On, Quiet
from archsim.display import counting


def explain_command(  # noqa: PLR0917  an option each
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of a finished run, or a folder of seeds.")],
    arch: Annotated[
        list[str] | None,
        typer.Option("--arch", help="Chip of the run to explain; repeat for the ratio of two.",
                     show_default="its baseline and the first other, or its only one"),
    ] = None,
    over: Annotated[
        str | None, typer.Option(help="The chip over which another one is set.", show_default="the run's baseline")
    ] = None,
    samples: Annotated[int, typer.Option(help="Draws of all figures together.")] = 20_000,
    steps: Annotated[
        int | None, typer.Option(help="Training steps of each re-run.",
                                 show_default="those that take 3,000 samples, at most the run's")
    ] = None,
    reruns: Annotated[bool, typer.Option(help="Re-run with changed chips, which takes minutes the first time.")] = True,
    tech: Annotated[
        str | None, typer.Option(help="Technology that priced the run, by name or file.", show_default="the run's own")
    ] = None,
    distribution: Annotated[
        str, typer.Option(help="How figures vary in their ranges: log-triangular or log-uniform.")
    ] = "log-triangular",
    out: Annotated[
        Path | None, typer.Option(help="Where to write.", show_default="DIR/explain, or DIR/explain-RULE")
    ] = None,
    figure_rule: FigureRule = None, on: On = "processes", data: Data = None, as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Say what a chip's energy, or the ratio of two, is made of, how sure it is, and which decisions it hangs on."""
    if reruns:
        from archsim.studies.workers.pool import soon

        soon(on)
    from archsim.base.files import check_folder
    from archsim.records.ruled import place
    from archsim.report.explain import page
    from archsim.studies.explain.explain import contents, explain

    folder = out or place(run / "explain", figure_rule)
    check_folder(folder)
    silent = quiet or as_json

    with counting("re-run", silent=silent) as done:
        found = explain(
            run, archs=arch or (), over=over, technology=tech, samples=samples, distribution=distribution,
            steps=("usual" if steps is None else steps) if reruns else None, points=folder / "points", data=data,
            done=done, rule=figure_rule, on=on,
        )  # fmt: skip
    written = page.write(found, folder)
    if as_json:
        typer.echo(json.dumps(contents(found), indent=2))
    elif not quiet:
        for line in page.terminal(found):
            typer.echo(line)
        typer.echo(f"Page: {written[0]} (and {len(written) - 1} more files beside it)")
