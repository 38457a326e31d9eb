"""Cases: published designs as files, read and checked. A published number is an input or a check on it, never both.

A case is a folder under tech_params/designs: `case.yaml` beside the architecture and technology files it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.accounting.circuits import CHIP_PARTS
from archsim.accounting.technology import Technology, read_technology
from archsim.base import units
from archsim.base.bibtex import read_references
from archsim.base.errors import InputError, nearest
from archsim.base.files import display, shipped
from archsim.base.finding import bibliographies
from archsim.base.yamlfile import Document, Key, read, validate
from archsim.studies.validation.case_file import COUNTS, QUANTITIES, UPDATE_COUNTS, CaseFile, Check, Number
from archsim.technologies.overlay import by_rule
from archsim.technologies.rules import has_scaled

CLOSE = 1e-6
"""Two numbers of one unit within this part of each other are the same published number."""
KEPT = ("case.yaml", "results.yaml", "recorded.yaml")
"""Files of a case's folder that are no files of its designs."""


@dataclass(frozen=True)
class Case:
    """A case as read: its file and its folder; a rule by which scaled figures of its technologies are computed."""

    file: CaseFile
    document: Document
    rule: str | None = None

    @property
    def folder(self) -> Path:
        """Where the case's files stand."""
        return self.document.path.parent

    def technology(self, design: str) -> Technology:
        """Return the technology of a design."""
        found = read_technology(self.file.designs[design].technology, near=self.folder)
        return by_rule(found, self.rule) if self.rule and has_scaled(found) else found

    def architecture(self, design: str) -> Document:
        """Return the architecture document of a design."""
        return read(self.folder / f"{self.file.designs[design].architecture}.yaml")

    def near(self, name: str) -> str:
        """Return the path of a file in the case's folder by its name, or the name of a shipped one as it is."""
        path = self.folder / f"{name}.yaml"
        return str(path) if path.is_file() else name


def shipped_cases() -> list[str]:
    """Return the names of the shipped cases, sorted."""
    return sorted(path.parent.name for path in (shipped("tech_params") / "designs").glob("*/case.yaml"))


def read_case(name_or_path: str) -> Case:
    """Read a case by shipped name or by the path of its case.yaml, and refuse what is wrong with it.

    Raises
    ------
    InputError
        If there is none, if it breaks the schema or names what it does not have, or if a published number is both
        input and check.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = shipped("tech_params") / "designs" / name_or_path / "case.yaml"
    if not path.is_file():
        known = shipped_cases()
        raise InputError(
            key="CASE", value=name_or_path, expected=f"a case.yaml, or one of {', '.join(known)}",
            hint=nearest(name_or_path, known),
        )  # fmt: skip
    document = read(path)
    case = Case(validate(document, CaseFile), document)
    if case.file.name != path.resolve().parent.name:
        raise document.error(("name",), value=case.file.name, expected=f"the folder's name, {path.parent.name!r}")
    _check_names(case)
    if problems := lint(case):
        raise InputError(problems[0])
    return case


def _check_names(case: Case) -> None:
    """Refuse names that lead nowhere, and values that are no quantity of their kind."""
    file, document = case.file, case.document
    references = {key for shelf in bibliographies([document.path]) for key in read_references(shelf)}
    if file.source not in references:
        raise document.error(("source",), value=file.source, expected="a key of references.bib",
                             hint=nearest(file.source, references))  # fmt: skip
    for name, operation in file.kernels.items():
        if operation.design not in file.designs:
            raise document.error(("kernels", name, "design"), value=operation.design, expected=", ".join(file.designs))
    for name, number in file.published.items():
        if number.check is not None:
            _check_check(case, name, number, number.check)


def _check_check(case: Case, name: str, number: Number, check: Check) -> None:
    """Refuse a check that names what the case does not have, or whose value is no quantity of its kind."""
    file, error, key = case.file, case.document.error, ("published", name, "check")
    runs = {**file.kernels, **file.trainings, **file.networks, **file.updates}
    others = [each for each, one in file.published.items() if one.check and each != name]
    if check.quantity not in QUANTITIES:
        raise error((*key, "quantity"), value=check.quantity, expected=", ".join(QUANTITIES))
    for run in check.of:
        if run not in runs:
            raise error((*key, "of"), value=run, expected=", ".join(runs), hint=nearest(run, runs))
    _check_run(case, check, key)
    _check_components(case, check, key)
    if check.same_as and "." not in check.same_as and check.same_as not in others:
        hint = nearest(check.same_as, others)
        raise error((*key, "same_as"), value=check.same_as, expected="another check", hint=hint)
    try:
        units.parse(number.value, QUANTITIES[check.quantity])
    except InputError as wrong:
        raise error(("published", name, "value"), wrong.message) from wrong


def _check_run(case: Case, check: Check, key: Key) -> None:
    """Refuse a quantity that what is run does not have."""
    file, error, first = case.file, case.document.error, check.of[0]
    if check.phase and not check.chip and (first not in file.networks or file.networks[first].work == "inference"):
        raise error(
            (*key, "phase"), "names a phase", expected="a training's `chip`, or a network's training, beside it"
        )
    if first in file.updates and (len(check.of) > 1 or check.quantity not in ("latency", *UPDATE_COUNTS)):
        raise error(
            (*key, "quantity"), value=check.quantity, expected=f"one update's latency, {', '.join(UPDATE_COUNTS)}"
        )
    if (check.quantity in UPDATE_COUNTS) > (first in file.updates):
        raise error((*key, "quantity"), value=check.quantity, expected=f"an update of {', '.join(file.updates)}")
    if (check.quantity in COUNTS) > (first in file.networks):
        raise error((*key, "quantity"), value=check.quantity, expected=f"a network of {', '.join(file.networks)}")
    if first in file.networks and (len(check.of) > 1 or check.quantity in ("ratio", "accuracy")):
        raise error((*key, "of"), value=", ".join(check.of), expected="one network, of which no ratio and no accuracy")


def _check_components(case: Case, check: Check, key: Key) -> None:
    """Refuse parts that no figure of the operation's technology prices, or that a chip does not have."""
    if not check.parts or check.of[0] in case.file.updates:
        return
    if check.of[0] in case.file.networks:
        if unknown := [part for part in check.parts if part not in CHIP_PARTS]:
            hint = nearest(unknown[0], CHIP_PARTS)
            raise case.document.error((*key, "component"), value=unknown[0], expected=f"one of {', '.join(CHIP_PARTS)}",
                                      hint=hint)  # fmt: skip
        return
    technology = case.technology(case.file.kernels[check.of[0]].design)
    figures = technology.areas if check.quantity == "area" else technology.figures
    for part in check.parts:
        if part not in figures:
            expected = f"one of {', '.join(figures)}"
            raise case.document.error((*key, "component"), value=part, expected=expected, hint=nearest(part, figures))


def lint(case: Case) -> list[str]:
    """Return what is wrong with the roles of a case's numbers; empty if nothing is.

    An input names an existing key of the case's own files. A check's number may not be that of an input of the same
    unit, nor may it stand in one of the case's own files as a value of a time, a figure or an area.
    """
    lines = []
    where = display(case.document.path)
    values = {name: as_number(number.value) for name, number in case.file.published.items()}
    files = {path.stem: read(path) for path in sorted(case.folder.glob("*.yaml")) if path.name not in KEPT}
    standing = [(f"{stem}.{key}", as_number(text)) for stem, document in files.items()
                for key, text in _texts(document.data)]  # fmt: skip
    for name, number in case.file.published.items():
        for key in number.sets:
            stem, _, inside = key.partition(".")
            if stem not in files or not _has(files[stem].data, inside):
                lines.append(f"{where}: published.{name}.sets: {key!r} is no key of the case's own files")
        if number.role == "input":
            continue
        twins = [f"the input {other!r}" for other, twin in case.file.published.items()
                 if twin.role == "input" and _same(values[name], values[other])]  # fmt: skip
        twins += [place for place, other in standing if _same(values[name], other)]
        lines += [f"{where}: published.{name}: the check {number.value} is also {twin}; a number is input or check, "
                  "never both" for twin in twins]  # fmt: skip
    return lines


def as_number(text: str) -> tuple[float, str] | None:
    """Return a quantity in the first unit of `QUANTITIES` that it has, or None."""
    for unit in (*dict.fromkeys(QUANTITIES.values()), "S", "V", "m", "J/bit", "W/bit"):
        if (value := units.parse_or_none(text, unit)) is not None:
            return value, unit
    return None


def _same(one: tuple[float, str] | None, other: tuple[float, str] | None) -> bool:
    """Whether two quantities are one published number; plain numbers say too little to tell."""
    if one is None or other is None or one[1] != other[1] or not one[1]:
        return False
    return abs(one[0] - other[0]) <= CLOSE * max(abs(one[0]), abs(other[0]))


def _has(data: Any, dotted: str) -> bool:
    """Whether a mapping has a key, written with dots; keys may hold dots themselves."""
    if not dotted:
        return True
    if not isinstance(data, dict):
        return False
    return any(
        dotted == key or (dotted.startswith(f"{key}.") and _has(value, dotted[len(key) + 1 :]))
        for key, value in data.items()
    )


def _texts(data: Any, key: str = "") -> list[tuple[str, str]]:
    """Return (key, text) of every value of a time, figure or area that is text."""
    if isinstance(data, dict):
        return [pair for name, value in data.items() for pair in _texts(value, f"{key}.{name}".lstrip("."))
                if not name.startswith(("where", "why", "derived", "note", "title"))]  # fmt: skip
    return [(key, data)] if isinstance(data, str) else []
