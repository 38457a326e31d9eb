"""Simulated time of a training step by phase, all chips on one log axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from archsim.base.signal import STEP_PHASES
from archsim.records.lines import RunData
from archsim.report import labels, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_WIDTH, _HEIGHT = 7.6, 3.8


def draw(run: RunData) -> Figure:
    """Return grouped bars: the phases and their sum, a bar a chip."""
    figure = style.figure(_WIDTH, _HEIGHT, column=2.6 + 0.2 * len(run.architectures))
    axes = figure.subplots()
    names = [*STEP_PHASES, "total"]
    chips = run.architectures
    width = 0.8 / len(chips)
    values = [
        value for chip in chips for value in run.summary["architectures"][chip]["latency_per_step_s"].values() if value
    ]
    floor = min(values, default=1e-9) / 3
    legend = 0.2 * len(chips) if style.narrow() else 0.4
    inches = (figure.get_figwidth() - 0.8, figure.get_figheight() - legend - 0.9)  # of the panel
    slot = 72 * inches[0] / len(names) * width  # of a bar [pt]
    letters = min(style.note(), slot / 1.2)
    texts = {style.quantity(value, "s", 3) for value in values}
    longest = max((labels.width(text, letters) for text in texts), default=0.0) + 4
    upright = longest > slot
    for k, chip in enumerate(chips):
        times = [run.summary["architectures"][chip]["latency_per_step_s"][name] for name in names]
        places = np.arange(len(names)) + (k - (len(chips) - 1) / 2) * width
        heights = [time or floor for time in times]
        axes.bar(places, heights, width * 0.92, color=style.chip_colour(chip, k), label=chip, bottom=0)
        for place, time, height in zip(places, times, heights, strict=True):
            axes.annotate(
                style.quantity(time, "s", digits=3) if time else "none", (place, height), ha="center", va="bottom",
                fontsize=letters, rotation=90 if upright else 0, xytext=(0, 2), textcoords="offset points",
            )  # fmt: skip
    axes.set_yscale("log")
    room = (longest if upright else 1.4 * letters) / (72 * inches[1])
    axes.set_ylim(floor, style.log_end(floor, max(values, default=1e-9), room + 0.02))
    style.unit_ticks(axes, "s")
    axes.set_xticks(np.arange(len(names)), names)
    axes.set_ylabel("simulated time per step\n(log axis)")
    axes.grid(axis="x", visible=False)
    ratio = run.summary["ratio"]["latency"]
    title = f"Simulated time per training step, {run.summary['workload']}, {run.technology}"
    style.title(figure, title + (f": ratio of the totals {ratio:.1f}" if ratio else ""))
    style.legend(figure, style.key_of(axes))
    return figure
