"""The picture of one training step: a row a lane, slices by part of the chip, waiting hatched, the critical path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.base.units import show
from archsim.records.timeline import Bar, ChipTimeline, Step, Timeline, Unit, shares, units
from archsim.report import drawing, style
from archsim.report.sheet import Sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LANES = 24
"""Rows of a picture; of more, those on the critical path and those busy longest are drawn."""
KEPT, IDLE, PATH = "held while another unit works", "nothing driven", "critical path"
NOT_TO_SCALE = "NOT TO SCALE: width is the cube root of the time between events"
_WIDTH = 11.0
_ROW = 0.56
_LETTER = 0.062
"""Width of a letter in a slice, in inches."""
_LONG = 0.6
"""A stretch without an event that takes this part of a phase makes its panel not to scale."""
_NARROW = 0.003
"""Of a panel's width: shorter slices are drawn as wide as this, so that they can be seen."""


def write(timeline: Timeline, folder: Path) -> list[Path]:
    """Draw the last step of every chip (PNG, SVG, PDF) into a folder and return the files."""
    with style.applied():
        pictures = {f"timeline-{chip.architecture}": draw(chip, timeline) for chip in timeline.chips}
        return [path for name, figure in pictures.items() for path in drawing.save(figure, folder, name)]


def draw(chip: ChipTimeline, timeline: Timeline, position: int = -1) -> Figure:
    """Return the picture of one step: the whole above, each phase on its own axis of time below.

    Where phases go side by side the whole shows them, and nothing stands below.
    """
    step = chip.steps[position]
    lanes, hidden = rows(chip, step)
    phases = {} if step.overlaps else step.phases
    panels = [(phase, begin, end, _busy(lanes, step, phase)) for phase, (begin, end) in phases.items()]
    pairs = [pair for pair in (panels[:2], *([panel] for panel in panels[2:])) if pair]
    heights = [len(lanes), *(max(len(panel[3]) for panel in pair) for pair in pairs)]
    figure = style.figure(_WIDTH, 1.5 + 0.16 * sum(heights) + 0.75 * len(heights))
    grid = figure.add_gridspec(len(heights), 2, height_ratios=[height + 1.5 for height in heights])
    drawn: set[str] = set()
    title = f"step {step.number}: {style.quantity(step.length_ps * 1e-12, 's')} (dotted: a phase begins)"
    _panel(figure.add_subplot(grid[0, :]), lanes, step, (step.begin_ps, step.end_ps), title, drawn, whole=True)
    for line, pair in enumerate(pairs, start=1):
        for column, (phase, begin, end, busy) in enumerate(pair):
            where = grid[line, :] if len(pair) == 1 else grid[line, column]
            title = f"{phase}: {style.quantity((end - begin) * 1e-12, 's')}"
            _panel(figure.add_subplot(where), busy, step, (begin, end), title, drawn)
    _legend(figure, drawn)
    more = f" ({hidden} more lanes not drawn)" if hidden else ""
    leaked = style.quantity(chip.leakage_W * step.length_ps * 1e-12, "J", digits=3)
    style.title(
        figure,
        f"One training step of {chip.architecture}, {timeline.workload}, {style.quantity(step.energy_J, 'J')} "
        f"plus {leaked} of leakage, {timeline.technology}{more}",
    )
    return figure


def rows(chip: ChipTimeline, step: Step) -> tuple[list[str], int]:
    """Return the lanes to draw, in the chip's order, and how many busy ones are left out.

    Where phases go side by side there are queues before most units; they are not drawn.
    """
    working = {bar.lane for bar in step.bars if bar.length_ps and not (bar.waits_for and step.overlaps)}
    busy = [lane for lane in chip.lanes if lane in working]
    on_path = {bar.lane for bar in step.path}
    time = {lane: sum(bar.length_ps for bar in step.bars if bar.lane == lane and not bar.waits_for) for lane in busy}
    chosen = set(sorted(busy, key=lambda lane: (lane not in on_path, -time[lane]))[:MOST_LANES])
    return [lane for lane in busy if lane in chosen], len(busy) - len(chosen)


def _busy(lanes: Sequence[str], step: Step, phase: str) -> list[str]:
    begin, end = step.phases[phase]
    at_work = {bar.lane for bar in step.bars if bar.length_ps and begin <= bar.begin_ps < end}
    return [lane for lane in lanes if lane in at_work]


def kind(bar: Bar) -> str:
    """Return the part of the chip whose energy is most of a slice's, "waiting", or that it is kept for another."""
    if bar.waits_for:
        return "waiting"
    if not bar.part:
        return KEPT if bar.by else IDLE
    return bar.part


def _inches(axes: Axes) -> float:
    """Return about how wide a panel is."""
    spec = axes.get_subplotspec()
    across = len(spec.colspan) if spec else 1
    return 0.42 * across * _WIDTH


class _Axis:
    """Where a moment stands on a panel's axis of time.

    Drawn to scale, or, where one slice would leave no room for the others, with stretches between two events as wide as
    the cube root of their length.
    """

    def __init__(self, bars: Sequence[Bar], span: tuple[int, int], *, whole: bool) -> None:
        self.begin, end = span
        divisor, self.unit = style.scaled([(end - self.begin) * 1e-12], "s")
        self._scale = 1e-12 / divisor
        self.moments = sorted({*span, *(at for bar in bars for at in (bar.begin_ps, bar.end_ps))})
        lengths = np.diff(self.moments)
        self.to_scale = whole or len(lengths) == 1 or lengths.max() < _LONG * (end - self.begin)
        self.places = np.concatenate([[0.0], np.cumsum(np.cbrt(lengths))])
        self.width = self.at(end)

    def at(self, ps: int) -> float:
        """Return the place of a moment."""
        if self.to_scale:
            return (ps - self.begin) * self._scale
        return float(np.interp(ps, self.moments, self.places))

    def ticks(self, apart: float) -> tuple[list[float], list[str]]:
        """Return places and times [in the panel's unit] of events, such a part of the panel or more from each other."""
        places: list[float] = []
        texts: list[str] = []
        for ps in self.moments:
            if not places or self.at(ps) - places[-1] > apart * self.width:
                places.append(self.at(ps))
                texts.append(f"{(ps - self.begin) * self._scale:.4g}")
        return places, texts


def _panel(
    axes: Axes, lanes: Sequence[str], step: Step, span: tuple[int, int], title: str, drawn: set[str], *,
    whole: bool = False,
) -> None:  # fmt: skip
    """Draw the lanes between two moments; the critical path runs below its slices."""
    place = {lane: row for row, lane in enumerate(lanes)}
    inside = [bar for bar in step.bars if bar.length_ps and span[0] <= bar.begin_ps < span[1] and bar.lane in place]
    shown = bursts(inside)
    axis = _Axis(shown, span, whole=whole)
    for bar in shown:
        name, left = kind(bar), axis.at(bar.begin_ps)
        width = max(axis.at(bar.end_ps) - left, _NARROW * axis.width)
        axes.barh(place[bar.lane], width, _ROW, left=left, linewidth=0.3, **_look(name))
        drawn.add(name)
    if not whole:
        _names(axes, shown, place, axis)
    _path(axes, [bar for bar in shown if bar.critical], place, axis, 0.8 if whole else 1.3)
    axes.set_yticks(range(len(lanes)), [style.label(lane) for lane in lanes], fontsize=7)
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    axes.set_xlim(0, axis.width * 1.002)
    label = f"time [{axis.unit}]" if whole else f"time in the phase [{axis.unit}]"
    axes.set_xlabel(label if axis.to_scale else f"{label}; {NOT_TO_SCALE}", fontsize=8)
    if not axis.to_scale:
        axes.set_xticks(*axis.ticks(0.45 / _inches(axes)))
    axes.tick_params(labelsize=7)
    axes.grid(axis="y", visible=False)
    axes.set_title(title, loc="left", fontsize=9)
    if not axis.to_scale:
        axes.xaxis.label.set(color=style.UP, fontweight="bold")
        axes.set_facecolor(style.UNEVEN)
    if whole:
        for since, _ in step.phases.values():
            axes.axvline(axis.at(since), color=style.REFERENCE, linewidth=0.6, linestyle=":")


def bursts(bars: Sequence[Bar]) -> list[Bar]:
    """Return slices by begin; those of a lane and layer that follow each other at once, many of them, as one.

    A convolution's vectors pass a tile one by one: thousands of slices, of which none could be seen.
    """
    rows: dict[tuple[str, str, str], list[list[Bar]]] = {}
    for bar in sorted(bars, key=lambda bar: bar.begin_ps):
        row = rows.setdefault((bar.lane, bar.phase, bar.layer), [])
        if row and not bar.waits_for and not row[-1][-1].waits_for and bar.begin_ps <= row[-1][-1].end_ps:
            row[-1].append(bar)
        else:
            row.append([bar])
    found = []
    for run in (run for row in rows.values() for run in row):
        found += [_burst(run)] if len(run) >= _MANY else run
    return sorted(found, key=lambda bar: bar.begin_ps)


def _burst(run: Sequence[Bar]) -> Bar:
    """Return a run of slices as one, of the part of the chip that takes most of its energy."""
    energy: dict[str, float] = {}
    for bar in run:
        energy[bar.part] = energy.get(bar.part, 0.0) + bar.energy_J
    names = dict.fromkeys(bar.what for bar in run)
    return replace(
        run[0], what=f"{len(run) // len(names):,} x {', '.join(names)}", end_ps=max(bar.end_ps for bar in run),
        energy_J=sum(energy.values()), part=max(energy, key=lambda part: energy[part]),
        critical=any(bar.critical for bar in run),
    )  # fmt: skip


_MANY = 16
"""Slices that follow each other at once and are drawn as one."""


def _look(name: str) -> dict[str, Any]:
    """Return how a kind of slice looks."""
    if name == "waiting":
        return {"facecolor": "white", "edgecolor": style.REFERENCE, "hatch": style.HATCH}
    if name in {KEPT, IDLE}:
        return {"facecolor": "white", "edgecolor": style.REFERENCE, "linestyle": "-" if name == KEPT else ":"}
    return {"facecolor": style.part_colour(name), "edgecolor": "white"}


def _names(axes: Axes, bars: Sequence[Bar], place: dict[str, int], axis: _Axis) -> None:
    """Write action and layer into slices that are long enough for it."""
    for bar in bars:
        left, right = axis.at(bar.begin_ps), axis.at(bar.end_ps)
        text = "waiting" if bar.waits_for else f"{bar.what} {bar.layer}".strip()
        if (right - left) / axis.width * _inches(axes) > _LETTER * len(text):
            dark = kind(bar) in {"arithmetic", "programming", "chi memory", "transfer buffer", "ADC"}
            axes.text(
                (left + right) / 2, place[bar.lane], text, fontsize=6, ha="center", va="center_baseline",
                color="white" if dark else "black",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5} if bar.waits_for else None,
            )  # fmt: skip


def _path(axes: Axes, bars: Sequence[Bar], place: dict[str, int], axis: _Axis, width: float) -> None:
    """Draw the critical path as one line that goes from lane to lane."""
    across: list[float] = []
    down: list[float] = []
    for bar in bars:
        across += [axis.at(bar.begin_ps), axis.at(bar.end_ps)]
        down += [place[bar.lane] + 0.4] * 2
    axes.plot(across, down, color=style.PATH, linewidth=width, solid_capstyle="butt", zorder=3, clip_on=False)


def _legend(figure: Figure, drawn: set[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    key: dict[str, Any] = style.key_to(drawn, assumed=False)
    for name in ("waiting", KEPT, IDLE):
        if name in drawn:
            key[name] = Patch(**_look(name))
    key[PATH] = Line2D([], [], color=style.PATH, linewidth=1.6)
    style.legend(figure, key, 6, heading="part of the chip that takes most of a slice's energy")


# --- in words ---------------------------------------------------------------------------------------------------------
def sheets(chip: ChipTimeline) -> list[Sheet]:
    """Return the tables of a chip's last step: its critical path; what its units did of the time."""
    return [path_sheet(chip), units_sheet(chip)]


def units_sheet(chip: ChipTimeline, most: int = 8) -> Sheet:
    """Return how busy the units were, how long others waited for them, and their part of the critical path."""
    step = chip.steps[-1]
    found = list(units(step).items())

    def row(name: str, unit: Unit) -> tuple[str, ...]:
        of_step = (f"{100 * ps / step.length_ps:.1f} %" for ps in (unit.busy_ps, unit.critical_ps))
        return name, *of_step, show(unit.waited_for_ps * 1e-12, "s", digits=3)

    rows = [row(name, unit) for name, unit in found[:most]]
    if rest := found[most:]:
        busiest = max(unit.busy_ps for _, unit in rest)
        rows.append(row(f"busiest of {len(rest)} others", Unit(busiest, sum(unit.waited_for_ps for _, unit in rest))))
    heads = ("unit", "busy", "critical", "waited for")
    return Sheet(f"Units of step {step.number}, {chip.architecture}", heads, tuple(rows))


def path_sheet(chip: ChipTimeline, most: int = 6) -> Sheet:
    """Return the critical path of a chip's last step as a table, the longest parts first."""
    step = chip.steps[-1]
    found = list(shares(step).items())
    parts = found[:most]
    if rest := sum(length for _, length in found[most:]):
        parts.append((f"{len(found) - most} others", rest))
    return Sheet(
        f"Critical path of step {step.number}, {chip.architecture}",
        ("what", "time", "share"),
        tuple((name, show(length * 1e-12, "s", digits=4), f"{100 * length / step.length_ps:.1f} %")
              for name, length in parts),
    )  # fmt: skip


def words(chip: ChipTimeline) -> list[str]:
    """Return a line a step: its time, its energy, how long units waited."""
    return [
        f"{chip.architecture}, step {step.number}: {show(step.length_ps * 1e-12, 's')}, "
        f"{show(step.energy_J, 'J', digits=4)} plus {show(chip.leakage_W * step.length_ps * 1e-12, 'J', digits=3)} of "
        f"leakage; waited {show(sum(bar.length_ps for bar in step.bars if bar.waits_for) * 1e-12, 's', digits=3)}"
        for step in chip.steps
    ]
