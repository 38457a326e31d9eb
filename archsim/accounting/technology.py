"""Technologies: read a file of figures with its ancestors and its bibliography, and say what is wrong with it.

A technology is data. It is bound in two places: its times when a chip is built, its prices in the bill.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from archsim.accounting.figures import AreaFigure, Figure, Time, read_area, read_figure, read_time
from archsim.accounting.inheritance import Below, inherit, kept_text
from archsim.accounting.laws import PRICE_UNITS
from archsim.accounting.ledger import Entry
from archsim.base import files, finding
from archsim.base.bibtex import Reference, read_references
from archsim.base.errors import InputError, ModelError, nearest
from archsim.base.extends import chain
from archsim.base.provenance import PLACEHOLDER
from archsim.base.units import show
from archsim.base.yamlfile import Document, FileRecord, parsed, validate

Section = Literal["times", "figures", "areas"]
LAID_OVER = "--figure"
"""What errors call the text of `lay_over`."""
_READERS: dict[Section, Callable[..., Any]] = {"times": read_time, "figures": read_figure, "areas": read_area}


class Header(FileRecord):
    """A technology file; its times, figures and areas are read one by one."""

    kind: Literal["technology"]
    name: str
    title: str | None = None
    node: str = ""
    extends: str | None = None
    scaling: str | None = None
    times: dict[str, Any] = Field(default_factory=dict)
    figures: dict[str, Any] = Field(default_factory=dict)
    areas: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Technology:
    """A technology after `extends`: figures, times and areas of the file and of its ancestors, the nearest first.

    Parameters
    ----------
    name, title, node : str
    scaling : name of the rule by which its scaled figures were computed
    path : the file; ancestors: the files it extends, nearest first
    text : content of its own file where that is not written, as for `lay_over`
    sha256 : hash over the bytes of the file and of its ancestors, in that order
    times : name -> Time
    figures : name -> Figure
    areas : name -> AreaFigure
    references : key -> Reference, for the keys the figures, times and areas name
    unused : keys of a bibliography beside its files that nothing in this technology names
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
    text: str | None = field(repr=False, default=None)
    scaling: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files it was read from, its own first."""
        return self.ancestors if self.text is not None else (self.path, *self.ancestors)

    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        """Return a time in seconds, of a memory's bank of a capacity [bit] where it depends on that.

        Raises
        ------
        InputError
            If there is no such time, with the known ones and the nearest; or none for such a capacity.
        """
        if key not in self.times:
            known = ", ".join(self.times) or "no time at all"
            raise InputError(
                f"gives no time {key!r}", file=files.display(self.path), key="times",
                expected=f"one of {known}", hint=nearest(key, self.times),
            )  # fmt: skip
        return self.times[key].of(capacity_bit)

    @property
    def times_hash(self) -> str:
        """SHA-256 over the times: two technologies of one hash give the same clock, so a run may be priced by both."""
        curves = {name: [time.of(size) for size, _ in time.points] for name, time in self.times.items()}
        table = json.dumps({name: curves[name] or time.value for name, time in sorted(self.times.items())})
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


def read_technology(name_or_path: str, near: Path | None = None, *, unwritten: str | None = None) -> Technology:
    """Read a technology by shipped name or path, with everything it extends.

    Parameters
    ----------
    name_or_path : a shipped name ("bottom-up-14nm") or the path of a YAML file
    near : folder in which a name is looked up first
    unwritten : what will stand in the file, where it is not written yet

    Raises
    ------
    InputError
        If a file is missing or breaks a rule of the schema, if `extends` runs in a circle, or if two figures price one
        action; with file, line and key.
    """
    if unwritten is None:
        start: Path | Document = finding.find(name_or_path, "tech_params", option="technology", near=near)
    else:
        start = parsed(unwritten, Path(name_or_path))
    return _read(chain(start, "tech_params", header), unwritten)


def lay_over(technology: Technology, content: Mapping[str, Any], text: str) -> Technology:
    """Return a technology that extends another by a file that is not written yet.

    Parameters
    ----------
    technology : what it extends
    content, text : of that file; what is wrong in it is said of `--figure`

    Raises
    ------
    InputError
        As `read_technology`.
    """
    own = Document(path=Path(LAID_OVER), data=dict(content), lines={})
    return _read([own, *chain(technology.path, "tech_params", header)], text)


def _read(documents: Sequence[Document], text: str | None = None) -> Technology:
    """Return the technology of a file, the first, and those it extends; `text` where the first is no file yet."""
    headers = [_header(each) for each in documents]
    written = documents if text is None else documents[1:]
    references = _references([each.path for each in documents if each.path.name != LAID_OVER])
    items: dict[Section, dict[str, Any]] = {"times": {}, "figures": {}, "areas": {}}
    contents: dict[tuple[str, str], dict[str, Any]] = {}
    homes: dict[tuple[str, str], Document] = {}
    for index in reversed(range(len(documents))):
        parent = headers[index + 1].name if index + 1 < len(headers) else ""
        for section, found in items.items():
            for name, data in getattr(headers[index], section).items():
                below = _below(parent, contents[section, name], found[name]) if name in found else None
                whole, kept = inherit(documents[index], (section, name), data, below, found)
                found[name] = _READERS[section](documents[index], name, whole, references, kept)
                contents[section, name], homes[section, name] = whole, documents[index]
    pricing, covering = _coverage("figures", items["figures"], homes)
    area_pricing, area_covering = _coverage("areas", items["areas"], homes)
    used = {key for table in items.values() for each in table.values() for key in each.origin.sources}
    digest = hashlib.sha256((text or "").encode())
    for each in written:
        digest.update(each.path.read_bytes())
    shelf = files.shipped("tech_params")
    own = [key for key, reference in references.items() if reference.file.parent != shelf]
    return Technology(
        name=headers[0].name, title=next((each.title for each in headers if each.title), ""),
        node=next((each.node for each in headers if each.node), ""), path=documents[0].path,
        ancestors=tuple(each.path for each in documents[1:]), sha256=digest.hexdigest(), **items,
        references={key: references[key] for key in sorted(used)}, unused=tuple(sorted(set(own) - used)), text=text,
        pricing=pricing, covering=covering, area_pricing=area_pricing, area_covering=area_covering,
        scaling=next((each.scaling for each in headers if each.scaling), None),
    )  # fmt: skip


def _below(parent: str, content: Mapping[str, Any], item: Any) -> Below:
    return Below(parent, content, item.value, item.low, item.high, getattr(item, "unit", "s"))


def header(document: Document) -> Header:
    """Return what stands at the top of a technology file.

    Raises
    ------
    InputError
        If it breaks its schema, is not filled in, or names something else than the file.
    """
    found = _header(document)
    if found.title is None and not found.extends:
        raise document.error(("title",), "is missing", expected="the key 'title'")
    if found.name != document.path.stem:
        raise document.error(
            ("name",), value=found.name, expected=f"{document.path.stem!r}, the file's name without .yaml"
        )
    return found


def _header(document: Document) -> Header:
    found = validate(document, Header)
    for key, text in (("title", found.title or ""), ("node", found.node)):
        if PLACEHOLDER in text:
            raise document.error((key,), "is still a placeholder", expected=f"the technology's {key}")
    return found


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
    notes: list[str] = []
    known = {entry.key for entry in entries}
    notes += _kept(technology)
    for figure in technology.figures.values():
        idle = not known.intersection(figure.prices + figure.covers) if known else not figure.prices
        if idle:
            here = f"{files.display(figure.file)}:{figure.line}"
            notes.append(f"note: {here}: figures.{figure.name}: prices nothing that these chips do")
    if technology.unused:
        notes.append(
            f"note: {where}: names none of these sources of its references.bib: {', '.join(technology.unused)}"
        )
    return [*unpriced(technology, entries), *notes]


def unpriced(technology: Technology, entries: Iterable[Entry]) -> list[str]:
    """Return why a technology cannot price some actions, each reason once; empty if it prices all."""
    found = dict.fromkeys(problem for entry in entries if (problem := _problem(technology, entry)))
    return [f"{files.display(technology.path)}: {problem}" for problem in found]


def _kept(technology: Technology) -> Iterator[str]:
    """Yield a note for each item of the technology's own file that keeps what its value depends on."""
    for section in _READERS:
        for item in getattr(technology, section).values():
            if item.file == technology.path and (text := kept_text(show(item.value, getattr(item, "unit", "s")), item)):
                yield f"note: {files.display(item.file)}:{item.line}: {section}.{item.name}: {text}"


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
    for shelf in finding.bibliographies(paths):
        found.update(read_references(shelf))
    return found
