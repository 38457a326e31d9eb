"""`archsim reproduce`, `run` and `report`: do runs, show what came of them."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsim.base.errors import InputError
from archsim.base.metrics import metric_of
from archsim.cli.options import (
    INTERRUPTED,
    Archs,
    AsJson,
    Checkpoint,
    Data,
    Details,
    FigureRule,
    Figures,
    Force,
    On,
    Out,
    Preset,
    Quiet,
    Seed,
    Settings,
    Steps,
    Techs,
    Until,
    interrupted,
)
from archsim.display import console, introduce, stoppable
from archsim.display import progress as show_progress

if TYPE_CHECKING:
    from archsim.runs.spec import RunSpec
    from archsim.runs.summary import Summary


def reproduce(  # noqa: PLR0917  an option each
    out: Out = None, seed: Seed = 1, preset: Preset = None, steps: Steps = None, data: Data = None,
    checkpoint: Checkpoint = "60 s", force: Force = False, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Reproduce the paper's comparison: train its perceptron on both chips, print the tables, draw the charts."""
    options = {"workload": "mlp-mnist", "preset": preset, "steps": steps, "data": data}
    how = How(checkpoint, force=force, as_json=as_json, quiet=quiet, details=True)
    _report(_run(options, seed, out, "reproduce", how), None, quiet=quiet or as_json)


def run_command(  # noqa: PLR0917  an option each
    workload: Annotated[str, typer.Argument(metavar="WORKLOAD", help="Workload, by name or file.")],
    preset: Preset = None, arch: Archs = None, tech: Techs = None, seed: Seed = 1,
    seeds: Annotated[int, typer.Option(help="Run so many seeds, from --seed on, side by side.")] = 1,
    steps: Steps = None, until: Until = None,
    set_: Settings = None, figure: Figures = None, figure_rule: FigureRule = None,
    over: Annotated[
        str | None, typer.Option(metavar="NAME", help="Chip over which the others are compared.",
                                 show_default="the first digital")
    ] = None,
    out: Out = None, data: Data = None, checkpoint: Checkpoint = "60 s", force: Force = False,
    on: On = "processes", details: Details = False, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Train WORKLOAD on the mixed-precision chip and on the 32-bit baseline (or on --arch), and account for it."""
    figures = [*(figure or ()), *([f"scaling={figure_rule}"] if figure_rule else [])]
    options: dict[str, Any] = {
        "workload": workload, "over": over, "preset": preset, "steps": steps, "data": data, "until": until,
        "settings": tuple(set_ or ()), "figures": tuple(figures),
        **({"archs": tuple(arch)} if arch else {}), **({"techs": tuple(tech)} if tech else {}),
    }  # fmt: skip
    stem = f"{Path(workload).stem}{f'-{preset}' if preset else ''}-seed{seed}"
    if seeds < 1:
        raise InputError(key="--seeds", value=seeds, expected="a whole number from 1 on")
    if seeds == 1 and on != "processes":
        raise InputError(key="--on", value=on, expected="--seeds from 2 on beside it: one run runs here")
    how = How(checkpoint, force=force, as_json=as_json, quiet=quiet, details=details)
    if seeds > 1:
        chosen = list(range(seed, seed + seeds))
        _run_seeds(options, chosen, out or Path("reports") / f"{stem}-{seeds}seeds", on, how)
    else:
        _run(options, seed, out, stem, how)


def resume_command(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of a run that was interrupted or died.")],
    checkpoint: Checkpoint = "60 s", data: Data = None, as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Go on with a run from its last checkpoint; it ends with the bits of one that was never interrupted."""
    from archsim.records.resume import resume

    how = How(checkpoint, force=False, as_json=as_json, quiet=quiet)
    with stoppable() as stop, show_progress(silent=how.silent) as progress:
        summary = resume(run, data=data, progress=progress, stop=lambda: bool(stop), every_s=how.every_s)
    _show(summary, run, how)


def report_command(  # noqa: PLR0917  an option each
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory, or a folder of seeds.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write to; with --html also a file ending in .html.",
                     show_default="DIR/report, or DIR/report-RULE"),
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
    figure_rule: FigureRule = None, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Draw the charts (PNG, SVG, PDF) and write the tables (Markdown, LaTeX) of a run, from its directory alone."""
    if paper:
        if html:
            raise InputError("given together with --html", key="--paper", expected="one of them")
        _paper(run, out, tuple(tech or ()), figure_rule, quiet=quiet)
        return
    if not html:
        _report(run, out, quiet=quiet, rule=figure_rule)
        return
    from archsim.report.page.page import FILE, write

    page = write(run, out / FILE if out and out.suffix != ".html" else out, techs=tuple(tech or ()), rule=figure_rule)
    if not quiet:
        typer.echo(f"Page: {page} ({page.stat().st_size / 1000:.0f} kB)")


# --- helpers ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class How:
    """What the options say of how a run is done and shown; `checkpoint` is a time, or "off"."""

    checkpoint: str
    force: bool
    as_json: bool
    quiet: bool
    details: bool = False

    @property
    def silent(self) -> bool:
        """Whether nothing is shown on the way."""
        return self.quiet or self.as_json

    @property
    def every_s(self) -> float | None:
        """Seconds between two checkpoints."""
        from archsim.base.units import parse

        if self.checkpoint == "off":
            return None
        try:
            return parse(self.checkpoint, "s")
        except InputError as error:
            raise InputError(
                error.message.partition("; expected")[0], key="--checkpoint",
                expected='a time with its unit, such as "60 s" or "5 min", or "off"',
            ) from error  # fmt: skip


def _run(options: dict[str, Any], seed: int, out: Path | None, stem: str, how: How) -> Path:
    """Do one run and print what came of it; exit with 130 if it was interrupted."""
    from archsim.runs.owner import check, reserved
    from archsim.runs.run import execute
    from archsim.runs.spec import resolve

    every_s = how.every_s
    spec = resolve(**options, seed=seed)
    if out:
        check(out)
    elif not how.silent:
        _tell_unfinished(spec, Path("reports"), stem)
    with nullcontext(out) if out else reserved(Path("reports"), stem) as folder:
        if not how.silent:
            introduce(spec, folder)
        with stoppable() as stop, show_progress(silent=how.silent) as progress:
            summary = execute(
                spec, folder, progress=progress, stop=lambda: bool(stop), every_s=every_s, force=how.force
            )
    _show(summary, folder, how)
    return folder


def _tell_unfinished(spec: RunSpec, folder: Path, stem: str) -> None:
    """Say that an unfinished run of the same inputs is there, and how to go on with it."""
    from archsim.runs import layout, owner, rundir

    for path in sorted(folder.glob(f"{stem}*")):
        if (path / layout.RUN).is_file() and layout.state(path) != "finished" and not rundir.unlike(path, spec):
            going = "is being written by another process" if owner.in_use(path) else "is unfinished"
            typer.echo(f"Note: {path}, a run of the same inputs, {going}; `archsim resume {path}` goes on with it")


def _show(summary: Summary | None, out: Path, how: How) -> None:
    """Print what came of a run; exit with 130 if it was interrupted."""
    if summary is None:
        typer.echo(f"archsim: interrupted before the first step; {out} is marked partial", err=True)
        raise typer.Exit(INTERRUPTED)
    content = summary.model_dump(by_alias=True)
    if how.as_json:
        typer.echo(json.dumps(content, indent=2))
    elif not how.quiet:
        from archsim.report import answer
        from archsim.report.tables import comparison_text, contributors_text, short_text

        for part in (*comparison_text(content), *contributors_text(out)) if how.details else short_text(content):
            console().print(part)
        for line in answer.lines(out):
            typer.echo(line)
        typer.echo(
            f"Run directory: {out}" + ("" if how.details else f" (all tables: archsim report {out}, or --details)")
        )
    if summary.state == "partial":
        typer.echo(f"archsim: interrupted; the partial run is kept in {out}: archsim resume {out} goes on", err=True)
        raise typer.Exit(INTERRUPTED)


def _run_seeds(options: dict[str, Any], seeds: list[int], out: Path, on: str, how: How) -> None:
    """Do one run a seed and print each and their mean."""
    from archsim.studies.workers.pool import soon

    soon(on)
    from archsim.base.files import made, write_text
    from archsim.runs.spec import resolve
    from archsim.studies.seeds import check_folder, drawn, run_seeds, statistics
    from archsim.studies.workers.directories import STOP

    silent, every_s = how.silent, how.every_s
    spec = resolve(**options, seed=seeds[0])
    check_folder(out)
    if not silent:
        introduce(spec, out)

    def done(seed: int, summary: Summary) -> None:
        if not silent:
            metric = metric_of(summary.model_dump())
            parts = [f"{name} {metric.text(chip.test)}" for name, chip in summary.architectures.items()]
            ratio = f", energy ratio {summary.ratio.energy:.1f}" if summary.ratio.energy else ""
            typer.echo(f"seed {seed}: {', '.join(parts)}{ratio} [{summary.wall_time_s:.0f} s]")

    with made(out), stoppable((out / STOP).touch) as stop:
        try:
            results = run_seeds(options, seeds, out, done=done, on=on, every_s=every_s, force=how.force)
        finally:
            (out / STOP).unlink(missing_ok=True)
    if results:
        content = {**statistics(results), "intervals": drawn(out)}
        write_text(out / "seeds.json", json.dumps(content, indent=2) + "\n")
        if how.as_json:
            typer.echo(json.dumps(content, indent=2))
        elif not how.quiet:
            metric = metric_of(content)
            for name, mean in content["mean_test"].items():
                spread = content["std_test"][name]
                typer.echo(
                    f"mean of {len(results)} seeds: {name} {metric.text(mean)}"
                    + (f" (std {metric.number(spread)})" if spread else "")
                )
            for name, mean in content["mean_energy_ratios"].items():
                spread = content["std_energy_ratios"][name]
                typer.echo(f"energy ratio over {name}: {mean:.4g}" + (f" (std {spread:.2g})" if spread else ""))
            typer.echo(f"Run directories: {out}")
    if stop:
        interrupted(out)


def _report(run: Path, out: Path | None, *, quiet: bool, rule: str | None = None) -> None:
    from archsim.report import make

    written = make(run, out, rule=rule)
    if not quiet:
        typer.echo(f"Charts and tables: {written[0].parent} ({len(written)} files)")


def _paper(run: Path, out: Path | None, techs: tuple[str, ...], rule: str | None, *, quiet: bool) -> None:
    from archsim.report.paper.paper import make_paper

    kit = make_paper(run, out, techs, rule=rule)
    if not quiet:
        for note in kit.notes:
            typer.echo(f"Note: {note}.")
        typer.echo(f"Paper kit: {kit.files[-1].parent} ({len(kit.files)} files; README.txt says how)")
