"""Parallel coordinates: a line a design through all its parameters and quantities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.records.sweeps.fronts import Array
from archsim.records.sweeps.sweep import Axis
from archsim.report import labels, style
from archsim.report.sweeps.scales import logarithmic
from archsim.report.sweeps.view import View

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS = 8
"""Values up to which each of a parameter's is marked on its axis."""
MANY, MOST = 300, 2000
"""Lines from which they are drawn in pixels; pale ones that are drawn at most."""


@dataclass(frozen=True, slots=True)
class Upright:
    """One axis: where each design crosses it, 0 to 1, and what stands beside it."""

    title: str
    places: Array
    marks: tuple[tuple[float, str], ...]


def uprights(view: View) -> list[Upright]:
    """Return an axis a parameter that varies, then one a quantity, each over the designs that are drawn."""
    made = [_parameter(view, axis) for axis in view.axes]
    for each in view.shown:
        better = "high" if each.better == "high" else "low"
        title = f"{each.title} ({better} is better)"
        made.append(_numbers(title, view.rows[each.name], each.text, None, _drawn(view)))
    return made


def _drawn(view: View) -> Array:
    """Return which designs have a line: those within the constraints; all where none is."""
    return view.within if view.within.any() else np.ones_like(view.within)


def _parameter(view: View, axis: Axis) -> Upright:
    column = view.rows[axis.column]
    present = set(column[_drawn(view)].dropna())
    levels = [each for each in view.sweep.levels(axis) if each in present]
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in levels):
        return _numbers(axis.key, column, axis.text, levels if len(levels) <= MARKS else None, _drawn(view))
    step = 1 / max(len(levels) - 1, 1)
    at = {each: k * step for k, each in enumerate(levels)}
    places = np.array([at.get(each, np.nan) for each in column.tolist()])
    return Upright(axis.key, places, tuple((place, axis.text(each)) for each, place in at.items()))


def _numbers(
    title: str, column: Any, text: Callable[[float], str], levels: list[Any] | None, drawn: Array
) -> Upright:  # fmt: skip
    values = column.to_numpy(float)
    ends = [np.nanmin(values[drawn]), np.nanmax(values[drawn])]
    log = logarithmic(values[drawn])
    low, high = np.log(ends) if log else ends

    def place(value: Any) -> Any:
        return ((np.log(value) if log else value) - low) / ((high - low) or 1.0)

    return Upright(title, place(values), tuple((float(place(each)), text(each)) for each in levels or ends))


def draw_parallel(view: View) -> Figure:
    """Return a line a design: those on the front in colour, from light to dark with y, the others pale behind them."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap

    found = uprights(view)
    figure = style.figure(max(7.2, 1.25 * len(found) + 0.8), 4.6)
    axes = figure.subplots()
    across = np.arange(len(found), dtype=float)
    places = np.column_stack([each.places for each in found])
    colours = LinearSegmentedColormap.from_list("ordered", style.ORDERED)
    shade = _numbers("", view.rows[view.y.name], str, None, _drawn(view)).places
    for on, width, alpha in ((False, 0.7, 0.25), (True, 1.6, 0.95)):
        chosen = view.within & (view.front == on)
        step = 1 if on else -(-int(chosen.sum()) // MOST) or 1
        lines = [np.column_stack([across, each]) for each in places[chosen][::step]]
        look = colours(shade[chosen]) if on else style.FAINT
        axes.add_collection(LineCollection(
            lines, colors=look, linewidths=width, alpha=alpha, zorder=2 + on, rasterized=len(lines) > MANY,
        ))  # fmt: skip
    for at, each in enumerate(found):
        axes.axvline(at, color=style.REFERENCE, linewidth=0.8, zorder=1)
        for place, text in _apart(each.marks):
            axes.annotate(
                style.drawn(text), (at, place), xytext=(3, 0), textcoords="offset points", va="center",
                fontsize=style.note(), zorder=4,
                bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
            )  # fmt: skip
    room = 72 * (figure.get_figwidth() - 0.8) / len(found)
    axes.set_xticks(across, [labels.fold(each.title, 8, room) for each in found], fontsize=8)
    axes.set_xlim(-0.15, len(found) - 0.3)
    axes.set_ylim(-0.05, 1.05)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    what = f"in colour: the front of {view.y.title} and {view.x.title}, from light to dark with {view.y.title}"
    beaten, beyond = int((view.within & ~view.front).sum()), int((~view.within).sum())
    which = "the" if beaten <= MOST else f"one in {-(-beaten // MOST)} of the"
    pale = f"; pale: {which} {beaten:,} designs beaten" if beaten else ""
    without = f"; without {beyond:,} that break a constraint" if beyond else ""
    style.heading(
        axes, f"{what}{pale}{without}", room=figure.get_figwidth() - 1.0, size=8
    )  # fmt: skip
    style.title(figure, f"Every design through its parameters and quantities: {view.sweep.name}")
    return figure


def _apart(marks: tuple[tuple[float, str], ...]) -> list[tuple[float, str]]:
    """Return the marks of an axis that have room, its ends before those between."""
    kept: list[tuple[float, str]] = []
    for place, text in sorted(marks, key=lambda mark: -abs(mark[0] - 0.5)):
        if all(abs(place - other) > _ROOM for other, _ in kept):
            kept.append((place, text))
    return kept


_ROOM = 0.05
"""Part of an axis that a mark's letters take."""
