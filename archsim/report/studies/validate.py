"""The table and the scatter plot of `archsim validate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import files
from archsim.report import style
from archsim.report.tables import Sheet, markdown_sheet
from archsim.studies.validate import Result, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = {"energy": "o", "latency": "s", "throughput": "D", "efficiency": "^", "density": "v", "area": "P",
            "power": "X", "ratio": "*", "accuracy": "h", "energy_per_mac": "<"}  # fmt: skip
_BASES = dict(zip(("prediction", "calibration", "sum of parts"), style.SERIES, strict=True))
_LINES: dict[float, Any] = {1.1: ":", 2.0: "--"}
"""Factors between simulated and published that have a line."""


def sheet(results: Sequence[Result]) -> Sheet:
    """Return one row a check."""
    heads = ("case", "quantity", "of", "published", "simulated", "error", "band", "basis", "evidence", "source")
    rows = tuple(
        (
            r.case, r.quantity, r.what, r.text, r.shown, f"{100 * r.error:+.1f} %", f"x{r.band:g}" if r.ok else "LEFT",
            r.basis, r.evidence, ", ".join(filter(None, (r.source, r.where))),
        )
        for r in results
    )  # fmt: skip
    return Sheet("Checks against published figures", heads, rows)


def causes(results: Sequence[Result]) -> Sheet:
    """Return the checks that are off by more than a factor of two, the worst first, with the likely cause."""
    far = sorted((r for r in results if r.factor > 2), key=lambda r: -r.factor)
    rows = tuple((r.case, r.quantity, r.what, f"x{r.factor:.2f}", r.cause or "not known") for r in far)
    return Sheet("Off by more than a factor of two", ("case", "quantity", "of", "factor", "likely cause"), rows)


def words(found: Verdict) -> str:
    """Return the verdict as prose."""
    if not found.predictions:
        return "No predictions among these checks."
    bands = (
        f"Outside their bands: {', '.join(found.outside_band)}." if found.outside_band else "All within their bands."
    )
    return (
        f"{found.predictions} predictions: median factor {found.median:.3f}, worst {found.worst:.2f} "
        f"({found.worst_name}); {found.within_ten_percent} within 10 %, {found.within_two} within a factor of two. "
        f"{bands}"
    )


def write(results: Sequence[Result], found: Verdict, folder: Path) -> list[Path]:
    """Write validate.md, validate.csv and the scatter plot (PNG, SVG, PDF) into a folder; return the files."""
    import pandas as pd

    parts = ["# archsim validate", words(found), markdown_sheet(sheet(results))]
    if (far := causes(results)).rows:
        parts.append(markdown_sheet(far))
    text, table = folder / "validate.md", folder / "validate.csv"
    files.write_text(text, "\n\n".join(parts) + "\n")
    with files.replacing(table) as aside:
        rows = [{**asdict(r), "error": r.error, "factor": r.factor, "ok": r.ok} for r in results]
        pd.DataFrame(rows).to_csv(aside, index=False)
    with style.applied():
        return [text, table, *style.save(scatter(results), folder, "validate")]


def scatter(results: Sequence[Result]) -> Figure:
    """Return simulated over published, both axes logarithmic, a panel a dimension, with lines at x1.1 and x2."""
    import numpy as np

    groups = {
        "energy [J]": ["energy", "energy_per_mac"], "time [s]": ["latency"],
        "rate [op/s, op/J, op/s/m$^2$]": ["throughput", "efficiency", "density"],
        "area [m$^2$], power [W], ratio, accuracy": ["area", "power", "ratio", "accuracy"],
    }  # fmt: skip
    chosen = {title: [r for r in results if r.quantity in kinds] for title, kinds in groups.items()}
    chosen = {title: found for title, found in chosen.items() if found}
    columns = min(len(chosen), 2) or 1
    lines = -(-len(chosen) // columns) or 1
    figure = style.figure(4.6 * columns, 4.0 * lines + 3.4)
    grid = figure.add_gridspec(lines + 1, columns, height_ratios=[4.0] * lines + [2.6])
    panels = [figure.add_subplot(grid[divmod(k, columns)]) for k in range(len(chosen))]
    for axes, (title, found) in zip(panels, chosen.items(), strict=False):
        values = [value for r in found for value in (r.published, r.simulated)]
        span = np.array([min(values) / 3, max(values) * 3])
        axes.plot(span, span, color="black", linewidth=0.8)
        for factor, line in _LINES.items():
            for each in (factor, 1 / factor):
                axes.plot(span, span * each, color=style.FAINT, linewidth=0.8, linestyle=line)
        for r in found:
            axes.plot(r.published, r.simulated, _MARKERS[r.quantity], color=_BASES[r.basis], markersize=5, alpha=0.85)
        for r in sorted(found, key=lambda r: -r.factor)[:3]:
            if r.factor > 1.3:
                right = r.published < float(np.sqrt(span[0] * span[1]))
                axes.annotate(
                    r.case, (r.published, r.simulated), xytext=(6 if right else -6, 0), textcoords="offset points",
                    fontsize=6.5, va="center", ha="left" if right else "right",
                    bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.4},
                )  # fmt: skip
        axes.set(xscale="log", yscale="log", xlim=span, ylim=span, aspect="equal", xlabel="published (log axis)",
                 ylabel="simulated (log axis)")  # fmt: skip
        axes.set_title(title)
    _factors(figure.add_subplot(grid[-1, :]), results)
    _legend(figure, results)
    figure.suptitle("archsim against published figures")
    return figure


def _factors(axes: Axes, results: Sequence[Result]) -> None:
    """Draw simulated over published, case by case: there lines at x1.1 can be told from each other."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    cases = list(dict.fromkeys(r.case for r in results))
    axes.set_yscale("log")
    for factor, line in _LINES.items():
        for each in (factor, 1 / factor):
            axes.axhline(each, color=style.FAINT, linewidth=0.8, linestyle=line)
    axes.axhline(1, color="black", linewidth=0.8)
    for place, case in enumerate(cases):
        found = [r for r in results if r.case == case]
        for k, r in enumerate(found):
            across = place + 0.7 * ((k + 0.5) / len(found) - 0.5)
            axes.plot(
                across, r.simulated / r.published, _MARKERS[r.quantity], color=_BASES[r.basis], markersize=5, alpha=0.85
            )
    far = max(2.2, 1.15 * max((r.factor for r in results), default=1.0))
    axes.set_ylim(1 / far, far)
    ticks = [each for each in (0.1, 0.2, 0.5, 1 / 1.1, 1.1, 2, 5, 10) if 1 / far < each < far]
    axes.set_yticks(ticks)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(range(len(cases)), cases, rotation=25, ha="right", fontsize=8)
    axes.set_xlim(-0.6, len(cases) - 0.4)
    axes.set_ylabel("simulated / published\n(log axis)")
    axes.grid(axis="x", visible=False)


def _legend(figure: Figure, results: Sequence[Result]) -> None:
    from matplotlib.lines import Line2D

    kinds = dict.fromkeys(r.quantity for r in results)
    bases = dict.fromkeys(r.basis for r in results)
    handles = [
        Line2D([], [], marker=_MARKERS[k], linestyle="", color=style.REFERENCE, label=k.replace("_", " "))
        for k in kinds
    ]
    handles += [Line2D([], [], marker="o", linestyle="", color=_BASES[b], label=b) for b in bases]
    handles += [Line2D([], [], color=style.FAINT, linestyle=line, label=f"x{f:g}") for f, line in _LINES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
