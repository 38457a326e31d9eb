"""Energy of a training step by phase and component, both chips, and their totals on one scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from archsim.base.signal import STEP_PHASES
from archsim.base.units import show
from archsim.records.recorded import RunData
from archsim.report import stacks, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(run: RunData) -> Figure:
    """Return one panel a chip, stacked by part on its own linear axis, and the totals on a common log axis."""
    chips = run.architectures
    figure = style.figure(3.4 * len(chips) + 3.2, 4.0, column=1.9 * len(chips) + 2.9)
    if style.narrow():
        panels = figure.subplots(len(chips) + 1, 1, height_ratios=[1.0] * len(chips) + [1.2])
    else:
        panels = figure.subplots(1, len(chips) + 1, width_ratios=[1.1] * len(chips) + [1.0])
    drawn = stacks.Drawn()
    for axes, chip in zip(panels, chips, strict=False):
        _stack(axes, run, chip, drawn)
    ranged = _totals(panels[-1], run)
    key = drawn.key
    if ranged:
        key["range of all figures"] = style.range_handle()
    style.legend(figure, key)
    style.title(
        figure, f"Energy per training step, {run.summary['workload']} on {run.summary['dataset']}, {run.technology}"
    )
    return figure


def _stack(axes: Axes, run: RunData, chip: str, drawn: stacks.Drawn) -> None:
    """Draw a chip's phases and add the parts drawn to `drawn`."""
    lines = run.contributions(chip)
    by_phase = {phase: math.fsum(line.energy for line in lines if line.phase == phase) for phase in STEP_PHASES}
    divisor, unit = style.scaled(list(by_phase.values()), "J")
    places = range(len(STEP_PHASES))
    bars = [(k, [line for line in lines if line.phase == phase]) for k, phase in enumerate(STEP_PHASES)]
    bottom = stacks.stack(axes, bars, stacks.large(lines), divisor, drawn)
    for place, phase, top in zip(places, STEP_PHASES, bottom, strict=True):
        text = show(by_phase[phase], "J", digits=3)
        axes.annotate(text, (place, top), ha="center", va="bottom", fontsize=style.note())
    axes.set_xticks(places, STEP_PHASES, rotation=0 if style.narrow() else 20)
    axes.set_ylabel(f"energy per step [{unit}]")
    axes.set_ylim(0, max(bottom) * 1.12 or 1)
    axes.set_xlim(-0.6, len(STEP_PHASES) - 0.4)
    axes.grid(axis="x", visible=False)
    axes.set_title(f"{chip}: {show(run.total(chip), 'J', digits=4)}")


def _totals(axes: Axes, run: RunData) -> bool:
    """Draw the chips' totals on a log axis: a bar, the range its figures leave, and the paper's value across it.

    Returns whether the run tells a range.
    """
    chips = run.architectures
    totals = [run.summary["architectures"][chip]["energy_per_step_J"]["total"] for chip in chips]
    places = np.arange(len(chips))
    colours = [style.chip_colour(chip, k) for k, chip in enumerate(chips)]
    axes.bar(places, totals, 0.55, color=colours)
    paper = run.summary["paper"]["energy_per_step_J"]
    values = [value for value in (*totals, *(paper[chip] for chip in chips if chip in paper)) if value > 0]
    ranged = False
    for place, chip, total in zip(places, chips, totals, strict=True):
        low, high = run.ends(chip)
        if 0 < low < high:
            axes.plot([place + 0.36] * 2, [low, high], marker="_", markersize=5, **style.RANGE)
            values += [low, high]
            ranged = True
        if chip in paper:
            _published(axes, float(place), paper[chip], above=paper[chip] >= total)
    axes.set_yscale("log")
    axes.set_ylim(min(values, default=1e-9) / 4, max(values, default=1e-9) * 6)
    style.unit_ticks(axes, "J")
    axes.set_xticks(places, [f"{c}\n{show(total, 'J', digits=3)}" for c, total in zip(chips, totals, strict=True)])
    axes.set_xlim(-0.6, len(chips) - 0.4)
    axes.set_ylabel("energy per step (log axis)")
    axes.grid(axis="x", visible=False)
    ratio = run.summary["ratio"]["energy"]
    axes.set_title(f"ratio {ratio:.1f} (paper {run.summary['paper']['energy_ratio']:.0f})" if ratio else "total")
    return ranged


def _published(axes: Axes, place: float, value: float, *, above: bool) -> None:
    axes.plot([place - 0.34, place + 0.3], [value] * 2, **style.PAPER)
    axes.annotate(
        f"paper {show(value, 'J')}", (place + 0.3, value), xytext=(0, 3 if above else -4), textcoords="offset points",
        ha="right", va="bottom" if above else "top", fontsize=style.note(),
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
    )  # fmt: skip
