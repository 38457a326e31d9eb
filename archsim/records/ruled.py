"""A recorded run as if its technology had been scaled by another rule: the same amounts, other prices.

Times stay those of the run, whatever the rule (`TIMES`), so no step is run again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from archsim.accounting.technology import Technology
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.records import seeds
from archsim.records.intervals import intervals
from archsim.records.recorded import CoursePoint, Recorded, RecordedChip
from archsim.records.reprice import under
from archsim.records.technologies import NamedTechnology, find
from archsim.technologies.overlay import by_rule
from archsim.technologies.rules import TIMES, check_rule


def read(path: Path, rule: str | None = None) -> Recorded:
    """Read a run directory or a folder of seeds, priced by its own technology under a scaling rule, if one is given.

    Raises
    ------
    InputError
        As for `seeds.read` and `ruled`.
    """
    run = seeds.read(path)
    return ruled(run, rule) if rule else run


def place(folder: Path, rule: str | None) -> Path:
    """Return where something of a run under a rule is written by default: beside what is written of the run itself."""
    return folder.with_name(f"{folder.name}-{rule}") if rule else folder


def ruled(run: Recorded, rule: str, technology: str | None = None) -> Recorded:
    """Return a run priced by one of its technologies, its own by default, scaled by a rule; by that alone.

    It is the run itself if the rule is the technology's own. Energies over the course of the training are those of the
    run, times the ratio of the totals, for amounts are recorded at the end of a training only.

    Raises
    ------
    InputError
        If the rule is unknown, no figure of the technology is scaled, or its file is no longer what priced the run.
    """
    priced = find(run.home, run.named, technology).alike(run)
    if check_rule(rule) == priced.scaling:
        return run
    if run.seeds:
        return seeds.mean(run.path, [ruled(each, rule, technology) for each in run.seeds])
    made = by_rule(priced, rule)
    also = under(run, made)
    chips = {name: _alone(chip, made.name, priced.name) for name, chip in also.chips.items()}
    note = (
        f"Priced by {rule} in place of {priced.scaling}; {TIMES}; the course of the energy is that of the run, scaled"
    )
    named = NamedTechnology(made.name, made.sha256, also.named[-1].times_s, made, note)
    found = replace(run, named=(named,), chips=chips, summary=_summary(run.summary, chips, made))
    try:
        found.summary["intervals"] = {made.name: intervals(found).content()}
    except InputError:  # a range that begins at zero
        found.summary["intervals"] = {}
    return found


def _alone(chip: RecordedChip, name: str, own: str) -> RecordedChip:
    """Return a chip under one technology alone; `own` is that of the run which it stands for."""
    ratio = _energy(chip, name) / _energy(chip, own) if _energy(chip, own) else 1.0
    return replace(
        chip, bills={name: chip.bills[name]}, ends={name: chip.ends[name]}, areas={name: chip.areas[own]},
        course=tuple(_point(point, name, own, ratio) for point in chip.course),
    )  # fmt: skip


def _point(point: CoursePoint, name: str, own: str, ratio: float) -> CoursePoint:
    return replace(point, energy_J={name: point.energy_J[own] * ratio})


def _energy(chip: RecordedChip, technology: str) -> float:
    return chip.bills[technology].total(phase=STEP_PHASES)


def _summary(told: Mapping[str, Any], chips: Mapping[str, RecordedChip], technology: Technology) -> dict[str, Any]:
    """Return a summary with the energies and ratios of these chips, under one technology alone."""
    energies = {name: _by_phase(chip, technology.name) for name, chip in chips.items()}
    architectures = {
        name: {
            **chip, "energy_per_step_J": energies[name],
            "energy_per_sample_J": {
                phase: energy * chip["steps"] / chip["samples"] for phase, energy in energies[name].items()
            },
        }
        for name, chip in told["architectures"].items()
    }  # fmt: skip
    over = energies.get(told["baseline"], {})
    ratios = {
        name: {**ratio, "energy": over["total"] / energies[name]["total"]} for name, ratio in told["ratios"].items()
    }
    ratio = next(iter(ratios.values()), told["ratio"])
    named = {"name": technology.name, "sha256": technology.sha256}
    return {
        **told, "technology": named, "architectures": architectures, "ratio": ratio, "ratios": ratios,
        "technologies": [{**named, "energy_per_step_J": energies, "ratio": ratio, "ratios": ratios}],
    }  # fmt: skip


def _by_phase(chip: RecordedChip, technology: str) -> dict[str, float]:
    found = {phase: chip.bills[technology].total(phase=phase) / chip.steps for phase in STEP_PHASES}
    return {**found, "total": math.fsum(found.values())}
