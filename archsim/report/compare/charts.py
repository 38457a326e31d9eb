"""Charts of `archsim compare`: the waterfall from one side to another, and the parts of both, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.records.compare import Comparison, Panel
from archsim.records.differences import Difference
from archsim.records.reprice import Side
from archsim.report import drawing, labels, stacks, style
from archsim.report.compare.words import MOST, contributions, figure_names, moved, ratio, signed

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

APART = 20.0
"""Sides whose totals differ by more get an axis each."""
CUT = 0.2
"""A waterfall whose bars all lie within this part of the largest total is drawn without its beginning."""


def draw_all(found: Comparison, folder: Path) -> list[Path]:
    """Save both charts as PNG, SVG and PDF and return the files."""
    with style.applied():
        return [
            *drawing.save(draw_waterfall(found), folder, "waterfall"),
            *drawing.save(draw_parts(found), folder, "parts"),
        ]


# --- waterfall --------------------------------------------------------------------------------------------------------
_PARTS = 8.0
"""Width of the chart of parts [in]."""
_TICK = 8.5
"""Size [pt] of the names of a waterfall's bars."""


@dataclass(frozen=True)
class _Bar:
    """A bar of the waterfall: label, where it begins and ends [J], whether it is a total.

    `note` stands beside it, `assumed` says whether an assumed figure is in it.
    """

    label: str
    begin: float
    end: float
    total: bool = False
    note: str = ""
    assumed: bool = False


def draw_waterfall(found: Comparison) -> Figure:
    """Return a panel a chip and side: from the first total, by each figure that moved, to the other.

    A chip that costs the same on both sides has none.
    """
    panels = [(panel, each) for panel in found.panels for each in panel.differences]
    panels = [(panel, each) for panel, each in panels if each.changes] or panels[:1]
    bars = [_bars(each) for _, each in panels]
    widest = max(labels.width(bar.label, _TICK) for each in bars for bar in each)
    figure = style.figure(9.5, sum(0.29 * len(each) + 0.95 for each in bars) + 0.7)
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[len(each) + 2 for each in bars])[:, 0]
    for one, (panel, each), drawn in zip(axes, panels, bars, strict=True):
        _waterfall(one, drawn)
        totals = " to ".join(style.quantity(value, "J") for value in (each.from_J, each.to_J))
        style.heading(one, f"{panel.title}: {totals}, x{ratio(each.to_J, each.from_J)}", room=9.3 - widest / 72)
    _key(figure, bars)
    style.title(figure, f"What moves the energy of a training step, {_subject(found)}")
    return figure


def _subject(found: Comparison) -> str:
    return str(found.runs[0].summary.get("workload"))


def _bars(each: Difference) -> list[_Bar]:
    bars = [_Bar(each.from_label, 0.0, each.from_J, total=True)]
    at = each.from_J
    for change in each.changes[:MOST]:
        figures = figure_names(change) if each.by == "action" else ""
        label = f"{style.label(change.name)}, {moved(change)}"
        bars.append(_Bar(label, at, at + change.difference_J, note=figures, assumed="assumed" in change.basis))
        at += change.difference_J
    if rest := each.changes[MOST:]:
        bars.append(_Bar(f"{len(rest)} others", at, each.to_J))
    return [*bars, _Bar(each.to_label, 0.0, each.to_J, total=True)]


def _waterfall(axes: Axes, bars: list[_Bar]) -> None:
    divisor, unit = style.scaled([max(bar.begin, bar.end) for bar in bars], "J")
    places = range(len(bars) - 1, -1, -1)
    reached = [value / divisor for bar in bars for value in ((bar.end,) if bar.total else (bar.begin, bar.end))]
    low, high = min(reached), max(reached)
    cut = bool(low > 0 and high - low < CUT * high)
    left = low - 0.5 * (high - low or 0.1 * high) if cut else 0.0
    for place, bar in zip(places, bars, strict=True):
        begin, end = left if bar.total else bar.begin / divisor, bar.end / divisor
        colour = style.FAINT if bar.total else style.UP if end > begin else style.DOWN
        axes.barh(
            place, end - begin, 0.62, left=begin, color=colour,
            hatch=style.HATCH if bar.assumed else None, edgecolor="white", linewidth=0.5,
        )  # fmt: skip
        axes.annotate(
            _words(bar), (max(begin, end), place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
        )  # fmt: skip
        if place:
            axes.plot([end, end], [place, place - 1], color=style.REFERENCE, linewidth=0.7, zorder=0.9)
    axes.set_yticks(places, [bar.label for bar in bars], fontsize=_TICK)
    for tick, bar in zip(axes.get_yticklabels(), bars, strict=True):
        tick.set_fontweight("bold" if bar.total else "normal")
    axes.set_xlim(left, left + (high - left or 1.0) * _room(axes, bars, (high - left or 1.0) * divisor, left * divisor))
    axes.set_ylim(-0.6, len(bars) - 0.4)
    axes.set_xlabel(f"energy per step [{unit}]{'; the axis does not begin at 0' if cut else ''}")
    axes.grid(axis="y", visible=False)


def _room(axes: Axes, bars: list[_Bar], span: float, left: float) -> float:
    """Return how many times as far as its longest bar an axis goes, so that the words beside the bars have room."""
    inches = style.inches(axes) - 0.3 - max(labels.width(bar.label, _TICK) for bar in bars) / 72
    needed = 1.02
    for bar in bars:
        words = min((labels.width(_words(bar), 8) + 10) / (72 * inches), 0.8)
        needed = max(needed, (max(bar.begin, bar.end) - left) / span / (1 - words))
    return needed


def _words(bar: _Bar) -> str:
    if bar.total:
        return style.quantity(bar.end, "J")
    text = f"{'▲' if bar.end > bar.begin else '▼'} {signed(bar.end - bar.begin, 'J', 3).replace(' u', ' µ')}"
    return f"{text}, {bar.note}" if bar.note else text


def _key(figure: Figure, bars: list[list[_Bar]]) -> None:
    from matplotlib.patches import Patch

    key: dict[str, Artist] = {
        "total": Patch(color=style.FAINT), "▲ costs more": Patch(color=style.UP),
        "▼ costs less": Patch(color=style.DOWN),
    }  # fmt: skip
    if any(bar.assumed for each in bars for bar in each):
        key |= style.key_to_assumed()
    style.legend(figure, key, 4)


# --- parts ------------------------------------------------------------------------------------------------------------
def draw_parts(found: Comparison) -> Figure:
    """Return stacked bars by part, a group a chip, above all totals with the ranges of their figures on a log axis."""
    groups = [group for panel in found.panels for group in _groups(panel)]
    ranges = _ranged(found)
    across = min(len(groups), 2 if max(len(sides) for _, sides in groups) > 2 else 3)
    heights = [3.1] * -(-len(groups) // across) + ([0.34 * len(ranges) + 1.0] if ranges else [])
    figure = style.figure(_PARTS, sum(heights) + 0.9)
    grid = figure.add_gridspec(len(heights), across, height_ratios=heights)
    beside = max((labels.width(name, 8) for name, _ in ranges), default=0.0) / 72 + 0.2  # of the ranges [in]
    room = (_PARTS - beside) / across - 0.8
    drawn = stacks.Drawn()
    for k, (title, sides) in enumerate(groups):
        one = figure.add_subplot(grid[divmod(k, across)])
        _stacks(one, sides, drawn, room=room)
        style.heading(one, title, room=room, size=9, left=False)
    if ranges:
        _ranges(figure.add_subplot(grid[-1, :]), ranges)
    style.legend(figure, drawn.key)
    style.title(figure, f"Energy of a training step by part, {_subject(found)}")
    return figure


def _ranged(found: Comparison) -> list[tuple[str, Side]]:
    """Return the sides that tell a range, each with its name."""
    shown = [(panel.title, side) for panel in found.panels for side in panel.sides if side.ends_J and side.energy() > 0]
    apart = found.kind != "architectures"
    names = [f"{title}, {side.label}" if apart else side.label for title, side in shown]
    return [(labels.fold(name, 8, 150), side) for name, (_, side) in zip(names, shown, strict=True)]


def _groups(panel: Panel) -> list[tuple[str, list[Side]]]:
    totals = [side.energy() for side in panel.sides]
    if min(totals) > 0 and max(totals) / min(totals) > APART:
        return [(f"{side.label} (its own axis)", [side]) for side in panel.sides]
    return [(panel.title, list(panel.sides))]


def _stacks(axes: Axes, sides: list[Side], drawn: stacks.Drawn, *, room: float) -> None:
    """Draw a bar a side and add the parts drawn to `drawn`."""
    made = [contributions(side) for side in sides]
    totals = [math.fsum(line.energy for line in lines) for lines in made]
    divisor, unit = style.scaled(totals, "J")
    places = range(len(sides))
    named = set().union(*(stacks.large(lines) for lines in made))
    bottom = stacks.stack(axes, list(zip(places, made, strict=True)), named, divisor, drawn, width=0.6)
    for place, top, total in zip(places, bottom, totals, strict=True):
        axes.annotate(style.quantity(total, "J"), (place, top), xytext=(0, 3), textcoords="offset points", ha="center",
                      fontsize=8)  # fmt: skip
    each = 72 * room / max(len(sides), 2) - 6
    axes.set_xticks(places, [labels.fold(side.label, 8, each) for side in sides], fontsize=8)
    apart = max(2 - len(sides), 0) / 2  # a bar alone is as wide as one of two
    axes.set_xlim(-0.6 - apart, len(sides) - 0.4 + apart)
    axes.set_ylim(0, max(bottom) * 1.12 or 1)
    axes.set_ylabel(f"energy per step [{unit}]")
    axes.grid(axis="x", visible=False)


def _ranges(axes: Axes, shown: list[tuple[str, Side]]) -> None:
    """Draw the totals of all sides with all their figures at the low, and at the high ends of their ranges."""
    for place, (_, side) in enumerate(shown):
        low, high = side.ends_J or (0.0, 0.0)
        total = side.energy()
        axes.errorbar(total, place, xerr=[[total - low], [high - total]], fmt="o", color=style.REFERENCE, capsize=4,
                      markersize=5, linewidth=1.2)  # fmt: skip
    axes.set_yticks(range(len(shown)), [name for name, _ in shown], fontsize=8)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xscale("log")
    style.unit_ticks(axes, "J", axis="x")
    axes.set_xlabel("energy per step (log axis)")
    axes.set_title("with all figures at the low, and at the high ends of their ranges", fontsize=9)
