"""`archsim validate`: every check against published figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from archsim.cli.options import AsJson, Data, FigureRule, On, Quiet
from archsim.display import console, counting


def validate(  # noqa: PLR0917  options, which typer gives by name
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases, by name or case.yaml; all shipped if none.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Also the checks that need a whole training.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the table and the scatter plot.")] = Path("reports/validate"),
    record: Annotated[
        bool, typer.Option("--record", help="Write the results beside the cases; says what moved.")
    ] = False,
    figure_rule: FigureRule = None, on: On = "processes", data: Data = None, as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Compare archsim with published designs; exit with 1 on a miss that is not known, or a result that has moved."""
    from archsim.studies.workers.pool import soon

    soon(on)
    from archsim.base.files import check_folder
    from archsim.report.sheet import terminal
    from archsim.report.studies import validate as report
    from archsim.studies.validation.validate import validate as run
    from archsim.studies.validation.verdict import verdict

    check_folder(out)
    with counting("training", silent=quiet or as_json) as done:
        results = run(
            cases or (), full=full, folder=out / "points", data=data, record=record, rule=figure_rule, done=done, on=on
        )
    found = verdict(results)
    written = report.write(results, found, out)
    if as_json:
        rows = [{**asdict(r), "error": r.error, "factor": r.factor, "ok": r.ok} for r in results]
        typer.echo(json.dumps({"checks": rows, "verdict": asdict(found)}, indent=2))
    elif not quiet:
        for each in (report.sheet(results), report.misses(results), report.groups(found)):
            if each.rows:
                console().print(terminal(each))
        typer.echo(report.words(found))
        typer.echo(f"Written: {', '.join(path.name for path in written)} in {out}")
    if found.problems:
        raise typer.Exit(1)
