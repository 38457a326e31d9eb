"""Options that several commands share, and how those end that are interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

INTERRUPTED = 130


def interrupted(kept: Path) -> NoReturn:
    """Say that what was done is kept in a directory, and end the command as an interrupted one."""
    typer.echo(f"archsim: interrupted; what was done is kept in {kept}, the same command goes on", err=True)
    raise typer.Exit(INTERRUPTED) from None


def tell_lint(found: Iterable[tuple[str, Sequence[str]]], held_against: Sequence[str]) -> None:
    """Print what is wrong with files, and notes; end the command with 1 if something is.

    Parameters
    ----------
    found : name or path of each, and its lines, told as they come
    held_against : names of what they were checked for
    """
    wrong = 0
    for name, lines in found:
        for line in lines:
            typer.echo(line)
        bad = sum(not line.startswith("note: ") for line in lines)
        wrong += bad
        typer.echo(f"{Path(name).stem}: {f'{bad} problems' if bad else 'ok'} for {', '.join(held_against)}")
    if wrong:
        raise typer.Exit(1)


@contextmanager
def going_on(kept: Path) -> Iterator[None]:
    """Let Ctrl-C end a study that writes what it has done, with a word on how it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        interrupted(kept)


def _place(on: str) -> str:
    """Refuse an `--on` that is none, whether or not anything is left to be done there."""
    from archsim.studies.workers.pool import check_words

    check_words(on)
    return on


# --- options ----------------------------------------------------------------------------------------------------------

Seed = Annotated[int, typer.Option(help="One seed decides everything: the same seed gives the same bits again.")]
Techs = Annotated[
    list[str] | None,
    typer.Option("--tech", help="Technology, by name or file; repeat to price the same run by several.",
                 show_default="bottom-up-14nm"),
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
Figures = Annotated[
    list[str] | None,
    typer.Option("--figure", metavar="KEY=VALUE", help="Give one figure, time or area of the technology another value "
                 "for this run, such as adc.conversion=1.2pJ; law and reference size stay. May be repeated."),
]  # fmt: skip
FigureRule = Annotated[
    str | None,
    typer.Option("--figure-rule", metavar="RULE", help="Compute every scaled figure of the technology again by another "
                 "rule: table-interpolation, stillmaker-baas, or that from older or newer nodes alone "
                 "(stillmaker-baas-older, stillmaker-baas-newer).", show_default="the technology's own"),
]  # fmt: skip
Out = Annotated[Path | None, typer.Option(help="Run directory to make.", show_default="a new one under reports/")]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder with the files of the data set (`archsim data list`).", show_default="$ARCHSIM_DATA, the cache"
    ),
]
Preset = Annotated[str | None, typer.Option(help="Preset of the workload, such as quick or full.")]
Steps = Annotated[int | None, typer.Option(help="Training steps, whatever the epochs.")]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="METRIC=VALUE", help="End the training of each chip at the first test that is as "
                 'good, and say what it took: accuracy=97%, "bits per character=2.5"; test=... whatever the metric.'),
]  # fmt: skip
Checkpoint = Annotated[
    str, typer.Option(metavar="TIME", help="How often to write down where the training stands, such as 60s, 5min or "
                      "off; a run that was interrupted or died goes on from there.")
]  # fmt: skip
On = Annotated[
    str, typer.Option("--on", metavar="WHERE", callback=_place, help="Where trainings run: processes (as many as "
                      "cores), processes:N, dask://HOST:PORT, slurm or flux, such as slurm:workers=8,partition=short "
                      "(docs/cluster.md).")
]  # fmt: skip
Details = Annotated[bool, typer.Option("--details", help="Print every table, by phase, part and count.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an unfinished run of other inputs in --out.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on standard output, and nothing else there.")
]
