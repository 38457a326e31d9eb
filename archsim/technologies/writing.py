"""Figures back into files: the mapping of a figure, a time or an area as a technology file has it, and YAML text."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from archsim.accounting.figure_text import Origin
from archsim.accounting.figures import AreaFigure, Figure, Time
from archsim.accounting.laws import bits_text, size_value
from archsim.accounting.technology import Technology, read_technology
from archsim.base.files import display, shipped, write_text
from archsim.base.provenance import PLACEHOLDER
from archsim.base.units import show

DIGITS = 6
"""Digits of a quantity in a written file."""


class _Dumper(yaml.SafeDumper):
    """SafeDumper that keeps short lists on one line."""


_Dumper.add_representer(
    list,
    lambda dumper, data: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", data, flow_style=not any(isinstance(item, dict | list) for item in data)
    ),
)


def dump(content: Mapping[str, Any]) -> str:
    """Return a mapping as YAML, in its own order."""
    text: str = yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, width=10**6, allow_unicode=True)
    return text


def write_checked(out: Path, text: str, cited: str) -> None:
    """Write a technology file, if it can be read back; otherwise leave what is there, or nothing.

    Parameters
    ----------
    out, text : the file and what goes into it
    cited : key of a bibliography, in place of a source that is still to be filled in

    Raises
    ------
    InputError
        If the file would be refused.
    """
    filled = re.sub(rf"(?m)^(\s*source: ).*{PLACEHOLDER}.*$", rf"\g<1>{cited}", text)
    read_technology(str(out), unwritten=filled)
    write_text(out, text)


def parent(technology: Technology, out: Path) -> str:
    """Return what a file `out` says in `extends` to take over a technology: its name, or a path from `out`."""
    home = shipped("tech_params").resolve()
    if technology.path.resolve().parent == home:
        return technology.name
    return os.path.relpath(technology.path.resolve(), out.resolve().parent)


def head(name: str, title: str, node: str, extends: str) -> dict[str, Any]:
    """Return the first keys of a technology file."""
    return {"schema": 1, "kind": "technology", "name": name, "title": title, "node": node, "extends": extends}


def time_content(time: Time, factor: float = 1.0) -> dict[str, Any]:
    """Return the mapping of a time, times a factor and then in whole picoseconds, without its origin."""

    def text(value: float) -> str:
        return show(value if factor == 1.0 else round(value * factor * 1e12) * 1e-12, "s", DIGITS)

    content: dict[str, Any] = {"value": text(time.value)}
    if time.low < time.high:
        content["range"] = [text(time.low), text(time.high)]
    if time.points:
        content["at"] = {key: size_value(key, size) for key, size in time.at.items()}
        content["points"] = [[bits_text(size), text(value)] for size, value in time.points]
    return content


def area_content(area: AreaFigure, factor: float = 1.0) -> dict[str, Any]:
    """Return the mapping of an area times a factor, without its origin."""
    content: dict[str, Any] = {"value": show(area.value * factor, area.unit, DIGITS)}
    if area.value:
        content["range"] = [show(each * factor, area.unit, DIGITS) for each in (area.low, area.high)]
    return content | _prices(area)


def figure_content(
    figure: Figure,
    *,
    value: float | None = None,
    low: float | None = None,
    high: float | None = None,
    points: tuple[tuple[float, float], ...] | None = None,
) -> dict[str, Any]:
    """Return the mapping of a figure with other numbers [the figure's unit], without its origin."""
    central = figure.value if value is None else value
    content: dict[str, Any] = {"value": show(central, figure.unit, DIGITS)}
    if central:
        ends = (figure.low if low is None else low, figure.high if high is None else high)
        content["range"] = [show(each, figure.unit, DIGITS) for each in ends]
    content |= _prices(figure)
    if figure.memories:
        content["memory"] = list(figure.memories)
    if figure.law != "constant":
        content["law"] = figure.law
    if figure.at:
        content["at"] = {key: size_value(key, size) for key, size in figure.at.items()}
    if used := figure.points if points is None else points:
        content["points"] = [[bits_text(size), show(price, figure.unit, DIGITS)] for size, price in used]
    return content


def origin_content(origin: Origin) -> dict[str, Any]:
    """Return the mapping of an origin: the keys that are given."""
    content = origin.model_dump(exclude_defaults=True, by_alias=True)
    if not isinstance(origin.source, str) and origin.source is not None:
        content["source"] = list(origin.source)
    return content


def place(item: Figure | AreaFigure | Time) -> str:
    """Return where an item stands, for what is derived from it."""
    section = {Figure: "figures", AreaFigure: "areas", Time: "times"}[type(item)]
    return f"{section}.{item.name} of {display(item.file) if not _is_shipped(item.file) else item.file.stem}"


def _is_shipped(path: Path) -> bool:
    return path.resolve().parent == shipped("tech_params").resolve()


def _prices(item: Figure | AreaFigure) -> dict[str, Any]:
    content: dict[str, Any] = {"prices": list(item.prices)}
    return content | ({"covers": list(item.covers)} if item.covers else {})
