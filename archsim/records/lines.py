"""What a report reads: the files of one run directory, checked."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from archsim.base.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "energy.csv": {"technology", "architecture", "phase", "in_step", "component", "action", "inside_boundary",
                   "amount", "amount_unit", "figure", "price_J_per_unit", "energy_per_step_J", "basis", "source"},
    "area.csv": {"technology", "architecture", "component", "key", "amount", "amount_unit", "figure",
                 "area_m2_per_unit", "area_m2", "low_m2", "high_m2", "basis", "source"},
    "training.csv": {"architecture", "step", "samples", "running_accuracy", "test_accuracy", "simulated_time_s"},
}  # fmt: skip
LATER = {"energy.csv": ("price_low_J_per_unit", "price_high_J_per_unit")}
"""Columns that run directories from before lack; they are NaN then."""
WORDS = {"technology", "architecture", "phase", "component", "action", "key", "amount_unit", "figure", "basis",
         "source"}  # fmt: skip
"""Columns of text; the others are numbers, or truth values in `TRUTHS`."""
TRUTHS = {"in_step", "inside_boundary"}
SUMMARY_KEYS = ("workload", "dataset", "dataset_origin", "seed", "steps", "state", "technology", "technologies",
                "architectures", "ratio", "paper", "boundary")  # fmt: skip
CHIP_KEYS = ("energy_per_step_J", "latency_per_step_s", "test_accuracy", "pulses_per_step",
             "programmed_pairs_per_step", "outer_product_updates_per_step", "simulated_time_s", "steps")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one action of one component costs in a step: amount x price = energy [J].

    `low` and `high` are that energy with the figure at the ends of its range; NaN in a run directory from before
    archsim wrote them.
    """

    phase: str
    component: str
    action: str
    amount: float
    unit: str
    figure: str
    price: float
    energy: float
    basis: str
    source: str
    low: float = math.nan
    high: float = math.nan

    @property
    def part(self) -> str:
        """The part of the chip that the action belongs to, the same word for every chip."""
        return part_of(self.action)


@dataclass(frozen=True, slots=True)
class PartArea:
    """The area of one part of a chip [m^2], with the ends of its range; NaN where no figure gives it."""

    component: str
    key: str
    amount: float
    unit: str
    figure: str
    price: float
    area: float
    low: float
    high: float
    basis: str
    source: str

    @property
    def name(self) -> str:
        """The part without the kind of its component."""
        return self.key.partition(".")[2]

    @property
    def part(self) -> str:
        """The part of the chip, the same word as for a contribution to the energy."""
        return "arithmetic" if self.name == "logic" else _PARTS.get(self.name, self.name)


_PARTS = {
    "chi": "chi memory", "weights": "weight memory", "buffer": "signal memory", "operand": "signal memory",
    "log": "programming", "set": "programming", "reset": "programming", "device": "programming",
    "driver": "programming", "adc": "ADC", "dac": "DAC and cells", "line": "DAC and cells", "cells": "DAC and cells",
    "add": "arithmetic", "multiply": "arithmetic", "compare": "arithmetic", "lookup": "arithmetic",
    "up": "programming", "down": "programming", "round": "arithmetic",
    "control": "control and clock", "logic": "control and clock", "periphery": "DAC and cells", "transfer": "bus",
}  # fmt: skip


def part_of(action: str) -> str:
    """Return the part of the chip that an action belongs to."""
    head = action.partition(".")[0]
    return _PARTS.get(action) or _PARTS.get(head) or head


@dataclass(frozen=True)
class RunData:
    """A run as its files tell it.

    Parameters
    ----------
    path : Path
    summary : mapping
        Content of summary.json.
    run : mapping
        Content of run.yaml.
    energy, training : DataFrame
        Content of energy.csv and training.csv.
    area : DataFrame or None
        Content of area.csv; None in a run directory from before archsim wrote one.
    """

    path: Path
    summary: dict[str, Any]
    run: dict[str, Any]
    energy: pd.DataFrame
    training: pd.DataFrame
    area: pd.DataFrame | None = None

    @property
    def technology(self) -> str:
        """The run's own technology, by which charts are drawn."""
        return str(self.summary["technology"]["name"])

    @property
    def architectures(self) -> list[str]:
        """Names of the chips, in the order of the run."""
        return list(self.summary["architectures"])

    def contributions(self, architecture: str, technology: str | None = None) -> list[Contribution]:
        """Return the lines of a chip's training step inside the boundary, under one technology."""
        table = self.energy
        chosen = (table.architecture == architecture) & (table.technology == (technology or self.technology))
        rows = table[chosen & table.in_step & table.inside_boundary].to_dict("records")
        steps = float(self.summary["architectures"][architecture]["steps"])
        return [
            Contribution(
                phase=str(row["phase"]), component=str(row["component"]), action=str(row["action"]),
                amount=float(row["amount"]) / steps, unit=str(row["amount_unit"]), figure=str(row["figure"]),
                price=float(row["price_J_per_unit"]), energy=float(row["energy_per_step_J"]), basis=str(row["basis"]),
                source=_word(row["source"]), low=float(row["amount"]) / steps * float(row["price_low_J_per_unit"]),
                high=float(row["amount"]) / steps * float(row["price_high_J_per_unit"]),
            )
            for row in rows
        ]  # fmt: skip

    def areas(self, architecture: str, technology: str | None = None) -> list[PartArea]:
        """Return the parts of a chip with their areas under one technology; empty if the run tells none."""
        if self.area is None:
            return []
        table = self.area
        chosen = (table.architecture == architecture) & (table.technology == (technology or self.technology))
        return [
            PartArea(
                component=str(row["component"]), key=str(row["key"]), amount=float(row["amount"]),
                unit=str(row["amount_unit"]), figure=_word(row["figure"]), price=float(row["area_m2_per_unit"]),
                area=float(row["area_m2"]), low=float(row["low_m2"]), high=float(row["high_m2"]),
                basis=_word(row["basis"]), source=_word(row["source"]),
            )
            for row in table[chosen].to_dict("records")
        ]  # fmt: skip

    @property
    def technologies(self) -> list[str]:
        """Names of all technologies by which the run was priced, its own first."""
        return [str(technology["name"]) for technology in self.summary["technologies"]]

    def total(self, architecture: str, technology: str | None = None) -> float:
        """Return the energy [J] of a chip's step inside the boundary, under one technology."""
        return math.fsum(line.energy for line in self.contributions(architecture, technology))

    def ends(self, architecture: str, technology: str | None = None) -> tuple[float, float]:
        """Return the energy [J] of a chip's step with all figures at the low, and at the high end of their ranges."""
        lines = self.contributions(architecture, technology)
        return math.fsum(line.low for line in lines), math.fsum(line.high for line in lines)

    def largest(self, architecture: str, most: int, technology: str | None = None) -> list[Contribution]:
        """Return the largest contributors of a chip, summed over phases and layers, the largest first."""
        sums: dict[tuple[str, str], Contribution] = {}
        for line in self.contributions(architecture, technology):
            key = line.component, line.action
            found = sums.get(key)
            amount = line.amount + (found.amount if found else 0.0)
            energy = line.energy + (found.energy if found else 0.0)
            low, high = (getattr(line, end) + (getattr(found, end) if found else 0.0) for end in ("low", "high"))
            sums[key] = replace(line, phase="step", amount=amount, energy=energy, low=low, high=high)
        return sorted(sums.values(), key=lambda line: -line.energy)[:most]


def load(path: Path) -> RunData:
    """Read a run directory.

    Raises
    ------
    InputError
        If it is none, a file is missing, unreadable or lacks a column or key, or its files contradict each other.
    """
    if not path.is_dir():
        raise InputError(key="DIR", value=str(path), expected="an existing run directory")
    run = _run(path / "run.yaml")
    summary = _summary(path / "summary.json", str(run.get("state")))
    energies = {f"energy_J_{summary['technology']['name']}"}
    tables = {
        name: _table(path / name, columns | (energies if name == "training.csv" else set()))
        for name, columns in COLUMNS.items()
        if name != "area.csv" or (path / name).exists()
    }
    found = RunData(path, summary, run, tables["energy.csv"], tables["training.csv"], tables.get("area.csv"))
    for name, chip in summary["architectures"].items():
        told, total = float(chip["energy_per_step_J"]["total"]), found.total(name)
        if not math.isclose(total, told, rel_tol=1e-9, abs_tol=1e-30):
            raise InputError(
                f"gives {name} {total!r} J a step", file=path / "energy.csv", key=found.technology,
                expected=f"{told!r} J, as in summary.json: the files of one run, as archsim wrote them",
            )  # fmt: skip
    return found


def _word(cell: object) -> str:
    """Return a cell of text, "" for an empty one."""
    return cell if isinstance(cell, str) else ""


def _text(file: Path, hint: str | None = None) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError("is missing", file=file, expected="a run directory with its files", hint=hint) from error
    except (UnicodeDecodeError, OSError) as error:
        raise InputError("is not readable", file=file, expected="the text that archsim wrote") from error


def _run(file: Path) -> dict[str, Any]:
    try:
        run = yaml.safe_load(_text(file))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise InputError("is not valid YAML", file=file, line=line, expected="the YAML that archsim wrote") from error
    if not isinstance(run, dict):
        raise InputError("holds no mapping", file=file, expected="the YAML that archsim wrote")
    return run


def _summary(file: Path, state: str) -> dict[str, Any]:
    hint = f"The run's state is {state!r}: it has no results yet" if state != "finished" else None
    try:
        summary = json.loads(_text(file, hint))
    except json.JSONDecodeError as error:
        raise InputError(
            f"is not valid JSON: {error.msg}", file=file, line=error.lineno, expected="the JSON that archsim wrote"
        ) from error
    if not isinstance(summary, dict) or not summary.get("architectures"):
        raise InputError("holds no results", file=file, expected="those of at least one chip")
    missing = [key for key in SUMMARY_KEYS if key not in summary]
    missing += [
        f"architectures.{name}.{key}"
        for name, chip in summary["architectures"].items()
        for key in CHIP_KEYS
        if key not in chip
    ]
    if missing:
        raise InputError("is missing", file=file, key=missing[0], expected="the keys that archsim wrote")
    return summary


def _table(file: Path, columns: set[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(file)
    except FileNotFoundError as error:
        raise InputError("is missing", file=file, expected="a run directory with its files") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
        raise InputError("is not readable", file=file, expected="the CSV that archsim wrote") from error
    if missing := sorted(columns - set(table.columns)):
        raise InputError(f"lacks the column {missing[0]}", file=file, expected="the columns that archsim wrote")
    for name in (later := LATER.get(file.name, ())):
        table[name] = table.get(name, math.nan)
    for name in sorted((columns | set(later)) - WORDS):
        wanted, kind = ("True or False", bool) if name in TRUTHS else ("numbers", float)
        if name in TRUTHS and not table.empty and table[name].dtype != bool:
            raise InputError("holds something else", file=file, key=name, expected=wanted)
        try:
            table[name] = table[name].astype(kind)
        except ValueError as error:
            raise InputError(f"holds something else ({error})", file=file, key=name, expected=wanted) from error
    return table
