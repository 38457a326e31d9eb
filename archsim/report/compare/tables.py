"""What `archsim compare` shows: steps side by side by phase, component and part, and why they differ."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.base import files
from archsim.base.metrics import Metric
from archsim.base.signal import STEP_PHASES
from archsim.base.units import show
from archsim.records.compare import Comparison, Panel
from archsim.records.differences import FORMULA, METHOD, Change, Difference
from archsim.records.recorded import Recorded
from archsim.records.reprice import Side
from archsim.report import style
from archsim.report.compare.words import MOST, by_part, change, contributions, figure_names, moved, ratio, signed
from archsim.report.sheet import NONE, Sheet, markdown_sheet, terminal

if TYPE_CHECKING:
    from rich.table import Table

TEXT, DATA, LINES = "compare.md", "compare.json", "compare.csv"
COLUMNS = ("panel", "side", "run", "architecture", "technology", "phase", "component", "part", "action", "figure",
           "amount_per_step", "amount_unit", "price_J_per_unit", "energy_per_step_J", "basis", "source")  # fmt: skip


def write(found: Comparison, out: Path, *, charts: bool = False) -> list[Path]:
    """Write compare.md, compare.json and compare.csv into a folder, and the charts if asked; return the files."""
    files.check_folder(out)
    drawn: list[Path] = []
    if charts:
        from archsim.report.compare.charts import draw_all

        drawn = draw_all(found, out)
    names = [path.stem for path in drawn if path.suffix == ".png"]
    files.write_text(out / TEXT, markdown(found, names))
    files.write_text(out / DATA, json.dumps(found.content(), indent=1) + "\n")
    with files.replacing(out / LINES) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(
            [COLUMNS, *(map(files.no_formula, line) for line in _lines(found))]
        )
    return [out / TEXT, out / DATA, out / LINES, *drawn]


def _lines(found: Comparison) -> list[tuple[object, ...]]:
    return [
        (panel.title, side.label, side.run, side.architecture, side.technology, line.phase, line.component, line.part,
         line.action, line.figure, line.amount, line.unit, line.price, line.energy, line.basis, line.source)
        for panel in found.panels
        for side in panel.sides
        for line in contributions(side)
    ]  # fmt: skip


# --- tables -----------------------------------------------------------------------------------------------------------
def sheets(panel: Panel, *, most: int | None = None) -> list[Sheet]:
    """Return a panel's tables: energy by phase, component and part, time by phase, and the changes.

    Parameters
    ----------
    panel : Panel
    most : int, optional
        How many changes to show apart; the others are summed. By default all.
    """
    sides, title = panel.sides, panel.title
    made = [
        _beside(f"Energy per step by phase, {title}", "phase", _by_phase(sides), sides, "J"),
        _beside(f"Energy per step by component, {title}", "component", _by_component(sides), sides, "J"),
        _beside(f"Energy per step by part, {title}", "part", _by_part(sides), sides, "J"),
    ]
    times = [(phase, [side.latency_s[phase] for side in sides]) for phase in (*STEP_PHASES, "total")]
    if any(len(set(values)) > 1 for _, values in times):
        made.append(_beside(f"Time per step, {title}", "phase", times, sides, "s"))
    return [*made, *(_changes(panel, each, most) for each in panel.differences)]


def by_component_and_phase(panel: Panel) -> Sheet:
    """Return the energy of every component in every phase."""
    sides = panel.sides
    rows = [
        (f"{phase}: {style.label(name)}", [side.energy(phase=phase, component=name) for side in sides])
        for phase in STEP_PHASES
        for name in _names(sides)
    ]
    rows = [(name, values) for name, values in rows if any(values)]
    title = f"Energy per step by phase and component, {panel.title}"
    return _beside(title, "phase: component", [*rows, _total(sides)], sides, "J")


Rows = list[tuple[str, list[float]]]


def _by_phase(sides: Sequence[Side]) -> Rows:
    return [*((phase, [side.energy(phase=phase) for side in sides]) for phase in STEP_PHASES), _total(sides)]


def _by_component(sides: Sequence[Side]) -> Rows:
    rows = [(style.label(name), [side.energy(component=name) for side in sides]) for name in _names(sides)]
    return [*rows, _total(sides)]


def _by_part(sides: Sequence[Side]) -> Rows:
    sums = [by_part(contributions(side)) for side in sides]
    known = dict.fromkeys([*style.PARTS, *(part for each in sums for part in each)])
    rows = [(part, [each.get(part, 0.0) for each in sums]) for part in known]
    return [*((part, values) for part, values in rows if any(values)), _total(sides)]


def _total(sides: Sequence[Side]) -> tuple[str, list[float]]:
    return "total", [side.energy() for side in sides]


def _names(sides: Sequence[Side]) -> list[str]:
    return list(dict.fromkeys(name for side in sides for name in side.components))


def _beside(title: str, head: str, rows: Rows, sides: Sequence[Side], unit: str) -> Sheet:
    """Return values side by side, each beside the first with difference and ratio."""
    first, others = sides[0].label, [side.label for side in sides[1:]]
    heads = [head, first, *(cell for label in others for cell in (label, "difference", "ratio"))]
    body = []
    for name, (old, *news) in rows:
        cells = [(show(new, unit), signed(change(new, old), unit), ratio(new, old)) for new in news]
        body.append((name, show(old, unit), *(cell for group in cells for cell in group)))
    return Sheet(title, tuple(heads), tuple(body))


def _changes(panel: Panel, each: Difference, most: int | None) -> Sheet:
    shown, rest = each.changes[:most], each.changes[len(each.changes[:most]) :]
    rows = [
        (change.name, moved(change), _figures(change), signed(change.difference_J, "J"),
         _share(change.difference_J, each.from_J))
        for change in shown
    ]  # fmt: skip
    if rest:
        left = math.fsum(change.difference_J for change in rest)
        rows.append((f"{len(rest)} others", NONE, NONE, signed(left, "J"), _share(left, each.from_J)))
    rows.append(("all", f"x{ratio(each.to_J, each.from_J)}", NONE, signed(each.total_J, "J"),
                 _share(each.total_J, each.from_J)))  # fmt: skip
    heads = ("figure" if each.by == "figure" else "component: action", "what moved", "figure: basis", "difference",
             f"of {each.from_label}")  # fmt: skip
    return Sheet(f"From {each.from_label} to {each.to_label}, {panel.title}", heads, tuple(rows))


def _figures(change: Change) -> str:
    names = figure_names(change)
    return f"{names}: {' -> '.join(change.basis)}" if change.basis else names


def _share(part: float, total: float) -> str:
    return f"{100 * part / total:+.1f} %" if total else NONE


def ratios(found: Comparison) -> list[Sheet]:
    """Return the energy ratios of the chips for every side, if there are several."""
    if not found.ratios:
        return []
    head = {"technologies": "technology", "runs": "run", "architectures": "chip"}[found.kind]
    rows = tuple(
        (label, f"{over} / {under}", f"{value:,.2f}")
        for label, pairs in found.ratios.items()
        for (over, under), value in pairs.items()
    )
    return [Sheet("Energy ratios", (head, "chips", "energy ratio"), rows)]


def standing(found: Comparison) -> Sheet:
    """Return every chip of every side by what it takes of a sample, the least energy first, and how well it learnt."""
    alike = len({run.metric.name for run in found.runs}) == 1
    heads = ("chip", "run" if found.kind == "runs" else "technology", "energy a sample", "time a sample",
             f"test {found.runs[0].metric.name}" if alike else "test", "samples", "area")  # fmt: skip
    tested = Metric.number if alike else Metric.text
    runs = {run.path: run for run in found.runs}
    rows = []
    for panel in found.panels:
        for side in panel.sides:
            run = runs[side.run]
            batch, chip = run.run["workload"]["training"]["batch"], run.summary["architectures"][side.architecture]
            who = side.label if found.kind == "runs" else side.technology
            rows.append((
                side.energy() / batch,
                (side.architecture, who, show(side.energy() / batch, "J"), show(side.latency_s["total"] / batch, "s"),
                 tested(run.metric, chip["test"]), f"{chip['samples']:,}", _area(run, side.architecture)),
            ))  # fmt: skip
    return Sheet("Chips by energy a sample", heads, tuple(row for _, row in sorted(rows, key=lambda each: each[0])))


def _area(run: Recorded, architecture: str) -> str:
    """Return the area of a chip by its run's own technology; parts without a figure make it a least one."""
    areas = [part.area for part in run.areas(architecture)]
    known = [area for area in areas if not math.isnan(area)]
    if not known:
        return NONE
    return f"{'at least ' if len(known) < len(areas) else ''}{1e6 * math.fsum(known):.4g} mm^2"


def text(found: Comparison) -> list[Table | str]:
    """Return tables for the terminal and the notes below them."""
    chosen = [sheet for panel in found.panels if not alike(panel) for sheet in sheets(panel, most=MOST)]
    same = [
        f"{panel.title}: {show(panel.sides[0].energy(), 'J')} a step, the same on all sides."
        for panel in found.panels
        if alike(panel)
    ]
    head: list[Table | str] = [*(f"  {line}" for line in found.unlike), terminal(standing(found))]
    return [*head, *map(terminal, [*chosen, *ratios(found)]), *(f"  {line}" for line in (*same, *found.notes))]


def alike(panel: Panel) -> bool:
    """Whether nothing differs between the sides of a panel."""
    return not any(each.changes for each in panel.differences)


def markdown(found: Comparison, charts: Sequence[str]) -> str:
    """Return compare.md: all tables, the charts that stand beside it, how the differences are taken apart."""
    names = ", ".join(dict.fromkeys(side.label for panel in found.panels for side in panel.sides))
    parts = [f"# Side by side: {names}", _of(found), *(f"- {note}" for note in (*found.unlike, *found.notes))]
    parts.append(markdown_sheet(standing(found)))
    parts += [f"![{name}]({name}.png)" for name in charts]
    parts += [markdown_sheet(sheet) for sheet in ratios(found)]
    for panel in found.panels:
        parts += [markdown_sheet(sheet) for sheet in (*sheets(panel), by_component_and_phase(panel))]
    parts.append("Energies are those of one training step inside the boundary of the account, mean over the run.")
    ways = dict.fromkeys(METHOD[each.by] for panel in found.panels for each in panel.differences)
    parts.append(f"Differences are taken apart {'; and '.join(ways)}: {FORMULA}. They add up to the difference.")
    return "\n\n".join(parts) + "\n"


def _of(found: Comparison) -> str:
    return "; ".join(
        f"{run.path}: {run.summary.get('workload')} on {run.summary.get('dataset_origin')}, "
        f"{run.summary.get('steps'):,} steps, seed {run.summary.get('seed')}"
        for run in found.runs
    )
