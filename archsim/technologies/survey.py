"""Converters from the public survey of Murmann: a row or a band of it becomes the figure and the area of the ADC.

The survey is a workbook with a sheet a conference; a CSV of one sheet, or several, is what is read here.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.accounting.figures import Figure
from archsim.accounting.technology import Technology
from archsim.base.errors import InputError, nearest
from archsim.base.files import display, sha256, write_text
from archsim.base.units import show
from archsim.technologies.writing import dump, head, parent

SOURCE = "murmann2025"
ACTION, PART = "tile.adc.convert", "tile.adc"
MOST_NAMED = 12
"""Converters of a band that are named one by one; more are counted."""

# Column of the survey -> names it has had, without unit; the first is that of the workbook of 2025.
_COLUMNS = {
    "power": ("P",), "rate": ("fsnyq", "fnyq", "fs,nyq"), "sndr": ("SNDR_plot", "SNDR_hf", "SNDR", "SNDR_lf"),
    "node": ("TECHNOLOGY", "NODE", "PROCESS"), "area": ("AREA",), "doi": ("DOI",), "year": ("YEAR",), "id": ("ID",),
    "architecture": ("ARCHITECTURE",),
}  # fmt: skip
_UNITS = {
    "power": {"w": 1.0, "mw": 1e-3, "uw": 1e-6}, "rate": {"hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9, "s/s": 1.0},
    "sndr": {"db": 1.0}, "node": {"um": 1e-6, "nm": 1e-9}, "area": {"mm^2": 1e-6, "mm2": 1e-6, "um^2": 1e-12},
}  # fmt: skip
_REQUIRED = ("power", "rate", "sndr")
_SURVEY_NODE = "um"
"""Unit of the survey's TECHNOLOGY, whose header names none."""


@dataclass(frozen=True, slots=True)
class Converter:
    """One converter of the survey.

    Parameters
    ----------
    file, row : path, and row of the table as a spreadsheet counts it (the header is row 1)
    energy : float [J]
        Power over Nyquist rate.
    rate : float [Hz]
    enob : float
        (SNDR - 1.76 dB)/6.02 dB.
    node : float [m] or None
    area : float [m^2] or None
    name, doi : str
    """

    file: Path
    row: int
    energy: float
    rate: float
    enob: float
    node: float | None
    area: float | None
    name: str
    doi: str

    def __str__(self) -> str:
        node = f", {self.node * 1e9:.3g} nm" if self.node else ""
        doi = f", doi {self.doi}" if self.doi else ""
        return f"{self.name}, {self.enob:.2f} effective bits, {show(self.rate, 'Hz', 3)}{node}{doi}"


@dataclass(frozen=True, slots=True)
class Band:
    """Ends of what is taken from the survey, both included; None where open."""

    enob: tuple[float, float] | None = None
    node: tuple[float, float] | None = None
    max_rate: float | None = None

    def holds(self, converter: Converter) -> bool:
        """Whether a converter lies inside."""
        if self.enob and not self.enob[0] <= converter.enob <= self.enob[1]:
            return False
        if self.node and (converter.node is None or not _within(converter.node, self.node)):
            return False
        return self.max_rate is None or converter.rate <= self.max_rate * (1 + 1e-9)

    def __str__(self) -> str:
        words = []
        if self.enob:
            words.append(f"{self.enob[0]:g} to {self.enob[1]:g} effective bits")
        if self.node:
            words.append(f"{self.node[0] * 1e9:g} to {self.node[1] * 1e9:g} nm")
        if self.max_rate is not None:
            words.append(f"at most {show(self.max_rate, 'Hz', 3)}")
        return ", ".join(words) or "all"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was written: the converters, and [J] median, p10 and p90 of their energy, [m^2] of their areas."""

    converters: tuple[Converter, ...]
    energy: tuple[float, float, float]
    area: tuple[float, float, float] | None
    bits: int
    notes: tuple[str, ...]


def read_survey(path: Path) -> list[Converter]:
    """Read a CSV of the survey; rows without power, rate or SNDR are left out, as they give no energy.

    Raises
    ------
    InputError
        If the file cannot be read, or a column is missing.
    """
    rows = _rows(path)
    columns = _find_columns(path, rows[0])
    found = []
    for number, row in enumerate(rows[1:], start=2):
        given = {name: row[place] if place < len(row) else "" for name, (place, _) in columns.items()}
        value = {name: _number(given.get(name, ""), columns[name][1]) for name in _UNITS if name in columns}
        if any(not value[name] or value[name] <= 0 for name in _REQUIRED):
            continue
        name = " ".join(given.get(key, "") for key in ("year", "id", "architecture")).split()
        node, area = value.get("node"), value.get("area")
        found.append(
            Converter(
                file=path, row=number, energy=value["power"] / value["rate"], rate=value["rate"],
                enob=(value["sndr"] - 1.76) / 6.02, node=node or None, area=area or None,
                name=" ".join(name) or f"row {number}", doi=given.get("doi", "").strip(),
            )
        )  # fmt: skip
    return found


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError("no such file", file=display(path)) from error
    except (UnicodeDecodeError, IsADirectoryError) as error:
        expected = "a CSV file in UTF-8; save each sheet of the survey's workbook as one"
        raise InputError("is no text", file=display(path), expected=expected) from error
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    if not rows:
        raise InputError("is empty", file=display(path), expected="a CSV of the survey with a header")
    return rows


def _find_columns(path: Path, header: Sequence[str]) -> dict[str, tuple[int, float]]:
    """Return column -> (place, factor to SI)."""
    split = [_split(text) for text in header]
    found: dict[str, tuple[int, float]] = {}
    for column, names in _COLUMNS.items():
        for wanted in names:
            places = [place for place, (name, _) in enumerate(split) if name == _plain(wanted)]
            if places:
                place = places[0]
                found[column] = place, _unit(path, column, header[place], split[place][1])
                break
    for column in _REQUIRED:
        if column not in found:
            wanted = _COLUMNS[column][0]
            raise InputError(
                f"has no column {wanted!r}", file=display(path), line=1,
                expected='the columns of the survey, such as "P [W]", "fsnyq [Hz]" and "SNDR_plot [dB]"',
                hint=nearest(wanted, [text for text in header if text]),
            )  # fmt: skip
    return found


def _split(text: str) -> tuple[str, str]:
    """Return a header's name and unit, both plain: "AREA [mm^2]" is ("area", "mm^2")."""
    match = re.fullmatch(r"\s*(.*?)\s*(?:[\[(]\s*([^\])]*)\s*[\])])?\s*", text)
    name, unit = match.groups() if match else (text, None)
    return _plain(name), (unit or "").strip().lower().replace("µ", "u").replace("μ", "u").replace("²", "^2")


def _plain(name: str) -> str:
    return re.sub(r"[\s_,.-]+", "", name).lower()


def _unit(path: Path, column: str, header: str, unit: str) -> float:
    if column not in _UNITS:
        return 1.0
    known = _UNITS[column]
    if not unit and column == "node":
        unit = _SURVEY_NODE
    if unit not in known:
        raise InputError(
            f"column {header!r} states no unit that is known", file=display(path), line=1,
            expected=f"one of [{'], ['.join(known)}]",
        )  # fmt: skip
    return known[unit]


def _number(text: str, factor: float) -> float:
    """Return a cell in SI, or 0 for one that holds no number: the survey leaves cells empty."""
    try:
        value = float(text.strip())
    except ValueError:
        return 0.0
    return value * factor if math.isfinite(value) else 0.0


def choose(converters: Sequence[Converter], *, row: int | None = None, band: Band | None = None) -> list[Converter]:
    """Return the converter of a row, or those of a band.

    Raises
    ------
    InputError
        If there is none.
    """
    if row is not None:
        found = [each for each in converters if each.row == row]
        if not found:
            expected = "the number of a row with power, rate and SNDR; the header is row 1"
            raise InputError(key="--row", value=row, expected=expected)
        return found
    wanted = band or Band()
    found = [each for each in converters if wanted.holds(each)]
    if not found:
        message = f"none of {len(converters)} converters lies in {wanted}"
        raise InputError(message, key="--survey", expected="a wider band")
    return found


def add_adc(
    technology: Technology, converters: Sequence[Converter], what: str, out: Path, *, bits: int | None = None
) -> Taken:
    """Write a technology that extends another with converters of the survey: energy of a conversion, and area.

    The value is the median, the range 10th to 90th percentile. A single row keeps the range of the technology's own
    figure, since one converter says nothing of the spread.

    Parameters
    ----------
    technology : Technology
    converters : chosen rows
    what : how they were chosen, in words
    out : file to write
    bits : resolution for which the figure holds; that of the technology's own figure if not given

    Raises
    ------
    InputError
        If the technology prices no conversion, or the resolution does not suit the converters.
    """
    own = technology.figure_for(ACTION)
    if own is None:
        raise InputError(f"prices no {ACTION!r}", file=display(technology.path), expected="a figure for it to replace")
    enobs = [each.enob for each in converters]
    resolution = int(own.at.get("bits", 8)) if bits is None else bits
    middle = _percentile(enobs, 50)
    if not -1.0 <= resolution - middle <= 2.5:
        raise InputError(
            f"the converters have {middle:.1f} effective bits (median), the figure is for {resolution} bit",
            key="--bits", expected="the resolution that these converters stand for",
        )  # fmt: skip
    energy = _spread([each.energy for each in converters])
    areas = [each.area for each in converters if each.area]
    area = _spread(areas) if areas else None
    content = head(out.stem, f"{technology.title}; ADC: {what}", technology.node, parent(technology, out))
    content["figures"] = {own.name: _figure(own, converters, what, energy, resolution)}
    notes = []
    place = technology.area_for(PART)
    if area and place:
        low, high = (place.low, place.high) if len(areas) == 1 else area[1:]
        content["areas"] = {place.name: {
            "value": show(area[0], "m^2", 6),
            "range": [show(min(low, area[0]), "m^2", 6), show(max(high, area[0]), "m^2", 6)],
            "prices": list(place.prices),
            **_origin(converters, f"median area of the {len(areas)} that give one, of {what}", len(areas) > 1),
        }}  # fmt: skip
    elif place:
        notes.append(f"no area in these rows: {place.name} stays as it is")
    read = technology.figure_for("programmer.device.read")
    if read and read.name != own.name:
        notes.append(f"{read.name} ({show(read.value, read.unit)}) may rest on the old conversion; it stays as it is")
    first = f"# {technology.name} with converters of the public ADC survey. Written by `archsim tech add-adc`.\n"
    write_text(out, first + dump(content))
    return Taken(tuple(converters), energy, area, resolution, tuple(notes))


def _figure(
    own: Figure, converters: Sequence[Converter], what: str, energy: tuple[float, float, float], bits: int
) -> dict[str, Any]:
    single = len(converters) == 1
    low, high = (own.low, own.high) if single else energy[1:]
    ends = [min(low, energy[0]), max(high, energy[0])]
    return {
        "value": show(energy[0], "J", 6), "range": [show(each, "J", 6) for each in ends], "prices": list(own.prices),
        **({"covers": list(own.covers)} if own.covers else {}),
        "law": "per-2^bits", "at": {"bits": bits},
        **_origin(converters, f"median energy per Nyquist conversion, P/fsnyq, of {what}", not single),
    }  # fmt: skip


def _origin(converters: Sequence[Converter], what: str, many: bool) -> dict[str, Any]:
    files = ", ".join(f"{file.name} (sha256 {sha256(file)[:12]})"
                      for file in dict.fromkeys(each.file for each in converters))  # fmt: skip
    named = "; ".join(str(each) for each in converters[:MOST_NAMED])
    more = f"; and {len(converters) - MOST_NAMED} more" if len(converters) > MOST_NAMED else ""
    spread = "range: 10th to 90th percentile" if many else "range: that of the figure replaced, one converter has none"
    nodes = sorted({round(each.node * 1e9, 3) for each in converters if each.node})
    content: dict[str, Any] = {
        "basis": "measured",
        "source": SOURCE,
        "where": f"{what} (n = {len(converters)}), {files}: {named}{more}. {spread[0].upper()}{spread[1:]}",
    }
    if nodes:
        content["node"] = f"{nodes[0]:g} nm" if len(nodes) == 1 else f"{nodes[0]:g}-{nodes[-1]:g} nm"
    return content


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return _percentile(values, 50), _percentile(values, 10), _percentile(values, 90)


def _percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile, linear between order statistics."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    lower = min(int(place), len(ordered) - 1)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (place - lower) * (ordered[upper] - ordered[lower])


def _within(value: float, ends: tuple[float, float]) -> bool:
    return ends[0] * (1 - 1e-9) <= value <= ends[1] * (1 + 1e-9)


def read_ends(text: str, option: str, number: Callable[[str], float] = float) -> tuple[float, float]:
    """Return the ends of a band written as "7..8.5".

    Raises
    ------
    InputError
        If it is not two numbers in order.
    """
    first, dots, last = text.partition("..")
    try:
        ends = number(first), number(last)
    except ValueError:
        ends = (1.0, 0.0)
    if not dots or ends[0] > ends[1]:
        raise InputError(key=option, value=text, expected='two numbers in order, such as "7..8.5"')
    return ends
