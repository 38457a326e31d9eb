"""The one reader of CSV files from outside: finds the header and the columns wanted, and gives their values in SI.

Delimiters are comma, semicolon and tab; the right one is that under which a row holds the columns wanted. That row is
the header, so titles may stand above it. Names are compared without case; units stand in a name, as "conductance (uS)",
"conductance [uS]" or "conductance_uS", or in a cell, as "93 mW". A unit is never guessed.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from archsim.base import csvtext, units
from archsim.base.errors import InputError, nearest
from archsim.base.files import display

F64 = NDArray[np.float64]
_HEADER_WITHIN = 50
"""Rows among which the header is looked for."""
_PREFIXED = {"S": "uS", "J": "pJ", "W": "mW", "Hz": "MHz", "m": "nm", "m^2": "um^2"}


@dataclass(frozen=True, slots=True)
class Want:
    """What a column may hold.

    Parameters
    ----------
    names : str
        Names of the column without unit; the first found counts, and the first is named in errors.
    unit : str, optional
        SI unit of its numbers, "" for plain ones, "dB"; None for text.
    given : str, optional
        Unit where neither the name nor the cells state one.
    option : str, optional
        Option by which a unit may be given.
    """

    names: tuple[str, ...]
    unit: str | None = None
    given: str | None = None
    option: str | None = None

    @property
    def example(self) -> str:
        """Unit that such a column often has."""
        return _PREFIXED.get(self.unit or "", self.unit or "")

    def like(self, name: str | None = None) -> str:
        """Return a name with its unit as it may stand in a header, for errors."""
        return f'"{name or self.names[0]} ({self.example})"' if self.example else repr(name or self.names[0])


@dataclass(frozen=True, slots=True)
class Column:
    """A column found: its place, its header as it stands, the unit in it, and what was wanted."""

    place: int
    header: str
    unit: str | None
    want: Want


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a CSV file as text. Columns nobody asks for are passed over.

    Parameters
    ----------
    path, line : path, and line of the header
    header : names of all columns
    wants, columns : key -> what was wanted, and its column, if there is one
    rows, lines, records : cells of each row, its last line in the file, and its number as a spreadsheet counts rows
    mark : decimal mark of the numbers
    """

    path: Path
    line: int
    header: list[str]
    wants: Mapping[str, Want]
    columns: Mapping[str, Column]
    rows: list[list[str]]
    lines: list[int]
    records: list[int]
    mark: str

    def has(self, key: str) -> bool:
        """Whether a wanted column is there."""
        return key in self.columns

    def error(self, column: str | None, message: str = "", line: int | None = None, **fields: object) -> NoReturn:
        """Raise an error that names this file, the line (by default that of the header) and the column."""
        line = self.line if line is None else line
        raise InputError(message, file=display(self.path), line=line, key=column, **fields)  # type: ignore[arg-type]

    def text(self, key: str) -> list[str]:
        """Return a column as text, stripped and in lower case.

        Raises
        ------
        InputError
            If there is no such column.
        """
        place = self._column(key).place
        return [row[place].strip().lower() for row in self.rows]

    def quantity(self, key: str) -> F64:
        """Return a column in its SI unit.

        Raises
        ------
        InputError
            If the column or its unit is missing, or a cell is no finite number in that unit; names the first.
        """
        column = self._column(key)
        scale, cells = self.scale(column), [row[column.place] for row in self.rows]
        if scale is not None and self.mark == "." and not any("_" in cell for cell in cells):
            try:
                values = np.array(list(map(float, cells)))
            except ValueError:
                pass
            else:
                if np.isfinite(values).all():
                    return np.asarray(values * scale)
        return np.array([self._value(column, cell, scale, line)
                         for cell, line in zip(cells, self.lines, strict=True)])  # fmt: skip

    def whole(self, key: str) -> NDArray[np.int64]:
        """Return a column of whole numbers.

        Raises
        ------
        InputError
            If there is no such column, or a cell is no whole number.
        """
        numbers = self.quantity(key)
        for wrong in np.flatnonzero((numbers != np.floor(numbers)) | (np.abs(numbers) > 2**53)):
            self.error(key, line=self.lines[wrong], value=float(numbers[wrong]), expected="a whole number")
        return numbers.astype(np.int64)

    def scale(self, column: Column) -> float | None:
        """Return the factor of a column's bare numbers to SI, None if nothing states their unit.

        Raises
        ------
        InputError
            If the unit stated is unknown, or none of the quantity.
        """
        if not column.want.unit:
            return 1.0
        text = column.unit or column.want.given
        if text is None:
            return None
        try:
            return csvtext.factor(text, column.want.unit)
        except ValueError as error:
            want = column.want
            if column.unit is None:
                raise InputError(key=want.option, value=text, expected=f"a unit such as {want.example}") from None
            expected = f"one of {want.unit}, such as {want.like()}; capital and small letters count"
            self.error(column.header, str(error), expected=expected)

    def value(self, column: Column, cell: str, scale: float | None) -> float:
        """Return a cell in SI, by its own unit or the factor `scale` of its column.

        Raises
        ------
        ValueError
            If it is no finite number, or has no unit or a wrong one; the message begins in the middle of a sentence.
        """
        number, unit = csvtext.number(cell, self.mark)
        if unit and column.want.unit == "":
            raise ValueError(f"got {cell.strip()!r}; expected a number without unit")
        if unit:
            try:
                return number * csvtext.factor(unit, column.want.unit or "")
            except ValueError as error:
                raise ValueError(
                    f"{error}; expected one of {column.want.unit}, such as {column.want.example}"
                ) from None
        if scale is None:
            raise ValueError(no_unit(column))
        return number * scale

    def _value(self, column: Column, cell: str, scale: float | None, line: int) -> float:
        try:
            return self.value(column, cell, scale)
        except ValueError as error:
            bare = str(error) == no_unit(column)
            self.error(column.header, str(error), line=None if bare else line)

    def names(self) -> list[str]:
        """Return the names in the header; none of a file of one column, which may be anything."""
        return [name for name in self.header if name] if len(self.header) > 1 else []

    def _column(self, key: str) -> Column:
        if key not in self.columns:
            want, have = self.wants[key], self.names()
            hint = nearest(want.names[0], have)
            beside = f" beside {', '.join(have)}" if have else ""
            self.error(want.names[0], "is missing", expected=f"a column such as {want.like()}{beside}", hint=hint)
        return self.columns[key]


def no_unit(column: Column) -> str:
    """Return what is wrong with a column whose numbers have no unit, and what would be right."""
    option = f", or {column.want.option} {column.want.example}" if column.want.option else ""
    name, _ = csvtext.named(column.header)
    return f"has no unit in its name; expected a name such as {column.want.like(name)}{option}"


def read_table(path: Path, wants: Mapping[str, Want], needs: Sequence[Collection[str]], *, what: str) -> Table:
    """Read a CSV file, a header and rows of as many cells.

    Parameters
    ----------
    path : CSV file
    wants : key -> what a column may hold
    needs : sets of keys, of which a header has one whole
    what : what the file should be, for errors

    Raises
    ------
    InputError
        If the file cannot be read, has no rows, two columns claim one quantity, or a row has another number of cells.
        A header that lacks something is not refused here, for the reader of the columns names what is missing.
    """
    table = parse(csvtext.read_text(path), path, wants, needs, what=what)
    for row, line in zip(table.rows, table.lines, strict=True):
        if len(row) != len(table.header):
            raise InputError(cells_wrong(row, table.header), file=display(path), line=line)
    return table


def cells_wrong(row: Sequence[str], header: Sequence[str]) -> str:
    """Return what is wrong with a row that has another number of cells than its header."""
    return f"has {len(row)} cells; expected {len(header)}, as the header has names"


def parse(
    text: str, path: Path, wants: Mapping[str, Want], needs: Sequence[Collection[str]], *, what: str, before: int = 0,
) -> Table:  # fmt: skip
    """Return the table in a text, with rows of any number of cells; empty cells beyond the header are dropped.

    Parameters
    ----------
    text : str
    path, wants, needs, what : as in `read_table`
    before : lines of the file above the text

    Raises
    ------
    InputError
        If the text has no rows, is no CSV, or two columns claim one quantity.
    """
    delimiter, skipped = _dialect(text, wants, needs)
    found = _rows(text, delimiter, path, before)
    if not found:
        raise InputError("is empty", file=display(path), expected=f"{what} with a header")
    (_, line, first), found = found[skipped], found[skipped + 1 :]
    if not found:
        raise InputError("has a header and no rows", file=display(path), line=before + line, expected="rows of numbers")
    header = _trimmed([name.strip() for name in first], 0)
    columns = {}
    for key, want in wants.items():
        claims = _claims(header, want)
        if len(claims) > 1:
            same = len({each.header for each in claims}) == 1
            both = " and ".join(each.header for each in claims)
            raise InputError("stands twice in the header" if same else f"stands for {both}", file=display(path),
                             line=before + line, key=want.names[0], expected="one of them")  # fmt: skip
        if claims:
            columns[key] = claims[0]
    rows = [row if len(row) == len(header) else _trimmed(row, len(header)) for _, _, row in found]
    numeric = [column.place for column in columns.values() if column.want.unit is not None]
    marked = (row[k] for k in numeric for row in rows if k < len(row) and ("," in row[k] or "." in row[k]))
    mark = csvtext.decimal_mark(marked) if any("," in row[k] for k in numeric for row in rows if k < len(row)) else "."
    return Table(path, before + line, header, wants, columns, rows, [before + line for _, line, _ in found],
                 [record for record, _, _ in found], mark)  # fmt: skip


def _trimmed(row: list[str], length: int) -> list[str]:
    """Return a row without the empty cells at its end, but for the first `length`."""
    end = len(row)
    while end > length and not row[end - 1].strip():
        end -= 1
    return row[:end]


def _rows(text: str, delimiter: str, path: Path, before: int) -> list[tuple[int, int, list[str]]]:
    found: list[tuple[int, int, list[str]]] = []
    try:
        for each in csvtext.split(text, delimiter):
            found.append(each)  # noqa: PERF402  so that the error knows how far it came
    except csv.Error as error:
        line = before + (found[-1][1] if found else 0) + 1
        expected = "rows of cells, every quote closed in its cell"
        raise InputError(f"is no CSV file: {error}", file=display(path), line=line, expected=expected) from error
    return found


def _dialect(text: str, wants: Mapping[str, Want], needs: Sequence[Collection[str]]) -> tuple[str, int]:
    """Return delimiter and number of rows above the header: the first row that holds what is needed, or most of it.

    Where no row holds any of it, the header is the row above the first row of numbers.
    """
    best, most = (csvtext.DELIMITERS[0], 0), (0.0, 0)
    for delimiter in csvtext.DELIMITERS:
        for skipped, row in enumerate(_start(text, delimiter)):
            have = {key for key, want in wants.items() if _claims(row, want)}
            share = max(len(have.intersection(need)) / len(need) for need in needs)
            if share == 1:
                return delimiter, skipped
            if (score := (share, len(row) if skipped == 0 else 0)) > most:
                best, most = (delimiter, skipped), score
    if most[0] > 0:
        return best
    above: list[tuple[int, str, int]] = []
    for delimiter in csvtext.DELIMITERS:
        for skipped, row in enumerate(islice(_start(text, delimiter), 1, None)):
            if all(map(csvtext.is_number, filter(str.strip, row))):
                above.append((len(row), delimiter, skipped))
                break
    return max(above, key=lambda each: each[0])[1:] if above else best


def _start(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        for _, _, row in islice(csvtext.split(text, delimiter), _HEADER_WITHIN):
            yield row
    except csv.Error:
        return


def _claims(header: Sequence[str], want: Want) -> list[Column]:
    """Return the columns that claim to be what is wanted: of its names, the first that any has."""
    weak: list[Column] = []
    for name in map(csvtext.plain, want.names):
        found = []
        for place, text in enumerate(header):
            head, unit = csvtext.named(text)
            if csvtext.plain(head) == name:
                found.append(Column(place, text, unit, want))
                continue
            head, unit = csvtext.suffixed(text)
            if want.unit and unit and csvtext.plain(head) == name:
                (found if units.known(unit) or unit.lower() == "db" else weak).append(Column(place, text, unit, want))
        if found:
            return found
    return weak[:1]
