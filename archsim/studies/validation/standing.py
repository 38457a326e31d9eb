"""What the results of checks are held against: bands, known misses, and the results recorded last.

Bands stand in tech_params/designs/bands.yaml, one table for all cases, by kind of quantity, by whose figures archsim
answers, and by what the published number is. A check outside its band is a miss. Misses that are understood are listed,
with the cause, in known-misses.yaml in the folder that holds the cases' folders. What each check came to is recorded in
results.yaml beside its case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, FiniteFloat

from archsim.base.files import shipped, write_text
from archsim.base.yamlfile import FileRecord, Record, read, validate
from archsim.studies.validation.case_file import Class, Evidence
from archsim.studies.validation.cases import Case

Kind = Literal["energy", "time", "area", "throughput", "efficiency", "accuracy", "count"]
KINDS: dict[str, Kind] = {
    "energy": "energy", "energy_per_mac": "energy", "power": "energy", "latency": "time", "throughput": "throughput",
    "efficiency": "efficiency", "density": "efficiency", "ratio": "efficiency", "area": "area", "accuracy": "accuracy",
    "tiles": "count", "weights": "count", "macs": "count",
    "operations": "count", "traffic": "count", "memory": "count",
}  # fmt: skip
"""Quantity of a check -> kind of quantity that a band is for."""
EXACT = 1.001
"""Factor within which a calibrated figure gives back the number that set it."""


class Band(Record):
    """One line of the table: factor to either side, and why it is that."""

    quantity: Kind
    figures: Literal["own", "bottom-up"]
    evidence: list[Evidence]
    factor: Annotated[FiniteFloat, Field(gt=1)]
    because: str


class BandsFile(FileRecord):
    """Schema of bands.yaml."""

    kind: Literal["bands"]
    bands: list[Band]


class Miss(Record):
    """A check that is known to lie outside its band: by which factor, why, and since when (a date)."""

    check: str
    factor: Annotated[FiniteFloat, Field(gt=1)]
    cause: str
    since: str


class MissesFile(FileRecord):
    """Schema of known-misses.yaml; checks as CASE.CHECK."""

    kind: Literal["known-misses"]
    misses: list[Miss]


class Kept(Record):
    """What a check came to: archsim's value in four digits and its class; of a training the steps and the data."""

    value: str
    class_: Annotated[Class, Field(alias="class")]
    steps: int | None = None
    data: str = ""


class ResultsFile(FileRecord):
    """Schema of results.yaml."""

    kind: Literal["results"]
    results: dict[str, Kept]


class Course(Record):
    """What a training had come to after some steps: means of a step by phase [J] and [s], and the last accuracy."""

    steps: int
    energy: dict[str, float]
    latency: dict[str, float]
    test_accuracy: float

    def mean(self, quantity: str, phase: str | None) -> float:
        """Return the energy [J] or the latency [s] of a step, of one phase or of all."""
        return {"energy": self.energy, "latency": self.latency}[quantity][phase or "total"]


class RecordedTraining(Record):
    """The course of a training by chip, its first steps first, on data of one hash."""

    data: str
    chips: dict[str, list[Course]]


class RecordedFile(FileRecord):
    """Schema of recorded.yaml."""

    kind: Literal["recorded"]
    trainings: dict[str, RecordedTraining]


@cache
def bands() -> dict[tuple[str, str, str], float]:
    """Return (kind of quantity, whose figures, evidence) -> factor.

    Raises
    ------
    InputError
        If the table breaks its schema or gives one band twice.
    """
    document = read(shipped("tech_params") / "designs" / "bands.yaml")
    found: dict[tuple[str, str, str], float] = {}
    for k, band in enumerate(validate(document, BandsFile).bands):
        for evidence in band.evidence:
            key = (band.quantity, band.figures, evidence)
            if key in found:
                raise document.error(("bands", k), value=" ".join(key), expected="each band once")
            found[key] = band.factor
    return found


def band(quantity: str, kind: Class, figures: str, evidence: str) -> float:
    """Return the factor within which a check has to lie, either way."""
    return EXACT if kind == "calibration" else bands()[KINDS[quantity], figures, evidence]


def misses(case: Case) -> dict[str, Miss]:
    """Return the known misses of a case by check."""
    path = case.folder.resolve().parent / "known-misses.yaml"
    if not path.is_file():
        return {}
    document, found = read(path), {}
    for k, miss in enumerate(validate(document, MissesFile).misses):
        owner, _, check = miss.check.partition(".")
        if owner == case.file.name:
            if check not in case.file.published or case.file.published[check].check is None or check in found:
                expected = f"a check of {owner}, once"
                raise document.error(("misses", k, "check"), value=miss.check, expected=expected)
            found[check] = miss
    return found


def results(case: Case) -> dict[str, Kept]:
    """Return what the checks of a case came to when they were recorded; empty if never."""
    path = case.folder / "results.yaml"
    return validate(read(path), ResultsFile).results if path.is_file() else {}


def recorded(case: Case, training: str) -> RecordedTraining:
    """Return the record of a case's training.

    Raises
    ------
    InputError
        If there is none.
    """
    path: Path = case.folder / "recorded.yaml"
    found = validate(read(path), RecordedFile).trainings if path.is_file() else {}
    if training not in found:
        key = ("trainings", training, "recorded")
        raise case.document.error(
            key, "is not recorded yet", expected="a run with --full --record, which writes recorded.yaml"
        )
    return found[training]


def keep(case: Case, found: Mapping[str, Kept]) -> None:
    """Write what checks came to into results.yaml beside their case, over what stood there of the same checks."""
    kept = {**results(case), **found}
    content = {
        "schema": 1, "kind": "results",
        "results": {name: _short(kept[name]) for name in case.file.published if name in kept},
    }  # fmt: skip
    heading = f"What archsim came to of {case.file.name}; `archsim validate --record` writes it."
    _write(case.folder / "results.yaml", heading, content)


def keep_training(case: Case, training: str, data: str, courses: Mapping[str, Sequence[Course]]) -> None:
    """Write the course of a training into recorded.yaml beside its case."""
    path = case.folder / "recorded.yaml"
    trainings = dict(validate(read(path), RecordedFile).trainings) if path.is_file() else {}
    trainings[training] = RecordedTraining(data=data, chips={chip: list(each) for chip, each in courses.items()})
    content = {
        "schema": 1, "kind": "recorded",
        "trainings": {name: each.model_dump() for name, each in sorted(trainings.items())},
    }  # fmt: skip
    _write(path, f"Whole trainings of {case.file.name}; `archsim validate --full --record` writes it.", content)


def _short(kept: Kept) -> dict[str, Any]:
    return {key: value for key, value in kept.model_dump(by_alias=True).items() if value not in (None, "")}


def _write(path: Path, heading: str, content: Mapping[str, Any]) -> None:
    write_text(path, f"# {heading}\n{yaml.safe_dump(dict(content), sort_keys=False, width=120)}")
