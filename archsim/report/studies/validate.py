"""The table and the scatter plot of `archsim validate`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import files
from archsim.report import drawing, style
from archsim.report.sheet import Sheet, markdown_sheet
from archsim.studies.validation.validate import Result
from archsim.studies.validation.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = {"energy": "o", "latency": "s", "throughput": "D", "efficiency": "^", "density": "v", "area": "P",
            "power": "X", "ratio": "*", "accuracy": "h", "energy_per_mac": "<",
            "tiles": "p", "weights": "d", "macs": ">", "operations": "<", "traffic": "H", "memory": "8"}  # fmt: skip
_KINDS = {
    "prediction": ("prediction", style.SERIES[0]), "arithmetic": ("arithmetic, sum", style.SERIES[2]),
    "sum": ("arithmetic, sum", style.SERIES[2]), "restated": ("restated, calibration", style.SERIES[1]),
    "calibration": ("restated, calibration", style.SERIES[1]),
}  # fmt: skip
"""Class of a check -> its entry in the legend and its colour."""
_PANELS: dict[str, tuple[tuple[str, ...], str, float]] = {
    "energy": (("energy", "energy_per_mac"), "J", 1), "time": (("latency",), "s", 1),
    "throughput": (("throughput",), "op/s", 1), "efficiency [Top/s/W]": (("efficiency",), "", 1e-12),
    "density [Top/s/mm²]": (("density",), "", 1e-18), "area [mm²]": (("area",), "", 1e6), "power": (("power",), "W", 1),
    "ratio, accuracy": (("ratio", "accuracy"), "", 1),
    "counts": (("tiles", "weights", "macs", "operations", "traffic", "memory"), "", 1),
}  # fmt: skip
"""Title of a panel -> the quantities in it, their unit if it takes a prefix, and how much of the title's is 1 in SI."""
_ACROSS, _TICKS = 3, 4
_NAMED, _APART = 1.3, 0.07
"""Checks off by more than this factor are named, unless a name stands nearer than this part of the axis."""
_LINES: dict[float, Any] = {1.1: ":", 2.0: "--"}
"""Factors between simulated and published that have a line."""


def sheet(results: Sequence[Result]) -> Sheet:
    """Return one row a check."""
    heads = ("case", "quantity", "of", "published", "simulated", "error", "band", "class", "figures", "evidence",
             "source")  # fmt: skip
    rows = tuple(
        (
            r.case, r.quantity, r.what, r.text, _shown(r), f"{100 * r.error:+.1f} %",
            f"x{r.band:g}" if r.ok else "MISS", r.kind, r.figures, r.evidence,
            ", ".join(filter(None, (r.source, r.where))),
        )
        for r in results
    )  # fmt: skip
    return Sheet("Checks against published figures", heads, rows)


def _shown(result: Result) -> str:
    return f"{result.shown} +-{100 * result.spread:.0f} %" if result.spread else result.shown


def groups(found: Verdict) -> Sheet:
    """Return the predictions by evidence and figures, those of measured silicon first."""
    heads = ("predictions of", "figures", "number", "median factor", "worst", "within 10 %", "within x2", "worst is")
    rows = tuple(
        (
            g.evidence, g.figures, str(g.predictions), f"{g.median:.3f}", f"{g.worst:.2f}", str(g.within_ten_percent),
            str(g.within_two), g.worst_name,
        )
        for g in found.groups
    )  # fmt: skip
    return Sheet("Predictions, each fact once", heads, rows)


def misses(results: Sequence[Result]) -> Sheet:
    """Return the checks outside their bands, the worst first, each with its cause."""
    far = sorted((r for r in results if not r.ok), key=lambda r: -r.factor)
    rows = tuple((r.case, r.quantity, r.what, r.kind, f"x{r.factor:.2f}", r.cause or "not known") for r in far)
    return Sheet("Misses: outside their bands", ("case", "quantity", "of", "class", "factor", "cause"), rows)


def words(found: Verdict) -> str:
    """Return the verdict as prose: how far off predictions are, what the other checks are, what stands wrong."""
    lines = [
        f"{g.predictions} prediction{'' if g.predictions == 1 else 's'} of {g.evidence} {g.figures}: median factor "
        f"{g.median:.3f}, worst {g.worst:.2f} ({g.worst_name}); {g.within_ten_percent} within 10 %, {g.within_two} "
        "within a factor of two."
        for g in found.groups
    ] or ["No predictions among these checks."]
    others = [f"{count} {kind}" for kind, count in sorted(found.classes.items()) if kind != "prediction"]
    if others:
        lines.append(f"Not counted, since they tell nothing new: {', '.join(others)}.")
    lines.append(f"{len(found.misses)} outside their bands." if found.misses else "All within their bands.")
    lines += [f"Moved: {line}" for line in found.moved] if found.moved and not found.problems else []
    lines += [f"WRONG: {line}" for line in found.problems]
    return "\n".join(lines)


def write(results: Sequence[Result], found: Verdict, folder: Path) -> list[Path]:
    """Write validate.md, validate.csv and the scatter plot (PNG, SVG, PDF) into a folder; return the files."""
    import pandas as pd

    parts = ["# archsim validate", *words(found).split("\n")]
    parts += [markdown_sheet(each) for each in (groups(found), misses(results), sheet(results)) if each.rows]
    text, table = folder / "validate.md", folder / "validate.csv"
    files.write_text(text, "\n\n".join(parts) + "\n")
    with files.replacing(table) as aside:
        rows = [{**asdict(r), "error": r.error, "factor": r.factor, "ok": r.ok} for r in results]
        pd.DataFrame(rows).to_csv(aside, index=False)
    with style.applied():
        return [text, table, *drawing.save(scatter(results), folder, "validate")]


def scatter(results: Sequence[Result]) -> Figure:
    """Return simulated over published, both axes logarithmic, a panel a quantity, with lines at x1.1 and x2."""
    chosen = {title: [r for r in results if r.quantity in kinds] for title, (kinds, *_) in _PANELS.items()}
    chosen = {title: found for title, found in chosen.items() if found}
    lines = -(-len(chosen) // _ACROSS)
    figure = style.figure(9.2, 3.0 * lines + 3.6)
    grid = figure.add_gridspec(lines + 1, _ACROSS, height_ratios=[3.0] * lines + [2.6])
    for k, (title, found) in enumerate(chosen.items()):
        _panel(figure.add_subplot(grid[divmod(k, _ACROSS)]), found, *_PANELS[title][1:])
        figure.axes[-1].set_title(title)
    _factors(figure.add_subplot(grid[-1, :]), results)
    _legend(figure, results)
    style.title(figure, "archsim against published figures")
    return figure


def _panel(axes: Axes, found: Sequence[Result], unit: str, scale: float) -> None:
    """Draw the checks of a quantity; those furthest off are named, once a case."""
    import numpy as np

    values = [value * scale for r in found for value in (r.published, r.simulated)]
    span = np.array([min(values) / 3, max(values) * 3])
    axes.plot(span, span, color="black", linewidth=0.8)
    for factor, line in _LINES.items():
        for each in (factor, 1 / factor):
            axes.plot(span, span * each, color=style.FAINT, linewidth=0.8, linestyle=line)
    for r in found:
        axes.plot(r.published * scale, r.simulated * scale, **_look(r))
    axes.set(xscale="log", yscale="log", xlim=span, ylim=span, aspect="equal", xlabel="published", ylabel="simulated")
    decades = float(np.log10(span[1] / span[0]))
    _ticks(axes, unit, (float(span[0]), float(span[1])))
    named: dict[str, float] = {}
    for r in sorted(found, key=lambda r: -r.factor):
        published, simulated = r.published * scale, r.simulated * scale
        height = float(np.log10(simulated)) / decades
        if r.factor <= _NAMED or r.case in named or any(abs(height - other) < _APART for other in named.values()):
            continue
        named[r.case] = height
        right = published < float(np.sqrt(span[0] * span[1]))
        axes.annotate(
            r.case, (published, simulated), xytext=(6 if right else -6, 0), textcoords="offset points",
            fontsize=6.5, va="center", ha="left" if right else "right",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.4},
        )  # fmt: skip


def _ticks(axes: Axes, unit: str, span: tuple[float, float]) -> None:
    """Mark both axes at the same four powers of ten or fewer, or, within two decades, at 1 and 3 times those."""
    from matplotlib.ticker import FixedLocator, NullLocator

    first, last = (math.floor(math.log10(end)) for end in span)
    factors = (1.0, 3.0) if span[1] < 100 * span[0] else (1.0,)
    every = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    inside = [tick for tick in every if span[0] <= tick <= span[1]]
    for axis, name in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        style.unit_ticks(axes, unit, axis=name)
        axis.set_major_locator(FixedLocator(inside[:: -(-len(inside) // _TICKS) or 1]))
        axis.set_minor_locator(NullLocator())
    axes.tick_params(labelsize=7)


def _look(r: Result) -> dict[str, Any]:
    """Return how a check is drawn: its mark tells the quantity, its colour and filling the class."""
    return {"marker": _MARKERS[r.quantity], "markersize": 5, "linestyle": "none", **_filled(r.kind)}


def _filled(kind: str) -> dict[str, Any]:
    colour = _KINDS[kind][1]
    return {"color": colour, "markerfacecolor": colour if kind == "prediction" else "white", "markeredgewidth": 1.2}


def _factors(axes: Axes, results: Sequence[Result]) -> None:
    """Draw simulated over published, check by check, the checks of a case side by side."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.set_yscale("log")
    for factor, line in _LINES.items():
        for each in (factor, 1 / factor):
            axes.axhline(each, color=style.FAINT, linewidth=0.8, linestyle=line)
    axes.axhline(1, color="black", linewidth=0.8)
    cases = list(dict.fromkeys(r.case for r in results))
    begin, least = 0.0, max(len(results) / (2.5 * len(cases)), 1.0)
    middles = []
    for case in cases:
        found = [r for r in results if r.case == case]
        width = max(len(found), least) + 1.0
        middles.append(begin + width / 2)
        for k, r in enumerate(found):
            axes.plot(middles[-1] + k - (len(found) - 1) / 2, r.simulated / r.published, **_look(r))
        begin += width
        axes.axvline(begin, color=style.BETWEEN, linewidth=0.8)
    far = max(2.2, 1.15 * max((r.factor for r in results), default=1.0))
    axes.set_ylim(1 / far, far)
    ticks = [each for each in (0.1, 0.2, 0.5, 1, 2, 5, 10) if 1 / far < each < far]
    axes.set_yticks(ticks)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.2g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(middles, cases, rotation=90 if len(cases) > _ACROSS else 0, fontsize=7.5)
    axes.set_xlim(0, begin)
    axes.set_ylabel("simulated / published\n(log axis)")
    axes.grid(axis="x", visible=False)


def _legend(figure: Figure, results: Sequence[Result]) -> None:
    from matplotlib.lines import Line2D

    look: Any = {"linestyle": "", "markersize": 5}
    key: dict[str, Artist] = {
        kind.replace("_", " "): Line2D([], [], marker=_MARKERS[kind], color=style.REFERENCE, **look)
        for kind in dict.fromkeys(r.quantity for r in results)
    }
    for kind in dict.fromkeys(r.kind for r in results):
        key[_KINDS[kind][0]] = Line2D([], [], marker="o", **look, **_filled(kind))
    for factor, line in _LINES.items():
        key[f"x{factor:g}"] = Line2D([], [], color=style.FAINT, linestyle=line)
    style.legend(figure, key, 6)
