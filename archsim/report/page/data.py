"""What the page of a run embeds: amounts, prices, figures with their sources, times, the course of the training.

The prices are the run's own; what a run directory does not hold (ranges, where a figure comes from, references) is
read from the technology's file, which must price the run as it was priced.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archsim.accounting.bill import Line
from archsim.accounting.figure_text import Origin
from archsim.accounting.figures import AreaFigure, Figure, Time
from archsim.accounting.intervals import ENDS, TOTAL
from archsim.accounting.technology import Technology
from archsim.base.bibtex import Reference
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.records.intervals import known
from archsim.records.recorded import Recorded
from archsim.records.technologies import find
from archsim.report import style


def content(run: Recorded, techs: Sequence[str] = ()) -> dict[str, Any]:
    """Return all that the page computes with and shows.

    Parameters
    ----------
    run : Recorded
    techs : sequence of str
        Where to find technologies that were given as files; those of shipped names, in the current folder or beside
        the run are found without.

    Raises
    ------
    InputError
        If the run's own technology is not found or prices the run differently now.
    """
    found, notes = _technologies(run, techs)
    entries = {chip: _entries(run, chip) for chip in run.architectures}
    references: dict[str, Reference] = {}
    for technology, _ in found:
        references |= technology.references
    priced = [_priced(run, technology, note, entries) for technology, note in found]
    numbers = [number for each in priced for kind in ("figures", "times", "areas") for number in each[kind]]
    used = {key for number in numbers for key in number["sources"]}
    return {
        "schema": 1,
        "run": _what_ran(run),
        "metric": run.summary["metric"],
        "sample": {"name": run.sample.name, "plural": run.sample.plural},
        "phases": list(STEP_PHASES),
        "parts": list(style.PARTS),
        "chips": [_chip(run, chip, k, entries[chip]) for k, chip in enumerate(run.architectures)],
        "pairs": _pairs(run),
        "technologies": priced,
        "left_out": notes,
        "references": {key: reference(references[key]) for key in sorted(used)},
        "training": [_course(run, chip, [technology.name for technology, _ in found]) for chip in run.architectures],
        "boundary": run.summary["boundary"],
        "paper": run.summary["published"],
    }


def _technologies(run: Recorded, techs: Sequence[str]) -> tuple[list[tuple[Technology, str]], list[str]]:
    """Return the run's technologies with what has changed in their files, and why others are left out."""
    found, notes = [], []
    for name in run.technologies:
        try:
            asked = find(run.home, run.named, name, given=techs)
            found.append((asked.alike(run), asked.note))
        except InputError as error:
            if name == run.technology or techs:
                raise
            notes.append(f"Technology {name} is left out: {error}")
    return found, notes


def _what_ran(run: Recorded) -> dict[str, Any]:
    summary = run.summary
    names = ("workload", "dataset", "dataset_origin", "seed", "steps", "state", "weights", "ratio")
    kept = {name: _finite(summary.get(name)) for name in names}
    return kept | {
        "seeded": run.seeded, "archsim": str(run.run.get("archsim", "")), "python": str(run.run.get("python", "")),
        "packages": {str(k): str(v) for k, v in (run.run.get("packages") or {}).items()},
        "settings": {str(k): str(v) for k, v in (run.run.get("settings") or {}).items()},
        "preset": run.run.get("preset"),
    }  # fmt: skip


def _pairs(run: Recorded) -> list[dict[str, str]]:
    """Return the ratios of the page: the baseline over each other chip."""
    return [{"over": str(run.summary["baseline"]), "under": name} for name in run.summary["ratios"]]


# --- chips ------------------------------------------------------------------------------------------------------------
def _rows(run: Recorded, chip: str, technology: str) -> list[Line]:
    """Return the lines of a chip's training steps, inside the boundary and outside."""
    return [line for line in run.chips[chip].bills[technology].lines if line.phase in STEP_PHASES]


def _entries(run: Recorded, chip: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (component, action) -> what it is; its price is the same in every phase and layer."""
    parts = {(line.component, line.action): line.part for line in run.contributions(chip)}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in _rows(run, chip, run.technology):
        key = row.component, row.action
        found.setdefault(key, {
            "component": key[0], "action": key[1], "unit": row.unit or "1", "part": parts.get(key, ""),
            "inside": row.inside, "function": row.function,
        })  # fmt: skip
    return found


def _chip(
    run: Recorded, name: str, position: int, entries: Mapping[tuple[str, str], Mapping[str, Any]]
) -> dict[str, Any]:
    summary, places = run.summary["architectures"][name], {key: k for k, key in enumerate(entries)}
    published = (run.summary["published"] or {}).get("test_accuracy", {})
    return {
        "name": name,
        "colour": style.chip_colour(name, position),
        "steps": summary["steps"],
        "test": _finite(summary["test"]),
        "published_accuracy": published.get(str(summary.get("chip", name))),
        "latency_s": {phase: summary["latency_per_step_s"][phase] for phase in STEP_PHASES},
        "simulated_time_s": summary["simulated_time_s"],
        "nonidealities": summary.get("nonidealities", []),
        "entries": list(entries.values()),
        "rows": [
            [
                STEP_PHASES.index(row.phase), row.layer, places[row.component, row.action], row.amount,
            ]
            for row in _rows(run, name, run.technology)
        ],
    }  # fmt: skip


def _course(run: Recorded, chip: str, technologies: Sequence[str]) -> dict[str, Any]:
    course = run.chips[chip].course
    names = ["samples", "test", "running", "simulated_time_s"]
    return {
        "chip": chip,
        **{name: [getattr(point, name) for point in course] for name in names},
        "energy_J": {name: [point.energy_J[name] for point in course] for name in technologies},
    }


# --- technologies -----------------------------------------------------------------------------------------------------
def _priced(
    run: Recorded, technology: Technology, note: str, entries: Mapping[str, Mapping[tuple[str, str], Mapping[str, Any]]]
) -> dict[str, Any]:
    prices: dict[str, list[dict[str, Any]]] = {}
    used: dict[str, None] = {}
    for chip, mine in entries.items():
        first = {(row.component, row.action): row for row in reversed(_rows(run, chip, technology.name))}
        prices[chip] = [_price(first[key], technology) for key in mine]
        used |= dict.fromkeys(price["figure"] for price in prices[chip])
    recorded = next(each for each in run.summary["technologies"] if each["name"] == technology.name)
    parts = {line.figure for chip in run.architectures for line in run.areas(chip, technology.name) if line.figure}
    return {
        "name": technology.name, "title": technology.title, "node": technology.node, "sha256": recorded["sha256"],
        "note": note, "ratio": recorded["ratio"]["energy"], "prices": prices, "intervals": _intervals(run, technology),
        "figures": [_figure(technology.figures[name]) for name in used if name in technology.figures],
        "times": [_time(time) for time in technology.times.values()],
        "areas": [_area(area) for name, area in technology.areas.items() if name in parts],
    }  # fmt: skip


def _intervals(run: Recorded, technology: Technology) -> dict[str, Any] | None:
    """Return the ends of the intervals of the chips' totals and of the ratios; None where they cannot be drawn."""
    if (found := known(run, technology.name)) is None:
        return None
    return {
        "percent": ENDS[1] - ENDS[0],
        "energy": {name: [of.energy[TOTAL].low, of.energy[TOTAL].high] for name, of in found.chips.items()},
        "time": {name: [of.time[TOTAL].low, of.time[TOTAL].high] for name, of in found.chips.items()},
        "ratio": {name: [each.low, each.high] for name, each in found.ratios.items()},
    }


def _price(row: Line, technology: Technology) -> dict[str, Any]:
    """Return the price of an action as the run has it, and by how much a law takes it from the figure."""
    name, value = row.figure or "", row.price
    figure = technology.figures.get(name)
    return {
        "figure": name, "price": value, "basis": row.basis, "note": row.reason,
        "law": figure.law if figure else "", "scale": value / figure.value if figure and figure.value else None,
    }  # fmt: skip


def _number(one: Figure | Time | AreaFigure) -> dict[str, Any]:
    return {"name": one.name, "value": one.value, "low": one.low, "high": one.high, **_origin(one.origin)}


def _figure(figure: Figure) -> dict[str, Any]:
    return _number(figure) | {
        "unit": figure.unit, "price_unit": figure.price_unit, "law": figure.law, "at": dict(figure.at),
    }  # fmt: skip


def _time(time: Time) -> dict[str, Any]:
    return _number(time) | {"unit": "s"}


def _area(area: AreaFigure) -> dict[str, Any]:
    return _number(area) | {"unit": area.unit}


def _origin(origin: Origin) -> dict[str, Any]:
    """Return basis, keys of the sources, and the sentences that say where the number comes from."""
    said = [
        ("data", origin.data), ("where", origin.where), ("why", origin.why), ("derived by", origin.derived_by),
        ("node", origin.node),
        ("as printed", f"{origin.original.value} ({origin.original.where})" if origin.original else None),
        ("calibrated to", origin.calibrated.to if origin.calibrated else None),
        ("was", str(origin.calibrated.was) if origin.calibrated else None), ("note", origin.note),
    ]  # fmt: skip
    return {"basis": origin.basis, "sources": list(origin.sources), "said": [pair for pair in said if pair[1]]}


def reference(source: Reference) -> dict[str, str]:
    """Return a reference as one text, with its DOI and its note apart."""
    fields = {name: value.replace("\\", "") for name, value in source.fields.items()}
    where = next((fields[name] for name in ("journal", "booktitle", "howpublished") if name in fields), "")
    volume = ":".join(fields[name] for name in ("volume", "pages") if name in fields)
    parts = _joined((fields.get("author", "").replace(" and ", ", "), fields.get("title"), f"{where} {volume}".strip()))
    text = f"{parts} ({fields['year']})" if "year" in fields else parts
    return {"text": text, "doi": fields.get("doi", ""), "note": fields.get("note", "")}


def _joined(parts: Iterable[str | None]) -> str:
    return ". ".join(part.rstrip(".") for part in parts if part)


def _finite(value: Any) -> Any:
    """Return a value for JSON, None for NaN, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
