"""Converters from the public survey of Murmann: a row or a band of it becomes the figure and the area of the ADC.

The survey is a workbook with a sheet a conference; a CSV of one sheet, or several, is what is read here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.accounting.figures import Figure
from archsim.accounting.technology import Technology
from archsim.base.csvfile import Table, Want, cells_wrong, no_unit, parse
from archsim.base.csvtext import NotFinite, read_text
from archsim.base.errors import InputError, nearest, shown
from archsim.base.files import display, sha256
from archsim.base.units import show
from archsim.technologies.writing import dump, head, parent, write_checked

SOURCE = "murmann2025"
ACTION, PART = "tile.adc.convert", "tile.adc"
MOST_NAMED = 12
"""Converters of a band that are named one by one; more are counted."""

NAMED_ROWS = 5
"""Rows left out that are named one by one; more are counted."""

# Key -> names that the column of the survey has had, the first that of the workbook of 2025. Its TECHNOLOGY is in um.
_WANTS = {
    "power": Want(("P",), "W"), "rate": Want(("fsnyq", "fnyq"), "Hz"),
    "sndr": Want(("SNDR_plot", "SNDR_hf", "SNDR", "SNDR_lf"), "dB"),
    "node": Want(("TECHNOLOGY", "NODE", "PROCESS"), "m", given="um"), "area": Want(("AREA",), "m^2"),
    "doi": Want(("DOI",)), "year": Want(("YEAR",)), "id": Want(("ID",)), "architecture": Want(("ARCHITECTURE",)),
}  # fmt: skip
_REQUIRED = ("power", "rate", "sndr")
_NUMBERS = (*_REQUIRED, "node", "area")
_YEARS = (1950, 2100)


@dataclass(frozen=True, slots=True)
class Converter:
    """One converter of the survey.

    Parameters
    ----------
    file, row : path, and row of the table as a spreadsheet counts it
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
class Wanted:
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


@dataclass(frozen=True, slots=True)
class Survey:
    """A CSV of the survey.

    Parameters
    ----------
    file : Path
    converters : rows that give an energy
    left_out : (line, reason) of rows that hold something that cannot be read
    empty : rows without power, rate or SNDR: the survey leaves cells empty
    """

    file: Path
    converters: tuple[Converter, ...]
    left_out: tuple[tuple[int, str], ...]
    empty: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out and why, in words."""
        count, lines = len(self.left_out), []
        if count:
            named = "; ".join(f"line {line}: {reason}" for line, reason in self.left_out[:NAMED_ROWS])
            more = f"; and {count - NAMED_ROWS} more" if count > NAMED_ROWS else ""
            rows = "row that cannot be read is" if count == 1 else "rows that cannot be read are"
            lines.append(f"{display(self.file)}: {count} {rows} left out: {named}{more}")
        if self.empty:
            rows = "row has" if self.empty == 1 else "rows have"
            lines.append(f"{display(self.file)}: {self.empty} {rows} no power, rate or SNDR")
        return tuple(lines)


def read_survey(path: Path) -> Survey:
    """Read a CSV of the survey.

    Raises
    ------
    InputError
        If the file cannot be read, a column or its unit is missing, two columns claim one quantity, or no row gives an
        energy.
    """
    table = parse(read_text(path), path, _WANTS, [_REQUIRED], what="a CSV of the survey")
    for key in _REQUIRED:
        if not table.has(key):
            wanted = _WANTS[key].names[0]
            table.error(
                None, f"has no column {wanted!r}",
                expected='the columns of the survey, such as "P [W]", "fsnyq [Hz]" and "SNDR_plot [dB]"',
                hint=nearest(wanted, filter(None, table.header)),
            )  # fmt: skip
    scales = {key: table.scale(column) for key, column in table.columns.items()}
    found, left_out, empty = [], [], 0
    for cells, line, record in zip(table.rows, table.lines, table.records, strict=True):
        try:
            converter = _converter(table, scales, cells, record)
        except InputError:  # of the whole column, not of the row
            raise
        except ValueError as error:
            left_out.append((line, str(error)))
            continue
        empty += converter is None
        found += [converter] if converter else []
    made = Survey(path, tuple(found), tuple(left_out), empty)
    if not found:
        reasons = "; ".join(note.removeprefix(f"{display(path)}: ") for note in made.notes)
        raise InputError(
            f"holds no converter: {reasons}", file=display(path), expected="rows with power, rate and SNDR"
        )
    return made


def _converter(table: Table, scales: Mapping[str, float | None], cells: Sequence[str], record: int) -> Converter | None:
    """Return the converter of a row, None if it has no power, rate or SNDR.

    Raises
    ------
    ValueError
        If the row cannot be read; the message says why.
    """
    if len(cells) != len(table.header):
        raise ValueError(cells_wrong(cells, table.header))
    given = {key: cells[column.place].strip() for key, column in table.columns.items()}
    if (year := given.get("year")) and not (year.isdecimal() and _YEARS[0] <= int(year) <= _YEARS[1]):
        raise ValueError(f"{table.columns['year'].header}: got {shown(year)}; expected a year")
    value = {key: _positive(table, key, given[key], scales[key]) for key in _NUMBERS if given.get(key)}
    if not all(key in value for key in _REQUIRED):
        return None
    name = " ".join(given.get(key, "") for key in ("year", "id", "architecture")).split()
    return Converter(
        file=table.path, row=record, energy=value["power"] / value["rate"], rate=value["rate"],
        enob=(value["sndr"] - 1.76) / 6.02, node=value.get("node") or None, area=value.get("area"),
        name=" ".join(name) or f"row {record}", doi=given.get("doi", ""),
    )  # fmt: skip


def _positive(table: Table, key: str, cell: str, scale: float | None) -> float:
    """Return a cell in SI; 0 for a technology without a length, such as "InP HBT"."""
    column = table.columns[key]
    try:
        value = table.value(column, cell, scale)
    except ValueError as error:
        if key == "node" and not isinstance(error, NotFinite):
            return 0.0
        if str(error) == no_unit(column):
            table.error(column.header, str(error))
        raise ValueError(f"{column.header}: {error}") from error
    if value <= 0:
        raise ValueError(f"{column.header}: got {shown(cell)}; expected a number above zero")
    return value


def choose(converters: Sequence[Converter], *, row: int | None = None, band: Wanted | None = None) -> list[Converter]:
    """Return the converter of a row, or those of a band.

    Raises
    ------
    InputError
        If there is none.
    """
    if row is not None:
        found = [each for each in converters if each.row == row]
        if not found:
            expected = "the number of a row with power, rate and SNDR, as a spreadsheet counts them"
            raise InputError(key="--row", value=row, expected=expected)
        return found
    wanted = band or Wanted()
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
    write_checked(out, first + dump(content), SOURCE)
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
