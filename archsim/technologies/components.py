"""Component tables of the Accelergy kind: attributes, an action, an energy and an area a row.

The component is named by the file, by a column, or by a line "COMPONENT: name". Text after # is a comment, "|"
separates names that share a row, "*" and blank cells fit anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.base.csvfile import Column, Table, Want, cells_wrong, no_unit, parse
from archsim.base.csvtext import NotFinite, named, read_text
from archsim.base.errors import InputError
from archsim.base.files import display

NAMES = ("component", "class", "name")
"""Columns that may name the component."""


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """One row of a table.

    Parameters
    ----------
    line : int
    component : str, in lower case
    actions : names, in lower case
    attributes : name -> text; without blanks and wildcards
    energy : float [J] or None
    area : float [m^2] or None
    problem : what is wrong with its cells, or None
    """

    line: int
    component: str
    actions: tuple[str, ...]
    attributes: Mapping[str, str]
    energy: float | None
    area: float | None
    problem: str | None = None

    def __str__(self) -> str:
        return f"line {self.line}, {self.component} {'|'.join(self.actions)}".rstrip()

    def number(self, names: Iterable[str]) -> float | None:
        """Return the first attribute of these names, if it is a finite number."""
        text = next((self.attributes[name] for name in names if name in self.attributes), "")
        try:
            value = float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None


def read_components(path: Path, *, energy_unit: str | None = None, area_unit: str | None = None) -> list[ComponentRow]:
    """Read a component table.

    Parameters
    ----------
    path : CSV file
    energy_unit, area_unit : units of the columns `energy` and `area`, where their headers name none

    Raises
    ------
    InputError
        If the file cannot be read, has no energy, states no unit, two columns have one name, or an energy or area is
        negative or not finite.
    """
    wants = {
        "energy": Want(("energy",), "J", energy_unit, "--energy-unit"),
        "area": Want(("area",), "m^2", area_unit, "--area-unit"),
    }  # fmt: skip
    rows: list[ComponentRow] = []
    for component, before, text in _blocks(path):
        table = parse(text, path, wants, [("energy",)], what="a component table", before=before)
        if not table.has("energy"):
            have = ", ".join(table.header)
            table.error(None, "has no column 'energy'", expected=f'one such as "energy (pJ)" beside {have}')
        names = [_attributes(table, place, name) for place, name in enumerate(table.header)]
        _check_names(table, names)
        rows += _rows(table, component, names)
    if not rows:
        raise InputError("holds no row", file=display(path), expected="a table with a header, an energy and an action")
    return rows


def _blocks(path: Path) -> list[tuple[str, int, str]]:
    """Return component, number of lines above, and text without comments of each table in a file."""
    blocks: list[tuple[str, int, list[str]]] = [(path.stem.lower(), 0, [])]
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        text = line.partition("#")[0]
        named = re.fullmatch(r"\s*component:\s*([^\s,;]+)[\s,;]*", text, re.IGNORECASE)
        if named:
            blocks.append((named.group(1).lower(), number, []))
        else:
            blocks[-1][2].append(text)
    return [(name, before, "\n".join(lines)) for name, before, lines in blocks if "".join(lines).strip(" ,;\t")]


def _attributes(table: Table, place: int, header: str) -> tuple[str, ...]:
    """Return what a column may be called: energy, area, or the names in its header, parted by "|"."""
    for key, column in table.columns.items():
        if column.place == place:
            return (key,)
    return tuple(each.strip().lower() for each in named(header)[0].split("|"))


def _check_names(table: Table, names: Sequence[tuple[str, ...]]) -> None:
    """Refuse two columns of one name, of which only one could count."""
    seen: dict[str, str] = {}
    for place, each in enumerate(names):
        for name in filter(None, each):
            if name in seen:
                table.error(name, f"stands for {seen[name]} and {table.header[place]}", expected="one of them")
            seen[name] = table.header[place]


def _rows(table: Table, component: str, names: Sequence[tuple[str, ...]]) -> Iterator[ComponentRow]:
    """Yield the rows of a table; one that lacks its last cell, a comment, is whole."""
    ends = {"energy", "area", "action", *NAMES}
    last = len(names) - (0 if ends & set(names[-1]) else 1)
    scales = {key: table.scale(column) for key, column in table.columns.items()}
    for cells, line in zip(table.rows, table.lines, strict=True):
        if not last <= len(cells) <= len(names):
            yield ComponentRow(line, component, (), {}, None, None, problem=cells_wrong(cells, table.header))
            continue
        values: dict[str, str] = {}
        for each, cell in zip(names, map(str.strip, cells), strict=False):
            if cell not in ("", "*"):
                values |= dict.fromkeys(each, cell)
        given, problem = {}, None
        for key, column in table.columns.items():
            given[key], wrong = _quantity(table, column, values.pop(key, ""), scales[key], line)
            problem = problem or wrong
        called = next((values.pop(name) for name in NAMES if name in values), component)
        actions = tuple(each.strip().lower() for each in values.pop("action", "").split("|") if each.strip())
        attributes = {name: _point(text, table.mark) for name, text in values.items()}
        yield ComponentRow(line, called.lower(), actions, attributes, given["energy"], given.get("area"), problem)


def _quantity(
    table: Table, column: Column, cell: str, scale: float | None, line: int
) -> tuple[float | None, str | None]:
    """Return an energy or area [J, m^2] and what is wrong with the cell."""
    if not cell:
        return None, None
    name = column.want.names[0]
    try:
        value = table.value(column, cell, scale)
    except NotFinite as error:
        table.error(name, str(error), line=line)
    except ValueError as error:
        if str(error) == no_unit(column):
            table.error(name, str(error))
        return None, f"{name}: {error}"
    if value < 0:
        table.error(name, line=line, value=cell, expected=f"no negative {name}")
    return value, None


def _point(text: str, mark: str) -> str:
    """Return an attribute with a decimal point, if it is a number with a decimal comma."""
    return text.replace(",", ".") if mark == "," and re.fullmatch(r"[-+]?\d+,\d+", text) else text
