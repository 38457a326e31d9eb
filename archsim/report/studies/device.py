"""Figures of one device model, from what sampling it gave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.base import files
from archsim.report import drawing, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.studies.device import Course, DeviceStudy

    Measured = Sequence[tuple[int, float]]

MODEL, OTHER = style.SERIES[:2]
MARK = "black"
REACH = 20
"""Pulses from RESET to which the model is drawn, and measured points with it."""


def make(study: DeviceStudy, folder: Path, measured: Measured | None = None) -> list[Path]:
    """Write the figures of a device as PNG and SVG; return the files. Files of the same names are replaced.

    Raises
    ------
    InputError
        If `folder` is a file.
    """
    files.check_folder(folder)
    with style.applied():
        figures = draw(study, measured)
        return [path for name, figure in figures.items() for path in drawing.save(figure, folder, name, ("png", "svg"))]


def draw(study: DeviceStudy, measured: Measured | None = None) -> dict[str, Figure]:
    """Return the figures by name; those of effects that the device lacks are left out.

    Parameters
    ----------
    study : DeviceStudy
    measured : sequence of (int, float [S]), optional
        SET pulses since RESET, and the conductance that was measured then: drawn over the model.
    """
    figures = {"pulses": _pulses(study, measured or ()), "distribution": _distribution(study)}
    if study.drift:
        figures["drift"] = _drift(study)
    if study.noise:
        figures["read-noise"] = _noise(study)
    if study.staircase:
        figures["staircase"] = _staircase(study)
    return figures


def _scale(study: DeviceStudy) -> tuple[float, str]:
    return style.scaled([study.high], "S")


def _pulses(study: DeviceStudy, measured: Measured) -> Figure:
    """Mean and standard deviation after SET pulses, with points of the published model, or those that were measured."""
    from matplotlib.ticker import MaxNLocator

    figure = style.figure(8.6, 3.9)
    left, right = figure.subplots(1, 2)
    divisor, unit = _scale(study)
    bound = f"bound {study.high / divisor:.4g} {unit}"
    for axes, which in ((left, "mean"), (right, "std")):
        _line(axes, study.course, which, divisor, label=f"model, {bound}", kind="o-", colour=MODEL)
        if study.published and study.at_published:
            high = f"bound {study.published.high / divisor:.4g} {unit}"
            _line(axes, study.at_published, which, divisor, label=f"model, {high}", kind="s--", colour=OTHER)
            points = study.published
            axes.plot(
                points.pulses, getattr(points, which) / divisor, "x", color=MARK, markersize=7, markeredgewidth=1.5,
                zorder=4, label=f"published model, sampled elsewhere, {high}",
            )  # fmt: skip
        axes.set_xlabel("SET pulses from RESET")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if measured:
        _measured(left, right, measured, divisor)
    right.set_ylim(bottom=0)
    left.set_ylabel(f"mean conductance [{unit}]")
    right.set_ylabel(f"standard deviation of the conductance [{unit}]")
    style.legend(figure, style.key_of(left) | style.key_of(right), 3)
    style.title(figure, f"{study.name}: conductance after pulses, {study.devices:,} devices, no read noise")
    return figure


def _measured(left: Axes, right: Axes, measured: Measured, divisor: float) -> None:
    """Draw each measured point, and where a pulse number has several, their mean and standard deviation."""
    points = np.array(sorted(measured), dtype=float)
    numbers = np.unique(points[:, 0])
    groups = [points[points[:, 0] == number, 1] / divisor for number in numbers]
    left.plot(
        points[:, 0], points[:, 1] / divisor, ".", color=style.FAINT, markersize=3, zorder=1.5,
        label=f"measured, {len(points):,} points",
    )  # fmt: skip
    several = [k for k, group in enumerate(groups) if len(group) > 1]
    look: Any = {"color": MARK, "markersize": 5, "linestyle": "none", "zorder": 4}
    if several:
        left.plot(numbers[several], [groups[k].mean() for k in several], "x", label="mean of those measured", **look)
        right.plot(
            numbers[several], [groups[k].std(ddof=1) for k in several], "+", label="their standard deviation",
            **look,
        )  # fmt: skip


def _line(axes: Axes, course: Course, which: str, divisor: float, *, label: str, kind: str, colour: str) -> None:
    axes.plot(
        course.pulses, getattr(course, which) / divisor, kind, color=colour, markersize=3.5, linewidth=1, label=label
    )


def _distribution(study: DeviceStudy) -> Figure:
    """Histograms after some numbers of pulses; devices that stand at a bound are one bin there."""
    figure = style.figure(7.4, 4.2)
    axes = figure.subplots()
    divisor, unit = _scale(study)
    top = max(float(g.max()) for g in study.samples.values())
    edges = np.linspace(study.low, min(study.high, top) * (1 + 1e-6), 101)
    for (n, g), colour in zip(study.samples.items(), style.ORDERED, strict=False):
        heights, _ = np.histogram(np.maximum(g, study.low), edges)
        share = heights / g.size / (np.diff(edges) / divisor)
        axes.stairs(share, edges / divisor, color=colour, linewidth=1.4, label=f"{n}", baseline=None)
    axes.set_xlabel(f"conductance [{unit}]")
    axes.set_ylabel(f"probability density [1/{unit}] (log axis)")
    axes.set_yscale("log")
    least = 1.0 / study.devices / ((edges[1] - edges[0]) / divisor)
    axes.set_ylim(bottom=least / 2)
    style.legend(figure, style.key_of(axes), heading="SET pulses from RESET")
    style.title(
        figure,
        f"{study.name}: distribution after pulses, {study.devices:,} devices; bounds {study.low / divisor:.4g} and "
        f"{study.high / divisor:.4g} {unit}, where clipped devices pile up",
    )
    return figure


def _drift(study: DeviceStudy) -> Figure:
    """Mean read over time, both axes logarithmic, with the line fitted to it."""
    drift = study.drift
    assert drift is not None  # noqa: S101  only drawn where there is drift
    figure = style.figure(6.6, 4.0)
    axes = figure.subplots()
    divisor, unit = _scale(study)
    axes.loglog(drift.times_s, drift.mean / divisor, "o", color=MODEL, label=f"mean read of {drift.devices:,} devices")
    middle = np.exp(np.log(drift.mean).mean() + drift.fitted * np.log(drift.times_s).mean())
    fitted = f"fitted exponent {drift.fitted:.5f} +- {drift.error:.5f}"
    axes.loglog(
        drift.times_s, middle * drift.times_s**-drift.fitted / divisor, "-", color=OTHER, linewidth=1.2, label=fitted
    )
    axes.set_xlabel("time since programming [s] (log axis)")
    axes.set_ylabel(f"mean read conductance [{unit}] (log axis)")
    _plain_ticks(axes, drift.mean / divisor)
    axes.legend(framealpha=1, edgecolor="none")
    style.title(figure, f"{study.name}: drift after 10 SET pulses; the file's exponent is {drift.exponent:g}")
    return figure


def _plain_ticks(axes: Axes, values: Any) -> None:
    """Write a few plain numbers on a log axis that spans less than a decade."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    axes.set_ylim(float(values.min()) / 1.05, float(values.max()) * 1.05)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _noise(study: DeviceStudy) -> Figure:
    """Spread of reads over conductance, with two standard errors, and the law."""
    noise = study.noise
    assert noise is not None  # noqa: S101  only drawn where there is noise
    figure = style.figure(6.6, 4.0)
    axes = figure.subplots()
    divisor, unit = _scale(study)
    small, noise_unit = style.scaled(noise.law.tolist(), "S")
    error = 2 * noise.sampled / np.sqrt(2 * noise.reads)
    law = noise.law / small
    axes.plot(noise.levels / divisor, law, "-", color=OTHER, linewidth=1.2, label="law of the device file")
    axes.errorbar(
        noise.levels / divisor, noise.sampled / small, error / small, fmt="o", color=MODEL, markersize=4, capsize=2,
        label=f"{noise.reads:,} reads a level, two standard errors",
    )  # fmt: skip
    axes.set_xlabel(f"conductance [{unit}]")
    axes.set_ylabel(f"standard deviation of a read [{noise_unit}]")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    style.title(figure, f"{study.name}: read noise")
    return figure


def _staircase(study: DeviceStudy) -> Figure:
    """Conductance over up pulses and as many down."""
    stairs = study.staircase
    assert stairs is not None  # noqa: S101  only drawn where there is one
    figure = style.figure(7.4, 4.2)
    axes = figure.subplots()
    divisor, unit = _scale(study)
    mean, std = stairs.mean / divisor, stairs.std / divisor
    axes.fill_between(
        stairs.pulses, mean - std, mean + std, color=MODEL, alpha=0.2, linewidth=0, label="one standard deviation"
    )
    for k, course in enumerate(stairs.examples):
        axes.plot(
            stairs.pulses, course / divisor, color=style.FAINT, linewidth=0.7, label="single devices" if not k else None
        )
    axes.plot(stairs.pulses, mean, color=MODEL, linewidth=1.8, label="mean of 1,000 devices")
    axes.axvline(stairs.turn, color=MARK, linewidth=0.9, linestyle=":")
    axes.annotate(
        "up", (stairs.turn, 1.0), xycoords=("data", "axes fraction"), xytext=(-6, -2), textcoords="offset points",
        ha="right", va="top",
    )  # fmt: skip
    axes.annotate(
        "down", (stairs.turn, 1.0), xycoords=("data", "axes fraction"), xytext=(6, -2), textcoords="offset points",
        ha="left", va="top",
    )  # fmt: skip
    axes.set_xlabel("pulses from RESET")
    axes.set_ylabel(f"conductance [{unit}]")
    axes.set_ylim(0, study.high / divisor * 1.12)
    style.unit_ticks(axes, "", axis="x")
    style.legend(figure, style.key_of(axes), 3)
    style.title(figure, f"{study.name}: up and down pulses")
    return figure
