"""The largest contributors to each chip's energy: amount x figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.base.units import show
from archsim.report import style
from archsim.report.rundata import RunData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 8


def draw(run: RunData) -> Figure:
    """Return horizontal bars of the largest (component, action) sums, a panel a chip, each with its share."""
    chips = run.architectures
    figure = style.figure(10.0, 2.6 * len(chips) + 0.6)
    panels = figure.subplots(len(chips), 1, squeeze=False)[:, 0]
    for axes, chip in zip(panels, chips, strict=True):
        total = run.summary["architectures"][chip]["energy_per_step_J"]["total"]
        top = run.largest(chip, MOST)[::-1]
        divisor, unit = style.scaled([line.energy for line in top], "J")
        widths = [line.energy / divisor for line in top]
        axes.barh(
            [f"{style.label(line.component)}: {line.action}" for line in top], widths,
            color=[style.part_colour(line.part) for line in top],
            hatch=["////" if line.basis == "assumed" else "" for line in top], edgecolor="white",
        )  # fmt: skip
        for place, (line, width) in enumerate(zip(top, widths, strict=True)):
            product = f"{style.count(line.amount, line.unit)} x {show(line.price, 'J')}"
            text = f" {100 * line.energy / total:.1f} %: {product} ({line.figure}, {line.basis})"
            axes.annotate(text, (width, place), va="center", fontsize=7.5)
        axes.set_xlim(0, max(widths) * 1.75)
        axes.set_xlabel(f"energy per step [{unit}]")
        axes.grid(axis="y", visible=False)
        axes.set_title(f"{chip}: {show(total, 'J')} per step", loc="left")
    return figure
