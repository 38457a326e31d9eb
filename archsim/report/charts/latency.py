"""Simulated time of a training step by phase, all chips on one log axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from archsim.accounting.intervals import TOTAL
from archsim.base.signal import STEP_PHASES
from archsim.records.intervals import known
from archsim.records.recorded import Recorded
from archsim.report import labels, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _HEIGHT = 7.6, 3.8
_LINE = 0.13
"""Height of a bar that goes to the right [in]: of a line of words beside it."""
_UPRIGHT = 3
"""So many chips have bars that stand in one column of a page; of more, bars go to the right."""
NAMES = (*STEP_PHASES, TOTAL)
Spans = dict[str, list[tuple[float, float] | None]]
"""Chip -> the ends of each interval; None where nothing takes time."""


def draw(run: Recorded) -> Figure:
    """Return grouped bars: the phases and their sum, a bar a chip."""
    chips, times, spans = run.architectures, _times(run), _spans(run)
    sideways = style.narrow() and len(chips) > _UPRIGHT
    tall = _LINE * len(NAMES) * (len(chips) + 1) + 0.6 if sideways else 2.4
    figure = style.figure(_WIDTH, _HEIGHT, column=tall + 0.2 * len(chips))
    axes = figure.subplots()
    if sideways:
        _to_the_right(axes, chips, times, spans)
    else:
        _standing(axes, chips, times, spans)
    ratio = run.summary["ratio"]["latency"]
    title = (
        f"Simulated time per training step{style.of_batch(run.summary)}, {run.summary['workload']}, {run.technology}"
    )
    style.title(figure, title + (f": ratio of the totals {ratio:.1f}" if ratio else ""))
    key = style.key_of(axes)
    if spans:
        key["holds 90 % of joint draws or more"] = style.range_handle()
    style.legend(figure, key)
    return figure


def _spans(run: Recorded) -> Spans:
    """Return the ends of the interval of each time of a step [s], of each chip, in the order of `NAMES`."""
    drawn = known(run)
    if not drawn:
        return {}
    return {
        chip: [(of.time[name].low, of.time[name].high) if of.time[name].value else None for name in NAMES]
        for chip, of in drawn.chips.items()
    }


def _times(run: Recorded) -> dict[str, list[float]]:
    """Return the times of a step [s] of each chip, in the order of `NAMES`."""
    of = {chip: run.summary["architectures"][chip]["latency_per_step_s"] for chip in run.architectures}
    return {chip: [times[name] for name in NAMES] for chip, times in of.items()}


def _ends(times: dict[str, list[float]], spans: Spans) -> tuple[float, float, list[str]]:
    """Return where the axis begins, the longest time, and all that is written beside bars."""
    taken = [time for each in times.values() for time in each if time]
    reached = [*taken, *(end for each in spans.values() for pair in each if pair for end in pair)]
    return min(reached, default=1e-9) / 3, max(reached, default=1e-9), [_text(time) for time in taken]


def _text(time: float) -> str:
    return style.quantity(time, "s", digits=3) if time else "none"


def _tops(ends: list[float], spans: list[tuple[float, float] | None] | None) -> list[float]:
    """Return how far each bar goes, with its interval."""
    return [max(end, span[1] if span else end) for end, span in zip(ends, spans or [None] * len(ends), strict=True)]


def _places(position: int, chips: int) -> tuple[list[float], float]:
    """Return where the bars of the chip at a position stand, and how wide each is."""
    width = 0.8 / chips
    return (np.arange(len(NAMES)) + (position - (chips - 1) / 2) * width).tolist(), width


def _standing(axes: Axes, chips: list[str], times: dict[str, list[float]], spans: Spans) -> None:
    """Draw bars that stand, with words above them: upright where a bar is narrower than its words."""
    floor, longest, texts = _ends(times, spans)
    legend = 0.2 * len(chips) if style.narrow() else 0.4
    across, up = 72 * (style.inches(axes) - 0.8), 72 * (style.inches(axes, up=True) - legend - 0.9)  # of the panel [pt]
    slot = across / len(NAMES) * 0.8 / len(chips)
    letters = min(style.note(), slot / 1.2)
    widest = max((labels.width(text, letters) for text in texts), default=0.0) + 4
    upright = widest > slot
    for k, chip in enumerate(chips):
        places, width = _places(k, len(chips))
        heights = [time or floor for time in times[chip]]
        axes.bar(places, heights, width * 0.92, color=style.chip_colour(chip, k), label=chip)
        for place, span in zip(places, spans.get(chip, ()), strict=False):
            if span:
                axes.plot([place] * 2, span, marker="_", markersize=3, **style.RANGE)
        tops = _tops(heights, spans.get(chip))
        for place, time, height in zip(places, times[chip], tops, strict=True):
            axes.annotate(
                _text(time), (place, height), ha="center", va="bottom", fontsize=letters,
                rotation=90 if upright else 0, xytext=(0, 2), textcoords="offset points",
            )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(floor, style.log_end(floor, longest, (widest if upright else 1.4 * letters) / up + 0.02))
    style.unit_ticks(axes, "s")
    axes.set_xticks(range(len(NAMES)), NAMES)
    axes.set_ylabel("simulated time per step\n(log axis)")
    axes.grid(axis="x", visible=False)


def _to_the_right(axes: Axes, chips: list[str], times: dict[str, list[float]], spans: Spans) -> None:
    """Draw bars that go to the right, with words beside them."""
    floor, longest, texts = _ends(times, spans)
    for k, chip in enumerate(chips):
        places, width = _places(k, len(chips))
        ends = [time or floor for time in times[chip]]
        axes.barh(places, ends, width * 0.92, color=style.chip_colour(chip, k), label=chip)
        for place, span in zip(places, spans.get(chip, ()), strict=False):
            if span:
                axes.plot(span, [place] * 2, marker="|", markersize=3, **style.RANGE)
        for place, time, end in zip(places, times[chip], _tops(ends, spans.get(chip)), strict=True):
            axes.annotate(
                _text(time), (end, place), va="center", fontsize=style.note(), xytext=(2, 0),
                textcoords="offset points",
            )  # fmt: skip
    widest = max((labels.width(text, style.note()) for text in texts), default=0.0) + 6
    axes.set_xscale("log")
    axes.set_xlim(floor, style.log_end(floor, longest, widest / (72 * (style.inches(axes) - 0.8))))
    style.unit_ticks(axes, "s", axis="x")
    axes.set_yticks(range(len(NAMES)), NAMES)
    axes.set_ylim(len(NAMES) - 0.5, -0.5)
    axes.set_xlabel("simulated time per step (log axis)")
    axes.grid(axis="y", visible=False)
