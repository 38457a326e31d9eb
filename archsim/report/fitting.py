"""A table on a terminal that may be narrower: cut into pieces below each other, and no cell is cut off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table

ROOM = 24
"""Letters that a column of words keeps at least, if it has as many."""
_BETWEEN, _AROUND = 3, 1
"""Letters between columns, and beside all of them."""


class Fitting(Table):
    """A table whose columns stand in several pieces, each behind the first one, where one line does not hold them."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Set the table as it is if it fits, else in pieces."""
        columns, width = self.columns, options.max_width
        whole, least = [_whole(column) for column in columns], [_least(column) for column in columns]
        if not columns or _total(whole) <= width:
            yield from super().__rich_console__(console, options)
            return
        for k, piece in enumerate(_pieces(least, width)):
            part = Table(
                title=None if k else self.title, title_justify="left", title_style=self.title_style, box=self.box
            )
            spare = width - _total([least[c] for c in piece])
            for c in piece:
                more = max(min(spare, whole[c] - least[c]), 0)
                spare -= more
                part.add_column(columns[c].header, justify=columns[c].justify, width=least[c] + more, overflow="fold")
            for row in zip(*(columns[c].cells for c in piece), strict=True):
                part.add_row(*row)
            yield part


def _pieces(least: Sequence[int], width: int) -> list[list[int]]:
    """Return the columns of each piece: the first, and as many of the others as fit beside it, one at least."""
    found: list[list[int]] = []
    for c in range(1, len(least)):
        if not found or (len(found[-1]) > 1 and _total([least[k] for k in (*found[-1], c)]) > width):
            found.append([0])
        found[-1].append(c)
    return found or [[0]]


def _total(widths: Iterable[int]) -> int:
    """Return the letters of a line with columns of some widths."""
    return sum(width + _BETWEEN for width in widths) + 2 * _AROUND - 1


def _texts(column: Column) -> list[str]:
    return [str(cell) for cell in column.cells]


def _whole(column: Column) -> int:
    """Return the letters that a column takes without a break."""
    return max(cell_len(text) for text in (str(column.header), *_texts(column)))


def _least(column: Column) -> int:
    """Return the letters that a column takes at least: numbers stay whole, ranges break in the middle."""
    heads = max(map(cell_len, str(column.header).split() or [""]))
    if column.justify == "right":
        return max(
            [heads, *(cell_len(part) for text in _texts(column) for part in text.replace(" to ", " to\n").split("\n"))]
        )
    longest = max([heads, *(cell_len(word) for text in _texts(column) for word in text.split())])
    return max(longest, min(_whole(column), ROOM))
