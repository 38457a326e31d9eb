"""`archsim reproduce`, `run` and `report`: do runs, show what came of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsim.base.errors import InputError
from archsim.cli.options import (
    INTERRUPTED,
    Archs,
    AsJson,
    Data,
    Figures,
    Out,
    Preset,
    Quiet,
    Seed,
    Settings,
    Steps,
    Techs,
)
from archsim.display import console, introduce, stoppable
from archsim.display import progress as show_progress

if TYPE_CHECKING:
    from archsim.runs.summary import Summary


def reproduce(  # noqa: PLR0917  an option each
    out: Out = None, seed: Seed = 1, preset: Preset = None, steps: Steps = None, data: Data = None,
    as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Reproduce the paper's comparison: train its perceptron on both chips, print the tables, draw the charts."""
    options = {"workload": "mlp-mnist", "preset": preset, "steps": steps, "data": data}
    where = _run(options, seed, out or _fresh("reproduce"), as_json=as_json, quiet=quiet)
    _report(where, None, quiet=quiet or as_json)


def run_command(  # noqa: PLR0917  an option each
    workload: Annotated[str, typer.Argument(metavar="WORKLOAD", help="Workload, by name or file.")],
    preset: Preset = None, arch: Archs = None, tech: Techs = None, seed: Seed = 1,
    seeds: Annotated[int, typer.Option(help="Run so many seeds, from --seed on, side by side.")] = 1,
    steps: Steps = None, set_: Settings = None, figure: Figures = None, out: Out = None, data: Data = None,
    as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Train WORKLOAD on the mixed-precision chip and on the 32-bit baseline (or on --arch), and account for it."""
    options: dict[str, Any] = {
        "workload": workload, "preset": preset, "steps": steps, "data": data, "settings": tuple(set_ or ()),
        "figures": tuple(figure or ()),
        **({"archs": tuple(arch)} if arch else {}), **({"techs": tuple(tech)} if tech else {}),
    }  # fmt: skip
    stem = f"{Path(workload).stem}{f'-{preset}' if preset else ''}-seed{seed}"
    if seeds < 1:
        raise InputError(key="--seeds", value=seeds, expected="a whole number from 1 on")
    if seeds > 1:
        chosen = list(range(seed, seed + seeds))
        _run_seeds(options, chosen, out or _fresh(f"{stem}-{seeds}seeds"), as_json=as_json, quiet=quiet)
    else:
        _run(options, seed, out or _fresh(stem), as_json=as_json, quiet=quiet)


def report_command(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write to; with --html also a file ending in .html.", show_default="DIR/report"),
    ] = None,
    html: Annotated[
        bool, typer.Option("--html", help="Write one page instead, with a slider for every figure: report.html.")
    ] = False,
    tech: Annotated[
        list[str] | None,
        typer.Option("--tech", help="With --html or --paper: the file of a technology that the run was priced by, if "
                     "it is neither shipped nor in this folder nor beside the run."),
    ] = None,
    paper: Annotated[
        bool,
        typer.Option("--paper", help="Write what a paper needs instead: LaTeX tables, figures for one and two columns, "
                     "sources.bib, a paragraph of methods. Into DIR/paper, or --out."),
    ] = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Draw the charts (PNG, SVG, PDF) and write the tables (Markdown, LaTeX) of a run, from its directory alone."""
    if paper:
        if html:
            raise InputError("given together with --html", key="--paper", expected="one of them")
        _paper(run, out, tuple(tech or ()), quiet=quiet)
        return
    if not html:
        _report(run, out, quiet=quiet)
        return
    from archsim.report.page.page import FILE, write

    page = write(run, out / FILE if out and out.suffix != ".html" else out, techs=tuple(tech or ()))
    if not quiet:
        typer.echo(f"Page: {page} ({page.stat().st_size / 1000:.0f} kB)")


# --- helpers ----------------------------------------------------------------------------------------------------------
def _fresh(stem: str) -> Path:
    from archsim.runs.rundir import fresh

    return fresh(Path("reports"), stem)


def _run(options: dict[str, Any], seed: int, out: Path, *, as_json: bool, quiet: bool) -> Path:
    """Do one run and print what came of it; exit with 130 if it was interrupted."""
    from archsim.runs.run import execute
    from archsim.runs.rundir import check
    from archsim.runs.spec import resolve

    spec = resolve(**options, seed=seed)
    check(out)
    silent = quiet or as_json
    if not silent:
        introduce(spec, out)
    with stoppable() as stop, show_progress(silent=silent) as progress:
        summary = execute(spec, out, progress=progress, stop=lambda: bool(stop))
    if summary is None:
        typer.echo(f"archsim: interrupted before the first step; {out} is marked partial", err=True)
        raise typer.Exit(INTERRUPTED)
    content = summary.model_dump(by_alias=True)
    if as_json:
        typer.echo(json.dumps(content, indent=2))
    elif not quiet:
        from archsim.report.tables import comparison_text, contributors_text

        for part in (*comparison_text(content), *contributors_text(out)):
            console().print(part)
        typer.echo(f"Run directory: {out}")
    if summary.state == "partial":
        typer.echo(f"archsim: interrupted; the partial run is kept in {out}", err=True)
        raise typer.Exit(INTERRUPTED)
    return out


def _run_seeds(options: dict[str, Any], seeds: list[int], out: Path, *, as_json: bool, quiet: bool) -> None:
    """Do one run a seed and print each and their mean."""
    from archsim.base.files import write_text
    from archsim.runs.rundir import claim_parent
    from archsim.runs.spec import resolve
    from archsim.studies.seeds import STOP, run_seeds, statistics

    silent = quiet or as_json
    spec = resolve(**options, seed=seeds[0])
    claim_parent(out, [f"seed-{seed}" for seed in seeds])
    if not silent:
        introduce(spec, out)

    def done(seed: int, summary: Summary) -> None:
        if not silent:
            parts = [f"{name} {100 * chip.test_accuracy:.2f} %" for name, chip in summary.architectures.items()]
            ratio = f", energy ratio {summary.ratio.energy:.1f}" if summary.ratio.energy else ""
            typer.echo(f"seed {seed}: {', '.join(parts)}{ratio} [{summary.wall_time_s:.0f} s]")

    with stoppable((out / STOP).touch) as stop:
        try:
            results = run_seeds(options, seeds, out, done=done)
        finally:
            (out / STOP).unlink(missing_ok=True)
    if results:
        content = statistics(results)
        write_text(out / "seeds.json", json.dumps(content, indent=2) + "\n")
        if as_json:
            typer.echo(json.dumps(content, indent=2))
        elif not quiet:
            for name, mean in content["mean_test_accuracy"].items():
                spread = content["std_test_accuracy"][name]
                typer.echo(
                    f"mean of {len(results)} seeds: {name} {100 * mean:.2f} %"
                    + (f" (std {100 * spread:.2f})" if spread else "")
                )
            typer.echo(f"Run directories: {out}")
    if stop:
        typer.echo(f"archsim: interrupted; what was done is kept in {out}", err=True)
        raise typer.Exit(INTERRUPTED)


def _report(run: Path, out: Path | None, *, quiet: bool) -> None:
    from archsim.report import make

    written = make(run, out)
    if not quiet:
        typer.echo(f"Charts and tables: {written[0].parent} ({len(written)} files)")


def _paper(run: Path, out: Path | None, techs: tuple[str, ...], *, quiet: bool) -> None:
    from archsim.report.paper.paper import make_paper

    kit = make_paper(run, out, techs)
    if not quiet:
        for note in kit.notes:
            typer.echo(f"Note: {note}.")
        typer.echo(f"Paper kit: {kit.files[-1].parent} ({len(kit.files)} files; README.txt says how)")
