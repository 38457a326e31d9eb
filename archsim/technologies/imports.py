"""Figures from component tables of the Accelergy kind: a closed mapping, and a list of what it could not map.

Such a table is a CSV with attributes, an action, an energy and an area a row; the component is named by the file, by a
column, or by a line "COMPONENT: name". Text after # is a comment, "|" separates names that share a row, "*" and blank
cells fit anything.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from archsim.base import units
from archsim.base.errors import InputError
from archsim.base.files import display, shipped, write_text
from archsim.base.provenance import PLACEHOLDER
from archsim.base.yamlfile import FileRecord, Record, read, validate
from archsim.technologies.writing import dump

NAMES = ("component", "class", "name")
"""Columns that may name the component."""
_SPELT = {"pj": "pJ", "fj": "fJ", "nj": "nJ", "um2": "um^2", "mm2": "mm^2"}


class _Rule(Record):
    components: list[str]
    prices: list[str]


class _FigureRule(_Rule):
    actions: list[str]
    only: dict[str, list[float]] = Field(default_factory=dict)
    law: str = "constant"
    at: dict[str, list[str]] = Field(default_factory=dict)


class _MemoryRule(_Rule):
    actions: list[str]
    depth: list[str]
    width: list[str]


class _Mapping(FileRecord):
    kind: Literal["import"]
    name: str
    figures: dict[str, _FigureRule]
    memories: dict[str, _MemoryRule]
    areas: dict[str, _Rule]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Parameters
    ----------
    line : int
    component : str, in lower case
    actions : names, in lower case
    attributes : name -> text; without blanks and wildcards
    energy : float [J] or None
    area : float [m^2] or None
    """

    line: int
    component: str
    actions: tuple[str, ...]
    attributes: Mapping[str, str]
    energy: float | None
    area: float | None

    def __str__(self) -> str:
        return f"line {self.line}, {self.component} {'|'.join(self.actions)}".rstrip()

    def number(self, names: Iterable[str]) -> float | None:
        """Return the first attribute of these names that is a number."""
        for name in names:
            text = self.attributes.get(name)
            if text is not None:
                try:
                    return float(text)
                except ValueError:
                    return None
        return None


@dataclass(frozen=True, slots=True)
class Imported:
    """What a table gave.

    Parameters
    ----------
    mapped : (row in words, section and name of the figure)
    unmapped : (row in words, reason)
    figures, areas : name -> mapping of a technology file
    """

    mapped: tuple[tuple[str, str], ...]
    unmapped: tuple[tuple[str, str], ...]
    figures: Mapping[str, dict[str, Any]]
    areas: Mapping[str, dict[str, Any]]


def read_table(path: Path, *, energy_unit: str | None = None, area_unit: str | None = None) -> list[Row]:
    """Read a component table.

    Parameters
    ----------
    path : CSV file
    energy_unit, area_unit : units of the columns `energy` and `area`, where their headers name none

    Raises
    ------
    InputError
        If the file cannot be read, has no energy, or states no unit.
    """
    rows: list[Row] = []
    component, header, scales = path.stem.lower(), None, (1.0, 1.0)
    for number, line in _lines(path):
        named = re.fullmatch(r"component:\s*(\S+)", line, re.IGNORECASE)
        if named:
            component, header = named.group(1).lower(), None
            continue
        cells = [cell.strip() for cell in next(csv.reader(io.StringIO(line), skipinitialspace=True))]
        if header is None:
            header = [_header(cell)[0] for cell in cells]
            scales = _scales(path, number, cells, energy_unit, area_unit)
            continue
        rows.append(_row(number, component, header, cells, scales))
    if not rows:
        raise InputError("holds no row", file=display(path), expected="a table with a header, an energy and an action")
    return rows


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError("no such file", file=display(path)) from error
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise InputError("is no text", file=display(path), expected="a CSV file in UTF-8") from error
    plain = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [(number, line) for number, line in plain if line.strip(", ")]


def _header(text: str) -> tuple[str, str | None]:
    """Return a header's name in lower case and its unit: "energy (pJ)", "energy [pJ]" and "energy_pJ" say one thing."""
    match = re.fullmatch(r"(.*?)\s*[\[(]\s*(.+?)\s*[\])]", text.strip())
    match = match or re.fullmatch(r"(energy|area)_(\w+)", text.strip(), re.IGNORECASE)
    name, unit = match.groups() if match else (text.strip(), None)
    return name.lower(), unit


def _scales(
    path: Path, number: int, cells: Sequence[str], energy_unit: str | None, area_unit: str | None
) -> tuple[float, float]:
    """Return the factors of energy and area to SI, by the unit in the header or by the option."""
    stated = dict(_header(cell) for cell in cells)
    if "energy" not in stated:
        raise InputError("has no column 'energy'", file=display(path), line=number, expected="one in its header")
    factors = []
    for name, given, unit, usual in (("energy", energy_unit, "J", "pJ"), ("area", area_unit, "m^2", "um^2")):
        text = stated.get(name) or given
        if name not in stated:
            factors.append(1.0)
            continue
        if text is None:
            raise InputError(
                f"column {name!r} states no unit", file=display(path), line=number,
                expected=f"a unit in the header, or --{name}-unit {usual}",
            )  # fmt: skip
        try:
            factors.append(units.parse(f"1 {_SPELT.get(text.lower(), text)}", unit))
        except InputError as error:
            expected = f"a unit such as {usual}"
            raise InputError(key=f"unit of column {name!r}", value=text, expected=expected) from error
    return factors[0], factors[1]


def _row(number: int, component: str, header: Sequence[str], cells: Sequence[str], scales: tuple[float, float]) -> Row:
    values: dict[str, str] = {}
    for names, cell in zip(header, cells, strict=False):
        if cell not in ("", "*"):
            values |= dict.fromkeys(names.split("|"), cell)
    named = next((values.pop(name) for name in NAMES if name in values), component)
    actions = tuple(each.strip().lower() for each in values.pop("action", "").split("|") if each.strip())
    energy, area = (_float(values.pop(name, ""), scale) for name, scale in zip(("energy", "area"), scales, strict=True))
    return Row(number, named.lower(), actions, values, energy, area)


def _float(text: str, scale: float) -> float | None:
    try:
        return float(text) * scale
    except ValueError:
        return None


def read_mapping(name: str) -> _Mapping:
    """Return the mapping of a format, from tech_params/imports."""
    path = shipped("tech_params") / "imports" / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml")))
        raise InputError(key="--format", value=name, expected=f"one of {known}")
    return validate(read(path), _Mapping)


def convert(
    rows: Sequence[Row], path: Path, *, form: str = "accelergy", where: Mapping[str, str] | None = None,
    source: str | None = None,
) -> Imported:  # fmt: skip
    """Map rows to figures and areas.

    Parameters
    ----------
    rows : of the table
    path : the table, named in each figure
    form : name of the mapping
    where : attribute -> value that a row must have, to choose among several
    source : key of references.bib; a placeholder that the reader refuses if not given

    Returns
    -------
    Imported
        With every row either mapped or not, and then why.
    """
    mapping = read_mapping(form)
    wanted = {key.lower(): value for key, value in (where or {}).items()}
    reasons: dict[int, str] = {}
    chosen = []
    for row in rows:
        off = [f"{key} is {row.attributes[key]}" for key, value in wanted.items()
               if key in row.attributes and row.attributes[key] != value]  # fmt: skip
        if off:
            reasons[row.line] = f"not chosen by --where: {off[0]}"
        else:
            chosen.append(row)
    result = _Result(path, source, chosen, reasons)
    for name, rule in mapping.figures.items():
        result.figure(name, rule)
    for name, memory in mapping.memories.items():
        result.memory(name, memory)
    for name, part in mapping.areas.items():
        result.area(name, part)
    return result.done(rows, mapping)


class _Result:
    """What has been mapped so far. Owner of the figures, the areas and the reasons."""

    def __init__(self, path: Path, source: str | None, rows: Sequence[Row], reasons: dict[int, str]) -> None:
        self._path, self._source, self._rows, self._reasons = path, source, rows, reasons
        self._figures: dict[str, dict[str, Any]] = {}
        self._areas: dict[str, dict[str, Any]] = {}
        self._mapped: dict[int, list[str]] = {}

    def figure(self, name: str, rule: _FigureRule) -> None:
        """Map the row of a figure, if there is one alone."""
        fitting = []
        for row in self._matching(rule):
            problem = self._unfit(row, rule)
            if problem:
                self._reasons.setdefault(row.line, problem)
            else:
                fitting.append(row)
        only = self._single(fitting)
        if only is None:
            return
        at = {key: int(only.number(names) or 0) for key, names in rule.at.items()}
        content = {**self._number(only.energy or 0.0, "J"), "prices": list(rule.prices)}
        if rule.law != "constant":
            content |= {"law": rule.law, "at": at}
        self._figures[name] = content | self._origin([only])
        self._mapped.setdefault(only.line, []).append(f"figures.{name}")

    def memory(self, name: str, rule: _MemoryRule) -> None:
        """Map rows of one word width to the points of a memory."""
        rows = [row for row in self._matching(rule) if row.number(rule.depth) and row.number(rule.width) and row.energy]
        if not rows:
            return
        widths = {row.number(rule.width) for row in rows}
        points = {int((row.number(rule.depth) or 0) * (row.number(rule.width) or 0)): row for row in rows}
        if len(widths) > 1 or len(points) < len(rows):
            self._because(rows, "several widths or rows of one capacity; choose with --where")
            return
        if len(points) < 2:
            self._because(rows, "one capacity alone says nothing of others: the law of a memory needs two")
            return
        ordered = sorted(points.items())
        size, last = ordered[-1]
        self._figures[name] = {
            **self._number(last.energy or 0.0, "J"), "prices": list(rule.prices), "law": "sram-capacity",
            "at": {"capacity": f"{size} bit", "word": f"{int(widths.pop() or 0)} bit"},
            "points": [[f"{bits} bit", units.show(row.energy or 0.0, "J", 6)] for bits, row in ordered],
            **self._origin([row for _, row in ordered]),
        }  # fmt: skip
        for row in rows:
            self._mapped.setdefault(row.line, []).append(f"figures.{name}")

    def area(self, name: str, rule: _Rule) -> None:
        """Map the area of a component, if its rows give one alone."""
        rows = [row for row in self._rows if row.component in rule.components and row.area]
        if not rows or len({row.area for row in rows}) > 1:
            return
        self._areas[name] = {**self._number(rows[0].area or 0.0, "m^2"), "prices": list(rule.prices),
                             **self._origin(rows[:1])}  # fmt: skip
        self._mapped.setdefault(rows[0].line, []).append(f"areas.{name}")

    def done(self, rows: Sequence[Row], mapping: _Mapping) -> Imported:
        """Return the result, with a reason for every row that gave nothing."""
        known = {name for group in (mapping.figures, mapping.memories, mapping.areas) for rule in group.values()
                 for name in rule.components}  # fmt: skip
        mapped = [(str(row), name) for row in rows for name in self._mapped.get(row.line, [])]
        unmapped = []
        for row in rows:
            if row.line not in self._mapped:
                stranger = f"the mapping knows no component {row.component!r}"
                default = stranger if row.component not in known else "the mapping knows none of its actions"
                unmapped.append((str(row), self._reasons.get(row.line, default)))
        return Imported(tuple(mapped), tuple(unmapped), self._figures, self._areas)

    def _matching(self, rule: _FigureRule | _MemoryRule) -> list[Row]:
        return [row for row in self._rows if row.component in rule.components and set(row.actions) & set(rule.actions)]

    @staticmethod
    def _unfit(row: Row, rule: _FigureRule) -> str | None:
        if not row.energy:
            return "its energy is zero or missing"
        given = {key: row.number([key]) for key in rule.only if key in row.attributes}
        for key, value in given.items():
            if value not in rule.only[key]:
                return f"{key} is {row.attributes[key]}; it has to be {' or '.join(f'{v:g}' for v in rule.only[key])}"
        if rule.only and not given:
            return f"says nothing of {' or '.join(rule.only)}"
        for key, names in rule.at.items():
            if not row.number(names):
                return f"says nothing of {' or '.join(names)}, which the law {rule.law} needs for {key}"
        return None

    def _single(self, rows: list[Row]) -> Row | None:
        if len(rows) > 1:
            differing = sorted(key for key in rows[0].attributes if len({row.attributes.get(key) for row in rows}) > 1)
            self._because(
                rows, f"{len(rows)} rows mean the same; choose with --where {differing[0] if differing else 'KEY'}=..."
            )
        return rows[0] if len(rows) == 1 else None

    def _because(self, rows: Iterable[Row], reason: str) -> None:
        for row in rows:
            self._reasons.setdefault(row.line, reason)

    @staticmethod
    def _number(value: float, unit: str) -> dict[str, Any]:
        text = units.show(value, unit, 6)
        return {"value": text, "range": [text, text]}

    def _origin(self, rows: Sequence[Row]) -> dict[str, Any]:
        lines = ", ".join(str(row.line) for row in rows)
        said = ", ".join(f"{key} {value}" for key, value in rows[0].attributes.items() if key != "technology")
        content: dict[str, Any] = {
            "basis": "published",
            "source": self._source or f"{PLACEHOLDER} a key of references.bib, whose work these figures are from",
            "where": f"component table {self._path.name}, line {lines}" + (f": {said}" if said else ""),
            "note": "the table gives no range",
        }
        if node := rows[0].attributes.get("technology"):
            content["node"] = re.sub(r"(?<=\d)nm$", " nm", node)
        return content


def write_import(found: Imported, path: Path, out: Path, *, extends: str | None) -> None:
    """Write what was mapped as a technology, alone or over another.

    Raises
    ------
    InputError
        If nothing was mapped.
    """
    if not found.figures and not found.areas:
        row, reason = found.unmapped[0]
        raise InputError(f"nothing could be mapped: {row}: {reason}", file=display(path))
    content: dict[str, Any] = {"schema": 1, "kind": "technology", "name": out.stem,
                               "title": f"Figures of the component table {path.name}"}  # fmt: skip
    if extends:
        content["extends"] = extends
    content |= {"figures": dict(found.figures), "areas": dict(found.areas)}
    write_text(out, f"# From the component table {path.name}. Written by `archsim tech import`.\n" + dump(content))
