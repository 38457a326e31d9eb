"""The command line: arguments to calls, errors to one line and an exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsim.base.errors import EXIT_CODES, ArchsimError, InputError
from archsim.display import console, introduce, stoppable
from archsim.display import progress as show_progress

if TYPE_CHECKING:
    from archsim.runs.summary import Summary

INTERRUPTED = 130

_CODES = "\n\n".join(f"{code}  {meaning}" for code, meaning in EXIT_CODES.items())
app = typer.Typer(
    name="archsim", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="What does it cost, in joules and in seconds, to train this network on that in-memory-computing chip?\n\n"
    "archsim trains a network step by step on an event-driven model of the chip, counts every operation, and prices "
    "the counts with a technology file whose every figure has a source. Start with: archsim reproduce",
    epilog=f"Exit codes:\n\n{_CODES}",
)  # fmt: skip
tech_app = typer.Typer(no_args_is_help=True, help="Technology files: figures with units and sources.")
workloads_app = typer.Typer(no_args_is_help=True, help="Workload files: a network, its data, its training.")
archs_app = typer.Typer(no_args_is_help=True, help="Architecture files: the structure of a chip.")
data_app = typer.Typer(no_args_is_help=True, help="Data sets: which are there, and fetching them.")
app.add_typer(tech_app, name="tech")
app.add_typer(workloads_app, name="workloads")
app.add_typer(archs_app, name="archs")
app.add_typer(data_app, name="data")

Seed = Annotated[int, typer.Option(help="One seed decides everything: the same seed gives the same bits again.")]
Techs = Annotated[
    list[str] | None,
    typer.Option("--tech", help="Technology, by name or file; repeat to price the same run by several.",
                 show_default="both shipped"),
]  # fmt: skip
Archs = Annotated[
    list[str] | None,
    typer.Option("--arch", help="Architecture, by name or file; repeat for several. All start from the same weights.",
                 show_default="mixed-precision and digital32"),
]  # fmt: skip
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one value of the workload or of the architectures, such as "
                 "outer_product.error_bits=8 or nonidealities.drift=false or digital32.mac_array.lanes=8."),
]  # fmt: skip
Out = Annotated[Path | None, typer.Option(help="Run directory to make.", show_default="a new one under reports/")]
Data = Annotated[
    Path | None, typer.Option(help="Folder with MNIST's four IDX files.", show_default="$ARCHSIM_DATA, the cache")
]
Preset = Annotated[str | None, typer.Option(help="Preset of the workload, such as quick or full.")]
Steps = Annotated[int | None, typer.Option(help="Training steps, whatever the epochs.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on standard output, and nothing else there.")
]


@app.command()
def reproduce(  # noqa: PLR0917  an option each
    out: Out = None, seed: Seed = 1, preset: Preset = None, steps: Steps = None, data: Data = None,
    as_json: AsJson = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Reproduce the paper's comparison: train its perceptron on both chips, print the tables, draw the charts."""
    options = {"workload": "mlp-mnist", "preset": preset, "steps": steps, "data": data}
    where = _run(options, seed, out or _fresh("reproduce"), as_json=as_json, quiet=quiet)
    _report(where, None, quiet=quiet or as_json)


@app.command("run")
def run_command(  # noqa: PLR0917  an option each
    workload: Annotated[str, typer.Argument(metavar="WORKLOAD", help="Workload, by name or file.")],
    preset: Preset = None, arch: Archs = None, tech: Techs = None, seed: Seed = 1,
    seeds: Annotated[int, typer.Option(help="Run so many seeds, from --seed on, side by side.")] = 1,
    steps: Steps = None, set_: Settings = None, out: Out = None, data: Data = None, as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:  # fmt: skip
    """Train WORKLOAD on the mixed-precision chip and on the 32-bit baseline (or on --arch), and account for it."""
    options: dict[str, Any] = {
        "workload": workload, "preset": preset, "steps": steps, "data": data, "settings": tuple(set_ or ()),
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


@app.command("report")
def report_command(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory.")],
    out: Annotated[Path | None, typer.Option(help="Where to write.", show_default="DIR/report")] = None,
    quiet: Quiet = False,
) -> None:
    """Draw the charts (PNG, SVG, PDF) and write the tables (Markdown, LaTeX) of a run, from its directory alone."""
    _report(run, out, quiet=quiet)


@tech_app.command("list")
def tech_list() -> None:
    """List the shipped technologies."""
    from archsim.accounting.technology import list_technologies, read_technology

    for name in list_technologies():
        technology = read_technology(name)
        typer.echo(f"{name:28} {technology.node:8} {len(technology.figures):3} figures  {technology.title}")


@tech_app.command("show")
def tech_show(name: Annotated[str, typer.Argument(metavar="TECH", help="Technology, by name or file.")]) -> None:
    """Show every figure of TECH: value, range, basis, source."""
    from rich.table import Table

    from archsim.accounting.technology import read_technology
    from archsim.base.units import show

    technology = read_technology(name)
    table = Table("figure", "value", "range", "basis", "source or reason", "prices", title=technology.title)
    for time in technology.times.values():
        table.add_row(time.name, show(time.value, "s"), "", time.origin.basis, _origin(time.origin), "time")
    for figure in technology.figures.values():
        unit = figure.price_unit
        low, high = show(figure.low, unit), show(figure.high, unit)
        table.add_row(
            figure.name, show(figure.value, unit), f"{low} .. {high}", figure.origin.basis, _origin(figure.origin),
            ", ".join(figure.prices) or "nothing",
        )  # fmt: skip
    console().print(table)


def _origin(origin: Any) -> str:
    text = ", ".join(origin.sources) or str(origin.why or "")
    return f"{text}; {origin.note}" if origin.basis == "calibrated" else text


@tech_app.command("lint")
def tech_lint(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[TECH]...", help="Technologies; all shipped ones if none.")
    ] = None,
    arch: Archs = None,
) -> None:
    """Check technologies: schema, units, sources, and that every action of the architectures has exactly one price."""
    from archsim.accounting.technology import lint, list_technologies, read_technology
    from archsim.base.files import shipped_names
    from archsim.runs.inventory import entries

    problems = 0
    archs = arch or shipped_names("architectures")
    for name in names or list_technologies():
        technology = read_technology(name)
        found = lint(technology, [entry for a in archs for entry in entries(a, technology)])
        for line in found:
            typer.echo(line)
        bad = sum(not line.startswith("note: ") for line in found)
        problems += bad
        typer.echo(f"{technology.name}: {'ok' if not bad else f'{bad} problems'} for {', '.join(archs)}")
    if problems:
        raise typer.Exit(1)


@tech_app.command("calibrate")
def tech_calibrate(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory of a run of both chips.")],
    out: Annotated[Path, typer.Option(help="Technology file to write.")],
    tech: Annotated[str, typer.Option(help="Technology to start from; the run was priced by it.")] = "bottom-up-14nm",
) -> None:
    """Move TECH's figures as little as possible so that the run gives the paper's two totals; say by how much."""
    from archsim.runs.calibrate import calibrate

    for move in calibrate(run, tech, out):
        note = "" if move.inside else "  outside its published range"
        typer.echo(f"{move.figure.name:20} x{move.factor:<8.3g}{note}")
    typer.echo(f"written: {out}")


@workloads_app.command("list")
def workloads_list() -> None:
    """List the shipped workloads."""
    from archsim.base.files import shipped_names
    from archsim.runs import workload

    for name in shipped_names("workloads"):
        parsed = workload.parse(workload.document(name))
        typer.echo(f"{name:20} {parsed.title}; presets: {', '.join(parsed.presets) or 'none'}")


@workloads_app.command("show")
def workloads_show(name: Annotated[str, typer.Argument(metavar="WORKLOAD")]) -> None:
    """Show a workload's file."""
    from archsim.runs import workload

    document = workload.document(name)
    workload.parse(document)
    typer.echo(document.path.read_text(encoding="utf-8"), nl=False)


@archs_app.command("list")
def archs_list() -> None:
    """List the shipped architectures."""
    from archsim.base.files import shipped_names
    from archsim.chips import architecture

    for name in shipped_names("architectures"):
        typer.echo(f"{name:20} {architecture.parse(architecture.document(name)).title}")


@archs_app.command("show")
def archs_show(name: Annotated[str, typer.Argument(metavar="ARCH")]) -> None:
    """Show an architecture's file."""
    from archsim.chips import architecture

    document = architecture.document(name)
    architecture.parse(document)
    typer.echo(document.path.read_text(encoding="utf-8"), nl=False)


@data_app.command("list")
def data_list(data: Data = None) -> None:
    """List the data sets, whether they are there, and where."""
    from archsim.learning import datasets

    for source in datasets.sources(folder=data):
        size = f"{source.bytes / 1e6:.1f} MB" if source.found else ""
        note = f"  ({source.note})" if source.note else ""
        typer.echo(f"{source.name:8} {'found' if source.found else 'missing':8} {size:>9}  {source.where}{note}")


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(metavar="DATASET", help="mnist")], quiet: Quiet = False) -> None:
    """Fetch a data set from its public mirrors into the user's cache, checking sha256."""
    from archsim.learning import datasets

    last: list[str] = []

    def progress(file: str, done: int, due: int | None) -> None:
        if file not in last:
            last.append(file)
            typer.echo(f"fetching {file} ({due or '?'} bytes)", err=True)
        del done

    folder = datasets.fetch(name, progress=None if quiet else progress)
    if not quiet:
        typer.echo(f"{name} is in {folder}")


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
    from archsim.runs.seeds import STOP, run_seeds, statistics
    from archsim.runs.spec import resolve

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


def main() -> None:
    """Run the command line; turn archsim's errors into one line on standard error and an exit code."""
    try:
        app()
    except ArchsimError as error:
        typer.echo(f"archsim: error: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("archsim: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
