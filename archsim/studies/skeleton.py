"""Technology files to begin with: a whole one, refused until it is filled in, or a short one that extends another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from archsim.accounting.area import AREA_UNITS, Part
from archsim.accounting.laws import LAWS, PRICE_UNITS, SIZE_UNITS, size_value
from archsim.accounting.ledger import Entry
from archsim.accounting.technology import Technology
from archsim.base.errors import InputError
from archsim.base.files import display, write_text
from archsim.base.provenance import PLACEHOLDER
from archsim.base.units import show
from archsim.studies.inventory import AskedTimes, small_chip
from archsim.technologies.writing import DIGITS, parent

_EXAMPLES = {
    "J": "1.2 pJ", "J/bit": "4 pJ/bit", "V^2": "0.04 V^2", "W/bit": "0.3 uW/KiB", "W": "3 uW", "s": "1 ns",
    "m^2": "40 um^2", "m^2/bit": "0.12 um^2/bit",
}  # fmt: skip
_HEAD = """\
# A technology to fill in, for {archs}. Written by `archsim tech new`.
# Each text that begins with TODO: has to be replaced; until then the file is refused, with the line of the next one.
#   archsim tech lint {name}.yaml{options}
# A figure has a value and a range with unit, what it prices, and where it comes from:
#   basis: measured | published   a source (a key of references.bib, beside this file or shipped) and where in it
#   basis: derived                also derived_by: how, so that a reader can do it again
#   basis: assumed                no source, but why
# A value of zero needs no range, but why. Figures may be merged: one figure may price several actions.
# `archsim tech new --extends bottom-up-14nm` writes a short file instead, which changes what it names.
# A law says how the price follows a size that the chip has; without one the price is constant. `archsim tech show
# bottom-up-14nm` shows a complete file.
# A source that references.bib lacks goes into a references.bib beside this file:
#   @article{{key2026, author = {{A. Author}}, title = {{Title}}, journal = {{Journal}}, year = {{2026}}}}
"""


def write_skeleton(archs: Sequence[str], out: Path) -> tuple[int, int, int]:
    """Write the skeleton of a technology for architectures; return how many times, figures and areas it asks for.

    Parameters
    ----------
    archs : names or files of architectures
    out : file to write; its stem becomes the technology's name

    Raises
    ------
    InputError
        If an architecture is unknown or wrong.
    """
    asked = AskedTimes()
    entries: dict[str, Entry] = {}
    parts: dict[str, Part] = {}
    for arch in archs:
        chip = small_chip(arch, asked)
        for entry in chip.entries():
            entries.setdefault(entry.key, entry)
        for part in chip.parts():
            parts.setdefault(part.key, part)
    options = "".join(f" --arch {arch}" for arch in archs)
    lines = [_HEAD.format(archs=", ".join(archs), name=out.stem, options=options).rstrip()]
    lines += ["schema: 1", "kind: technology", f"name: {out.stem}", _text("title", "what this technology is"),
              _text("node", "the node, such as 14 nm"), "", "times:"]  # fmt: skip
    for key in asked.keys:
        lines += [f"  {key}:", *_numbers("s", with_range=False), *_origin()]
    lines += ["", "figures:"]
    for kind, group in _grouped(entries.values()):
        lines.append(f"  # ---- {kind} ----")
        for entry in group:
            lines += _figure(entry)
    lines += ["", "areas: # of the parts; a part that is left out is listed, and makes the area a lower bound"]
    for part in parts.values():
        lines += _area(part)
    write_text(out, "\n".join(lines) + "\n")
    return len(asked.keys), len(entries), len(parts)


def _grouped(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.key.partition(".")[0], []).append(entry)
    return list(groups.items())


def _figure(entry: Entry) -> list[str]:
    unit = PRICE_UNITS[entry.action.unit]
    per = f"amounts in {entry.action.unit}" if entry.action.unit else "counted"
    lines = [f"  {entry.key}: # {entry.action.what}; {per}, priced in {unit}", *_numbers(unit)]
    lines.append(f"    prices: [{entry.key}]")
    if entry.sizes:
        sizes = ", ".join(f"{name} ({SIZE_UNITS[name] or 'count'})" for name in entry.sizes)
        lines.append(f"    # sizes that the chip gives: {sizes}")
        lines += [f"    # law: {law}" for law in _laws(entry)]
    return lines + _origin()


def _laws(entry: Entry) -> list[str]:
    """Return the laws that an entry's sizes and unit allow, with what they need beside."""
    found = []
    wanted = PRICE_UNITS[entry.action.unit]
    for name, law in LAWS.items():
        own = [unit for unit, price in law.units.items() if price == wanted]
        if law.sizes and own and set(law.sizes) <= set(entry.sizes):
            at = f", with at: {{{', '.join(f'{key}: ...' for key in law.at)}}}" if law.at else ""
            points = " and points: [[size, price], ...]" if law.tabulated else ""
            value = "" if wanted in own else f", with the value in {' or '.join(own)}"
            found.append(name + at + points + value)
    return found


def _area(part: Part) -> list[str]:
    unit = AREA_UNITS[part.unit]
    what = "one bit of it" if part.unit else "one of them"
    return [f"  {part.key}: # area of {what}", *_numbers(unit), f"    prices: [{part.key}]", *_origin()]


def _numbers(unit: str, *, with_range: bool = True) -> list[str]:
    example = _EXAMPLES[unit]
    lines = [f'    value: "{PLACEHOLDER} a quantity in {unit}, such as {example}"']
    if with_range:
        lines.append(f'    range: ["{PLACEHOLDER} its low end in {unit}", "{PLACEHOLDER} its high end in {unit}"]')
    return lines


def _origin() -> list[str]:
    return [
        f'    basis: "{PLACEHOLDER} measured, published, derived or assumed"',
        f'    source: "{PLACEHOLDER} a key of references.bib; not for an assumption"',
        f'    where: "{PLACEHOLDER} table, figure or section, and the condition; or why, for an assumption"',
    ]


def _text(key: str, what: str) -> str:
    return f'{key}: "{PLACEHOLDER} {what}"'


# --- a file that extends another --------------------------------------------------------------------------------------
_SHORT = """\
# {name}: {parent} but for what stands here. Written by `archsim tech new`.
# A value alone replaces the value: law, reference size, what it prices, and the range in relation to the value stay.
#   adc.conversion: 1.2 pJ
# A mapping replaces the keys it has; one with a new value says its basis, and its source or why:
#   adc.conversion: {{value: 1.2 pJ, range: [1 pJ, 2 pJ], basis: published, source: murmann2025, where: table 2}}
# Take the "# " away before what changes, and before its heading.
#   archsim tech lint {out}      what was kept, and is it right?
#   archsim tech diff {parent} {out}
#   archsim run mlp-mnist --steps 3000 --tech {out}
schema: 1
kind: technology
title: {parent}, changed
extends: {extends}
"""


def write_short(technology: Technology, out: Path) -> int:
    """Write a technology that extends another and changes nothing yet; return how many values are there as comments.

    Raises
    ------
    InputError
        If the other has the name of the file to be written.
    """
    if out.stem == technology.name:
        raise InputError(key="--out", value=str(out), expected=f"another name than that of {technology.name} itself")
    lines = [_SHORT.format(name=out.stem, parent=technology.name, out=display(out), extends=parent(technology, out))]
    count = 0
    for section in ("times", "figures", "areas"):
        lines += [f"# {section}:"]
        for item in getattr(technology, section).values():
            unit = getattr(item, "unit", "s")
            low, high = show(item.low, unit), show(item.high, unit)
            words = [f"{low} .. {high}"] if item.low < item.high else []
            if getattr(item, "law", "constant") != "constant":
                at = ", ".join(f"{key} {size_value(key, size)}" for key, size in item.at.items())
                words.append(item.law + (f" at {at}" if at else ""))
            lines.append(
                f"#   {item.name}: {show(item.value, unit, DIGITS)} # {'; '.join([*words, item.origin.basis])}"
            )
            count += 1
        lines.append("")
    write_text(out, "\n".join(lines).rstrip() + "\n")
    return count
