"""Test accuracy over training images and over joules, both chips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.report import style
from archsim.report.rundata import RunData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS = (0.1, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)


def draw(run: RunData) -> Figure:
    """Return two panels with a common log axis of the error rate, labelled as accuracy."""
    figure = style.figure(9.0, 3.8)
    left, right = figure.subplots(1, 2, sharey=True)
    energy = f"energy_J_{run.technology}"
    for k, chip in enumerate(run.architectures):
        points = run.training[(run.training.architecture == chip) & run.training.test_accuracy.notna()]
        points = points[points.samples > 0]
        error = 1 - points.test_accuracy.clip(upper=0.9999)
        colour = style.chip_colour(chip, k)
        final = 100 * run.summary["architectures"][chip]["test_accuracy"]
        left.plot(points.samples, error, "o-", color=colour, markersize=3, label=f"{chip}, at the end {final:.2f} %")
        right.plot(points[energy], error, "o-", color=colour, markersize=3, label=chip)
    _axis(left, run)
    _axis(right, run)
    left.set_xlabel("training images (log axis)")
    left.set_ylabel("test accuracy (log axis of the error)")
    right.set_xlabel("energy spent on training steps (log axis)")
    style.unit_ticks(right, "J", axis="x")
    left.legend(loc="lower right", frameon=False)
    figure.suptitle(f"Test accuracy, {run.summary['dataset_origin']}".split(", IDX")[0] + f", {run.technology}")
    return figure


def _axis(axes: Axes, run: RunData) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    errors = 1 - run.training.test_accuracy.dropna()
    low, high = min(float(errors.min()), 0.02), max(float(errors.max()), 0.5)
    axes.set_ylim(min(high * 1.15, 1.0), low / 1.5)
    ticks = [tick for tick in TICKS if low / 1.5 <= 1 - tick <= high * 1.15]
    axes.set_yticks([1 - tick for tick in ticks], [f"{100 * tick:g} %" for tick in ticks])
    axes.minorticks_off()
    for chip, accuracy in run.summary["paper"]["test_accuracy"].items():
        if chip in run.architectures:
            colour = style.chip_colour(chip, 0)
            axes.axhline(1 - accuracy, color=colour, linewidth=0.9, linestyle="--")
            axes.annotate(
                f"paper {100 * accuracy:.2f} %", (0.99, 1 - accuracy), xycoords=("axes fraction", "data"), ha="right",
                va="bottom", fontsize=7, color=colour, xytext=(0, 1), textcoords="offset points",
            )  # fmt: skip
