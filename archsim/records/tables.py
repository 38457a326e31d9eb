"""The files of a run directory as text: mappings and tables, read whole or refused by name."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from archsim.base import files
from archsim.base.errors import InputError

Cells = Mapping[str, str]
"""A row of a table: column -> cell."""
_LARGEST = 1 << 20
"""Letters in a cell: more than any note has."""
LONGEST = 1 << 30
"""Bytes of a table; those of 100 technologies or 1,000 layers have 40 million."""


def mapping(file: Path, *, hint: str | None = None, what: str = "a run directory with its files") -> dict[str, Any]:
    """Return the content of run.yaml or summary.json, or of another file of `what`.

    Raises
    ------
    InputError
        If the file is missing, not readable, or holds no mapping.
    """
    quick = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the loader in C, where PyYAML has it
    try:
        if not file.exists():
            raise FileNotFoundError  # noqa: TRY301  told below, with the hint
        text = files.read_text(file, "json" if file.suffix == ".json" else "yaml", "what archsim wrote")
        content = json.loads(text) if file.suffix == ".json" else yaml.load(text, Loader=quick)  # noqa: S506  both safe
    except FileNotFoundError as error:
        raise InputError("is missing", file=file, expected=what, hint=hint) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise InputError("is not valid YAML", file=file, line=line, expected="what archsim wrote") from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"is not valid JSON: {error.msg}", file=file, line=error.lineno, expected="what archsim wrote"
        ) from error
    except InputError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("is not readable", file=file, expected="what archsim wrote") from error
    if not isinstance(content, dict):
        raise InputError("holds no mapping", file=file, expected="what archsim wrote")
    return content


def table(file: Path, columns: Collection[str]) -> list[Cells]:
    """Return the rows of a table that archsim wrote; every row has every one of the columns.

    Raises
    ------
    InputError
        If the file is missing, not readable, empty, or lacks a column or a cell.
    """
    csv.field_size_limit(_LARGEST)
    try:
        if file.exists():
            files.regular(file, "the CSV that archsim wrote", LONGEST)
        with file.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, restkey="", restval=None, strict=True)
            rows: list[Cells] = list(reader)
    except FileNotFoundError as error:
        raise InputError("is missing", file=file, expected="a run directory with its files") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError("is not readable", file=file, expected="the CSV that archsim wrote") from error
    if not rows:
        raise InputError("has no rows", file=file, expected="the CSV that archsim wrote")
    heads = reader.fieldnames or ()
    if missing := sorted(set(columns) - set(heads)):
        raise InputError(f"lacks the column {missing[0]}", file=file, expected="the columns that archsim wrote")
    if len(set(heads)) < len(heads):
        twice = next(name for name in heads if list(heads).count(name) > 1)
        raise InputError(f"has the column {twice} twice", file=file, expected="the columns that archsim wrote")
    for number, row in enumerate(rows, start=2):
        if "" in row or None in row.values():
            raise InputError(
                "has another number of cells than the head", file=file, line=number, expected="a row that archsim wrote"
            )
    return rows


def number(file: Path, row: Cells, column: str) -> float:
    """Return a cell that holds a finite number from 0 on.

    Raises
    ------
    InputError
        If it does not; names file, column and value.
    """
    return _number(file, row, column, least=0.0)


def maybe(file: Path, row: Cells, column: str) -> float | None:
    """Return a cell that holds a finite number from 0 on, or nothing: None."""
    return None if row[column] == "" else _number(file, row, column, least=0.0)


def _number(file: Path, row: Cells, column: str, *, least: float) -> float:
    try:
        found = float(row[column])
    except ValueError:
        found = math.nan
    if not least <= found < math.inf:
        raise InputError(file=file, key=column, value=row[column], expected="a number from 0 on")
    return found


def truth(file: Path, row: Cells, column: str) -> bool:
    """Return a cell that holds True or False."""
    if row[column] not in ("True", "False"):
        raise InputError(file=file, key=column, value=row[column], expected="True or False")
    return row[column] == "True"


def unit(row: Cells) -> str:
    """Return the unit of a row's amount, "" for a plain count."""
    return "" if row["amount_unit"] == "1" else row["amount_unit"]


def sizes(file: Path, text: str) -> dict[str, float]:
    """Return the sizes of an action from their cell: "name=value;name=value"."""
    try:
        return {name: float(value) for name, _, value in (pair.partition("=") for pair in text.split(";") if pair)}
    except ValueError as error:
        raise InputError(file=file, key="sizes", value=text, expected='"name=value;name=value"') from error
