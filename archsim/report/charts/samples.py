"""What each chip's generator made at the end of its training, black on white, and how far it is from the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archsim.records.recorded import Recorded
from archsim.report import style
from archsim.runs import samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 8
"""Samples side by side."""


def draw(run: Recorded) -> Figure | None:
    """Return a grid of generated samples for each chip, all from the same latent vectors; None if there are none.

    Of several seeds, those of the first are shown.
    """
    found = {chip: made for chip in run.architectures if (made := samples.read(run.home, chip))}
    if not found:
        return None
    count = len(found)
    figure = style.figure(3.1 * count, 3.7, column=3.9 * count)
    panels = np.atleast_1d(figure.subplots(count, 1) if style.narrow() else figure.subplots(1, count))
    for axes, (chip, made) in zip(panels, found.items(), strict=True):
        step = max(made)
        axes.imshow(_grid(made[step]), cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        axes.set_axis_off()
        distance = run.summary["architectures"][chip]["test"]
        said = f"{run.metric.name} {run.metric.number(distance)}"
        mean = f", mean of {len(run.seeds)} seeds" if run.seeds else ""
        room = 3.0 if not style.narrow() else style.inches(axes)
        style.heading(axes, f"{chip}: {said}{mean} after {step:,} steps", room=room)
    style.title(figure, f"Generated samples, {run.summary['dataset']}, {run.seeded.split(',')[0]}")
    return figure


def _grid(made: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return samples as one picture, ACROSS in a row, a point of the ground between them."""
    rows, columns = made.shape[1:3]
    down = -(-len(made) // ACROSS)
    grid = np.zeros((down * (rows + 1) - 1, ACROSS * (columns + 1) - 1, *made.shape[3:]), np.uint8)
    for k, one in enumerate(made):
        top, left = k // ACROSS * (rows + 1), k % ACROSS * (columns + 1)
        grid[top : top + rows, left : left + columns] = one
    return grid
