"""Tables of a run: the data once, and renderers for the terminal, Markdown and LaTeX."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base.metrics import metric_of, sample_of
from archsim.base.signal import STEP_PHASES
from archsim.base.units import show
from archsim.records.recorded import Recorded, reached, read
from archsim.report import ranges, style
from archsim.report.sheet import NONE, Sheet, markdown_sheet, terminal

if TYPE_CHECKING:
    from rich.table import Table

MOST = 12


def _ratio(over: float, under: float) -> str:
    return f"{over / under:,.1f}" if over and under and math.isfinite(over / under) else NONE


def _share(part: float, total: float) -> str:
    return f"{100 * part / total:.1f} %" if total and math.isfinite(part / total) else NONE


def _show(value: float, unit: str) -> str:
    return show(value, unit) if math.isfinite(value) else NONE


def _percent(value: float) -> str:
    return f"{100 * value:+.1f} %" if math.isfinite(value) else NONE


def energy(summary: dict[str, Any]) -> list[Sheet]:
    """Return one sheet a technology: energy per step by phase, each chip, and the baseline over each other one."""
    step = f"training step{style.of_batch(summary)}"
    return [
        _by_phase(f"Energy per {step}, {each['name']}", each["energy_per_step_J"], "J", summary["baseline"])
        for each in summary["technologies"]
    ]


def latency(summary: dict[str, Any]) -> Sheet:
    """Return simulated time per step by phase, each chip, and the ratios."""
    values = {name: chip["latency_per_step_s"] for name, chip in summary["architectures"].items()}
    return _by_phase(f"Simulated time per training step{style.of_batch(summary)}", values, "s", summary["baseline"])


def per_sample(summary: dict[str, Any]) -> Sheet:
    """Return what a training sample takes on each chip, and what each reached."""
    first, metric, sample = summary["technologies"][0], metric_of(summary), sample_of(summary)
    rows = []
    for name, chip in summary["architectures"].items():
        energy, seconds = chip["energy_per_sample_J"]["total"], chip["latency_per_sample_s"]["total"]
        further = [
            _show(technology["energy_per_step_J"][name]["total"] * chip["steps"] / chip["samples"], "J")
            for technology in summary["technologies"][1:]
            if name in technology["energy_per_step_J"]
        ]
        parts = (_show(energy / sample.parts, "J"),) if sample.parts > 1 else ()
        rows.append((
            name, _show(energy, "J"), *further, *parts, _show(seconds, "s"), f"{1 / seconds:,.0f}" if seconds else NONE,
            _show(energy / seconds, "W") if seconds else NONE, _show(energy * seconds, "J*s"),
            metric.number(chip["test"]), f"{chip['samples']:,}",
        ))  # fmt: skip
    others = (f"energy, {each['name']}" for each in summary["technologies"][1:])
    part = (f"a {sample.part}",) if sample.parts > 1 else ()
    heads = ("chip", f"energy, {first['name']}", *others, *part, "time", "samples/s", "power", "energy x delay",
             f"test {metric.name}", "samples")  # fmt: skip
    of = f" ({sample.name} of {sample.parts} {sample.part}s)" if sample.parts > 1 else ""
    return Sheet(f"Per training sample{of}", heads, tuple(rows))


def to_reach(run: Recorded) -> Sheet:
    """Return what each chip had taken when a test was first as good as some levels."""
    metric = run.metric
    rows = tuple(
        (metric.level(target), name, f"{point.samples:,}", _show(point.energy_J[run.technology], "J"),
         _show(point.simulated_time_s, "s")) if point else (metric.level(target), name, *[NONE] * 3)
        for target, name, point in reached(run)
    )  # fmt: skip
    heads = (f"{metric.name} to reach", "chip", "samples, at most", f"energy, {run.technology}", "time")
    return Sheet(f"To reach {metric.name}: the first test that found it", heads, rows)


def _by_phase(title: str, values: dict[str, dict[str, float]], unit: str, baseline: str | None) -> Sheet:
    chips = list(values)
    others = [chip for chip in chips if chip != baseline] if baseline in values else []
    heads = ["phase", *(head for chip in chips for head in (chip, "share"))]
    heads += [f"{baseline} / {chip}" for chip in others]
    rows = []
    for phase in (*STEP_PHASES, "total"):
        row = [phase]
        for chip in chips:
            value = values[chip][phase]
            row += [_show(value, unit), _share(value, values[chip]["total"])]
        row += [_ratio(values[str(baseline)][phase], values[chip][phase]) for chip in others]
        rows.append(tuple(row))
    return Sheet(title, tuple(heads), tuple(rows))


def against_paper(summary: dict[str, Any]) -> list[Sheet]:
    """Return the published totals, the run's, and the relative errors; no sheet without a row."""
    published, rows = summary["published"], []
    if not published:
        return []
    chips = {name: (str(chip.get("chip", name)), chip) for name, chip in summary["architectures"].items()}
    for technology in summary["technologies"]:
        for name, (kind, chip) in chips.items():
            if (total := published["energy_per_sample_J"].get(kind)) and name in technology["energy_per_step_J"]:
                value = technology["energy_per_step_J"][name]["total"] * chip["steps"] / chip["samples"]
                rows.append((
                    f"energy per sample, {name}", technology["name"], show(total, "J"), _show(value, "J"),
                    _percent(value / total - 1),
                ))  # fmt: skip
        ratio, told = technology["ratio"]["energy"], published["energy_ratio"]
        if ratio and told:
            rows.append(("energy ratio", technology["name"], f"{told:.0f}", f"{ratio:.1f}", _percent(ratio / told - 1)))
    for name, (kind, chip) in chips.items():
        if told := published["test_accuracy"].get(kind):
            value, metric = chip["test"], metric_of(summary)
            known = math.isfinite(value)
            rows.append((
                f"test accuracy, {name}, after {chip['steps']:,} steps", "any", f"{100 * told:.2f} %",
                metric.number(value), f"{100 * (value - told):+.2f} points" if known else NONE,
            ))  # fmt: skip
    if not rows:
        return []
    heads = ("quantity", "technology", "paper", "this run", "error")
    return [Sheet(f"Against the paper ({published['source']})", heads, tuple(rows))]


def counts(summary: dict[str, Any]) -> Sheet:
    """Return what the paper's claim of rare programming rests on, per step."""
    rows = []
    for name, chip in summary["architectures"].items():
        rows.append((name, "outer-product updates per step", f"{chip['outer_product_updates_per_step']:,.1f}"))
        if chip["pulses_per_step"]:
            rows += [
                (name, "SET pulses per step", f"{chip['pulses_per_step']:.3f}"),
                (name, "pairs programmed per step (paper: fewer than 199)", f"{chip['programmed_pairs_per_step']:.3f}"),
            ]
            if chip["programmed_pairs_per_step"]:
                weights = summary.get("weights", 0)
                rarer = weights / chip["programmed_pairs_per_step"]
                text = f"1 in {rarer:,.0f}"
                rows.append((name, "weights programmed per step (paper: fewer than 1 in 1,000)", text))
        rows.append((name, "simulated time of the training", show(chip["simulated_time_s"], "s")))
    if summary.get("steps_per_s"):
        name = next((name for name in summary["architectures"] if name != summary["baseline"]), summary["baseline"])
        rows.append(("this program", f"training steps of {name} per second", f"{summary['steps_per_s']:,.0f}"))
    first = [chip["first_steps_s"] for chip in summary["architectures"].values() if "first_steps_s" in chip]
    if first:
        rows.append(("this program", "first steps, in which kernels are loaded or compiled", show(first[0], "s")))
    return Sheet("Counts", ("chip", "quantity", "value"), tuple(rows))


def area(summary: dict[str, Any]) -> list[Sheet]:
    """Return the area by component, each chip, with the range; no sheet if the run tells none."""
    found = {name: chip["area_m2"] for name, chip in summary["architectures"].items() if chip.get("area_m2")}
    if not found:
        return []
    components = dict.fromkeys(component for each in found.values() for component in each["by_component"])
    rows = []
    for component in components:
        cells = [_span(each["by_component"].get(component), each["total"]) for each in found.values()]
        rows.append((style.label(component), *(cell for group in cells for cell in group)))
    totals = [_span(each["total"], each["total"], bound=bool(each["unpriced"])) for each in found.values()]
    rows.append(("total", *(cell for group in totals for cell in group)))
    if any(each["unpriced"] for each in found.values()):
        missing = [(", ".join(each["unpriced"]) or NONE, NONE, NONE) for each in found.values()]
        rows.append(("without a figure", *(cell for group in missing for cell in group)))
    heads = ("component", *(head for name in found for head in (name, "share", "range")))
    title = f"Area, {summary['technology']['name']}: a sum of parts, without wires between them and floorplan"
    return [Sheet(title, heads, tuple(rows))]


def _span(span: dict[str, float] | None, total: dict[str, float], *, bound: bool = False) -> tuple[str, str, str]:
    """Return value, share of the total and range as text; a total that lacks a part is a lower bound."""
    if not span:
        return NONE, NONE, NONE
    value = (">= " if bound else "") + f"{span['value'] * 1e6:.4g} mm^2"
    return value, _share(span["value"], total["value"]), f"{span['low'] * 1e6:.3g} to {span['high'] * 1e6:.3g} mm^2"


def area_parts(run: Recorded) -> list[Sheet]:
    """Return a sheet for each chip: amount x figure = area of every part, under the run's own technology."""
    heads = ("part", "amount", "area of one", "area", "range", "figure", "basis", "source")
    sheets = []
    for chip in run.architectures:
        rows = tuple(
            (
                f"{line.component}: {line.name}", style.count(line.amount, line.unit),
                _show(line.price, "m^2") + (f"/{line.unit}" if line.unit != "1" and math.isfinite(line.price) else ""),
                _show(line.area, "m^2"),
                f"{show(line.low, 'm^2', 3)} to {show(line.high, 'm^2', 3)}" if math.isfinite(line.low) else NONE,
                line.figure or NONE, line.basis or NONE, line.source or NONE,
            )
            for line in run.areas(chip)
        )  # fmt: skip
        if rows:
            sheets.append(Sheet(f"Parts by area, {chip}, {run.technology}", heads, rows))
    return sheets


def boundary(summary: dict[str, Any]) -> Sheet:
    """Return the boundary of the account, the same for every chip."""
    inside = [(function, "inside") for function in summary["boundary"]["inside"]]
    outside = [(function, "outside") for function in summary["boundary"]["outside"]]
    return Sheet("Boundary of the account", ("function", "counted"), tuple(inside + outside))


def contributors(run: Recorded) -> list[Sheet]:
    """Return a sheet for each technology and chip: the largest (component, action) sums, with figure and source."""
    heads = ("contributor", "amount per step", "price", "energy per step", "share", "figure", "basis", "source")
    sheets = []
    for technology in run.technologies:
        for chip in run.architectures:
            total = run.total(chip, technology)
            rows = tuple(
                (
                    f"{line.component}: {line.action}", style.count(line.amount, line.unit),
                    style.price(line.price, line.unit), _show(line.energy, "J"), _share(line.energy, total),
                    line.figure, line.basis, line.source or NONE,
                )
                for line in run.largest(chip, MOST, technology)
            )  # fmt: skip
            sheets.append(Sheet(f"Largest contributors, {chip}, {technology}", heads, rows))
    return sheets


def particulars(run: Recorded) -> Sheet:
    """Return what ran: data, seed, steps, non-idealities, technologies, versions."""
    summary = run.summary
    rows = [
        ("workload", summary["workload"]), ("data", summary["dataset_origin"]),
        ("seed", run.seeded.removeprefix("seed ")), ("steps", f"{summary['steps']:,}"),
        ("state", summary["state"]), ("archsim", str(run.run.get("archsim"))),
    ]  # fmt: skip
    for name, chip in summary["architectures"].items():
        if chip.get("nonidealities"):
            rows.append((f"non-idealities on, {name}", ", ".join(chip["nonidealities"])))
        if absent := run.absent(name):
            rows.append((f"not in the device of {name}", ", ".join(absent)))
    rows += [("scaling rule", run.note)] if run.note else []
    rows += [("counted by a meter", line) for line in run.run.get("metered") or ()]
    rows += [(f"technology {t['name']}", f"sha256 {t['sha256'][:12]}") for t in summary["technologies"]]
    return Sheet("What ran", ("", "value"), tuple(rows))


def from_summary(summary: dict[str, Any]) -> list[Sheet]:
    """Return the sheets that need summary.json alone."""
    against = against_paper(summary)
    return [*energy(summary), latency(summary), per_sample(summary), *area(summary), *against, counts(summary)]


def from_run(run: Recorded) -> list[Sheet]:
    """Return all sheets of a run."""
    sheets = [
        *ranges.seeds(run),
        *from_summary(run.summary),
        *ranges.intervals(run),
        *contributors(run),
        *area_parts(run),
    ]
    return [particulars(run), *sheets, to_reach(run), boundary(run.summary)]


# --- renderers --------------------------------------------------------------------------------------------------------
def comparison_text(summary: dict[str, Any]) -> list[Table]:
    """Return the sheets of a summary as tables for the terminal."""
    return [terminal(sheet) for sheet in from_summary(summary)]


def short_text(summary: dict[str, Any]) -> list[Table]:
    """Return what is shown of a summary at once: what a sample takes, and how that compares with what was published."""
    return [terminal(sheet) for sheet in (per_sample(summary), *against_paper(summary))]


def contributors_text(path: Path) -> list[Table]:
    """Return what levels of the metric took, and each chip's five largest contributors by the run's own technology."""
    run = read(path)
    first = terminal(to_reach(run))
    heads = ("contributor", "amount per step", "price", "energy per step", "share", "figure", "basis")
    sheets = [sheet for sheet in contributors(run) if sheet.title.endswith(f", {run.technology}")]
    return [first, *(terminal(Sheet(s.title, heads, tuple(row[:-1] for row in s.rows[:5]))) for s in sheets)]


def markdown(run: Recorded, charts: Iterable[str]) -> str:
    """Return report.md: all sheets, with the charts beside it."""
    parts = [f"# {run.summary['workload']}: {', '.join(run.architectures)}"]
    parts += [f"![{name}]({name}.png)" for name in charts]
    parts += [markdown_sheet(sheet) for sheet in from_run(run)]
    return "\n\n".join(parts) + "\n"
