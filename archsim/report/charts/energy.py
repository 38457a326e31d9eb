"""Energy of a training step by phase and component, all chips, and their totals on one scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from archsim.accounting.intervals import TOTAL
from archsim.base.signal import STEP_PHASES
from archsim.records.intervals import known
from archsim.records.recorded import Recorded
from archsim.report import labels, stacks, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


WIDTH = 8.6
_ROW = 0.46
"""Height of a chip among the totals [in]."""
_PANEL = 1.75
"""Height of a chip's phases [in]."""


def draw(run: Recorded) -> Figure:
    """Return a panel a chip, stacked by part on its own linear axis, above the totals on a common log axis."""
    chips = run.architectures
    across = 1 if style.narrow() else min(len(chips), 2)
    down, below = -(-len(chips) // across), _ROW * len(chips) + 0.8
    tall = _PANEL * down + below + 0.9
    figure = style.figure(WIDTH, tall, column=tall)
    grid = figure.add_gridspec(down + 1, across, height_ratios=[_PANEL] * down + [below])
    drawn = stacks.Drawn()
    names = _names(chips)
    beside = max(labels.width(name, style.note() + 0.5) for name in names) / 72 + 0.2  # of the totals [in]
    room = (figure.get_figwidth() - beside) / across - (0.75 if across > 1 else 0.1)
    for k, chip in enumerate(chips):
        _stack(figure.add_subplot(grid[divmod(k, across)]), run, chip, drawn, room)
    ranged = _totals(figure.add_subplot(grid[-1, :]), run, names, figure.get_figwidth() - beside)
    key = drawn.key
    if ranged:
        key[ranged] = style.range_handle()
    style.legend(figure, key)
    scale = ", each chip on its own scale" if len(chips) > 1 else ""
    style.title(
        figure,
        f"Energy per training step{style.of_batch(run.summary)}, {run.summary['workload']} on "
        f"{run.summary['dataset']}, {run.technology}{scale}",
    )
    return figure


def _stack(axes: Axes, run: Recorded, chip: str, drawn: stacks.Drawn, room: float) -> None:
    """Draw a chip's phases in a panel `room` [in] wide and add the parts drawn to `drawn`."""
    lines = run.contributions(chip)
    sums = [math.fsum(line.energy for line in lines if line.phase == phase) for phase in STEP_PHASES]
    divisor, unit = style.scaled(sums, "J")
    bars = [(k, [line for line in lines if line.phase == phase]) for k, phase in enumerate(STEP_PHASES)]
    ends = stacks.stack(axes, bars, stacks.large(lines), divisor, drawn, sideways=True)
    texts = [style.quantity(energy, "J", digits=3) for energy in sums]
    for place, (end, text) in enumerate(zip(ends, texts, strict=True)):
        axes.annotate(text, (end, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=style.note())
    words = (max(labels.width(text, style.note()) for text in texts) + 6) / (72 * room)
    axes.set_xlim(0, max(ends) / (1 - words) or 1)
    axes.set_yticks(range(len(STEP_PHASES)), STEP_PHASES, fontsize=style.note() + 0.5)
    axes.set_ylim(len(STEP_PHASES) - 0.5, -0.5)
    axes.set_xlabel(f"energy per step [{unit}]")
    axes.grid(axis="y", visible=False)
    style.heading(axes, f"{chip}: {style.quantity(run.total(chip), 'J')}", room=room)


def _names(chips: list[str]) -> list[str]:
    """Return the chips' names as they stand beside the totals."""
    return [labels.fold(chip, style.note() + 0.5, 72 * (0.9 if style.narrow() else 1.5)) for chip in chips]


def _totals(axes: Axes, run: Recorded, names: list[str], inches: float) -> str:
    """Draw the chips' totals on a log axis: a bar, below it the range its figures leave, the paper's value across it.

    Returns what the range is, or nothing if the run tells none.
    """
    chips = run.architectures
    totals = [run.summary["architectures"][chip]["energy_per_step_J"]["total"] for chip in chips]
    paper = _published(run)
    ends, told = _ranges(run)
    spans = [[total, *(end for end in ends[chip] if end > 0)] for chip, total in zip(chips, totals, strict=True)]
    spans = [[*span, *([paper[chip]] if chip in paper else [])] for chip, span in zip(chips, spans, strict=True)]
    low = min((value for span in spans for value in span if value > 0), default=1e-9) / 3
    high, ranged = low * 10, ""
    for place, (chip, total, span) in enumerate(zip(chips, totals, spans, strict=True)):
        axes.barh(place, total, 0.5, color=style.chip_colour(chip, place))
        if 0 < ends[chip][0] < ends[chip][1]:
            axes.plot(ends[chip], [place + 0.37] * 2, marker="|", markersize=5, **style.RANGE)
            ranged = told
        text = style.quantity(total, "J", digits=4)
        if chip in paper:
            axes.plot([paper[chip]] * 2, [place - 0.36, place + 0.3], **style.PAPER)
            text += f" (paper, red: {style.quantity(paper[chip], 'J')})"
        edge = max(*span, low)
        axes.annotate(text, (edge, place), xytext=(5, 0), textcoords="offset points", va="center",
                      fontsize=style.note())  # fmt: skip
        high = max(high, style.log_end(low, edge, (labels.width(text, style.note()) + 8) / (72 * inches)))
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    style.unit_ticks(axes, "J", axis="x")
    axes.set_yticks(range(len(chips)), names, fontsize=style.note() + 0.5)
    axes.set_ylim(len(chips) - 0.45, -0.55)
    axes.set_xlabel(f"energy per step{style.of_batch(run.summary)} (log axis)")
    axes.grid(axis="y", visible=False)
    ratio, paper_ratio = run.summary["ratio"]["energy"], (run.summary["published"] or {}).get("energy_ratio")
    pair = f"{run.summary['baseline']} / {next(iter(run.summary['ratios']), '')}"
    title = f"{pair}: {ratio:.1f}" + (f" (paper {paper_ratio:.0f})" if paper_ratio else "") if ratio else "total"
    axes.set_title("\n".join(labels.fold(title, 12.0, 72 * inches).splitlines()))
    return ranged


def _ranges(run: Recorded) -> tuple[dict[str, tuple[float, float]], str]:
    """Return chip -> the ends of the range of its total [J], and what range it is."""
    if drawn := known(run):
        totals = {chip: drawn.chips[chip].energy[TOTAL] for chip in run.architectures}
        return {chip: (each.low, each.high) for chip, each in totals.items()}, "90 % of joint draws of all figures"
    return {chip: run.ends(chip) for chip in run.architectures}, "range of all figures"


def _published(run: Recorded) -> dict[str, float]:
    """Return chip -> published energy of a step [J], which takes one sample where totals are published."""
    told = (run.summary["published"] or {}).get("energy_per_sample_J", {})
    kinds = {name: str(chip.get("chip", name)) for name, chip in run.summary["architectures"].items()}
    return {name: told[kind] for name, kind in kinds.items() if kind in told}
