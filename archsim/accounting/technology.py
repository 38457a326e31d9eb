"""Technologies: read a file of figures with its ancestors and its bibliography, and say what is wrong with it.

A technology is data. It is bound in two places: its times when a chip is built, its prices in the bill.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from archsim.accounting.figures import AreaFigure, Figure, Time, read_area, read_figure, read_time
from archsim.accounting.laws import PRICE_UNITS
from archsim.accounting.ledger import Entry
from archsim.base import files
from archsim.base.errors import InputError, ModelError, nearest
from archsim.base.provenance import PLACEHOLDER
from archsim.base.yamlfile import Document, FileRecord, read, validate


class Header(FileRecord):
    """A technology file; its times, figures and areas are read one by one."""

    kind: Literal["technology"]
    name: str
    title: str
    node: str = ""
    extends: str | None = None
    times: dict[str, Any] = Field(default_factory=dict)
    figures: dict[str, Any] = Field(default_factory=dict)
    areas: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry of a .bib file: key, kind ("article"), fields (title, author, year, doi, note), and its line."""

    key: str
    kind: str
    fields: Mapping[str, str]
    file: Path
    line: int


@dataclass(frozen=True)
class Technology:
    """A technology after `extends`: figures, times and areas of the file and of its ancestors, the nearest first.

    Parameters
    ----------
    name, title, node : str
    path : the file; ancestors: the files it extends, nearest first
    sha256 : hash over the bytes of the file and of its ancestors, in that order
    times : name -> Time
    figures : name -> Figure
    areas : name -> AreaFigure
    references : key -> Reference, for the keys the figures, times and areas name
    unused : keys of the bibliography that nothing in this technology names
    pricing : action key -> name of the figure that prices it
    covering : action key -> name of the figure that already contains its energy
    area_pricing, area_covering : likewise for part keys and areas
    """

    name: str
    title: str
    node: str
    path: Path
    ancestors: tuple[Path, ...]
    sha256: str
    times: Mapping[str, Time]
    figures: Mapping[str, Figure]
    areas: Mapping[str, AreaFigure]
    references: Mapping[str, Reference]
    unused: tuple[str, ...]
    pricing: Mapping[str, str] = field(repr=False)
    covering: Mapping[str, str] = field(repr=False)
    area_pricing: Mapping[str, str] = field(repr=False)
    area_covering: Mapping[str, str] = field(repr=False)

    def time_s(self, key: str) -> float:
        """Return a time in seconds.

        Raises
        ------
        InputError
            If the technology has no such time; with the known ones and the nearest.
        """
        if key not in self.times:
            known = ", ".join(self.times) or "no time at all"
            raise InputError(
                f"gives no time {key!r}", file=files.display(self.path), key="times",
                expected=f"one of {known}", hint=nearest(key, self.times),
            )  # fmt: skip
        return self.times[key].value

    @property
    def times_hash(self) -> str:
        """SHA-256 over the times: two technologies of one hash give the same clock, so a run may be priced by both."""
        table = json.dumps({name: time.value for name, time in sorted(self.times.items())})
        return hashlib.sha256(table.encode()).hexdigest()

    def figure_for(self, key: str) -> Figure | None:
        """Return the figure that prices an action, or that covers it, or None."""
        name = self.pricing.get(key) or self.covering.get(key)
        return self.figures[name] if name else None

    def area_for(self, key: str) -> AreaFigure | None:
        """Return the area figure of a part "KIND.PART", or the one that covers it, or None."""
        name = self.area_pricing.get(key) or self.area_covering.get(key)
        return self.areas[name] if name else None


def list_technologies() -> list[str]:
    """Return the names of the shipped technologies, sorted."""
    return files.shipped_names("tech_params")


def read_technology(name_or_path: str, near: Path | None = None) -> Technology:
    """Read a technology by shipped name or path, with everything it extends.

    Parameters
    ----------
    name_or_path : str
        A shipped name ("bottom-up-14nm") or the path of a YAML file.
    near : path
        Folder in which a name is looked up first.

    Raises
    ------
    InputError
        If a file is missing or breaks a rule of the schema, if `extends` runs in a circle, or if two figures price one
        action; with file, line and key.
    """
    chain = _chain(files.find(name_or_path, "tech_params", option="technology", near=near), ())
    document, header = chain[0]
    references = _references([each.path for each, _ in chain])
    times: dict[str, Time] = {}
    figures: dict[str, Figure] = {}
    areas: dict[str, AreaFigure] = {}
    documents: dict[tuple[str, str], Document] = {}
    for each, head in reversed(chain):
        for name, data in head.times.items():
            times[name] = read_time(each, name, data, references)
        for name, data in head.figures.items():
            figures[name] = read_figure(each, name, data, references)
            documents["figures", name] = each
        for name, data in head.areas.items():
            areas[name] = read_area(each, name, data, references)
            documents["areas", name] = each
    pricing, covering = _coverage("figures", figures, documents)
    area_pricing, area_covering = _coverage("areas", areas, documents)
    used = {key for table in (times, figures, areas) for each in table.values() for key in each.origin.sources}
    digest = hashlib.sha256()
    for each, _ in chain:
        digest.update(each.path.read_bytes())
    return Technology(
        name=header.name, title=header.title, node=header.node, path=document.path,
        ancestors=tuple(each.path for each, _ in chain[1:]), sha256=digest.hexdigest(), times=times, figures=figures,
        areas=areas, references={key: references[key] for key in sorted(used)},
        unused=tuple(sorted(set(references) - used)),
        pricing=pricing, covering=covering, area_pricing=area_pricing, area_covering=area_covering,
    )  # fmt: skip


def _chain(path: Path, seen: tuple[tuple[Path, str], ...]) -> list[tuple[Document, Header]]:
    """Return a file and its ancestors, nearest first."""
    document = read(path)
    header = validate(document, Header)
    for key, text in (("title", header.title), ("node", header.node)):
        if PLACEHOLDER in text:
            raise document.error((key,), "is still a placeholder", expected=f"the technology's {key}")
    if header.name != path.stem:
        raise document.error(("name",), value=header.name, expected=f"{path.stem!r}, the file's name without .yaml")
    here = (*seen, (path.resolve(), header.name))
    if header.extends is None:
        return [(document, header)]
    try:
        parent = files.find(header.extends, "tech_params", option="extends", near=path.parent)
    except InputError as error:
        raise document.error(("extends",), value=error.value, expected=error.expected, hint=error.hint) from error
    if parent.resolve() in [each for each, _ in here]:
        names = [name for _, name in here]
        start = [each for each, _ in here].index(parent.resolve())
        circle = " -> ".join([*names[start:], names[start]])
        raise document.error(("extends",), f"runs in a circle: {circle}")
    return [(document, header), *_chain(parent, here)]


def _coverage(
    section: str, figures: Mapping[str, Figure | AreaFigure], documents: Mapping[tuple[str, str], Document]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return action (or part) -> figure for prices and for covers; one may occur once in both together."""
    pricing: dict[str, str] = {}
    covering: dict[str, str] = {}
    for name, figure in figures.items():
        for word, actions, target in (("prices", figure.prices, pricing), ("covers", figure.covers, covering)):
            for index, action in enumerate(actions):
                if other := pricing.get(action) or covering.get(action):
                    key = (section, name, word, index)
                    verb = "priced" if action in pricing else "covered"
                    once = "each action once" if section == "figures" else "each part once"
                    raise documents[section, name].error(
                        key, f"{action!r} is already {verb} by {other!r}", expected=once
                    )
                target[action] = name
    return pricing, covering


def lint(technology: Technology, entries: Iterable[Entry] = ()) -> list[str]:
    """Return what is wrong with a technology, for the actions of one or more chips; empty if nothing is.

    Lines that begin with "note: " are worth knowing but not wrong: figures that price nothing, and keys of the
    bibliography that this technology does not name. An action priced twice, and a source that the bibliography lacks,
    are refused when the file is read.

    Parameters
    ----------
    technology : Technology
    entries : iterable of Entry
        The actions of the chips that are to be priced; none to check the file alone.
    """
    entries = list(entries)
    where = files.display(technology.path)
    lines: dict[str, None] = {}
    for entry in entries:
        if problem := _problem(technology, entry):
            lines[f"{where}: {problem}"] = None
    notes: list[str] = []
    known = {entry.key for entry in entries}
    for figure in technology.figures.values():
        idle = not known.intersection(figure.prices + figure.covers) if known else not figure.prices
        if idle:
            here = f"{files.display(figure.file)}:{figure.line}"
            notes.append(f"note: {here}: figures.{figure.name}: prices nothing that these chips do")
    if technology.unused:
        notes.append(f"note: {where}: names none of these sources of references.bib: {', '.join(technology.unused)}")
    return [*lines, *notes]


def _problem(technology: Technology, entry: Entry) -> str | None:
    """Return why an entry cannot be priced, or None."""
    figure = technology.figure_for(entry.key)
    if figure is None:
        hint = nearest(entry.key, technology.pricing)
        return f"no figure prices {entry.key!r} ({entry.action.what})" + (f". {hint}" if hint else "")
    if entry.key in technology.covering:
        return None
    try:
        unit_price(figure, entry)
    except (InputError, ModelError) as error:
        return str(error)
    return None


def unit_price(figure: Figure, entry: Entry) -> float:
    """Return the price of one unit of an entry's amount, in J per that unit.

    Raises
    ------
    InputError
        If price unit x amount unit is not J, or a size lies outside the law's range.
    ModelError
        If the amount has a unit that no price turns into joules, or the entry lacks a size.
    """
    if entry.action.unit not in PRICE_UNITS:
        known = ", ".join(PRICE_UNITS)
        raise ModelError(f"{entry.key}: amounts in {entry.action.unit!r} cannot be priced; expected {known}")
    wanted = PRICE_UNITS[entry.action.unit]
    if figure.price_unit != wanted:
        amount = entry.action.unit or "a plain count"
        raise InputError(
            f"prices {entry.key!r}, counted in {amount}, in {figure.price_unit}",
            file=files.display(figure.file), line=figure.line, key=f"figures.{figure.name}",
            expected=f"a price in {wanted}",
        )  # fmt: skip
    return figure.price(entry.sizes, f"figure {figure.name!r} for {entry.key!r} of {entry.component!r}")


def _references(paths: Iterable[Path]) -> dict[str, Reference]:
    """Return the entries of the shipped bibliography and of those that stand beside the given files (which win)."""
    found: dict[str, Reference] = {}
    for shelf in files.bibliographies(paths):
        found.update(read_references(shelf))
    return found


def read_references(path: Path) -> dict[str, Reference]:
    """Read a .bib file: entries `@kind{key, field = {value}, ...}`; braces inside a value are dropped.

    Raises
    ------
    InputError
        If an entry is not closed, has no key, or repeats one; with file and line.
    """
    text = path.read_text(encoding="utf-8")
    found: dict[str, Reference] = {}
    for match in re.finditer(r"^[ \t]*@(\w+)\s*\{\s*([^,\s{}]*)\s*,", text, re.MULTILINE):
        kind, key = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        if not key:
            raise InputError("entry without a key", file=files.display(path), line=line, expected="@kind{key, ...}")
        if key in found:
            raise InputError(
                f"key given before, in line {found[key].line}", file=files.display(path), line=line, key=key
            )
        end = _closing(text, text.index("{", match.start()))
        if end is None:
            raise InputError("entry is not closed", file=files.display(path), line=line, key=key, expected="}")
        found[key] = Reference(key, kind.lower(), _fields(text[match.end() : end]), path, line)
    return found


def _closing(text: str, start: int) -> int | None:
    """Return the place of the brace that closes the one at `start`."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return None


def _fields(body: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    place = 0
    while match := re.compile(r"\s*,?\s*(\w+)\s*=\s*").match(body, place):
        start = match.end()
        if body[start : start + 1] == "{":
            end = _closing(body, start)
            end = len(body) if end is None else end
            value, place = body[start + 1 : end], end + 1
        else:
            plain = re.compile(r'"([^"]*)"|([^,\s]+)').match(body, start)
            if plain is None:
                break
            value, place = plain.group(1) or plain.group(2) or "", plain.end()
        fields[match.group(1).lower()] = " ".join(value.replace("{", "").replace("}", "").split())
    return fields
