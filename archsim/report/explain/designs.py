"""What an explanation says of the space of designs and of each published total: sentences, tables, the picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.base.units import show
from archsim.report import style
from archsim.report.explain import words
from archsim.report.explain.charts import NARROW, PAPER, WIDE, ratio_ticks
from archsim.report.explain.decomposition import Chips
from archsim.report.explain.words import listed, percent, times, valued
from archsim.report.sheet import NONE, Sheet
from archsim.studies.explain.designs import NEAR, NOT_VARIED, Axis, Design, Designs, Space
from archsim.studies.explain.explain import Explanation
from archsim.studies.explain.totals import Total

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIRST = 3
"""Decisions named as those that a publication would have to tell."""


# --- words ------------------------------------------------------------------------------------------------------------
def over_designs(found: Explanation, space: Space) -> list[str]:
    """Return how far the value goes over ordinary designs, whether the paper's is among them, and what selects it."""
    values = space.values
    low, high = np.percentile(values, [5, 95]).tolist()
    many = f"{values.size:,} {'pairs of designs' if found.spent.paired else 'designs'}"
    text = (
        f"Over {many}, every combination of the choices below, the {words.what(found)} goes from "
        f"{valued(found, float(values.min()))} to {valued(found, float(values.max()))}; 90 % lie between "
        f"{valued(found, low)} and {valued(found, high)}. This run's own is {valued(found, found.spent.nominal)}. A "
        f"design's energy is the run's own, times its factor in re-runs of {space.steps:,} steps."
    )
    said = [text]
    if found.published:
        near = space.reaching(found.published)
        told = f"{near:,} of them come" if near > 1 else f"{'One of them' if near else 'None of them'} comes"
        said.append(
            f"{told} within a factor of {NEAR:g} of the paper's {words.paper(found)}"
            + (": designs alone can give it, and it does not tell which." if near > 1 else ".")
        )
    held = [
        f"Not varied: the {each.name}; all designs have {each.has}, for {each.why} (sources: "
        f"{listed(list(each.sources))})."
        for each in NOT_VARIED
    ]
    return [*said, *_deciding(space), *held]


def _deciding(space: Space) -> list[str]:
    first = [each for each in space.deciding() if each.share > 0.01][:FIRST]
    if not first:
        return []
    named = [f"{each.axis.name} of {each.chip} ({percent(each.share)}, {times(each.factor)} between)" for each in first]
    text = (
        f"What a publication would have to say first, to tell which design it is: {listed(named)}. The percentage is "
        "the decision's own part of the variance of the logarithm."
    )
    return [text]


def totals(found: Explanation) -> list[str]:
    """Return of each published total what it takes to reach it, in figures and in structure."""
    return [sentence for one in found.totals for sentence in (_in_figures(one), _in_structure(found, one)) if sentence]


def _in_figures(one: Total) -> str:
    low, high = one.bounds
    reach = "lies within what" if low <= one.published <= high else "lies beyond what"
    within = [f"{each.figure.name} {times(each.factor)}" for each in one.alone if each.within][:FIRST]
    alone = f"alone, within its range: {listed(within)}" if within else "no figure reaches it alone within its range"
    return (
        f"{one.chip} spends {show(one.energy, 'J')}, {times(one.energy / one.published)} of the paper's "
        f"{show(one.published, 'J')}, which {reach} figures within their ranges give, {show(low, 'J', 3)} to "
        f"{show(high, 'J', 3)} (90 % of draws: {show(one.interval[0], 'J', 3)} to "
        f"{show(one.interval[1], 'J', 3)}); {alone}."
    )


def _in_structure(found: Explanation, one: Total) -> str:
    designs = _designs(found, one.chip)
    if designs is None:
        return ""
    off = np.abs(np.log(designs.energies / one.published))
    near, best = int((off <= math.log(NEAR)).sum()), int(off.argmin())
    energy = show(float(designs.energies[best]), "J", 3)
    return (
        f"Of {len(designs.every)} designs of {one.chip}, {near} come within a factor of {NEAR:g} of it by these "
        f"figures; nearest, {energy}: {designs.every[best].name}."
    )


def _designs(found: Explanation, chip: str) -> Designs | None:
    return next((one for one in (found.space.chips if found.space else ()) if one.chip == chip), None)


# --- tables -----------------------------------------------------------------------------------------------------------
def decision_sheet(found: Explanation, space: Space) -> Sheet:
    """Return every decision with the value's geometric mean at each of its choices."""
    rows = tuple(
        (
            each.chip, each.axis.name,
            "; ".join(
                f"{choice.name}: {valued(found, float(mean))}"
                for choice, mean in zip(each.axis.choices, each.means, strict=True)
            ),
            percent(each.share), times(each.factor),
        )
        for each in space.deciding()
    )  # fmt: skip
    heads = ("chip", "decision", f"{words.what(found)}, mean over all else", "share of the variance", "between")
    return Sheet("What each decision decides", heads, rows)


def total_sheets(found: Explanation) -> list[Sheet]:
    """Return the published totals, and what would reach each, if there are any."""
    if not found.totals:
        return []
    rows = []
    for one in found.totals:
        alone = "; ".join(
            f"{each.figure.name} {times(each.factor)} (range {times(each.figure.low / each.figure.value)} to "
            f"{times(each.figure.high / each.figure.value)})"
            for each in one.alone[:FIRST]
        )
        designs = _designs(found, one.chip)
        reach = NONE
        if designs is not None:
            near = int((np.abs(np.log(designs.energies / one.published)) <= math.log(NEAR)).sum())
            reach = f"{near} of {len(designs.every)}"
        rows.append((
            one.chip, show(one.published, "J"), show(one.energy, "J"),
            " to ".join(show(end, "J", 3) for end in one.interval),
            " to ".join(show(end, "J", 3) for end in one.bounds),
            alone or NONE, reach,
        ))  # fmt: skip
    heads = (
        "chip", "paper, per step", "this run", "90 % of draws", "all figures in their ranges", "one figure alone",
        f"designs within {times(NEAR)}",
    )  # fmt: skip
    return [Sheet("Each published total by itself", heads, tuple(rows))]


# --- the picture ------------------------------------------------------------------------------------------------------
def draw(found: Explanation, chips: Chips, *, narrow: bool = False) -> Figure:
    """Return a dot a design or pair: the value over the baseline's designs, coloured by the other's first choice."""
    del chips
    space = found.space
    if space is None:
        raise ValueError("no designs")
    columns, dots = _dots(space)
    figure = style.figure(NARROW if narrow else WIDE, 4.6)
    axes = figure.subplots()
    axes.set_yscale("log")
    coloured = _coloured(space)
    for k, choice in enumerate(coloured.choices):
        mine = [dot for dot in dots if dot[1] == k]
        places = [column + _aside(k, n, len(mine), len(coloured.choices)) for n, (column, *_) in enumerate(mine)]
        axes.plot(
            places, [value for _, _, value in mine], "o", markersize=2.6, alpha=0.75, linestyle="none",
            color=style.SERIES[k % len(style.SERIES)], label=f"{coloured.name}: {choice.name}",
        )  # fmt: skip
    _own(axes, found, space)
    _limits(axes, found, space)
    size = 5.5 if narrow else 7
    axes.set_xticks(range(len(columns)), columns, fontsize=size, rotation=90 if narrow else 0)
    axes.set_xlim(-0.6, len(columns) - 0.4)
    axes.set_ylabel(f"{words.what(found)}{'' if found.spent.paired else ' [J]'} (log axis)")
    axes.grid(axis="x", visible=False)
    style.legend(figure, style.key_of(axes), 1 if narrow else 2)
    return figure


_ACROSS = 2
"""Axes of a single chip whose choices stand across the picture; the next one gives the colours."""


def _coloured(space: Space) -> Axis:
    """Return the decision that gives the colours: the other chip's first; of one chip, the first that is not across."""
    first, *other = space.chips
    return other[0].axes[0] if other else first.axes[min(_ACROSS, len(first.axes) - 1)]


def _dots(space: Space) -> tuple[list[str], list[tuple[int, int, float]]]:
    """Return the columns' names, and (column, colour, value) of every design or pair."""
    first, values = space.chips[0], space.values
    if len(space.chips) > 1:
        columns = [_folded(design) for design in first.every]
        other = space.chips[1]
        colours = [other.axes[0].choices.index(design.choices[0]) for design in other.every]
        return columns, [
            (b, colours[c], float(values[b, c])) for b in range(len(columns)) for c in range(len(other.every))
        ]
    names = list(dict.fromkeys("\n".join(c.name for c in design.choices[:_ACROSS]) for design in first.every))
    by = _coloured(space)
    place = first.axes.index(by)
    return names, [
        (names.index("\n".join(c.name for c in design.choices[:_ACROSS])), by.choices.index(design.choices[place]), v)
        for design, v in zip(first.every, values.tolist(), strict=True)
    ]


def _folded(design: Design) -> str:
    return "\n".join(choice.name for choice in design.choices)


def _aside(colour: int, position: int, many: int, colours: int) -> float:
    """Return how far a dot stands from the middle of its column: a lane a colour, and a little by turns in it."""
    del many
    return (colour - (colours - 1) / 2) * 0.24 + (position % 5 - 2) * 0.03


def _own(axes: Axes, found: Explanation, space: Space) -> None:
    """Draw the run's own design with its 90 % interval of figures, in its column."""
    own = [k for k, design in enumerate(space.chips[0].every) if design.own]
    column = own[0] if own and len(space.chips) > 1 else -0.45
    low, high = found.spread.interval
    value = found.spent.nominal
    axes.errorbar(
        [column], [value], [[max(value - low, 0)], [max(high - value, 0)]], fmt="D", color="black", markersize=5,
        capsize=3, elinewidth=1.2, label="this run, 90 % of draws of figures", zorder=3,
    )  # fmt: skip


def _limits(axes: Axes, found: Explanation, space: Space) -> None:
    values = [*space.values.ravel().tolist(), *found.spread.interval]
    if found.published:
        values.append(found.published)
        axes.axhline(found.published, **PAPER)
        axes.annotate(
            f"paper {words.paper(found)}", (1, found.published), xycoords=("axes fraction", "data"), ha="right",
            va="bottom", fontsize=8, color=style.PAPER["color"],
        )  # fmt: skip
    axes.set_ylim(min(values) / 1.3, max(values) * 1.3)
    if found.spent.paired:
        ratio_ticks(axes.yaxis, axes.get_ylim())


FIGURES: dict[str, tuple[Any, str]] = {"designs": (draw, "The value over every combination of ordinary choices")}
