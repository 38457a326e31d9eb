"""The charts of `archsim costs`: energy against the metric, and what a multiply-accumulate is made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from archsim.records.lines import Contribution, per_step
from archsim.report import labels, stacks, style
from archsim.studies.costs.costs import Costs
from archsim.studies.costs.reach import tested
from archsim.studies.costs.spent import ChipCost, NetworkCost

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 3
"""Panels beside each other."""
Draw = Callable[..., "Figure"]


def metric(found: Costs, *, narrow: bool = False) -> Figure:
    """Return a panel a network: its metric over the energy that the training had taken, a line a chip.

    The level that all chips reached is a dotted line; where each was first tested as good, a line goes down.
    """
    across = 1 if narrow else min(ACROSS, len(found.networks))
    lines = -(-len(found.networks) // across)
    figure = style.figure(4.2 if narrow else 3.2 * across + 0.4, 2.7 * lines + 0.9)
    grid = figure.subplots(lines, across, squeeze=False)
    for each, axes in zip(found.networks, grid.flat, strict=False):
        _course(axes, found, each)
    for axes in grid.flat[len(found.networks) :]:
        axes.set_visible(False)
    key: dict[str, Artist] = {}
    for axes in grid.flat:
        key |= style.key_of(axes)
    key |= {name: key.pop(name) for name in [REACHED] if name in key}  # the last
    style.legend(figure, key, across)
    technologies = ", ".join(dict.fromkeys(each.run.technology for each in found.networks))
    style.title(figure, f"Energy against the metric, {technologies}")
    return figure


def _course(axes: Axes, found: Costs, network: NetworkCost) -> None:
    run, level = network.run, found.reached[network.label]
    factor = run.metric.factor
    for name in run.architectures:
        colour, mark = _look(network, name)
        points = [point for point in tested(run, name) if point.step]
        joules = [point.energy_J[run.technology] for point in points]
        values = [factor * (point.test or 0.0) for point in points]
        axes.plot(joules, values, f"{mark}-", color=colour, markersize=3.5, label=name)
        if level:
            before, at = level.chips[name].energy(run.technology)
            axes.axvline(at, color=colour, linestyle="--", linewidth=0.9)
            ends = [before or min(joules), at]
            axes.plot(ends, [factor * level.level] * 2, color=colour, linewidth=4, alpha=0.35, solid_capstyle="butt")
    if level:
        axes.axhline(factor * level.level, color=style.REFERENCE, linestyle=":", linewidth=0.9, label=REACHED)
    axes.set_xscale("log")
    style.unit_ticks(axes, "J", axis="x")
    axes.tick_params(labelsize=7.5)
    better = "" if run.metric.higher_is_better else " (lower is better)"
    axes.set_ylabel(run.metric.axis + better, fontsize=8)
    axes.set_xlabel("energy of the training so far", fontsize=8)
    style.heading(axes, network.label, room=2.6, size=9, left=False)


REACHED = "the worse chip's best test; dashed: each chip's first as good; band: from its test before"
"""What the line of the level says in the legend."""


def _look(network: NetworkCost, name: str) -> tuple[str, str]:
    """Return colour and marker of a chip: the same for the same name in all panels."""
    position = 0 if name == network.run.summary["baseline"] else 1 + list(network.chips).index(name)
    known = {"digital32-deep": style.CHIPS["digital32"], "mixed-precision-deep": style.CHIPS["mixed-precision"]}
    return known.get(name) or style.chip_colour(name, position), style.marker(position)


def parts(found: Costs, *, narrow: bool = False) -> Figure:
    """Return a bar a network and chip: the energy of a multiply-accumulate by part of the chip, on two axes.

    One axis holds the baselines, the other one the other chips: they differ too much for one.
    """
    rows = [
        [(each, each.over) for each in found.networks if each.over],
        [(each, chip) for each in found.networks for chip in each.others],
    ]
    rows = [each for each in rows if each]
    figure = style.figure(4.6 if narrow else 8.6, 0.34 * sum(map(len, rows)) + 1.0 * len(rows) + 1.3)
    grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=[len(each) + 1 for each in rows])
    drawn = stacks.Drawn()
    for axes, bars in zip(grid.flat, rows, strict=True):
        _bars(axes, bars, drawn, narrow=narrow)
    style.legend(figure, drawn.key, 2 if narrow else 5)
    style.title(figure, "Energy of a multiply-accumulate, by part of the chip")
    return figure


def _bars(axes: Axes, bars: list[tuple[NetworkCost, ChipCost]], drawn: stacks.Drawn, *, narrow: bool) -> None:
    lines = [_lines(network, chip) for network, chip in bars]
    totals = [math.fsum(line.energy for line in each) for each in lines]
    divisor, unit = style.scaled(totals, "J")
    places = [float(k) for k in range(len(bars) - 1, -1, -1)]
    named = stacks.large(line for each in lines for line in each)
    ends = stacks.stack(axes, list(zip(places, lines, strict=True)), named, divisor, drawn, width=0.66, sideways=True)
    for place, end, total in zip(places, ends, totals, strict=True):
        axes.annotate(
            style.quantity(total, "J", 3), (float(end), place), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=style.note(),
        )  # fmt: skip
    names = [f"{network.run.summary['workload']}, {chip.name}" for network, chip in bars]
    axes.set_yticks(places, [labels.fold(name, 7.5, 110 if narrow else 220) for name in names], fontsize=7.5)
    axes.set_xlim(0, 1.16 * max(float(end) for end in ends))
    axes.set_ylim(-0.6, len(bars) - 0.4)
    axes.grid(axis="y", visible=False)
    label = f"energy of a multiply-accumulate, all costs of the step [{unit}]"
    axes.set_xlabel(labels.fold(label, 8, 72 * (2.6 if narrow else 5.5)), fontsize=8)


def _lines(network: NetworkCost, chip: ChipCost) -> list[Contribution]:
    """Return a chip's lines for one multiply-accumulate."""
    return [per_step(line, chip.samples * network.asked.total) for line in chip.lines]


FIGURES: dict[str, tuple[Draw, str]] = {
    "metric": (metric, "The metric over the energy of the training, a panel a network, a line a chip"),
    "parts": (
        parts,
        "The energy of a multiply-accumulate by part of the chip: baselines above, the other chips below",
    ),
}
"""Name of a figure -> how it is drawn, and what it shows."""
