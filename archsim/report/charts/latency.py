"""Simulated time of a training step by phase, both chips on one log axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from archsim.base.signal import STEP_PHASES
from archsim.base.units import show
from archsim.records.recorded import RunData
from archsim.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(run: RunData) -> Figure:
    """Return grouped bars: the phases and their sum, a bar a chip."""
    figure = style.figure(7.0, 3.6, column=2.8)
    axes = figure.subplots()
    names = [*STEP_PHASES, "total"]
    chips = run.architectures
    width = 0.8 / len(chips)
    values = [
        value for chip in chips for value in run.summary["architectures"][chip]["latency_per_step_s"].values() if value
    ]
    floor = min(values, default=1e-9) / 3
    for k, chip in enumerate(chips):
        times = [run.summary["architectures"][chip]["latency_per_step_s"][name] for name in names]
        places = np.arange(len(names)) + (k - (len(chips) - 1) / 2) * width
        heights = [time or floor for time in times]
        axes.bar(places, heights, width * 0.92, color=style.chip_colour(chip, k), label=chip, bottom=0)
        for place, time, height in zip(places, times, heights, strict=True):
            axes.annotate(
                f" {show(time, 's', digits=3)}" if time else " none", (place, height), ha="center", va="bottom",
                fontsize=style.note(), rotation=90 if style.narrow() else 0,
            )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(floor, max(values, default=1e-9) * (30 if style.narrow() else 3))
    style.unit_ticks(axes, "s")
    axes.set_xticks(np.arange(len(names)), names)
    axes.set_ylabel("simulated time per step (log axis)")
    axes.grid(axis="x", visible=False)
    ratio = run.summary["ratio"]["latency"]
    title = f"Simulated time per training step, {run.summary['workload']}, {run.technology}"
    style.title(figure, title + (f": ratio of the totals {ratio:.1f}" if ratio else ""))
    handles, labels = axes.get_legend_handles_labels()
    style.legend(figure, dict(zip(labels, handles, strict=True)))
    return figure
