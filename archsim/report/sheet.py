"""A table, and how it is shown on a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

NONE = "-"


@dataclass(frozen=True)
class Sheet:
    """A table: title, column heads, rows of text; columns from the second on are set to the right."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def terminal(sheet: Sheet) -> Table:
    """Return a sheet as a table for the terminal."""
    from rich import box

    from archsim.report.fitting import Fitting

    table = Fitting(title=sheet.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for position, head in enumerate(sheet.heads):
        table.add_column(head, justify="left" if position == 0 or wordy(sheet, position) else "right")
    for row in sheet.rows:
        table.add_row(*row)
    return table


def wordy(sheet: Sheet, position: int) -> bool:
    """Whether a column holds words rather than numbers: half of its cells or more do not begin like one."""
    cells = [row[position] for row in sheet.rows if row[position] != NONE]
    return 2 * sum(cell[:1].isdigit() or cell[:1] in ("+", "-") for cell in cells) <= len(cells)


def markdown_sheet(sheet: Sheet, level: int = 2) -> str:
    """Return a sheet as a Markdown table under a heading of that level."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = ["---" if k == 0 or wordy(sheet, k) else "---:" for k in range(len(sheet.heads))]
    return "\n".join([f"{'#' * level} {sheet.title}", "", line(sheet.heads), line(rule), *map(line, sheet.rows)])
