"""Area of both chips by part, with the range that the figures leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from archsim.records.lines import PartArea
from archsim.records.recorded import RunData
from archsim.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(run: RunData) -> Figure:
    """Return one bar a chip, stacked by part on a linear axis; its range as a line, what has no figure in words."""
    chips = run.architectures
    figure = style.figure(8.5, 0.75 * len(chips) + 1.9, column=0.85 * len(chips) + 1.5)
    axes = figure.subplots()
    drawn: set[str] = set()
    hatched, tops = False, [0.0]
    for place, chip in enumerate(chips):
        lines = [line for line in run.areas(chip) if math.isfinite(line.area)]
        unknown = [line.key for line in run.areas(chip) if not math.isfinite(line.area)]
        hatched |= _stack(axes, place, lines, drawn)
        tops.append(_whisker(axes, place, lines, unknown))
    if not drawn:
        axes.text(0.5, 0.5, "no areas in this run", transform=axes.transAxes, ha="center", va="center")
    axes.set_yticks(range(len(chips)), [chip.replace("-", "-\n") for chip in chips] if style.narrow() else chips)
    axes.set_ylim(len(chips) - 0.4, -0.6)
    axes.set_xlim(0, max(tops) * 1.04 or 1)
    more = "" if style.narrow() else ", line: all figures at the low or the high end of their ranges"
    axes.set_xlabel(f"area [mm$^2$]{more}")
    axes.grid(axis="y", visible=False)
    style.title(figure, f"Area by part, {run.summary['workload']}, {run.technology}")
    style.legend(figure, style.key_to(drawn, assumed=hatched))
    return figure


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


def _whisker(axes: Axes, place: int, lines: list[PartArea], unknown: list[str]) -> float:
    """Draw the range of a chip's total below its bar, write the total beside the bar, and return the right end."""
    total, low, high = (1e6 * math.fsum(getattr(line, name) for line in lines) for name in ("area", "low", "high"))
    if not total:
        return 0.0
    axes.plot([low, high], [place + 0.34] * 2, marker="|", markersize=6, **style.RANGE)
    text = f"{'at least ' if unknown else ''}{total:.3g} mm$^2$ ({low:.2g} to {high:.2g})"
    if unknown:
        text += (";\n" if style.narrow() else "; ") + f"no figure for {', '.join(unknown)}"
    if style.narrow():  # above the bar
        at, shift, align, room = (0.0, place - 0.25), (1, 2), "bottom", 1.0
    else:  # beside it
        at, shift, align, room = (total, place), (4, 0), "center", 2.2 if unknown else 1.6
    axes.annotate(
        text, at, xytext=shift, textcoords="offset points", va=align, fontsize=style.note(),
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip
    return float(max(high, room * total))
