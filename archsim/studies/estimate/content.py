"""An estimate priced: energy, time and area of one training step and of one inference, as JSON has it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archsim.accounting.area import Area, area
from archsim.accounting.bill import Bill, price
from archsim.accounting.intervals import TOTAL, Account, Interval, intervals
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.runs import suited
from archsim.studies.estimate.books import Books, ChipEstimate
from archsim.studies.estimate.reference import reference
from archsim.studies.estimate.spec import EstimateSpec

SCHEMA = 1
INFERENCE = "evaluation"
OFF_CHIP = "dram", "link"
"""Components through which bits leave a chip: the memory below, and the links between chips."""
PULSES = frozenset(
    {
        ("programmer", "set.pulse"),
        *((unit, f"{way}.pulse") for unit in ("writer", "train_writer") for way in ("up", "down")),
    }
)
"""Actions, component and name, that are one pulse of a device; RESET pulses apart."""


@dataclass(frozen=True)
class Priced:
    """One chip's estimate with its bills."""

    chip: ChipEstimate
    training: Bill
    inference: Bill
    area: Area


def priced(spec: EstimateSpec, chips: Sequence[ChipEstimate]) -> list[Priced]:
    """Return the bills of each chip, by the spec's technology."""

    def bill(chip: ChipEstimate, books: Books) -> Bill:
        return price(books.rows, chip.entries, spec.technology, chip.architecture.boundary.inside)

    return [
        Priced(chip, bill(chip, chip.training), bill(chip, chip.inference), area(chip.parts, spec.technology))
        for chip in chips
    ]


def content(spec: EstimateSpec, found: Sequence[Priced], *, seed: int = 1) -> dict[str, Any]:
    """Return all of an estimate.

    Parameters
    ----------
    spec : EstimateSpec
    found : its chips, priced
    seed : int
        Of the draws that intervals are taken from.
    """
    steps, passes = (_ranges(spec, found, seed, inference=each) for each in (False, True))
    chips = {each.chip.architecture.name: _chip(spec, each, steps, passes) for each in found}
    over = chips.get(spec.baseline or "")
    graph = spec.network.graph
    return {
        "schema_version": SCHEMA,
        "network": spec.workload.name,
        "title": spec.workload.title,
        "batch": spec.batch,
        "technology": {"name": spec.technology.name, "sha256": spec.technology.sha256},
        "optimiser": spec.workload.training.optimiser.kind,
        "weights": spec.network.weights,
        "parameters": spec.network.parameter_words,
        "macs_per_sample": sum(graph.macs().values()),
        "settings": dict(spec.settings),
        "figures": dict(spec.figures),
        "baseline": spec.baseline,
        "architectures": chips,
        "ratios": {
            name: {
                what: over[what]["energy_per_sample_J"][TOTAL] / chip[what]["energy_per_sample_J"][TOTAL]
                for what in ("training", "inference")
            }
            for name, chip in chips.items()
            if over is not None and name != spec.baseline
        },
        "ratio_intervals": steps["ratios"],
        "reference": reference(spec.network),
    }


def _chip(spec: EstimateSpec, each: Priced, steps: Mapping[str, Any], passes: Mapping[str, Any]) -> dict[str, Any]:
    chip, name = each.chip, each.chip.architecture.name
    forward = math.fsum(spec.network.graph.macs().values()) * spec.batch
    passed = _work(spec, each.inference, chip.inference, [INFERENCE], passes.get(name))
    return {
        "chip": chip.architecture.chip,
        "activity": chip.activity.origin,
        "notes": suited.notes(chip.architecture, [spec.technology]),
        "grown": {key: list(change) for key, change in spec.grown.get(name, {}).items()},
        "tiles": dict(chip.tiles),
        "placement": _placement(chip) if chip.places else None,
        "chips": chip.chips,
        "area_m2": {"value": each.area.total, "low": each.area.low, "high": each.area.high},
        "unpriced_area": list(each.area.unpriced),
        "training": _work(spec, each.training, chip.training, STEP_PHASES, steps["chips"].get(name)),
        "inference": {
            **passed,
            "J_per_mac": passed["energy_per_step_J"][TOTAL] / forward if forward else None,
            "macs_per_s_and_W": forward / passed["energy_per_step_J"][TOTAL] if forward else None,
        },
        "pulses_per_step": math.fsum(row.amount for row in chip.training.rows if (row.component, row.action) in PULSES),
    }  # fmt: skip


def _placement(chip: ChipEstimate) -> dict[str, Any]:
    tile: Any = getattr(chip.architecture, "tile", None)
    return {"rows": tile.rows, "columns": tile.columns, "tiles_of_a_chip": tile.count, "matrices": chip.places}


def _work(
    spec: EstimateSpec, bill: Bill, books: Books, phases: Sequence[str], interval: Mapping[str, Any] | None
) -> dict[str, Any]:  # fmt: skip
    """Return energy and time of a step, or of a pass, by phase, layer and part."""
    energy = {phase: bill.total(phase=phase) for phase in phases}
    seconds = {phase: books.time_ps[phase] * 1e-12 for phase in phases}
    by_layer: dict[str, dict[str, float]] = {}
    for (layer, phase), joules in bill.by("layer", "phase").items():
        if phase in energy:
            by_layer.setdefault(layer, dict.fromkeys(phases, 0.0))[phase] += joules
    by_part: dict[str, float] = {}
    for (part, phase), joules in bill.by("part", "phase").items():
        if phase in energy:
            by_part[part] = by_part.get(part, 0.0) + joules
    total, time = math.fsum(energy.values()), math.fsum(seconds.values())
    return {
        "energy_per_step_J": {**energy, TOTAL: total},
        "latency_per_step_s": {**seconds, TOTAL: time},
        "energy_per_sample_J": {place: joules / spec.batch for place, joules in {**energy, TOTAL: total}.items()},
        "latency_per_sample_s": {place: each / spec.batch for place, each in {**seconds, TOTAL: time}.items()},
        "by_layer_J": by_layer,
        "by_part_J": by_part,
        "moved_bit": {where: moved for where in OFF_CHIP if (moved := _moved(books, where, phases))},
        "intervals": interval,
    }  # fmt: skip


def _moved(books: Books, where: str, phases: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return layer -> phase -> bits that a step, or a pass, moves to and from the memory below, or between chips."""
    found: dict[str, dict[str, float]] = {}
    for row in books.rows:
        if row.component == where and row.action == "transfer" and row.phase in phases:
            found.setdefault(row.layer, dict.fromkeys(phases, 0.0))[row.phase] += row.amount
    return found


def _ranges(spec: EstimateSpec, found: Sequence[Priced], seed: int, *, inference: bool) -> dict[str, Any]:
    """Return the 90 % intervals of each chip and of the baseline's energy over each other one's; none without ranges.

    A pass is drawn as if its one phase were that of a forward pass: the draws ask for nothing but the figures.
    """
    accounts = []
    for each in found:
        books, bill = (each.chip.inference, each.inference) if inference else (each.chip.training, each.training)
        rows, lines, time_ps = books.rows, bill.lines, books.time_ps
        if inference:
            rows = tuple(replace(row, phase="forward") for row in rows)
            lines = tuple(replace(line, phase="forward") for line in lines)
            time_ps = {phase: time_ps[INFERENCE] if phase == "forward" else 0.0 for phase in STEP_PHASES}
        seconds = {phase: time_ps[phase] * 1e-12 for phase in STEP_PHASES}
        accounts.append(
            Account(
                each.chip.architecture.name, 1, Bill(lines), each.area.lines, rows, each.chip.entries,
                {**seconds, TOTAL: math.fsum(seconds.values())},
            )
        )  # fmt: skip
    try:
        drawn = intervals(accounts, spec.technology, baseline=spec.baseline, seed=seed)
    except InputError:
        return {"chips": {}, "ratios": {}}

    def ends(places: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
        return {place: each.content() for place, each in places.items()}

    chips = {
        name: {"energy_per_step_J": ends(chip.energy), "latency_per_step_s": ends(chip.time)}
        for name, chip in drawn.chips.items()
    }
    if inference:
        return {name: {key: {TOTAL: each[TOTAL]} for key, each in chip.items()} for name, chip in chips.items()}
    return {"chips": chips, "ratios": {name: each.content() for name, each in drawn.ratios.items()}}
