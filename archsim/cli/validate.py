"""`archsim validate`: every check against published figures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from archsim.cli.options import AsJson, Data, Quiet
from archsim.display import console


def validate(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Cases, by name or case.yaml; all shipped if none.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Also the checks that need a whole training.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the table and the scatter plot.")] = Path("reports/validate"),
    data: Data = None, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Compare archsim with published designs and totals; exit with 1 if a check leaves its stated band."""
    from archsim.base.files import check_folder
    from archsim.report.studies import validate as report
    from archsim.report.tables import terminal
    from archsim.studies.validate import validate as run
    from archsim.studies.validate import verdict

    check_folder(out)
    results = run(cases or (), full=full, folder=out / "points", data=data)
    found = verdict(results)
    written = report.write(results, found, out)
    if as_json:
        rows = [{**asdict(r), "error": r.error, "factor": r.factor, "ok": r.ok} for r in results]
        typer.echo(json.dumps({"checks": rows, "verdict": asdict(found)}, indent=2))
    elif not quiet:
        console().print(terminal(report.sheet(results)))
        if (far := report.causes(results)).rows:
            console().print(terminal(far))
        typer.echo(report.words(found))
        typer.echo(f"Written: {', '.join(path.name for path in written)} in {out}")
    if found.outside_band:
        raise typer.Exit(1)
