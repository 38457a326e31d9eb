"""Figures of the shipped technologies, each with its range, basis and source; what is assumed; the scaling rules."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from archsim.accounting.technology import Technology, list_technologies, read_technology
from archsim.base.files import shipped
from archsim.base.units import show
from archsim.base.yamlfile import read
from archsim.devices.library import device_file, numbers, shipped_devices
from generated.text import below_others, cell, code, table, whole

HOME = "model/technologies"
MAIN = "bottom-up-14nm"


@cache
def _read(name: str) -> Technology:
    return read_technology(name)


def contents() -> str:
    """Return the table of the shipped technologies."""
    rows = [
        [f"[{name}](technologies/{name}.md)", whole(_read(name).node), cell(_read(name).title)]
        for name in list_technologies()
    ]
    return table(["technology", "node", "what it is"], rows)


def pages() -> dict[str, str]:
    """Return a page for each technology: times, figures and areas, then its sources."""
    return {f"{HOME}/{name}.md": below_others(_page(_read(name))) for name in list_technologies()}


def _page(technology: Technology) -> str:
    lines = [f"# {technology.name}", "", f"{technology.title}. Node: {technology.node}.", ""]
    for title, unit, found in (
        ("Energies", None, technology.figures), ("Times", "s", technology.times), ("Areas", "", technology.areas),
    ):  # fmt: skip
        lines += [f"## {title}", "", _table(found, unit), ""]
    lines += ["## Sources", ""]
    for key, reference in sorted(technology.references.items()):
        told = [reference.fields.get(field, "") for field in ("author", "title", "journal", "booktitle", "year", "doi")]
        lines.append(f"- `{key}`: {'. '.join(_brief(each) for each in told if each)}")
    return "\n".join(lines) + "\n"


def _brief(text: str) -> str:
    words = text.replace("{", "").replace("}", "").replace("<", "&lt;").split(" and ")
    return f"{words[0]} and others" if len(words) > 3 else " and ".join(words)


def _table(found: Any, unit: str | None) -> str:
    rows = []
    for each in found.values():
        in_unit = unit or (each.price_unit if unit is None else each.unit)
        value, low, high = (whole(show(end, in_unit)) for end in (each.value, each.low, each.high))
        origin = cell(_origin(each.origin))
        rows.append([code(each.name), value, f"{low} to {high}", each.origin.basis, origin])
    return table(["figure", "value", "range", "basis", "source or reason"], rows)


def _origin(origin: Any) -> str:
    told = [origin.named, origin.where, origin.derived_by, origin.why]
    return "; ".join(str(each) for each in told if each)


def assumed() -> str:
    """Return everything that rests on an assumption in the main technology and in the devices, with the reason."""
    technology = _read(MAIN)
    rows = [
        [f"{MAIN}: {code(each.name)}", cell(each.origin.why or "")]
        for section in (technology.figures, technology.times, technology.areas)
        for each in section.values()
        if each.origin.basis == "assumed"
    ]
    for device in shipped_devices():
        rows += [
            [f"{device}: {code(each.name)}", cell(each.origin)]
            for each in numbers(device_file(device)) if each.basis == "assumed"
        ]  # fmt: skip
    return table(["what", "why it is taken so"], rows)


def rules() -> str:
    """Return what the files of scaling rules say of themselves."""
    return "\n".join(_rules()) + "\n"


def _rules() -> Iterator[str]:
    for path in sorted((shipped("tech_params") / "scaling").glob("*.yaml")):
        data = read(path).data
        sources = data["source"] if isinstance(data["source"], list) else [data["source"]]
        nodes = [each["node"] if isinstance(each, dict) else each for each in data["nodes"]]
        yield f"- `{data['name']}` ({', '.join(sources)}), nodes {nodes[0]} to {nodes[-1]}: {data['where']}."
