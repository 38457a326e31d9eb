"""Read a CSV file of measurements: units stand in the names of the columns, such as conductance_uS."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from archsim.base import units
from archsim.base.errors import InputError, nearest
from archsim.base.files import display

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of a CSV file as text, each with its line number. Columns nobody asks for are passed over."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def has(self, column: str) -> bool:
        """Whether there is a column of this name, or of this name and a unit."""
        return any(name == column or name.startswith(f"{column}_") for name in self.header)

    def error(self, column: str | None, message: str = "", line: int = 1, **fields: object) -> NoReturn:
        """Raise an error that names this file, the line and the column."""
        raise InputError(message, file=display(self.path), line=line, key=column, **fields)  # type: ignore[arg-type]

    def text(self, column: str) -> list[str]:
        """Return a column as text, stripped and in lower case."""
        if column not in self.header:
            hint = nearest(column, self.header)
            self.error(column, "is missing", expected=f"this column beside {', '.join(self.header)}", hint=hint)
        place = self.header.index(column)
        return [row[place].strip().lower() for row in self.rows]

    def quantity(self, column: str, unit: str) -> F64:
        """Return a column such as conductance_uS in the SI unit `unit`.

        Raises
        ------
        InputError
            If the column or its unit is missing, or a value is no finite number.
        """
        named = [name for name in self.header if name == column or name.startswith(f"{column}_")]
        if not named:
            have = ", ".join(self.header)
            self.error(column, "is missing", expected=f"a column such as {column}_u{unit} beside {have}")
        if len(named) > 1:
            self.error(column, f"stands for {' and '.join(named)}", expected="one of them")
        name = named[0]
        suffix = name.removeprefix(column).removeprefix("_")
        if not suffix:
            self.error(name, "has no unit in its name", expected=f"a name such as {column}_u{unit}")
        try:
            factor = units.parse(f"1 {suffix}", unit)
        except InputError:
            self.error(name, f"has the unit {suffix!r}", expected=f"one of {unit}, such as {column}_u{unit}")
        place = self.header.index(name)
        values = [self._number(row[place], name, line) for row, line in zip(self.rows, self.lines, strict=True)]
        return np.array(values) * factor

    def whole(self, column: str) -> NDArray[np.int64]:
        """Return a column of whole numbers."""
        values = self.text(column)
        numbers = [self._number(value, column, line) for value, line in zip(values, self.lines, strict=True)]
        for number, line in zip(numbers, self.lines, strict=True):
            if number != int(number):
                self.error(column, line=line, value=number, expected="a whole number")
        return np.array(numbers, np.int64)

    def _number(self, text: str, column: str, line: int) -> float:
        try:
            value = float(text)
        except ValueError:
            self.error(column, line=line, value=text, expected="a number")
        if not math.isfinite(value):
            self.error(column, line=line, value=text, expected="a finite number")
        return value


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file with a header; empty lines and those that begin with # are passed over.

    Raises
    ------
    InputError
        If the file is missing, is no text, has no rows, repeats a column, or a row has another number of columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = csv.reader(stream)
            found = [(table.line_num, row) for row in table if any(row) and not row[0].lstrip().startswith("#")]
    except FileNotFoundError as error:
        raise InputError("no such file", file=display(path)) from error
    except IsADirectoryError as error:
        raise InputError("is a directory", file=display(path), expected="a CSV file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError("is no CSV file in UTF-8", file=display(path), expected="a CSV file") from error
    if not found:
        raise InputError("is empty", file=display(path), expected="a CSV file with a header")
    header = [name.strip() for name in found[0][1]]
    for name in header:
        if header.count(name) > 1:
            raise InputError("stands twice in the header", file=display(path), line=found[0][0], key=name)
    if len(found) == 1:
        raise InputError("has a header and no rows", file=display(path), expected="rows of numbers")
    for line, row in found[1:]:
        if len(row) != len(header):
            raise InputError(f"has {len(row)} columns", file=display(path), line=line, expected=f"{len(header)}")
    return Sheet(path, header, [row for _, row in found[1:]], [line for line, _ in found[1:]])
