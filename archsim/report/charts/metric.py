"""A run's metric over training samples and over joules, all chips."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from archsim.base.metrics import Metric
from archsim.records.recorded import CoursePoint, Recorded
from archsim.records.seeds import spread
from archsim.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS = (0.1, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)
Over = Callable[[CoursePoint], float]
"""What a panel draws the metric over."""
SMALLEST = 1e-4
"""Errors below this one are drawn as this one: a log axis has no zero."""


def draw(run: Recorded) -> Figure:
    """Return two panels with a common axis: of a share a log axis of what is missing to 1, labelled as the share.

    Points are tests; the faint line is the metric on the latest training samples. Points before the first sample have
    no place on a log axis and are left out.
    """
    metric, samples = run.metric, run.sample.plural
    entries = 2 + len(run.architectures) + len(_published(run))
    figure = style.figure(8.6, 3.6 + 0.09 * entries, column=4.4 + 0.2 * entries)
    left, right = figure.subplots(2, 1) if style.narrow() else figure.subplots(1, 2, sharey=True)
    for k, chip in enumerate(run.architectures):
        final = run.summary["architectures"][chip]["test"]
        label = f"{chip}, not evaluated"
        if math.isfinite(final):
            label = (
                f"{chip}, at the end {metric.number(final).removesuffix(metric.unit)}{_spread(run, chip)}{metric.unit}"
            )
        for axes, over in ((left, lambda point: point.samples), (right, lambda point: point.energy_J[run.technology])):
            _course(axes, run, chip, over, k, label)
    _axis(left, run)
    _axis(right, run)
    left.set_xlabel(f"training {samples} (log axis)")
    left.set_ylabel(f"test {metric.name}\n({_axis_of(metric)})")
    right.set_xlabel("energy spent on training steps (log axis)")
    style.unit_ticks(left, "", axis="x")
    style.unit_ticks(right, "J", axis="x")
    if style.narrow():
        right.set_ylabel(left.get_ylabel())
    latest = [point.running for chip in run.chips.values() for point in chip.course]
    low, high = sorted(left.get_ylim())
    drawn = [_place(metric, found) for found in latest if found is not None]
    leaves = any(place < low or (place > high and not metric.share) for place in drawn)
    cut = " (cut where it leaves the plot)" if leaves else ""
    if run.seeds:
        left.fill_between([], [], color=style.FAINT, alpha=0.3, label=f"mean and range of {len(run.seeds)} seeds")
    left.plot([], [], color=style.FAINT, linewidth=0.8, label=f"faint: on the latest training {samples}{cut}")
    style.legend(figure, style.key_of(left), 1 if style.narrow() else 3)
    origin = run.summary["dataset_origin"].split(", IDX")[0].split(";")[0]
    style.title(figure, f"Test {metric.name}, {origin}, {run.technology}")
    return figure


def _course(axes: Axes, run: Recorded, chip: str, over: Over, position: int, label: str) -> None:
    colour = style.chip_colour(chip, position)
    running, tested = (_points(run, chip, name, over) for name in ("running", "test"))
    axes.plot(*running, color=colour, linewidth=0.8, alpha=0.4)
    if run.seeds:
        _band(axes, run, chip, over, colour)
    axes.plot(*tested, style.marker(position) + "-", color=colour, markersize=3.5, label=label)


def _spread(run: Recorded, chip: str) -> str:
    """Return the standard deviation over seeds of the last test, as it stands behind the mean."""
    if not run.seeds:
        return ""
    _, s = spread([each.summary["architectures"][chip]["test"] for each in run.seeds])
    return "" if s is None else f" ± {run.metric.number(s).removesuffix(run.metric.unit)}"


def _band(axes: Axes, run: Recorded, chip: str, over: Over, colour: str) -> None:
    """Draw between the least and the largest test of all seeds at each point."""
    courses = [each.chips[chip].course for each in run.seeds]
    places, low, high = [], [], []
    for mean, *points in zip(run.chips[chip].course, *courses, strict=False):
        tests = [_place(run.metric, p.test) for p in points if p.test is not None]
        if tests and over(mean) > 0:
            places.append(over(mean))
            low.append(min(tests))
            high.append(max(tests))
    if places:
        axes.fill_between(places, low, high, color=colour, alpha=0.2, linewidth=0)


def _points(run: Recorded, chip: str, column: str, over: Over) -> tuple[list[float], list[float]]:
    """Return what the running or the test metric was known at, the start left out, and its places on the axis."""
    known = [(over(point), getattr(point, column)) for point in run.chips[chip].course]
    pairs = [(place, _place(run.metric, found)) for place, found in known if place > 0 and found is not None]
    return [place for place, _ in pairs], [place for _, place in pairs]


def _axis(axes: Axes, run: Recorded) -> None:
    axes.set_xscale("log")
    tested = [point.test for chip in run.chips.values() for point in chip.course if run.metric.share or point.samples]
    places = [_place(run.metric, found) for found in tested if found is not None]
    if run.metric.share:
        _shares(axes, places)
    else:
        low, high = (min(places), max(places)) if places else (0.0, 1.0)
        room = 0.08 * (high - low) or 0.08 * high or 1.0
        axes.set_ylim(max(low - room, 0.0), high + room)
    if not axes.lines or not any(len(line.get_xdata()) for line in axes.lines):  # type: ignore[arg-type]
        axes.set_xlim(1, 10)
        axes.text(0.5, 0.5, "no point after the first sample", transform=axes.transAxes, ha="center", va="center")
    for value, chips in _published(run).items():
        colour = style.chip_colour(chips[0], run.architectures.index(chips[0]))
        label = f"paper (MNIST), {', '.join(chips)} {100 * value:.2f} %"
        axes.axhline(1 - value, color=colour, linewidth=0.9, linestyle="--", label=label)


def _shares(axes: Axes, errors: list[float]) -> None:
    """Lay out the log axis of what is missing to 1, the best above."""
    axes.set_yscale("log")
    low = max(min([*errors, 0.02]), SMALLEST)
    high = max([*errors, 0.5])
    axes.set_ylim(min(high * 1.15, 1.0), low / 1.5)
    ticks = [tick for tick in TICKS if low / 1.5 <= 1 - tick <= high * 1.15]
    axes.set_yticks([1 - tick for tick in ticks], [f"{100 * tick:g} %" for tick in ticks])
    axes.minorticks_off()


def _place(metric: Metric, value: float) -> float:
    """Return where a value stands on the axis: of a share what is missing to 1, of all else the value."""
    return max(1 - value, SMALLEST) if metric.share else value


def _axis_of(metric: Metric) -> str:
    if metric.share:
        return "log axis of the error"
    return "higher is better" if metric.higher_is_better else "lower is better"


def _published(run: Recorded) -> dict[float, list[str]]:
    """Return each published accuracy with the chips to which it belongs."""
    found: dict[float, list[str]] = {}
    for chip in run.architectures:
        kind = run.summary["architectures"][chip].get("chip", chip)
        if value := (run.summary["published"] or {}).get("test_accuracy", {}).get(kind):
            found.setdefault(value, []).append(chip)
    return found
