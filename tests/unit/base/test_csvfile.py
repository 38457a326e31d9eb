"""The one reader of CSV files from outside: dialects, headers, units, decimal marks, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.base import csvtext
from archsim.base.csvfile import Table, Want, read_table
from archsim.base.errors import InputError
from archsim.base.files import LONGEST

WANTS = {"power": Want(("power", "P"), "W"), "name": Want(("name",)), "count": Want(("count",), "")}


def read(folder: Path, content: str | bytes) -> Table:
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, WANTS, [("power",)], what="a table")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", ["power (mW)", "Power [mW]", "POWER_mW", "power mW", "power/mW", "P (mW)"])
def test_a_column_is_found_whatever_the_form(tmp_path: Path, encoding: str, delimiter: str, header: str) -> None:
    text = f"Measured in May\r\n\r\nname{delimiter}{header}\r\na{delimiter}1.5\r\nb{delimiter}2\r\n"
    table = read(tmp_path, text.encode(encoding))
    assert table.quantity("power") == pytest.approx([1.5e-3, 2e-3])
    assert table.text("name") == ["a", "b"]
    assert (table.line, table.lines, table.records) == (3, [4, 5], [4, 5])


def test_a_first_line_that_names_the_separator_is_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, "sep=;\nname;power (W)\na;0,5\n").quantity("power") == pytest.approx([0.5])


@pytest.mark.parametrize(
    ("header", "cells", "values"),
    [
        ("power (W)", ["0,773", "1,234"], [0.773, 1.234]),
        ("power (W)", ["1,5", "2"], [1.5, 2]),
        ("power (W)", ["1,234e-3"], [1.234e-3]),
        ("power (W)", ["93 mW", "0.1"], [0.093, 0.1]),
        ("power (W)", ["\u22121.5", "+2"], [-1.5, 2]),
        ("power", ["93 mW", "2\u00b5W"], [0.093, 2e-6]),
        ("power (uw)", ["1"], [1e-6]),
        ("power (\u00b5W)", ["1"], [1e-6]),
    ],
)
def test_numbers_are_read_with_their_mark_and_unit(
    tmp_path: Path, header: str, cells: list[str], values: list[float]
) -> None:
    rows = "\n".join(f"x;{cell}" for cell in cells)
    assert read(tmp_path, f"name;{header}\n{rows}\n").quantity("power") == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name;power (W)\na;1,234\n", r"t.csv:2: power \(W\): got '1,234', which may be 1.234 or 1234"),
        ('name,power (W)\na,"1,234"\nb,0.5\n', "t.csv:2: .*got '1,234', which may be"),
        ("name;power (W)\na;1.234,5\nb;0,5\n", "t.csv:2: .*got '1.234,5'; expected numbers with one decimal mark"),
        ("name,power\na,1\n", 't.csv:1: power: has no unit in its name; expected a name such as "power .mW."'),
        ("name,power (W)\na,1 V\n", "t.csv:2: .*has the unit 'V'; expected one of W"),
        ("name,power (mw)\na,1\n", "t.csv:1: .*has the unit 'mw', which may be mW or MW; .*capital and small letters count"),
        ("name,power_mw\na,1\n", "t.csv:1: power_mw: has the unit 'mw', which may be mW or MW"),
        ("name,power (W),P (W)\na,1,2\n", None),
        ("name,power (W),Power [mW]\na,1,2\n", r"t.csv:1: power: stands for power \(W\) and Power \[mW\]; expected one of them"),
        ("name,power_W,power_W\na,1,2\n", "t.csv:1: power: stands twice in the header"),
        ("name,power (W)\na,nan\n", "t.csv:2: .*got 'nan'; expected a finite number"),
        ("name,power (W)\na,1e999\n", "t.csv:2: .*got '1e999'; expected a finite number"),
        ("name,power (W)\na,1_0\n", "t.csv:2: .*got '1_0'; expected a number"),
        ("name,power (W)\na,\n", "t.csv:2: .*got ''; expected a number"),
        ("name,power (W)\na,1,2\n", "t.csv:2: has 3 cells; expected 2"),
        ('name,power (W)\n"a,1\nb,2\n', "t.csv:2: is no CSV file: unexpected end of data"),
        ("name,volts\na,1\n", 't.csv:1: power: is missing; expected a column such as "power .mW." beside name, volts'),
        ("", "t.csv: is empty; expected a table with a header"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_line_and_column(tmp_path: Path, text: str, words: str | None) -> None:
    if words is None:  # the first of the names that is there counts
        assert read(tmp_path, text).quantity("power") == pytest.approx([1])
        return
    with pytest.raises(InputError, match=words):
        read(tmp_path, text).quantity("power")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("name,power (W)\n\u00b5,1\n".encode("cp1252"), 'is no CSV file in UTF-8; expected .* as "CSV UTF-8"'),
        (b"PK\x03\x04 and so on", 'is a workbook or an archive; expected .* as "CSV UTF-8"'),
        (b"\0" * 100, "is no CSV file in UTF-8"),
    ],
)
def test_other_encodings_and_workbooks_are_refused_with_the_remedy(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(tmp_path, data)


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "t.csv").open("wb") as stream:
        stream.write(b"a,b\n1,2\n" * 10_000)
        stream.truncate(LONGEST["table"] + 1)
    with pytest.raises(InputError, match="of at most 268,435,456"):
        read_table(tmp_path / "t.csv", WANTS, [("power",)], what="a table")


def test_empty_columns_and_rows_that_a_spreadsheet_leaves_are_no_cells(tmp_path: Path) -> None:
    table = read(tmp_path, "name,power (W),,\na,1,,\n , ,,\n,,,\nb,2\n")
    assert table.quantity("power") == pytest.approx([1, 2])
    assert table.lines == [2, 5]


@given(st.floats(1e-9, 1e9), st.integers(0, 2))
def test_a_decimal_comma_that_shows_itself_reads_as_the_point_does(value: float, digits: int) -> None:
    text = f"{value:.{digits}e}"
    comma = text.replace(".", ",")
    mark = csvtext.decimal_mark([comma])
    assert csvtext.number(comma, mark)[0] == float(text)


def test_whole_numbers_are_whole(tmp_path: Path) -> None:
    assert read(tmp_path, "power (W),count\n1,3\n").whole("count").tolist() == [3]
    with pytest.raises(InputError, match="t.csv:2: count: got 0.5; expected a whole number"):
        read(tmp_path, "power (W),count\n1,0.5\n").whole("count")
