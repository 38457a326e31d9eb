"""What a figure, a time or an area of a file that extends another takes over from the one of its name there.

A value given alone replaces the value and keeps the rest: cost law, reference sizes, points, what it prices, and the
range as factors around the value. Keys of a mapping replace those keys alone. A value that is new needs a basis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archsim.accounting.laws import size_value
from archsim.base.errors import nearest
from archsim.base.yamlfile import Document, Key

NUMBERS = ("value", "range", "prices", "covers", "law", "at", "points")
"""Keys that say what an item costs; all others say where that comes from."""
_OF_A_LAW = ("at", "points")


@dataclass(frozen=True, slots=True)
class Inherited:
    """What an item kept.

    Parameters
    ----------
    parent : name of the technology that it is kept from
    keys : those of `NUMBERS` that are the parent's
    same_unit : whether the value has to be in the parent's unit, since law and what is priced are the parent's
    low, high : float
        The parent's range over its value.
    unit : unit of the parent's value
    """

    parent: str
    keys: tuple[str, ...]
    same_unit: bool
    low: float
    high: float
    unit: str

    def range(self, value: float) -> tuple[float, float]:
        """Return the parent's range moved with the value."""
        return value * min(self.low, 1.0), value * max(self.high, 1.0)


@dataclass(frozen=True, slots=True)
class Below:
    """An item of the technology extended: that technology's name, the mapping that makes the item, its numbers."""

    parent: str
    content: Mapping[str, Any]
    value: float
    low: float
    high: float
    unit: str


def inherit(
    document: Document, key: Key, data: Any, below: Below | None, known: Mapping[str, Any]
) -> tuple[dict[str, Any], Inherited | None]:
    """Return the whole mapping of an item, and what of it was kept; None where there is nothing to keep.

    Parameters
    ----------
    document, key, data : the file, where the item stands there, and what stands there
    below : the item of the same name in what the file extends
    known : names that the file may give as a number alone, for the nearest

    Raises
    ------
    InputError
        If what is given is no mapping and there is nothing that it could be the value of.
    """
    alone = isinstance(data, str | int | float)
    if not isinstance(data, dict) and not (alone and below):
        others = ", or the value alone of one that the extended file has" if known else ""
        raise document.error(
            key, value=data, expected=f"a mapping with value, basis and source{others}",
            hint=None if below else nearest(str(key[-1]), known),
        )  # fmt: skip
    if below is None:
        return data, None
    given = dict(data) if isinstance(data, dict) else _alone(document, key, data, below)
    kept = {name: value for name, value in below.content.items() if name not in given}
    moved = "value" in given
    if moved:
        kept.pop("range", None)
    if "prices" in given:  # which actions it prices and which it covers is one statement
        kept.pop("covers", None)
    same_law = given.get("law", below.content.get("law")) == below.content.get("law")
    if not same_law:
        kept = {name: value for name, value in kept.items() if name not in _OF_A_LAW}
    elif isinstance(given.get("at"), dict) and isinstance(at := below.content.get("at"), dict):
        given["at"] = {**at, **given["at"]}
    if moved or "basis" in given:
        kept = {name: value for name, value in kept.items() if name in NUMBERS}
    names = [name for name in NUMBERS if name in kept]
    if moved and "range" not in given and below.value and (below.low < below.high or key[0] != "times"):
        names.append("range")
        if not alone:
            note = f"range: that of {key[0]}.{key[-1]} of {below.parent} in relation to the value, assumed"
            given["note"] = f"{given['note']}; {note}" if given.get("note") else note
    ends = (below.low / below.value, below.high / below.value) if below.value else (1.0, 1.0)
    return {**kept, **given}, Inherited(
        below.parent, tuple(names), same_law and "prices" not in given, *ends, below.unit
    )


def _alone(document: Document, key: Key, data: object, below: Below) -> dict[str, Any]:
    """Return what a value alone stands for."""
    why = f"given as a number in {document.path.name}"
    found: dict[str, Any] = {"value": data, "basis": "assumed", "why": why}
    if below.value:
        found["why"] += f"; its range, {key[0]}.{key[-1]} of {below.parent} in relation to the value, is assumed, too"
    else:
        found["range"] = [data, data]
    return found


def kept_text(value: str, item: Any) -> str:
    """Return one line that says an item's value and what it kept, or "" if it kept nothing that the value needs."""
    found: Inherited | None = item.inherited
    if found is None:
        return ""
    words = []
    if "law" in found.keys:
        words.append(f"law {item.law}")
    if "at" in found.keys:
        words.append("at " + ", ".join(f"{name}={size_value(name, size)}" for name, size in item.at.items()))
    if "points" in found.keys:
        words.append(f"{len(item.points)} points")
    if "range" in found.keys and item.low < item.high:
        words.append(f"range x{item.low / item.value:.3g}..x{item.high / item.value:.3g}")
    words += [f"{name} {', '.join(getattr(item, name))}" for name in ("covers",) if name in found.keys]
    return f"value {value}; kept from {found.parent}: {', '.join(words)}" if words else ""
