"""What a report reads: the files of one run directory, checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "energy.csv": {"technology", "architecture", "phase", "in_step", "component", "action", "inside_boundary",
                   "amount", "amount_unit", "figure", "price_J_per_unit", "energy_per_step_J", "basis", "source"},
    "training.csv": {"architecture", "step", "samples", "running_accuracy", "test_accuracy", "simulated_time_s"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one action of one component costs in a step: amount x price = energy [J]."""

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

    @property
    def part(self) -> str:
        """The part of the chip that the action belongs to, the same word for every chip."""
        head = self.action.partition(".")[0]
        return _PARTS.get(self.action) or _PARTS.get(head) or head


_PARTS = {
    "chi": "chi memory", "weights": "weight memory", "buffer": "signal memory", "operand": "signal memory",
    "log": "programming", "set": "programming", "reset": "programming", "device": "programming",
    "adc": "ADC", "dac": "DAC and cells", "line": "DAC and cells", "cells": "DAC and cells",
    "add": "arithmetic", "multiply": "arithmetic", "compare": "arithmetic", "lookup": "arithmetic",
    "control": "control and clock", "logic": "control and clock", "periphery": "DAC and cells", "transfer": "bus",
}  # fmt: skip


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
    """

    path: Path
    summary: dict[str, Any]
    run: dict[str, Any]
    energy: pd.DataFrame
    training: pd.DataFrame

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
                source=str(row["source"]) if isinstance(row["source"], str) else "",
            )
            for row in rows
        ]  # fmt: skip

    def largest(self, architecture: str, most: int) -> list[Contribution]:
        """Return the largest contributors of a chip, summed over phases and layers, the largest first."""
        sums: dict[tuple[str, str], Contribution] = {}
        for line in self.contributions(architecture):
            key = line.component, line.action
            found = sums.get(key)
            amount = line.amount + (found.amount if found else 0.0)
            energy = line.energy + (found.energy if found else 0.0)
            sums[key] = replace(line, phase="step", amount=amount, energy=energy)
        return sorted(sums.values(), key=lambda line: -line.energy)[:most]

    def phase(self, architecture: str, quantity: str) -> dict[str, float]:
        """Return a quantity of summary.json by phase of the step."""
        values = self.summary["architectures"][architecture][quantity]
        return {phase: float(values[phase]) for phase in STEP_PHASES}


def load(path: Path) -> RunData:
    """Read a run directory.

    Raises
    ------
    InputError
        If it is none, or a file is missing, unreadable or lacks a column.
    """
    if not path.is_dir():
        raise InputError(key="DIR", value=str(path), expected="an existing run directory")
    tables = {name: _table(path / name, columns) for name, columns in COLUMNS.items()}
    try:
        summary = json.loads(_text(path / "summary.json"))
        run = yaml.safe_load(_text(path / "run.yaml"))
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise InputError(f"cannot be read: {error}", file=path, expected="the files that archsim wrote") from error
    if not isinstance(summary, dict) or not summary.get("architectures") or not isinstance(run, dict):
        raise InputError("holds no results", file=path / "summary.json", expected="those of at least one chip")
    return RunData(path, summary, run, tables["energy.csv"], tables["training.csv"])


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError("is missing", file=file, expected="a run directory with its files") from error


def _table(file: Path, columns: set[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        table = pd.read_csv(file, keep_default_na=True)
    except FileNotFoundError as error:
        raise InputError("is missing", file=file, expected="a run directory with its files") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError("is not readable", file=file, expected="the CSV that archsim wrote") from error
    if missing := sorted(columns - set(table.columns)):
        raise InputError(f"lacks the column {missing[0]}", file=file, expected="the columns that archsim wrote")
    return table
