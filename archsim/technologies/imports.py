"""Figures from component tables of the Accelergy kind: a closed mapping, and a list of what it could not map."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from archsim.base import units
from archsim.base.errors import InputError
from archsim.base.files import display, shipped
from archsim.base.provenance import PLACEHOLDER
from archsim.base.yamlfile import FileRecord, Record, read, validate
from archsim.technologies.components import ComponentRow
from archsim.technologies.writing import dump, write_checked

CITED = "horowitz2014"
"""A shipped source that stands in, when a file is tried, for the one that is still to be filled in."""


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


def read_mapping(name: str) -> _Mapping:
    """Return the mapping of a format, from tech_params/imports."""
    path = shipped("tech_params") / "imports" / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml")))
        raise InputError(key="--format", value=name, expected=f"one of {known}")
    return validate(read(path), _Mapping)


def convert(
    rows: Sequence[ComponentRow], path: Path, *, form: str = "accelergy", where: Mapping[str, str] | None = None,
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
        if row.problem:
            reasons[row.line] = row.problem
        elif off:
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

    def __init__(self, path: Path, source: str | None, rows: Sequence[ComponentRow], reasons: dict[int, str]) -> None:
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

    def done(self, rows: Sequence[ComponentRow], mapping: _Mapping) -> Imported:
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

    def _matching(self, rule: _FigureRule | _MemoryRule) -> list[ComponentRow]:
        return [row for row in self._rows if row.component in rule.components and set(row.actions) & set(rule.actions)]

    @staticmethod
    def _unfit(row: ComponentRow, rule: _FigureRule) -> str | None:
        if not row.energy:
            return "its energy is missing" if row.energy is None else "its energy is zero"
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

    def _single(self, rows: list[ComponentRow]) -> ComponentRow | None:
        if len(rows) > 1:
            differing = sorted(key for key in rows[0].attributes if len({row.attributes.get(key) for row in rows}) > 1)
            self._because(
                rows, f"{len(rows)} rows mean the same; choose with --where {differing[0] if differing else 'KEY'}=..."
            )
        return rows[0] if len(rows) == 1 else None

    def _because(self, rows: Iterable[ComponentRow], reason: str) -> None:
        for row in rows:
            self._reasons.setdefault(row.line, reason)

    @staticmethod
    def _number(value: float, unit: str) -> dict[str, Any]:
        text = units.show(value, unit, 6)
        return {"value": text, "range": [text, text]}

    def _origin(self, rows: Sequence[ComponentRow]) -> dict[str, Any]:
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
        If nothing was mapped, or what was mapped would be refused; then nothing is written.
    """
    if not found.figures and not found.areas:
        row, reason = found.unmapped[0]
        raise InputError(f"nothing could be mapped: {row}: {reason}", file=display(path))
    content: dict[str, Any] = {"schema": 1, "kind": "technology", "name": out.stem,
                               "title": f"Figures of the component table {path.name}"}  # fmt: skip
    if extends:
        content["extends"] = extends
    content |= {"figures": dict(found.figures), "areas": dict(found.areas)}
    text = f"# From the component table {path.name}. Written by `archsim tech import`.\n" + dump(content)
    try:
        write_checked(out, text, CITED)
    except InputError as error:
        raise InputError(f"gives figures that are refused: {error}", file=display(path)) from error
