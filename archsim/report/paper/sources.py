"""Where the numbers of a run come from: technologies and device files as the run used them, and their literature."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.accounting.figures import AreaFigure, Figure, Time
from archsim.accounting.technology import Technology
from archsim.base import files, finding
from archsim.base.bibtex import Reference, read_references
from archsim.base.errors import InputError
from archsim.base.units import show
from archsim.base.yamlfile import read
from archsim.devices.library import device_file, numbers
from archsim.records.recorded import Recorded
from archsim.records.technologies import find
from archsim.report.sheet import NONE, Sheet
from archsim.report.style import label
from archsim.runs.inputs import ARCHITECTURES
from archsim.technologies.writing import figure_content

Number = Figure | Time | AreaFigure
_AS_THEY_ARE = {"doi", "url", "eprint"}
"""Fields whose characters mean something to styles: never escaped."""
_LETTERS = (
    r"[`'^\"~=.&%#_$ -]|[cuvHkrbdt](?![A-Za-z])|(?:textbackslash|textsuperscript|textsubscript|emph|ensuremath|mathrm|"
    r"alpha|beta|gamma|delta|mu|pi|times|sim|approx|ss|aa|AA|ae|AE|oe|OE|o|O|l|L|i|j)(?![A-Za-z])"
)
"""Commands of TeX that a field may hold: accents, letters, signs. Others become text."""


@dataclass(frozen=True)
class DeviceRecord:
    """One record of a device file: its values as text, the keys of its sources, or the file of own data."""

    name: str
    values: str
    basis: str
    sources: tuple[str, ...]
    why: str
    data: str = ""


@dataclass(frozen=True)
class CitedFigure:
    """What a run used of a technology: figures inside the boundary, times of its components, areas of its parts."""

    technology: Technology
    figures: tuple[Figure, ...]
    times: tuple[Time, ...]
    areas: tuple[AreaFigure, ...]

    @property
    def numbers(self) -> tuple[Number, ...]:
        """All of them."""
        return (*self.figures, *self.times, *self.areas)


@dataclass(frozen=True)
class Used:
    """Everything a run used that has a source.

    Parameters
    ----------
    priced : by each technology, the run's own first
    devices : name of a device -> its records
    references : key -> entry, for exactly the sources of these
    notes : files that have changed since the run
    """

    priced: tuple[CitedFigure, ...]
    devices: Mapping[str, tuple[DeviceRecord, ...]]
    references: Mapping[str, Reference]
    notes: tuple[str, ...]


def used(run: Recorded, techs: Sequence[str] = ()) -> Used:
    """Return what a run used, from its tables and the files it names.

    Parameters
    ----------
    run : Recorded
    techs : sequence of str
        Where to find technologies that were given as files.

    Raises
    ------
    InputError
        If a technology or a device file is not found, or prices the run differently now.
    """
    priced, notes = [], []
    shelf: dict[str, Reference] = {}
    for name in run.technologies:
        asked = find(run.home, run.named, name, given=techs)
        technology = asked.alike(run)
        priced.append(_priced(run, technology))
        shelf |= technology.references
        notes += [asked.note] if asked.note else []
    devices = {}
    for path in _device_files(run):
        devices[path.stem] = tuple(_records(path))
        shelf = _shelf(path) | shelf
        if files.sha256(path) not in (run.run.get("inputs") or {}).values():
            notes.append(f"{files.display(path)} has changed since the run")
    wanted = {key for each in priced for number in each.numbers for key in number.origin.sources}
    wanted |= {key for records in devices.values() for record in records for key in record.sources}
    if missing := sorted(wanted - set(shelf)):
        raise InputError("is a source that no references.bib has", key=missing[0], expected="an entry for it")
    return Used(tuple(priced), devices, {key: shelf[key] for key in sorted(wanted)}, tuple(notes))


def _priced(run: Recorded, technology: Technology) -> CitedFigure:
    names = {line.figure for chip in run.architectures for line in run.contributions(chip, technology.name)}
    present = {entry.key.partition(".")[0] for chip in run.chips.values() for entry in chip.entries}
    known = {key.partition(".")[0] for key in (*technology.pricing, *technology.covering)}
    times = (time for name, time in technology.times.items() if name.partition(".")[0] not in known - present)
    areas = {line.figure for chip in run.architectures for line in run.areas(chip, technology.name)}
    return CitedFigure(
        technology=technology,
        figures=tuple(figure for name, figure in technology.figures.items() if name in names),
        times=tuple(times),
        areas=tuple(figure for name, figure in technology.areas.items() if name in areas),
    )


def _device_files(run: Recorded) -> list[Path]:
    named = {
        str(device): run.inputs / ARCHITECTURES / str(architecture["name"])
        for architecture in run.run["architectures"]
        if (device := (architecture.get("weight") or {}).get("device"))
    }
    return [device_file(device, option="weight.device", near=folder) for device, folder in named.items()]


def _records(path: Path) -> Iterable[DeviceRecord]:
    content = read(path).data
    for entry in numbers(path):
        record = content[entry.name]
        source = record.get("source") or []
        sources = (source,) if isinstance(source, str) else tuple(map(str, source))
        yield DeviceRecord(
            entry.name, entry.values, entry.basis, sources, str(record.get("why") or ""), str(record.get("data") or "")
        )


def _shelf(path: Path) -> dict[str, Reference]:
    return {key: found for shelf in finding.bibliographies([path]) for key, found in read_references(shelf).items()}


# --- tables -----------------------------------------------------------------------------------------------------------
_HEADS = ("name", "value", "low", "high", "basis", "source")


def sheets(found: Used) -> dict[str, Sheet]:
    """Return file name -> table: figures, times and areas of every technology, records of every device, assumptions."""
    made: dict[str, Sheet] = {}
    for each in found.priced:
        name = each.technology.name
        for kind, title, chosen in (
            ("figures", "Figures used", each.figures),
            ("times", "Times used", each.times),
            ("areas", "Areas used", each.areas),
        ):
            if chosen:
                made[f"{kind}-{name}"] = _numbers(f"{title}, {name}", chosen)
        if reasons := [(number.name, number.origin.why or NONE) for number in each.numbers if _assumed(number)]:
            made[f"assumed-{name}"] = Sheet(f"What is assumed in {name}, and why", ("name", "why"), tuple(reasons))
    for device, records in found.devices.items():
        rows = tuple(
            (r.name.replace("_", " "), r.values, r.basis, ", ".join(r.sources) or r.data or NONE) for r in records
        )
        made[f"device-{device}"] = Sheet(f"Device model, {device}", ("record", "values", "basis", "source"), rows)
        if assumed := tuple((r.name.replace("_", " "), r.why) for r in records if r.basis == "assumed"):
            title = f"What is assumed in {device}, and why"
            made[f"assumed-{device}"] = Sheet(title, ("record", "why"), assumed)
    return made


def _assumed(number: Number) -> bool:
    return number.origin.basis == "assumed"


def _numbers(title: str, chosen: Sequence[Number]) -> Sheet:
    """Return numbers with their origin; where any is of some size, with a column that says which."""
    rows, sizes = list(map(_row, chosen)), list(map(_at, chosen))
    if not any(sizes):
        return Sheet(title, _HEADS, tuple(rows))
    name, value, *others = _HEADS
    return Sheet(
        title, (name, value, "at", *others),
        tuple((row[0], row[1], size or NONE, *row[2:]) for row, size in zip(rows, sizes, strict=True)),
    )  # fmt: skip


def _at(number: Number) -> str:
    """Return the size a figure holds for and the law by which it is priced at others."""
    if not isinstance(number, Figure) or not number.at:
        return ""
    sizes = ", ".join(f"{label(name)} {size}" for name, size in figure_content(number)["at"].items())
    return f"{sizes} (law {number.law})"


def _row(number: Number) -> tuple[str, ...]:
    unit = "s" if isinstance(number, Time) else number.unit
    value, low, high = (show(each, unit, 3) for each in (number.value, number.low, number.high))
    ends = (low, high) if number.low < number.high else (NONE, NONE)
    return number.name, value, *ends, number.origin.basis, number.origin.named or NONE


# --- bibliography -----------------------------------------------------------------------------------------------------
def bibliography(references: Mapping[str, Reference]) -> str:
    """Return a .bib file of the entries: titles keep their capitals, LaTeX's special characters are escaped."""
    head = "% Sources of every figure, time, area and device model that the run used, by archsim report --paper.\n"
    return head + "".join(map(_entry, references.values()))


def _entry(reference: Reference) -> str:
    lines = [f"  {name} = {{{_field(name, value)}}}," for name, value in reference.fields.items()]
    return "\n".join(["", f"@{reference.kind}{{{reference.key},", *lines, "}", ""])


def _field(name: str, value: str) -> str:
    if name in _AS_THEY_ARE:
        return re.sub(r"\\(?![&%#_])", "", value)
    value = re.sub(rf"\\(?!{_LETTERS})", r"\\textbackslash{}", value)
    text = re.sub(r"(?<!\\)([&%#_])", r"\\\1", value)
    whole = name == "title" or (name in {"author", "editor"} and "(" in value and " and " not in value)
    return f"{{{text}}}" if whole else text
