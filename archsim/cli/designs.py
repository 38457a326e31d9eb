"""Options of the commands that go through many designs: `sweep` and `search`; and the pictures both end with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archsim.base.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

    from archsim.records.sweeps.sweep import Sweep

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUES", help="Values of the workload or of the architectures: a list, "
                 "tile.adc.bits=4,6,8; whole numbers, 4..8; a range, tile.rows=128..512:step:128, 0.1..0.5:lin:5, "
                 "1mm..4mm:log:5; of a search also 0.01..0.5:log. One value is the same in all designs. Commas in "
                 "brackets part nothing."),
]  # fmt: skip
Figures = Annotated[
    list[str] | None,
    typer.Option("--figure", metavar="KEY=VALUES", help="Values of a figure, a time or an area of the technology, "
                 "likewise, such as adc.conversion=0.5pJ..5pJ:log:5."),
]  # fmt: skip
Techs = Annotated[
    list[str] | None,
    typer.Option("--tech", help="Technology, by name or file; repeat for several.", show_default="bottom-up-14nm"),
]  # fmt: skip
Archs = Annotated[
    list[str] | None,
    typer.Option("--arch", help="Architecture, by name or file; repeat for several: a chip a design. A sweep counts "
                 "the workload's baseline beside it, for the ratio.", show_default="the workload's"),
]  # fmt: skip
Seeds = Annotated[
    int | None, typer.Option(help="Trainings of each design.", show_default="1")
]  # fmt: skip
Batch = Annotated[
    int | None, typer.Option(help="Samples of a step.", show_default="that of the workload's training")
]  # fmt: skip
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Estimate alone, without data or training.")
]  # fmt: skip
StudyFile = Annotated[
    Path | None, typer.Option(help="Study with all of this (archsim schema: sweep); options win.")
]  # fmt: skip
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done, of a sweep also how long, refuse what would be "
                       "refused, and end.")
]  # fmt: skip
KeepRuns = Annotated[
    bool, typer.Option("--keep-runs", help="Keep the run directory of every training, below OUT/runs.")
]  # fmt: skip
Page = Annotated[
    bool, typer.Option(help="Write OUT/report: pictures, and a page to choose designs on.")
]  # fmt: skip
Out = Annotated[
    Path | None, typer.Option(help="Where to write, and to go on.", show_default="below reports/")
]  # fmt: skip


def only(context: typer.Context, known: Collection[str], what: str) -> None:
    """Refuse options that were given and mean nothing here, so that none is passed over in silence.

    Parameters
    ----------
    context : of the command
    known : names of the options that mean something, with their dashes
    what : what is asked for, in words

    Raises
    ------
    InputError
        That names the first one.
    """
    for each in context.command.params:
        source = context.get_parameter_source(each.name or "")
        option = next((name for name in each.opts if name.startswith("--")), None)
        if option is not None and source is not None and source.name == "COMMANDLINE" and option not in known:
            expected = f"one of {', '.join(known)}" if len(known) <= _FEW else "the command without it"
            raise InputError(f"is no option of {what}", key=option, expected=expected)


_FEW = 10
"""Options that an error lists."""


def draw(found: Sweep, *, silent: bool, **drawn: Any) -> None:
    """Draw the pictures and the page of a table of more than one point; one point is no picture."""
    if found.finished["point"].nunique() > 1:
        tell_page(found.path, None, silent=silent, **drawn)


def tell_page(folder: Path, out: Path | None, *, silent: bool, **drawn: Any) -> None:
    """Draw the pictures and the page of a sweep's directory and say where they are."""
    from archsim.report.sweeps.write import write

    written = write(folder, out, **drawn)
    if not silent:
        typer.echo(f"Page: {written[0]} (and {len(written) - 1} files of pictures beside it)")
