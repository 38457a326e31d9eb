"""The largest contributors to each chip's energy: amount x figure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from archsim.records.lines import Contribution
from archsim.records.recorded import Recorded
from archsim.report import style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 8


def draw(run: Recorded) -> Figure:
    """Return horizontal bars of the largest (component, action) sums, a panel a chip, each with its share."""
    chips = run.architectures
    figure = style.figure(10.0, 2.6 * len(chips) + 1.0, column=2.9 * len(chips) + 0.9)
    panels = figure.subplots(len(chips), 1, squeeze=False)[:, 0]
    shown: list[Contribution] = []
    for axes, chip in zip(panels, chips, strict=True):
        shown += _bars(axes, run, chip)
    key: dict[str, Artist] = style.key_to(
        {line.part if line.part in style.PARTS else "other" for line in shown},
        assumed=any(line.basis == "assumed" for line in shown),
    )
    if any(math.isfinite(line.high) for line in shown):
        key["range of the figure" + ("" if style.narrow() else " (arrow: goes on)")] = style.range_handle()
    style.legend(figure, key, 4)
    style.title(
        figure, f"Largest contributors to the energy of a training step, {run.summary['workload']}, {run.technology}"
    )
    return figure


def _bars(axes: Axes, run: Recorded, chip: str) -> list[Contribution]:
    total = run.total(chip)
    top = [line for line in run.largest(chip, MOST) if line.energy > 0][::-1]
    divisor, unit = style.scaled([line.energy for line in top], "J")
    widths = [line.energy / divisor for line in top]
    texts = [_text(line, total) for line in top]
    wide = (
        style.note() * 0.55 / 72 / (0.65 * axes.figure.bbox.width / axes.figure.dpi)
    )  # of a letter, as a part of the axis
    end = max((w / max(1 - wide * len(t), 0.2) for w, t in zip(widths, texts, strict=True)), default=1.0)
    joint = ":\n" if style.narrow() else ": "
    axes.barh(
        [f"{style.label(line.component)}{joint}{line.action}" for line in top], widths, 0.62,
        color=[style.part_colour(line.part) for line in top],
        hatch=[style.HATCH if line.basis == "assumed" else "" for line in top], edgecolor="white",
    )  # fmt: skip
    for place, (line, width, text) in enumerate(zip(top, widths, texts, strict=True)):
        axes.annotate(text, (width, place), va="center", fontsize=style.note())
        if math.isfinite(line.high) and line.low < line.high:
            _range(
                axes, place - 0.44, (line.low / divisor, line.high / divisor, end), style.quantity(line.high, "J", 3)
            )
    if not top:
        axes.text(0.5, 0.5, "no energy inside the boundary", transform=axes.transAxes, ha="center", va="center")
        axes.set_yticks([])
    if style.narrow():
        for name in axes.get_yticklabels():
            name.set(fontsize=style.note(), linespacing=0.95)
    axes.set_xlim(0, end)
    axes.set_xlabel(f"energy per step [{unit}]")
    axes.grid(axis="y", visible=False)
    style.heading(axes, f"{chip}: {style.quantity(total, 'J')} per step", room=0.7 * style.inches(axes))
    return top


def _text(line: Contribution, total: float) -> str:
    """Return what stands beside a bar: its share, and where there is room amount x price, figure and basis."""
    share = f" {100 * line.energy / total:.1f} %"
    if style.narrow():
        return share
    product = f"{style.count(line.amount, line.unit)} x {style.price(line.price, line.unit, written=style.quantity)}"
    return f"{share}: {product} ({line.figure}, {line.basis})"


def _range(axes: Axes, place: float, span: tuple[float, float, float], most: str) -> None:
    """Draw the range of a bar below it, (low, high, end of the axis); beyond the axis an arrow says how far it goes."""
    low, high, end = span
    beyond = high > end
    axes.plot([low, min(high, end * 0.99)], [place] * 2, solid_capstyle="butt", **style.RANGE)
    axes.plot([low], [place], "|", markersize=4, **style.RANGE)
    axes.plot([end * 0.99 if beyond else high], [place], ">" if beyond else "|", markersize=4, **style.RANGE)
    if beyond:
        axes.annotate(
            f"to {most}", (end * 0.975, place), ha="right", va="center", fontsize=style.note(),
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip
