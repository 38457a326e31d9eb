"""The text of a CSV file: encodings, delimiters, names of columns with units, numbers with either decimal mark."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from archsim.base import units
from archsim.base.errors import InputError, shown
from archsim.base.files import display, read_bytes

DELIMITERS = (",", ";", "\t")
_FIRST = 65_536
_AS_UTF8 = 'a CSV file in UTF-8; in a spreadsheet, save each sheet as "CSV UTF-8"'


def read_text(path: Path) -> str:
    """Return the text of a CSV file in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    Raises
    ------
    InputError
        If it is missing, no file, too large, or not in one of these encodings.
    """
    data = read_bytes(path, "table", "a CSV file")
    try:
        return data.decode(_encoding(data[:_FIRST], path))
    except UnicodeDecodeError as error:
        raise InputError("is no CSV file in UTF-8", file=display(path), expected=_AS_UTF8) from error


def _encoding(start: bytes, path: Path) -> str:
    """Return the encoding that the first bytes of a file tell; refuse what is no text."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start.startswith(b"PK\x03\x04"):
        raise InputError("is a workbook or an archive", file=display(path), expected=_AS_UTF8)
    if b"\0" in start:
        raise InputError("is no CSV file in UTF-8", file=display(path), expected=_AS_UTF8)
    return "utf-8-sig"


def split(text: str, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """Yield number of the record as a spreadsheet counts rows, last line, and cells of every row that holds something.

    Empty rows and those that begin with # are passed over.

    Raises
    ------
    csv.Error
        At a quote that does not end, or a cell of more than 131,072 letters.
    """
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    for record, row in enumerate(table, start=1):
        if row and not row[0].startswith("#") and any(map(str.strip, row)):
            yield record, table.line_num, row


def plain(name: str) -> str:
    """Return a name without case, blanks and marks, by which names are compared: "Fs,nyq" is "fsnyq"."""
    return re.sub(r"[\s_,.-]+", "", name).lower()


def named(text: str) -> tuple[str, str | None]:
    """Return name and unit of a header that has a unit in brackets: "Conductance (uS)", "conductance [uS]"."""
    match = re.fullmatch(r"\s*(.*?)[\s_]*[\[(]\s*([^\])]*?)\s*[\])]\s*", text)
    return (match.group(1), match.group(2) or None) if match else (text.strip(), None)


def suffixed(text: str) -> tuple[str, str | None]:
    """Return name and last word of a header such as "conductance_uS", "Conductance uS" or "conductance/uS"."""
    match = re.fullmatch(r"\s*(.*[^\s_/,])[\s_/,]+([^\s_/,]+)\s*", text)
    return match.groups() if match else (text.strip(), None)  # type: ignore[return-value]


def factor(text: str, unit: str) -> float:
    """Return the factor of a unit as it is spelt in tables to the SI unit `unit`.

    Letters count, for mW is not MW; only j, w and hz may be small where their prefix tells itself: pj, uw, khz.

    Raises
    ------
    ValueError
        If it is no such unit; the message says why.
    """
    spelt = re.sub("[\u00b5\u03bc]", "u", text.strip()).replace("\u00b2", "^2")
    spelt = re.sub(r"(?<=m)2$", "^2", spelt)
    if unit == "dB":
        if spelt.lower() == "db":
            return 1.0
        raise ValueError(f"has the unit {text!r}")
    if unit == "Hz":
        spelt = re.sub(r"(?i:s)/s$|(?i:sps)$", "Hz", spelt)
    if unit in ("J", "W", "Hz"):
        match = re.fullmatch(rf"([munpfkMGT]?)({unit})", spelt, re.IGNORECASE)
        if match and match.group(2) != unit and match.group(1) not in ("m", "M"):
            spelt = match.group(1) + unit
        elif match and match.group(2) != unit:
            raise ValueError(f"has the unit {text!r}, which may be m{unit} or M{unit}")
    try:
        return units.parse(f"1 {spelt}", unit)
    except InputError as error:
        raise ValueError(f"has the unit {text!r}") from error


def is_factor(text: str, unit: str) -> bool:
    """Whether a text is a unit of the SI unit `unit`."""
    try:
        factor(text, unit)
    except ValueError:
        return False
    return True


_NUMBER = r"[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?"
_CELL = re.compile(rf"({_NUMBER}|[-+]?\d[\d.,]*)\s*([^\W\d_].*)?", re.DOTALL)
_SURE = re.compile(r"[-+]?(?:0*|0\d+|\d{4,}),\d+|[-+]?\d*,(?:\d{1,2}|\d{4,})|[-+]?\d*,\d+[eE].*")
"""A comma that can only be a decimal mark: not three digits after one to three others."""


def decimal_mark(cells: Iterable[str]) -> str:
    """Return the decimal mark of cells: a comma only if one of them shows that, and none has a point."""
    found = [match.group(1) for cell in cells if (match := _CELL.fullmatch(cell.strip()))]
    if any("." in number for number in found) or not any(_SURE.fullmatch(number) for number in found):
        return "."
    return ","


def is_number(cell: str) -> bool:
    """Whether a cell begins with digits, whatever their decimal mark."""
    return bool(_CELL.fullmatch(cell.strip()))


class NotFinite(ValueError):  # noqa: N818  a kind of what is wrong with a cell
    """A cell holds a number that is not finite."""


def number(cell: str, mark: str) -> tuple[float, str | None]:
    """Return the number in a cell and the unit beside it, if there is one: "93 mW" is (93.0, "mW").

    Raises
    ------
    ValueError
        If it is no finite number; the message quotes it and says what is expected.
    """
    text = cell.strip().replace("\u2212", "-")
    match = _CELL.fullmatch(text)
    if not match:
        if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise NotFinite(f"got {shown(text)}; expected a finite number")
        raise ValueError(f"got {shown(text)}; expected a number")
    digits, unit = match.groups()
    other = "," if mark == "." else "."
    if other in digits:
        both = ", which may be {} or {}".format(digits.replace(other, "."), digits.replace(other, ""))
        known = "numbers with one decimal mark throughout, and nothing between thousands"
        raise ValueError(
            f"got {shown(text)}{both if digits.count(other) == 1 and mark not in digits else ''}; expected {known}"
        )
    try:
        value = float(digits.replace(",", "."))
    except ValueError:
        raise ValueError(f"got {shown(text)}; expected a number") from None
    if abs(value) == float("inf"):
        raise NotFinite(f"got {shown(text)}; expected a finite number")
    return value, unit
