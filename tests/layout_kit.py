"""What is wrong with the layout of a figure: words that lie over each other, or leave it."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

SLACK = 1.5
"""Pixels by which boxes of text may overlap, or leave the figure: the boxes are a little larger than the letters."""


def faults(figure: Figure) -> list[str]:
    """Return a line for each pair of visible texts that overlap, and for each that leaves the figure."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in _texts(figure)]
    left, bottom, right, top = figure.bbox.extents
    found = [
        f"{text!r} leaves the figure"
        for text, box in boxes
        if box.x0 < left - SLACK or box.x1 > right + SLACK or box.y0 < bottom - SLACK or box.y1 > top + SLACK
    ]
    for (one, first), (other, second) in combinations(boxes, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        up = min(first.y1, second.y1) - max(first.y0, second.y0)
        if across > SLACK and up > SLACK:
            found.append(f"{one!r} and {other!r} overlap by {across:.0f} x {up:.0f} pixels")
    return found


def _texts(figure: Figure) -> list[Text]:
    """Return all texts that are seen: those of ticks only where an axis goes to."""
    ticks = {
        id(tick) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in _labels(axis, seen=False)
    }
    texts: list[Any] = [
        text
        for text in figure.findobj(Text)
        if id(text) not in ticks and text.get_visible() and text.get_text().strip()
    ]
    for axes in figure.axes:
        if axes.axison and axes.get_visible():
            texts += [text for axis in (axes.xaxis, axes.yaxis) for text in _labels(axis, seen=True)]
    return texts


def _labels(axis: Axis, *, seen: bool) -> list[Text]:
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    if not seen:
        return [text for tick in ticks for text in (tick.label1, tick.label2)]
    low, high = sorted(axis.get_view_interval())
    slack = 1e-9 * (high - low)
    return [
        tick.label1
        for tick in ticks
        if tick.label1.get_visible()
        and tick.label1.get_text().strip()
        and low - slack <= tick.get_loc() <= high + slack
    ]
