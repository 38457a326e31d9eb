"""Charts of `archsim compare`: the waterfall from one side to another, and the parts of both, side by side."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.base.units import show
from archsim.records.compare import Comparison, Panel
from archsim.records.differences import Difference
from archsim.records.reprice import Side
from archsim.report import stacks, style
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
            *style.save(draw_waterfall(found), folder, "waterfall"),
            *style.save(draw_parts(found), folder, "parts"),
        ]


# --- waterfall --------------------------------------------------------------------------------------------------------
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
    figure = style.figure(9.5, sum(0.29 * len(each) + 0.95 for each in bars) + 0.7)
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[len(each) + 2 for each in bars])[:, 0]
    for one, (panel, each), drawn in zip(axes, panels, bars, strict=True):
        _waterfall(one, drawn)
        change = f"{show(each.from_J, 'J')} to {show(each.to_J, 'J')}, x{ratio(each.to_J, each.from_J)}"
        one.set_title(f"{panel.title}: {change}", loc="left")
    _key(figure, bars)
    figure.suptitle(f"What moves the energy of a training step, {_subject(found)}")
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
    axes.set_yticks(places, [bar.label for bar in bars])
    for tick, bar in zip(axes.get_yticklabels(), bars, strict=True):
        tick.set_fontweight("bold" if bar.total else "normal")
    axes.set_xlim(left, left + (high - left or 1.0) * (1.5 if any(bar.note for bar in bars) else 1.2))
    axes.set_ylim(-0.6, len(bars) - 0.4)
    axes.set_xlabel(f"energy per step [{unit}]{'; the axis does not begin at 0' if cut else ''}")
    axes.grid(axis="y", visible=False)


def _words(bar: _Bar) -> str:
    if bar.total:
        return show(bar.end, "J")
    text = f"{'▲' if bar.end > bar.begin else '▼'} {signed(bar.end - bar.begin, 'J', 3)}"
    return f"{text}, {bar.note}" if bar.note else text


def _key(figure: Figure, bars: list[list[_Bar]]) -> None:
    from matplotlib.patches import Patch

    key: dict[str, Artist] = {
        "total": Patch(color=style.FAINT), "▲ costs more": Patch(color=style.UP),
        "▼ costs less": Patch(color=style.DOWN),
    }  # fmt: skip
    if any(bar.assumed for each in bars for bar in each):
        key |= style.key_to_assumed()
    figure.legend(key.values(), key.keys(), loc="outside lower center", ncols=4, frameon=False)


# --- parts ------------------------------------------------------------------------------------------------------------
def draw_parts(found: Comparison) -> Figure:
    """Return stacked bars by part, a group a chip, and all totals with the ranges of their figures on a log axis."""
    groups = [group for panel in found.panels for group in _groups(panel)]
    widths = [len(sides) + 0.6 for _, sides in groups]
    ranges = [side for panel in found.panels for side in panel.sides if side.ends_J]
    figure = style.figure(max(1.25 * sum(widths) + (4.2 if ranges else 0.0), 7.0), 4.8)
    axes = figure.subplots(1, len(groups) + bool(ranges), squeeze=False, width_ratios=[*widths, *[2.4][: len(ranges)]])[
        0
    ]
    drawn = stacks.Drawn()
    for one, (title, sides) in zip(axes, groups, strict=False):
        _stacks(one, sides, drawn)
        one.set_title(title, fontsize=9)
    if ranges:
        _ranges(axes[-1], found)
    key = drawn.key
    figure.legend(key.values(), key.keys(), loc="outside lower center", ncols=5, frameon=False)
    figure.suptitle(f"Energy of a training step by part, {_subject(found)}")
    return figure


def _groups(panel: Panel) -> list[tuple[str, list[Side]]]:
    totals = [side.energy() for side in panel.sides]
    if min(totals) > 0 and max(totals) / min(totals) > APART:
        return [(f"{side.label}\n(its own axis)", [side]) for side in panel.sides]
    return [(panel.title, list(panel.sides))]


def _stacks(axes: Axes, sides: list[Side], drawn: stacks.Drawn) -> None:
    """Draw a bar a side and add the parts drawn to `drawn`."""
    made = [contributions(side) for side in sides]
    totals = [math.fsum(line.energy for line in lines) for lines in made]
    divisor, unit = style.scaled(totals, "J")
    places = range(len(sides))
    named = set().union(*(stacks.large(lines) for lines in made))
    bottom = stacks.stack(axes, list(zip(places, made, strict=True)), named, divisor, drawn, width=0.6)
    for place, top, total in zip(places, bottom, totals, strict=True):
        axes.annotate(show(total, "J"), (place, top), xytext=(0, 3), textcoords="offset points", ha="center",
                      fontsize=8)  # fmt: skip
    axes.set_xticks(places, [textwrap.fill(side.label, 16) for side in sides], fontsize=8)
    axes.set_xlim(-0.6, len(sides) - 0.4)
    axes.set_ylim(0, max(bottom) * 1.12 or 1)
    axes.set_ylabel(f"energy per step [{unit}]")
    axes.grid(axis="x", visible=False)


def _ranges(axes: Axes, found: Comparison) -> None:
    """Draw the totals of all sides with all their figures at the low, and at the high ends of their ranges."""
    shown = [(panel.title, side) for panel in found.panels for side in panel.sides if side.ends_J and side.energy() > 0]
    for place, (_, side) in enumerate(reversed(shown)):
        low, high = side.ends_J or (0.0, 0.0)
        total = side.energy()
        axes.errorbar(total, place, xerr=[[total - low], [high - total]], fmt="o", color=style.REFERENCE, capsize=4,
                      markersize=5, linewidth=1.2)  # fmt: skip
    apart = found.kind != "architectures"
    labels = [f"{title}\n{side.label}" if apart else side.label for title, side in reversed(shown)]
    axes.set_yticks(range(len(shown)), labels, fontsize=8)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xscale("log")
    style.unit_ticks(axes, "J", axis="x")
    axes.set_xlabel("energy per step (log axis)")
    axes.set_title("with all figures at the low,\nand at the high ends of their ranges", fontsize=9)
