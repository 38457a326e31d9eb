"""What two technologies differ in: added, removed and changed figures, times and areas, each key named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from archsim.accounting.figures import AreaFigure, Figure, Time
from archsim.accounting.technology import Technology
from archsim.technologies.writing import area_content, figure_content, origin_content, time_content

Item = Figure | AreaFigure | Time
SECTIONS = ("times", "figures", "areas")
NUMBERS = frozenset({"value", "range", "prices", "covers", "law", "at", "points"})
"""Keys of an item that say what it costs; the others say where that comes from."""


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure, time or area that two technologies do not share.

    Parameters
    ----------
    section : "times", "figures" or "areas"
    name : str
    kind : "added" (only in B), "removed" (only in A) or "changed"
    keys : names of the keys that differ, as files have them; all of them for what was added or removed
    a, b : mapping or None
        What each has, as a file would say it.
    ratio : float or None
        Value in B over value in A, where both have one that is not zero and of one unit.
    """

    section: str
    name: str
    kind: Literal["added", "removed", "changed"]
    keys: tuple[str, ...]
    a: Mapping[str, Any] | None
    b: Mapping[str, Any] | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Diff:
    """The differences of technology B from A.

    `same_files` is whether their bytes and those of all they extend are equal; `same_times` whether one run may be
    priced by both.
    """

    a: str
    b: str
    same_files: bool
    same_times: bool
    changes: tuple[FigureChange, ...]
    unchanged: int

    def of(self, kind: str) -> tuple[FigureChange, ...]:
        """Return the changes of a kind."""
        return tuple(change for change in self.changes if change.kind == kind)

    def record(self) -> dict[str, Any]:
        """Return the whole as plain data, for JSON."""
        return asdict(self)


def diff(a: Technology, b: Technology) -> Diff:
    """Compare two technologies, each with everything it extends.

    Returns
    -------
    Diff
        Changes by section, in the order of A, then what only B has.
    """
    changes: list[FigureChange] = []
    unchanged = 0
    for section in SECTIONS:
        left: Mapping[str, Item] = getattr(a, section)
        right: Mapping[str, Item] = getattr(b, section)
        for name in dict.fromkeys([*left, *right]):
            change = _change(section, name, left.get(name), right.get(name))
            if change:
                changes.append(change)
            else:
                unchanged += 1
    return Diff(a.name, b.name, a.sha256 == b.sha256, a.times_hash == b.times_hash, tuple(changes), unchanged)


def content(item: Item) -> dict[str, Any]:
    """Return an item as a file would say it, numbers and origin."""
    numbers = (
        figure_content(item)
        if isinstance(item, Figure)
        else area_content(item)
        if isinstance(item, AreaFigure)
        else time_content(item)
    )
    return numbers | origin_content(item.origin)


def _change(section: str, name: str, a: Item | None, b: Item | None) -> FigureChange | None:
    left, right = content(a) if a else None, content(b) if b else None
    if left is None or right is None:
        kind: Literal["added", "removed"] = "added" if left is None else "removed"
        return FigureChange(section, name, kind, tuple(left or right or ()), left, right, None)
    keys = tuple(key for key in dict.fromkeys([*left, *right]) if left.get(key) != right.get(key))
    if not keys:
        return None
    return FigureChange(section, name, "changed", keys, left, right, _ratio(a, b))


def _ratio(a: Item | None, b: Item | None) -> float | None:
    units = {getattr(each, "unit", "s") for each in (a, b)}
    if a is None or b is None or len(units) != 1 or not a.value or not b.value:
        return None
    return b.value / a.value
