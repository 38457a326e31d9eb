"""A run directory, read back: what its chips did, as ledger rows and entries, and how it was priced. Builds no chip."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from archsim.accounting.bill import Bill, Line
from archsim.accounting.ledger import Action, Entry, Row
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES

FILES = {
    "activity.csv": {"architecture", "phase", "layer", "component", "action", "key", "function", "amount",
                     "amount_unit", "sizes", "what"},
    "energy.csv": {"technology", "architecture", "phase", "layer", "component", "action", "key", "function",
                   "inside_boundary", "amount", "amount_unit", "figure", "price_J_per_unit", "energy_J", "basis",
                   "source", "note"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A technology of a run, as run.yaml names it: its hash, and its times [s]."""

    name: str
    sha256: str
    times_s: Mapping[str, float]


@dataclass(frozen=True)
class RecordedChip:
    """What one chip of a run did.

    Parameters
    ----------
    architecture, kind : str
        Name of the architecture, and of its kind of chip.
    steps : int
    rows, entries : the ledger, and what each of its actions is
    inside : functions inside the boundary of the account
    latency_s : phase -> simulated time of a step [s], "total" among them
    bills : technology -> the bill as it was made with the run
    rounded : whether sizes were written with six digits, as archsim once did, so that prices are good to 1e-5
    """

    architecture: str
    kind: str
    steps: int
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    inside: tuple[str, ...]
    latency_s: Mapping[str, float]
    bills: Mapping[str, Bill]
    rounded: bool


@dataclass(frozen=True)
class Recorded:
    """A run as its directory tells it: particulars, technologies (its own first) and chips by name."""

    path: Path
    summary: Mapping[str, Any]
    technologies: tuple[Named, ...]
    chips: Mapping[str, RecordedChip]

    @property
    def times_s(self) -> Mapping[str, float]:
        """Times [s] by which the run's chips were clocked."""
        return self.technologies[0].times_s


def read(path: Path) -> Recorded:
    """Read a run directory.

    Raises
    ------
    InputError
        If it is none, a file is missing or is not what archsim writes, or the files contradict each other.
    """
    if not path.is_dir():
        raise InputError(key="RUN", value=str(path), expected="an existing run directory")
    run = _mapping(path / "run.yaml")
    summary = _mapping(path / "summary.json", state=str(run.get("state")))
    activity, energy = (_table(path / name, columns) for name, columns in FILES.items())
    try:
        technologies = tuple(Named(t["name"], t["sha256"], t["times_s"]) for t in run["technologies"])
        boundaries = {a["name"]: tuple(a["boundary"]["inside"]) for a in run["architectures"]}
        found = Recorded(path, summary, technologies, {
            name: _chip(path, name, chip, boundaries[name], activity, energy)
            for name, chip in summary["architectures"].items()
        })  # fmt: skip
        for chip in found.chips.values():
            _agree(path, chip, summary["technology"]["name"], summary["architectures"][chip.architecture])
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"lacks something ({error})", file=path, expected="run.yaml as archsim writes it") from error
    return found


def _agree(path: Path, chip: RecordedChip, technology: str, told: Mapping[str, Any]) -> None:
    """Refuse a chip whose energy.csv is not what activity.csv counts, or not what summary.json adds up to."""
    file = path / "energy.csv"
    whole = "the files of one run, as archsim wrote them"
    counted = {(row.phase, row.layer, row.component, row.action): row.amount for row in chip.rows}
    for name, bill in chip.bills.items():
        priced = {(line.phase, line.layer, line.component, line.action): line.amount for line in bill.lines}
        if priced != counted:
            place = next(key for key in (*counted, *priced) if priced.get(key) != counted.get(key))
            where = ", ".join(filter(None, (chip.architecture, *place)))
            raise InputError(
                f"has {priced.get(place, 'no row')} for {where}", file=file, key=name,
                expected=f"{counted.get(place, 'no row')}, as in activity.csv: {whole}",
            )  # fmt: skip
        for line in bill.lines:
            if not math.isclose(line.energy_J, line.amount * line.price, rel_tol=1e-9, abs_tol=1e-30):
                raise InputError(
                    f"is {line.energy_J!r} for {line.component}.{line.action} of {chip.architecture}", file=file,
                    key="energy_J", expected=f"{line.amount * line.price!r}, amount times price",
                )  # fmt: skip
    own = chip.bills.get(technology)
    step = own.total(phase=STEP_PHASES) / chip.steps if own else None
    total = told["energy_per_step_J"]["total"]
    if step is None or not math.isclose(step, total, rel_tol=1e-9):
        raise InputError(
            f"gives {chip.architecture} {'nothing' if step is None else f'{step!r} J a step'}", file=file,
            key=technology, expected=f"{total!r} J, as in summary.json: {whole}",
        )  # fmt: skip


def _chip(
    path: Path, name: str, chip: Mapping[str, Any], inside: tuple[str, ...], activity: list[dict[str, str]],
    energy: list[dict[str, str]],
) -> RecordedChip:  # fmt: skip
    mine = [row for row in activity if row["architecture"] == name]
    file = path / "activity.csv"
    rows = tuple(Row(r["phase"], r["layer"], r["component"], r["action"], _number(file, r, "amount")) for r in mine)
    entries = {
        (r["component"], r["key"]): Entry(
            r["component"], r["key"], Action(r["what"], r["function"], _unit(r)), _sizes(file, r["sizes"])
        )
        for r in mine
    }
    bills: dict[str, list[Line]] = {}
    for row in energy:
        if row["architecture"] == name:
            bills.setdefault(row["technology"], []).append(_line(path / "energy.csv", row))
    return RecordedChip(
        architecture=name, kind=str(chip.get("chip", name)), steps=int(chip["steps"]), rows=rows,
        entries=tuple(entries.values()), inside=inside, latency_s=chip["latency_per_step_s"],
        bills={technology: Bill(tuple(lines)) for technology, lines in bills.items()},
        rounded=any("e+" in r["sizes"] for r in mine),
    )  # fmt: skip


def _line(file: Path, row: dict[str, str]) -> Line:
    return Line(
        phase=row["phase"], layer=row["layer"], component=row["component"], action=row["action"], key=row["key"],
        function=row["function"], inside=row["inside_boundary"] == "True", amount=_number(file, row, "amount"),
        unit=_unit(row), figure=row["figure"] or None, price=_number(file, row, "price_J_per_unit"),
        energy_J=_number(file, row, "energy_J"), basis=row["basis"], source=row["source"], reason=row["note"],
    )  # fmt: skip


def _mapping(file: Path, state: str = "finished") -> dict[str, Any]:
    """Return the content of run.yaml or summary.json."""
    hint = f"The run's state is {state!r}: it has no results yet" if state == "running" else None
    try:
        text = file.read_text(encoding="utf-8")
        quick = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the loader in C, where PyYAML has it
        content = json.loads(text) if file.suffix == ".json" else yaml.load(text, Loader=quick)  # noqa: S506  both safe
    except FileNotFoundError as error:
        raise InputError("is missing", file=file, expected="a run directory with its files", hint=hint) from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, yaml.YAMLError) as error:
        raise InputError("is not readable", file=file, expected="what archsim wrote") from error
    if not isinstance(content, dict):
        raise InputError("holds no mapping", file=file, expected="what archsim wrote")
    return content


def _table(file: Path, columns: Collection[str]) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, restval=""))
    except FileNotFoundError as error:
        raise InputError("is missing", file=file, expected="a run directory with its files") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError("is not readable", file=file, expected="the CSV that archsim wrote") from error
    if not rows:
        raise InputError("has no rows", file=file, expected="the CSV that archsim wrote")
    if missing := sorted(set(columns) - set(rows[0])):
        raise InputError(f"lacks the column {missing[0]}", file=file, expected="the columns that archsim wrote")
    return rows


def _number(file: Path, row: Mapping[str, str], column: str) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise InputError(file=file, key=column, value=row[column], expected="a number from 0 on")
    return number


def _unit(row: Mapping[str, str]) -> str:
    return "" if row["amount_unit"] == "1" else row["amount_unit"]


def _sizes(file: Path, text: str) -> dict[str, float]:
    try:
        return {name: float(value) for name, _, value in (pair.partition("=") for pair in text.split(";") if pair)}
    except ValueError as error:
        raise InputError(file=file, key="sizes", value=text, expected='"name=value;name=value"') from error
