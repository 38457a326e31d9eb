"""Area of all chips by part, with the range that the figures leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from archsim.accounting.intervals import TOTAL, Interval
from archsim.records.intervals import known
from archsim.records.lines import PartArea
from archsim.records.recorded import Recorded
from archsim.report import labels, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_REACH = 2.2
"""How many times as far as the largest area the axis goes, at most; a range beyond it ends in an arrow."""
_ROW = 0.85
"""Height of a chip [in]."""
Sums = tuple[float, float, float]
"""An area and its ends [mm^2]."""


def draw(run: Recorded) -> Figure:
    """Return one bar a chip, stacked by part on a linear axis; its range as a line, what has no figure in words."""
    chips = run.architectures
    figure = style.figure(8.0, _ROW * len(chips) + 1.6, column=_ROW * len(chips) + 1.5)
    axes = figure.subplots()
    drawn: set[str] = set()
    hatched = False
    areas = {chip: [line for line in run.areas(chip) if math.isfinite(line.area)] for chip in chips}
    drawn_together = known(run)
    spans = {chip: of.area.get(TOTAL) for chip, of in drawn_together.chips.items()} if drawn_together else {}
    end = _end([_sums(lines, spans.get(chip)) for chip, lines in areas.items()])
    names = [labels.fold(chip, style.note() + 1, 72 * (0.8 if style.narrow() else 1.8)) for chip in chips]
    inches = figure.get_figwidth() - 0.4 - max(labels.width(name, style.note() + 1) for name in names) / 72
    for place, (chip, lines) in enumerate(areas.items()):
        unknown = [line.key for line in run.areas(chip) if not math.isfinite(line.area)]
        hatched |= _stack(axes, place, lines, drawn)
        _whisker(axes, (place, end, inches), _sums(lines, spans.get(chip)), unknown)
    if not drawn:
        axes.text(0.5, 0.5, "no areas in this run", transform=axes.transAxes, ha="center", va="center")
    axes.set_yticks(range(len(chips)), names, fontsize=style.note() + 1)
    axes.set_ylim(len(chips) - 0.45, -0.75)
    axes.set_xlim(0, end)
    axes.set_xlabel("area [mm²]")
    axes.grid(axis="y", visible=False)
    style.title(figure, f"Area by part, {run.summary['workload']}, {run.technology}")
    key = style.key_to(drawn, assumed=hatched)
    if drawn:
        told = "90 % of joint draws of all figures" if spans else "all figures at the ends of their ranges"
        key[told + ("" if style.narrow() else " (arrow: goes on)")] = style.range_handle()
    style.legend(figure, key)
    return figure


def _sums(lines: list[PartArea], drawn: Interval | None) -> Sums:
    """Return area [mm^2], and its low and high end: of its interval, where it was drawn."""
    if drawn:
        return 1e6 * drawn.value, 1e6 * drawn.low, 1e6 * drawn.high
    value, low, high = (1e6 * math.fsum(getattr(line, name) for line in lines) for name in ("area", "low", "high"))
    return value, low, high


def _end(sums: list[Sums]) -> float:
    """Return where the axis ends."""
    most, high = max((value for value, _, _ in sums), default=0.0), max((high for *_, high in sums), default=0.0)
    return 1.02 * min(high, _REACH * most) or 1.0


def _stack(axes: Axes, place: int, lines: list[PartArea], drawn: set[str]) -> bool:
    """Draw the parts of a chip side by side, add them to `drawn`, and return whether one's figure is assumed."""
    total = math.fsum(line.area for line in lines)
    sums = {part: math.fsum(line.area for line in lines if line.part == part) for part in style.PARTS}
    large = [part for part, area in sums.items() if area > style.SMALL * total]
    left, hatched = 0.0, False
    for part in (*large, "other"):
        for assumed in (False, True):
            width = 1e6 * math.fsum(
                line.area
                for line in lines
                if (line.part if line.part in large else "other") == part and (line.basis == "assumed") == assumed
            )
            if width:
                axes.barh(
                    place, width, 0.5, left=left, color=style.part_colour(part), edgecolor="white", linewidth=0.4,
                    hatch=style.HATCH if assumed else None,
                )  # fmt: skip
                left += width
                drawn.add(part)
                hatched |= assumed
    return hatched


def _whisker(axes: Axes, room: tuple[int, float, float], sums: Sums, unknown: list[str]) -> None:
    """Draw the range of a chip's total below its bar and write the total above it.

    `room` is (place, end of the axis, its width [in]).
    """
    place, end, inches = room
    total, low, high = sums
    if not total:
        return
    beyond = high > end
    axes.plot([low, min(high, 0.99 * end)], [place + 0.34] * 2, solid_capstyle="butt", **style.RANGE)
    axes.plot([low], [place + 0.34], "|", markersize=6, **style.RANGE)
    axes.plot([0.99 * end if beyond else high], [place + 0.34], ">" if beyond else "|", markersize=5, **style.RANGE)
    text = f"{'at least ' if unknown else ''}{total:.3g} mm² ({low:.2g} to {high:.2g})"
    if unknown:
        text += f"; no figure for {', '.join(unknown)}"
    axes.annotate(
        labels.fold(text, style.note(), 72 * inches), (0.0, place - 0.25), xytext=(2, 1), textcoords="offset points",
        va="bottom", fontsize=style.note(), linespacing=0.95,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
    )  # fmt: skip
