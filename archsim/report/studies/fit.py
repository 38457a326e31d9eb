"""Figures of a device fitted to a measurement: the measured pulses under the table, and the device they made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.base import files
from archsim.report import drawing, style
from archsim.report.studies import device as figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.devices.fit import Fit
    from archsim.devices.measured import Pulses
    from archsim.studies.device import DeviceStudy

MOST_POINTS = 20_000
"""Measured pulses drawn of either direction; of more, every so many."""


def make(made: Fit, pulses: Pulses, study: DeviceStudy, folder: Path) -> list[Path]:
    """Write the figures as PNG and SVG, those of the device with the measured points over them; return the files.

    Raises
    ------
    InputError
        If `folder` is a file.
    """
    from archsim.devices.measured import course

    files.check_folder(folder)
    with style.applied():
        written = drawing.save(draw(made, pulses, study.name), folder, "fit", ("png", "svg"))
    measured = [point for point in course(pulses) if point[0] <= figures.REACH]
    return [*written, *figures.make(study, folder, measured)]


def draw(made: Fit, pulses: Pulses, name: str) -> Figure:
    """Return the change of the conductance by one pulse over the conductance before it, a panel a direction."""
    figure = style.figure(4.3 * len(made.changes) + 0.6, 4.4)
    every = figure.subplots(1, len(made.changes), squeeze=False)[0]
    divisor, unit = style.scaled([made.high], "S")
    key: dict[str, Any] = {}
    for axes, direction in zip(every, made.changes, strict=True):
        _panel(axes, made, pulses, direction, divisor)
        axes.set_title("SET or up" if direction == "up" else "down", fontsize=9)
        axes.set_xlabel(f"conductance before the pulse [{unit}]")
        key |= style.key_of(axes)
    every[0].set_ylabel(f"change by one pulse [{unit}]")
    style.legend(figure, key, 3)
    style.title(figure, f"{name}: {pulses.change.size:,} measured pulses and the table fitted to them")
    return figure


def _panel(axes: Axes, made: Fit, pulses: Pulses, direction: str, divisor: float) -> None:
    chosen = np.flatnonzero(pulses.up == (direction == "up"))
    shown = chosen[:: -(-chosen.size // MOST_POINTS)]
    axes.plot(
        pulses.before[shown] / divisor, pulses.change[shown] / divisor, ".", color=style.FAINT, markersize=2.5,
        label="measured", zorder=1.5, rasterized=True,
    )  # fmt: skip
    change = made.changes[direction]
    knots, mean, std = (each / divisor for each in (change.knots, change.mean, change.std))
    axes.fill_between(
        knots, mean - std, mean + std, color=figures.MODEL, alpha=0.2, linewidth=0,
        label="standard deviation of one device's pulses",
    )  # fmt: skip
    axes.plot(knots, mean, "o-", color=figures.MODEL, markersize=3.5, linewidth=1.4, label="mean of the table")
    axes.axhline(0, color=style.REFERENCE, linewidth=0.8)
