"""What `archsim ablate` shows: the metric without each non-ideality, and converter bits against it and energy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from archsim.base import files
from archsim.base.metrics import Metric, metric_of, sample_of
from archsim.base.units import show
from archsim.report import drawing, style
from archsim.report.latex import latex_sheet
from archsim.report.sheet import NONE, Sheet, markdown_sheet, terminal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.table import Table

SUFFIXES = ("png", "svg")
GROUPS = ("nonidealities", "converters")
SERIES = {
    "both": ("DAC and ADC", style.SERIES[0], "o"),
    "DAC": ("DAC alone", style.PARTS["DAC and cells"], "s"),
    "ADC": ("ADC alone", style.PARTS["ADC"], "D"),
}
"""Which converters change -> label, colour, marker."""
_PLACES = {"both": 0.0, "DAC": -0.12, "ADC": 0.12}
_READ = ("forward", "backward")


def write(content: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write tables (Markdown, LaTeX, CSV) and charts (PNG, SVG) of an ablation into a folder and return the files."""
    written = []
    drawings = {"nonidealities": draw_differences, "converters": draw_bits}
    with style.applied():
        for group, draw in drawings.items():
            if group not in content:
                for name in (f"{group}.csv", *(f"{group}.{suffix}" for suffix in SUFFIXES)):  # of an earlier call
                    (folder / name).unlink(missing_ok=True)
                continue
            written += drawing.save(draw(content), folder, group, SUFFIXES)
            written.append(folder / f"{group}.csv")
            _csv(content[group]["points"], written[-1])
    tex = "% Needs \\usepackage{booktabs}. Made by archsim ablate.\n"
    tex += "\n".join(latex_sheet(sheet) for sheet in sheets(content).values())
    for name, text in (("ablate.md", _markdown(content)), ("ablate.tex", tex)):
        written.append(folder / name)
        files.write_text(written[-1], text)
    return written


def _csv(points: Sequence[Mapping[str, Any]], file: Path) -> None:
    import pandas as pd

    rows = []
    for point in points:
        row = {key: value for key, value in point.items() if key not in {"settings", "tests"}}
        row["settings"] = ";".join(point["settings"])
        row |= {f"test_seed_{k}": value for k, value in enumerate(point["tests"], start=1)}
        rows.append(row)
    with files.replacing(file) as aside:
        pd.DataFrame(rows).to_csv(aside, index=False)


# --- tables -----------------------------------------------------------------------------------------------------------
def sheets(content: Mapping[str, Any]) -> dict[str, Sheet]:
    """Return the tables by group."""
    metric = metric_of(content)
    named = f"{metric.name[0].upper()}{metric.name[1:]}"
    titles = {"nonidealities": f"{named} with one non-ideality off", "converters": f"{named} and energy over the bits"}
    made = {}
    for group in GROUPS:
        if group not in content:
            continue
        seeds = content[group]["interval"]["seeds"]
        title = f"{titles[group]}, {content['architecture']}, {content['workload']} on {content['dataset']}, "
        title += f"{_length(content)}, {seeds} seed{'s' if seeds > 1 else ''}, {content['technology']}"
        title += "; energy, time and pulses per step, and against all on (x)"
        difference = "difference, points" if metric.share else "difference"
        heads = ("point", f"test {metric.name}", "of the seeds", difference,
                 "energy", "x", "time", "x", "pulses", "x")  # fmt: skip
        made[group] = Sheet(title, heads, tuple(_line(point, metric) for point in content[group]["points"]))
    return made


def _length(content: Mapping[str, Any]) -> str:
    return f"{content['steps']:,} steps" if content["steps"] else f"{content['epochs']} epochs"


def _line(point: Mapping[str, Any], metric: Metric) -> tuple[str, ...]:
    low, high = (metric.number(end(point["tests"])).removesuffix(metric.unit) for end in (min, max))
    half = metric.difference(point["half_width"]).removeprefix("+") if point["half_width"] else ""
    difference = metric.difference(point["difference"])
    if half:
        difference += f" +- {half}{'' if _unsure(point) else ' *'}"
    ratio = point["pulses_ratio"]
    return (
        point["name"], metric.number(point["test"]),
        f"{low} to {high}" if len(point["tests"]) > 1 else NONE,
        difference if half or point["difference"] else NONE,
        show(point["total_energy_J"], "J"), f"{point['energy_ratio']:.3f}",
        show(point["total_latency_s"], "s"), f"{point['latency_ratio']:.3f}",
        f"{point['pulses_per_step']:.3g}", NONE if ratio is None else f"{ratio:.2f}",
    )  # fmt: skip


def _unsure(point: Mapping[str, Any]) -> bool:
    """Whether the interval of a difference holds zero."""
    return bool(abs(point["difference"]) <= point["half_width"])


def words(content: Mapping[str, Any]) -> list[str]:
    """Return what the intervals are, what they leave out, and how bits move energy and time."""
    marks = content["tested_after"]
    tests = f", the mean of {len(marks)} tests from step {marks[0]:,} to {marks[-1]:,}" if len(marks) > 1 else ""
    judged = f"{metric_of(content).name}{tests}"
    data = (
        f"Data: {content['dataset_origin']}; {content['answers_tested']:,} {_parts(content)} to test on. "
        f"{_length(content)} at a learning rate of {content['learning_rate']:g}; {judged}. What a "
        "non-ideality costs after these steps is not what it costs after a whole training."
    )
    said = [
        data,
        *_chosen(content),
        *(_statement(group, content[group]["interval"], content) for group in GROUPS if group in content),
    ]
    if far := _far(content):
        said.append(far)
    if "converters" in content:
        said.append(_laws(content))
    return said


def _parts(content: Mapping[str, Any]) -> str:
    """Return what a test is the mean of: images, characters."""
    sample = sample_of(content)
    return f"{sample.part or sample.name}s"


def _chosen(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was set for all trainings, and which non-idealities there are none of."""
    if settings := content.get("settings"):
        yield f"In every training: {', '.join(f'{key}={value}' for key, value in settings.items())}."
    if absent := content.get("not_in_device"):
        yield f"Not in this device: {', '.join(name.replace('_', ' ') for name in absent)}."


def _far(content: Mapping[str, Any]) -> str:
    """Return which trainings lie far below the others, or nothing."""
    points = {point["name"]: point for group in GROUPS if group in content for point in content[group]["points"]}
    middle = median(value for point in points.values() for value in point["tests"])
    metric = metric_of(content)
    found = [
        f"{name} seed {seed} ({metric.number(value)})"
        for name, point in points.items()
        for seed, value in enumerate(point["tests"], start=1)
        if metric.worse_by(value, middle) > metric.clear
    ]
    if not found:
        return ""
    return (
        f"Worse by more than {metric.factor * metric.clear:g}{' points' if metric.share else ''} than the median of "
        f"all trainings: {', '.join(found)}. Early in a training the output of a class may still be pushed down, so "
        "that it is hardly ever found. One such training moves a mean and widens every interval of its table."
    )


def _statement(group: str, method: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    metric, samples = metric_of(content), sample_of(content).plural
    name = {"nonidealities": "Non-idealities", "converters": "Converters"}[group]
    sure = f"{100 * method['confidence']:.0f} % for all {method['differences']} differences at once (Bonferroni)"
    if method["method"] == "none":
        return f"{name}: one seed gives no interval of {metric.name}; --seeds 3 gives some."
    if method["method"] == "two proportions":
        return (
            f"{name}: intervals of two proportions, {sure}. One seed: that another training would end elsewhere is "
            "left out, so they are too narrow; --seeds 3 gives better ones."
        )
    return (
        f"{name}: intervals from {method['seeds']} seeds as blocks (same start and order of {samples} in each), "
        f"{sure}: Student's t with {method['degrees_of_freedom']} degrees of freedom on a residual standard deviation "
        f"of {metric.size(method['residual'])}, taken to be the same for every point. * marks a difference whose "
        f"interval leaves out zero. The test {samples} are the same for all; that others might be is not in it."
    )


def _laws(content: Mapping[str, Any]) -> str:
    laws, bits = content["laws"], content["bits"]
    return (
        f"Bits of the architecture: DAC {bits['dac']}, ADC {bits['adc']}. Energy of a conversion in "
        f"{content['technology']}: law {laws['dac'] or 'none'} for the DAC, {laws['adc'] or 'none'} for the ADC. The "
        "DAC's longest pulse has 2^(bits - 1) - 1 periods, so the time of a read, and the energy that cells conduct in "
        "it, double a bit; an ADC's conversion takes the same time whatever its bits. The bus carries what bits there "
        "are."
    )  # fmt: skip


def text(content: Mapping[str, Any]) -> list[Table | str]:
    """Return tables for the terminal, and sentences below them."""
    return [*(terminal(sheet) for sheet in sheets(content).values()), *(f"  {line}" for line in words(content))]


def _markdown(content: Mapping[str, Any]) -> str:
    parts = [f"# Ablation: {content['workload']}, {content['architecture']}"]
    for group, sheet in sheets(content).items():
        parts += [f"![{sheet.title}]({group}.png)", markdown_sheet(sheet)]
    return "\n\n".join([*parts, *words(content)]) + "\n"


# --- charts -----------------------------------------------------------------------------------------------------------
def draw_differences(content: Mapping[str, Any]) -> Figure:
    """Return a dot a non-ideality: change of the metric when it is off, with its interval; small dots are the seeds."""
    points, metric = content["nonidealities"]["points"], metric_of(content)
    reference, off = points[0], points[-1]
    rows = [*sorted(points[1:-1], key=lambda point: -point["difference"]), off]
    figure = style.figure(7.4, 0.32 * len(rows) + 1.9)
    axes = figure.subplots()
    places = [-k - (0.5 if point is off else 0) for k, point in enumerate(rows)]
    for place, point in zip(places, rows, strict=True):
        pairs = zip(point["tests"], reference["tests"], strict=True)
        seeds = [metric.factor * (value - base) for value, base in pairs]
        if len(seeds) > 1:
            axes.plot(seeds, [place] * len(seeds), ".", color=style.FAINT, markersize=5, zorder=2)
        change, half = (metric.factor * point[key] for key in ("difference", "half_width"))
        axes.errorbar(
            change, place, xerr=half, fmt="o", markersize=6, capsize=3,
            color=style.SERIES[0], markerfacecolor="white" if _unsure(point) else None, zorder=3,
        )  # fmt: skip
    axes.axvline(0, color=style.REFERENCE, linewidth=0.9)
    axes.set_yticks(places, [point["name"] for point in rows])
    axes.grid(axis="y", visible=False)
    better = "" if metric.higher_is_better else ", lower is better"
    axes.set_xlabel(
        f"change of test {metric.name} against all on" + (" [percentage points]" if metric.share else better)
    )
    seeds_shown = "; small dots: seeds" if len(reference["tests"]) > 1 else ""
    method = content["nonidealities"]["interval"]
    if method["method"] == "none":
        note = "one seed: no intervals"
    else:
        note = f"bars: {100 * method['confidence']:.0f} % for all at once; open: zero is inside{seeds_shown}"
    style.heading(axes, note, room=5.2, size=8, left=False)
    style.title(
        figure,
        f"Non-idealities off, {content['workload']} on {content['dataset']}, {_length(content)}; "
        f"all on: {metric.number(reference['test'])}",
    )
    return figure


def draw_bits(content: Mapping[str, Any]) -> Figure:
    """Return the metric over the converters' bits above energy per step over the same bits."""
    points, factor = [p for p in content["converters"]["points"] if p["converters"]], metric_of(content).factor
    figure = style.figure(7.0, 6.4)
    above, below = figure.subplots(2, 1, sharex=True)
    for which, (label, colour, mark) in SERIES.items():
        chosen = [point for point in points if point["converters"] == which]
        look = {"color": colour, "marker": mark, "markersize": 5, "linewidth": 1.2}
        places = [point["bits"] + _PLACES[which] for point in chosen]
        middle = [factor * median(point["tests"]) for point in chosen]
        ends = [[factor * end(point["tests"]) for point in chosen] for end in (min, max)]
        spread = [[abs(value - bound) for value, bound in zip(middle, bounds, strict=True)] for bounds in ends]
        above.errorbar(places, middle, yerr=spread, capsize=2, elinewidth=0.9, label=label, **look)
        whole = [point["total_energy_J"] for point in chosen]
        reads = [sum(point[f"{phase}_energy_J"] for phase in _READ) for point in chosen]
        bits = [point["bits"] for point in chosen]
        below.plot(bits, whole, label=label, **look)
        below.plot(bits, reads, linestyle="--", markerfacecolor="white", **look)
    _finish(above, below, content)
    style.legend(
        figure, style.key_of(above), 3, heading="converters that have the bits; the others as in the architecture"
    )
    style.title(figure, f"Converter bits, {content['workload']} on {content['dataset']}, {_length(content)}")
    return figure


def _finish(above: Axes, below: Axes, content: Mapping[str, Any]) -> None:
    seeds = content["converters"]["interval"]["seeds"]
    above.set_ylabel(metric_of(content).axis)
    shown = f"median of {seeds} seeds; bars: from the lowest to the highest" if seeds > 1 else "one seed"
    above.set_title(shown, fontsize=8)
    below.set_yscale("log")
    below.set_ylabel("energy per step (log axis)")
    style.unit_ticks(below, "J")
    lines = f"whole step (solid), forward and backward alone (dashed); {content['technology']}"
    style.heading(below, lines, room=6.0, size=8, left=False)
    below.set_xlabel("bits")
    below.set_xticks(sorted({point["bits"] for point in content["converters"]["points"] if point["converters"]}))
