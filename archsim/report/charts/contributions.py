"""The largest contributors to each chip's energy: amount x figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.base.units import show
from archsim.report import style
from archsim.report.rundata import Contribution, RunData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 8


def draw(run: RunData) -> Figure:
    """Return horizontal bars of the largest (component, action) sums, a panel a chip, each with its share."""
    chips = run.architectures
    figure = style.figure(10.0, 2.6 * len(chips) + 1.0)
    panels = figure.subplots(len(chips), 1, squeeze=False)[:, 0]
    shown: list[Contribution] = []
    for axes, chip in zip(panels, chips, strict=True):
        shown += _bars(axes, run, chip)
    key = style.key_to({line.part for line in shown}, assumed=any(line.basis == "assumed" for line in shown))
    figure.legend(key.values(), key.keys(), loc="outside lower center", ncols=5, frameon=False)
    figure.suptitle(
        f"Largest contributors to the energy of a training step, {run.summary['workload']}, {run.technology}"
    )
    return figure


def _bars(axes: Axes, run: RunData, chip: str) -> list[Contribution]:
    total = run.total(chip)
    top = [line for line in run.largest(chip, MOST) if line.energy > 0][::-1]
    divisor, unit = style.scaled([line.energy for line in top], "J")
    widths = [line.energy / divisor for line in top]
    axes.barh(
        [f"{style.label(line.component)}: {line.action}" for line in top], widths,
        color=[style.part_colour(line.part) for line in top],
        hatch=[style.HATCH if line.basis == "assumed" else "" for line in top], edgecolor="white",
    )  # fmt: skip
    for place, (line, width) in enumerate(zip(top, widths, strict=True)):
        product = f"{style.count(line.amount, line.unit)} x {style.price(line.price, line.unit)}"
        text = f" {100 * line.energy / total:.1f} %: {product} ({line.figure}, {line.basis})"
        axes.annotate(text, (width, place), va="center", fontsize=7.5)
    if not top:
        axes.text(0.5, 0.5, "no energy inside the boundary", transform=axes.transAxes, ha="center", va="center")
        axes.set_yticks([])
    axes.set_xlim(0, max(widths, default=1.0) * 1.75)
    axes.set_xlabel(f"energy per step [{unit}]")
    axes.grid(axis="y", visible=False)
    axes.set_title(f"{chip}: {show(total, 'J')} per step", loc="left")
    return top
