"""Figures of an explanation: what the ratio is made of, tornado, distribution, shares of the variance, re-runs.

Each is drawn twice for the page, wide and narrow; `narrow` sets widths and leaves out what a telephone cannot show.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.report import stacks, style
from archsim.report.explain.decomposition import Chips, Made
from archsim.report.explain.words import learns_worse, number, paper, percent, times, valued, what
from archsim.studies.explain.explain import Explanation
from archsim.studies.explain.sensitivity import Swing
from archsim.studies.explain.variants import Outcome, Reruns

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

WIDE, NARROW = 8.2, 4.1
LOW, HIGH, *_ = style.SERIES
MOST = 10
FAR = 2.0
"""A published ratio further than this factor from all that the figures give is named at the edge of the axis."""
PAPER: Any = {**style.PAPER, "linestyle": (0, (4, 3))}
Draw = Callable[..., "Figure"]


def _figure(height: float, *, narrow: bool) -> Figure:
    return style.figure(NARROW if narrow else WIDE, height)


def made_of(found: Explanation, chips: Chips, *, narrow: bool = False) -> Figure:
    """Return a panel a chip: its phases by part, a baseline's in units of the other chip's whole step."""
    figure = _figure((2.7 if narrow else 2.2) * len(chips) + (0.6 if len(chips) == 1 else 0), narrow=narrow)
    panels = figure.subplots(len(chips), 1, squeeze=False)[:, 0]
    drawn = stacks.Drawn()
    room, last = figure.get_figwidth() - 0.9, chips[-1]
    for axes, chip in zip(panels, chips, strict=True):
        over = chip is not last
        _phases(axes, chip, last.total if over else last.total / 100, drawn)
        of = "parts of the ratio" if narrow else f"energy per step over that of {last.name}: adds up to the ratio"
        axes.set_xlabel(of if over else "share of the step [%]")
        ratio = f", ratio {number(found.spent.nominal)}" if over else ""
        style.heading(axes, f"{chip.name}: {style.quantity(chip.total, 'J')}{ratio}", room=room)
    style.legend(figure, drawn.key, 3 if narrow else 5)
    return figure


def _phases(axes: Axes, chip: Made, unit: float, drawn: stacks.Drawn) -> None:
    """Draw a chip's phases, stacked by part, in units of `unit` [J]."""
    places = range(len(chip.phases) - 1, -1, -1)
    lines = ([line for line in chip.lines if line.phase == phase] for phase in chip.phases)
    bars = list(zip(places, lines, strict=True))
    left = stacks.stack(axes, bars, stacks.large(chip.lines), unit, drawn, sideways=True)
    for place, end in zip(places, left, strict=True):
        axes.annotate(f" {number(end)}" if end >= 0.1 else f" {end:.2g}", (end, place), va="center", fontsize=8)
    axes.set_yticks(places, chip.phases)
    axes.set_xlim(0, max(left, default=1.0) * 1.12)
    axes.grid(axis="y", visible=False)


def tornado(found: Explanation, chips: Chips, *, narrow: bool = False) -> Figure:
    """Return bars of the value between the low and the high end of each figure's range, the widest on top."""
    del chips
    swings = [swing for swing in found.swings if swing.span > 1][:MOST][::-1]
    figure = _figure(0.34 * len(swings) + 1.6, narrow=narrow)
    axes = figure.subplots()
    middle, size = found.spent.nominal, 6.5 if narrow else 7.5
    for place, swing in enumerate(swings):
        for ratio, colour, end in zip(swing.values, (LOW, HIGH), (swing.figure.low, swing.figure.high), strict=True):
            axes.barh(place, ratio - middle, 0.62, left=middle, color=colour, **_hatched(swing))
            right = ratio > middle or (ratio == middle and colour == HIGH)
            axes.annotate(
                style.quantity(end, swing.figure.unit, 3), (ratio, place), xytext=(3 if right else -3, 0),
                fontsize=size, textcoords="offset points", va="center", ha="left" if right else "right",
            )  # fmt: skip
    axes.axvline(middle, color="black", linewidth=0.9)
    ends = [ratio for swing in swings for ratio in swing.values] or [middle]
    span = max(max(ends) - min(ends), 0.02 * middle)
    room = 0.42 if narrow else 0.2
    axes.set_xlim(min(ends) - room * span, max(ends) + room * span)
    axes.set_yticks(range(len(swings)), [swing.figure.name for swing in swings])
    if not found.spent.paired:
        style.unit_ticks(axes, "J", axis="x")
    axes.set_xlabel(
        what(found) + ("" if narrow else f", figure by figure; {valued(found, middle)} with all at their values")
    )
    axes.grid(axis="y", visible=False)
    from matplotlib.patches import Patch

    key: dict[str, Artist] = {"low end of the range": Patch(facecolor=LOW), "high end": Patch(facecolor=HIGH)}
    if any(_hatched(swing) for swing in swings):
        key |= style.key_to_assumed()
    style.legend(figure, key)
    return figure


def _hatched(swing: Swing) -> dict[str, Any]:
    """Return how the bar of an assumed figure differs from others."""
    return {"hatch": style.HATCH, "edgecolor": "white"} if swing.figure.origin.basis == "assumed" else {}


def distribution(found: Explanation, chips: Chips, *, narrow: bool = False) -> Figure:
    """Return the histogram of the value with all figures varied, with its median, 90 % interval and the paper's."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    del chips
    spread, (low, high) = found.spread, found.spread.interval
    figure = _figure(3.2, narrow=narrow)
    axes = figure.subplots()
    least, most = min(found.bounds) / 1.1, max(found.bounds) * 1.1
    if found.published and least / FAR < found.published < most * FAR:
        least, most = min(least, found.published / 1.1), max(most, found.published * 1.1)
    known = math.isclose(min(spread.values), max(spread.values), rel_tol=1e-6)  # a single value: one bin about it
    bins = np.geomspace(min(spread.values) / (1 + known * 1e-2), max(spread.values) * (1 + max(known * 1e-2, 1e-9)), 60)
    weights = np.full(spread.values.size, 100 / spread.values.size)
    counts, edges = np.histogram(spread.values, bins, weights=weights)
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=LOW, edgecolor="white", linewidth=0.2)
    top = float(np.max(counts))
    axes.axvspan(low, high, color=LOW, alpha=0.15, linewidth=0)
    axes.axvline(spread.percentile(50), color="black", linewidth=1.2)
    axes.set_xscale("log")
    axes.set_xlim(least, most)
    axes.set_ylim(0, top * 1.42)
    if found.spent.paired:
        ratio_ticks(axes.xaxis, axes.get_xlim())
    else:
        style.unit_ticks(axes, "J", axis="x")
    for limit in found.bounds:
        axes.plot([limit, limit], [0, top * 0.2], color=HIGH, linewidth=1.4)
    if found.published:
        _paper(axes, found, top)
    axes.set_xlabel(f"{what(found)} (log axis)")
    axes.set_ylabel("draws [%]")
    median, least_text, most_text = (valued(found, v) for v in (spread.percentile(50), *found.bounds))
    key: dict[str, Artist] = {
        f"median {median}": Line2D([], [], color="black", linewidth=1.2),
        f"90 % of draws: {valued(found, low)} to {valued(found, high)}": Patch(facecolor=LOW, alpha=0.15),
        f"the least and the most within all ranges: {least_text} and {most_text}":
            Line2D([], [], color=HIGH, linewidth=1.4),
    }  # fmt: skip
    style.legend(figure, key, 1 if narrow else 3)
    return figure


def _paper(axes: Axes, found: Explanation, top: float) -> None:
    """Draw the published value as a line; one far off the axis is an arrow at its edge."""
    ratio, told = found.published or 1.0, paper(found)
    least, most = axes.get_xlim()
    right = ratio * ratio > least * most  # it stands in the right half, or beyond
    if least <= ratio <= most:
        axes.axvline(ratio, **PAPER)
        text, place = f"paper {told}", ratio
    else:
        text, place = (f"paper {told} →", most) if right else (f"← paper {told}", least)
    axes.annotate(
        text, (place, top * 1.36), ha="right" if right else "left", va="top", fontsize=8, textcoords="offset points",
        xytext=(-4 if right else 4, 0), color=style.PAPER["color"],
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )  # fmt: skip


def ratio_ticks(axis: Axis, ends: tuple[float, float]) -> None:
    """Give a log axis of ratios between `ends` ticks that can be read."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    low, high = ends
    subs = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if high / low < 30 else (1.0, 3.0) if high / low < 1000 else (1.0,)
    axis.set_major_locator(LogLocator(base=10, subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def shares(found: Explanation, chips: Chips, *, narrow: bool = False) -> Figure:
    """Return bars of each figure's first-order share of the variance, with its total index as a mark."""
    del chips
    top = [share for share in found.spread.shares if share.total > 0.001][:MOST][::-1]
    figure = _figure(0.3 * max(len(top), 2) + 1.5, narrow=narrow)
    axes = figure.subplots()
    places = list(range(len(top)))
    axes.barh(
        places, [100 * share.first for share in top], 0.62, color=LOW, xerr=[196 * share.error for share in top],
        error_kw={"elinewidth": 0.9, "ecolor": "black"}, label="alone (first order), with its 95 % error",
    )  # fmt: skip
    axes.plot(
        [100 * share.total for share in top], places, "D", color=HIGH, markersize=4.5, linestyle="none",
        label="with others (total)",
    )  # fmt: skip
    for place, share in enumerate(top):
        first, total = percent(share.first), percent(share.total)
        text = first if narrow else f"{first} alone, {total} with others"
        axes.annotate(
            text, (100 * max(share.total, share.first), place), xytext=(7, 0), va="center", fontsize=8,
            textcoords="offset points",
        )  # fmt: skip
    axes.set_yticks(places, [share.figure.name for share in top])
    axes.set_xlim(0, 100 * max((share.total for share in top), default=1.0) * 1.35)
    joint = "\n" if narrow else " "
    axes.set_xlabel(f"share of the variance{joint}of the logarithm [%]")
    axes.grid(axis="y", visible=False)
    style.legend(figure, style.key_of(axes), 1 if narrow else 2)
    return figure


def reruns(found: Explanation, chips: Chips, *, narrow: bool = False) -> Figure:
    """Return a dot a re-run: its value over the reference's, and the factor that would lead to the paper's."""
    del chips
    done = found.reruns
    if done is None or not done.variants:
        raise ValueError("no re-runs")
    figure = _figure(0.235 * len(done.variants) + 2.0, narrow=narrow)
    axes = figure.subplots()
    needed = found.published / found.spent.nominal if found.published else 1.0
    factors = [*(one.factor for one in done.variants), needed, 1.0]
    axes.set_xscale("log")
    axes.set_xlim(min(factors) / 1.6, max(factors) * (3.0 if narrow else 2.2))
    axes.axvline(1, color="black", linewidth=0.9)
    if found.published:
        axes.axvline(needed, **PAPER)
        axes.annotate(
            f"{times(needed)}: to {paper(found)}", (needed, -1.2), xytext=(3, 0), textcoords="offset points",
            fontsize=7.5, va="center",
        )  # fmt: skip
    _dots(axes, found, done, narrow=narrow)
    axes.set_ylim(len(done.variants) - 0.4, -1.8)
    ratio_ticks(axes.xaxis, axes.get_xlim())
    axes.set_xlabel(f"{what(found)} over the reference's (log axis)")
    axes.grid(axis="y", visible=False)
    _key_to_dots(figure, found, narrow=narrow)
    return figure


def _dots(axes: Axes, found: Explanation, done: Reruns, *, narrow: bool) -> None:
    names = []
    for place, one in enumerate(done.variants):
        colour, marker = _look(found, one.changed)
        names.append(_short(one) if narrow else one.name)
        face = "white" if learns_worse(one, done, found.recorded.metric) else colour
        axes.plot([1, one.factor], [place, place], color=colour, linewidth=1.2, alpha=0.5)
        axes.plot([one.factor], [place], marker, color=colour, markerfacecolor=face, markersize=5)
        text = times(one.factor) + (f" → {number(one.against_run)}" if one.against_run and not narrow else "")
        axes.annotate(
            text, (max(one.factor, 1), place), xytext=(7, 0), textcoords="offset points", fontsize=7, va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.5},
        )  # fmt: skip
    axes.set_yticks(range(len(names)), names, fontsize=7 if narrow else 8)
    for tick, one in zip(axes.get_yticklabels(), done.variants, strict=True):
        tick.set_color(_look(found, one.changed)[0])


def _short(one: Outcome) -> str:
    return one.name.replace(" in the outer product", "").replace("chi without zero skipping", "chi skips no zeros")


def _look(found: Explanation, chip: str) -> tuple[str, str]:
    """Return colour and marker of the chip that a variant changes."""
    position = found.spent.chips.index(chip)
    baseline = found.spent.paired and position == 0
    return style.chip_colour(chip, position), "s" if baseline else "o"


def _key_to_dots(figure: Figure, found: Explanation, *, narrow: bool) -> None:
    from matplotlib.lines import Line2D

    def dot(chip: str, label: str, face: str | None = None) -> Line2D:
        colour, marker = _look(found, chip)
        return Line2D(
            [], [], color=colour, marker=marker, markerfacecolor=face or colour, linestyle="none", label=label
        )

    chips = found.spent.chips
    against = "" if narrow or not found.spent.paired else " (→ ratio against this run's chip)"
    key = [dot(name, f"{name} changed{'' if k else against}") for k, name in enumerate(chips)]
    key.append(dot(chips[-1], found.recorded.metric.worse, "white"))
    style.legend(figure, {str(dot.get_label()): dot for dot in key}, 1 if narrow else 3)


FIGURES: dict[str, tuple[Draw, str]] = {
    "made-of": (made_of, "Energy of a step by phase and part"),
    "tornado": (tornado, "The value at the ends of each figure's range"),
    "distribution": (distribution, "The value when all figures vary together"),
    "shares": (shares, "Share of each figure in the variance"),
    "reruns": (reruns, "The value after one change of a chip"),
}
"""Name of a figure -> how it is drawn, and what it shows."""
