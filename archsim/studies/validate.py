"""Run every check against published figures that archsim knows, and say how far off it is."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.accounting.area import area
from archsim.accounting.bill import price
from archsim.base import units
from archsim.base.yamlfile import Key
from archsim.chips.published import PublishedBoard, parse
from archsim.studies.cases import QUANTITIES, Case, Check, Number, Operation, read_case, shipped_cases
from archsim.studies.sweep import run_points


@dataclass(frozen=True, slots=True)
class Result:
    """One check: what was published, what archsim says, and whether that lies in the stated band.

    Parameters
    ----------
    published, simulated : float [unit]
    shown : the simulated value in the unit of the published text
    error : simulated / published - 1
    factor : the larger of simulated / published and its inverse
    """

    case: str
    name: str
    what: str
    quantity: str
    text: str
    published: float
    simulated: float
    shown: str
    basis: str
    band: float
    source: str
    evidence: str
    where: str
    cause: str

    @property
    def error(self) -> float:
        """Relative error of the simulated value."""
        return self.simulated / self.published - 1

    @property
    def factor(self) -> float:
        """Factor by which the simulated value is off, either way."""
        ratio = self.simulated / self.published
        return max(ratio, 1 / ratio) if ratio > 0 else math.inf

    @property
    def ok(self) -> bool:
        """Whether the value lies in its band."""
        return self.factor <= self.band


@dataclass(frozen=True, slots=True)
class Measured:
    """What one operation came to, a vector: energy [J], time [s], elementary operations; and the design's area [m^2].

    `unpriced` says that a part has no area figure, so that the area is a lower bound.
    """

    energy: float
    seconds: float
    operations: float
    area: float
    unpriced: bool

    def value(self, quantity: str) -> float:
        """Return a quantity of `cases.QUANTITIES` in its SI unit."""
        return {
            "energy": self.energy, "latency": self.seconds, "power": self.energy / self.seconds,
            "throughput": self.operations / self.seconds, "efficiency": self.operations / (self.energy or math.inf),
            "density": self.operations / self.seconds / (self.area or math.inf), "area": self.area,
            "energy_per_mac": 2 * self.energy / self.operations,
        }[quantity]  # fmt: skip


def validate(
    names: Iterable[str] = (), *, full: bool = False, folder: Path, data: Path | None = None
) -> list[Result]:  # fmt: skip
    """Run the checks of cases, all shipped ones by default.

    Parameters
    ----------
    names : shipped names, or paths of case.yaml
    full : also the checks that need a whole training
    folder : where training points are kept, by the hash of their inputs
    data : folder of data sets

    Raises
    ------
    InputError
        If a case is wrong.
    """
    cases = [read_case(name) for name in names or shipped_cases()]
    trained = _train(cases, full=full, folder=folder, data=data)
    found: list[Result] = []
    for case in cases:
        measured = {name: measure(case, operation) for name, operation in case.file.kernels.items()}
        for name, number in case.file.published.items():
            check = number.check
            if check and (full or not check.full):
                bound = ""
                if check.of[0] in case.file.trainings:
                    simulated = _of_training(trained[case.file.name, check.of[0]], check)
                else:
                    total = _sum([measured[run] for run in check.of])
                    simulated = total.value(check.quantity)
                    bound = "at least " if check.quantity == "area" and total.unpriced else ""
                found.append(_result(case, name, number, check, simulated, bound))
    return found


def measure(case: Case, operation: Operation) -> Measured:
    """Run one operation of a case on its design, price it, and return what one vector came to."""
    settings: dict[Key, str] = {tuple(key.split(".")): str(value) for key, value in operation.set.items()}
    architecture = parse(case.architecture(operation.design).with_settings(settings, option="set"))
    technology = case.technology(operation.design)
    board = PublishedBoard(architecture, technology)
    time_ps = board.run_operation(operation.kernel, operation.vectors, operation.density)
    bill = price(board.ledger.rows(), board.entries(), technology, architecture.boundary.inside)
    space = area(board.parts(), technology)
    return Measured(
        energy=bill.total() / operation.vectors,
        seconds=time_ps * 1e-12 / operation.vectors,
        operations=2.0 * architecture.weights,
        area=space.total,
        unpriced=space.is_lower_bound,
    )


def _sum(parts: list[Measured]) -> Measured:
    """Return operations one after the other on one design."""
    return Measured(
        math.fsum(k.energy for k in parts), math.fsum(k.seconds for k in parts),
        math.fsum(k.operations for k in parts), parts[0].area, parts[0].unpriced,
    )  # fmt: skip


def _train(cases: list[Case], *, full: bool, folder: Path, data: Path | None) -> dict[tuple[str, str], dict[str, Any]]:
    """Run the trainings that checks ask for; return (case, training) -> summary."""
    points: dict[str, dict[str, Any]] = {}
    place: dict[tuple[str, str], str] = {}
    for case in cases:
        wanted = {
            run for n in case.file.published.values() if n.check and (full or not n.check.full) for run in n.check.of
        }
        for name, training in case.file.trainings.items():
            if name in wanted:
                place[case.file.name, name] = point = f"{case.file.name}/{name}"
                points[point] = {
                    "workload": case.near(training.workload), "archs": tuple(map(case.near, training.architectures)),
                    "techs": (case.near(training.technology),), "seed": 1, "data": data,
                    "steps": training.full_steps if full else training.steps,
                }  # fmt: skip
    summaries = run_points(points, folder) if points else {}
    return {key: summaries[point] for key, point in place.items()}


def _of_training(summary: dict[str, Any], check: Check) -> float:
    if check.quantity == "ratio":
        return float(summary["ratio"]["energy"])
    chip = summary["architectures"][check.chip]
    key = {"energy": "energy_per_step_J", "latency": "latency_per_step_s"}.get(check.quantity)
    return float(chip[key][check.phase or "total"] if key else chip["test_accuracy"])


def _result(case: Case, name: str, number: Number, check: Check, simulated: float, bound: str) -> Result:
    published = units.parse(number.value, QUANTITIES[check.quantity])
    digits, _, unit = re.sub(r"\s+", " ", number.value.strip()).partition(" ")
    scale = published / float(digits) if float(digits) else 1.0
    return Result(
        case=case.file.name, name=name, what=number.what, quantity=check.quantity, text=number.value,
        published=published, simulated=simulated, shown=f"{bound}{_digits(simulated / scale)} {unit}".strip(),
        basis=check.basis, band=check.band, source=case.file.source, evidence=case.file.evidence, where=number.where,
        cause=check.cause or "",
    )  # fmt: skip


def _digits(value: float) -> str:
    """Return four significant digits, without an exponent where a published table would have none."""
    return f"{float(f'{value:.4g}'):.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Over all predictions: how many, median and worst factor, which is worst, how many within x1.1 and x2."""

    predictions: int
    median: float
    worst: float
    worst_name: str
    within_ten_percent: int
    within_two: int
    outside_band: tuple[str, ...]


def verdict(results: list[Result]) -> Verdict:
    """Return the verdict over the predictions; calibrations and mere sums of parts are left out of it."""
    predictions = [r for r in results if r.basis == "prediction"]
    worst = max(predictions, key=lambda r: r.factor, default=None)
    return Verdict(
        predictions=len(predictions),
        median=statistics.median(r.factor for r in predictions) if predictions else math.nan,
        worst=worst.factor if worst else math.nan,
        worst_name=f"{worst.case}: {worst.what}" if worst else "",
        within_ten_percent=sum(r.factor <= 1.1 for r in predictions),
        within_two=sum(r.factor <= 2 for r in predictions),
        outside_band=tuple(f"{r.case}.{r.name}" for r in results if not r.ok),
    )
