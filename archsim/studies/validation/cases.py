"""Cases: published designs as files. Each published number is an input of the model or a check on it, never both.

A case is a folder under tech_params/designs: `case.yaml` beside the architecture and technology files it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from archsim.accounting.circuits import CHIP_PARTS
from archsim.accounting.technology import Technology, read_references, read_technology
from archsim.base import units
from archsim.base.errors import InputError, nearest
from archsim.base.files import bibliographies, display, shipped
from archsim.base.yamlfile import Document, FileRecord, Key, Record, read, validate
from archsim.technologies.overlay import by_rule
from archsim.technologies.rules import has_scaled

QUANTITIES = {
    "energy": "J", "latency": "s", "power": "W", "throughput": "1/s", "efficiency": "1/J", "density": "1/s/m^2",
    "area": "m^2", "energy_per_mac": "J", "ratio": "", "accuracy": "", "tiles": "", "weights": "", "macs": "",
    "operations": "", "traffic": "", "memory": "",
}  # fmt: skip
"""What can be checked -> SI unit; an operation counts 1, and a multiply-accumulate is two operations."""
COUNTS = ("tiles", "weights", "macs")
"""Quantities of a network that follow from shapes: no figure and no time enters."""
UPDATE_COUNTS = ("operations", "traffic", "memory")
"""Those of an update: 32-bit operations, words moved to and from the memory of a transfer's buffer, and its words."""
CLOSE = 1e-6
"""Two numbers of one unit within this part of each other are the same published number."""
Class = Literal["prediction", "restated", "arithmetic", "sum", "calibration"]
"""What a check can tell: the model's own answer; a fact told by another check or by what was calibrated; one published
number times counts; published parts added up; or a number that set a figure of the model."""
Evidence = Literal["measured", "simulated", "derived"]
"""What a published number is: measured on silicon, simulated by its authors or a tool, or calculated by them."""
KEPT = ("case.yaml", "results.yaml", "recorded.yaml")
"""Files of a case's folder that are no files of its designs."""


class Operation(Record):
    """An entry under `kernels:`: what a design does, for how many vectors, with which share of lines; its settings.

    `per`: its energy and time are those of one "vector", their mean, or of "all", as for a layer of a network.
    """

    design: str
    kernel: Literal["product", "transposed", "update"]
    vectors: Annotated[int, Field(ge=1)] = 1
    density: Annotated[FiniteFloat, Field(gt=0, le=1)] = 1.0
    per: Literal["vector", "all"] = "vector"
    set: dict[str, Any] = Field(default_factory=dict)


class CaseTraining(Record):
    """A training run of `steps`, or of `full_steps` with --full. Files are those in the case's folder, or shipped ones.

    With `recorded`, the course of `full_steps` stands in recorded.yaml beside the case; by default the first `steps`
    are run again and have to come to what the record says of them. `published_steps` is how long the published
    training is, where that is longer: means of a step are extrapolated from the record's course, with a stated error.
    """

    workload: str
    technology: str
    architectures: list[str]
    steps: Annotated[int, Field(ge=1)]
    full_steps: Annotated[int, Field(ge=1)]
    recorded: bool = False
    published_steps: int | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.published_steps and not (self.recorded and 3 * self.steps < self.full_steps < self.published_steps):
            raise ValueError("`published_steps` without a record to extrapolate; expected `recorded`, and `full_steps` "
                             "between three times `steps` and `published_steps`")  # fmt: skip
        return self

    def lengths(self, *, full: bool) -> list[int]:
        """Return the steps of the runs that are needed: by default one, of a record all that it holds."""
        if not full or not self.recorded:
            return [self.full_steps if full else self.steps]
        third = [self.full_steps // 3] if self.published_steps else []
        return [self.steps, *third, self.full_steps]

    def whole(self, *, full: bool) -> int:
        """Return the steps that a value of this training is of."""
        return self.published_steps or (self.full_steps if full else self.steps)


class CaseNetwork(Record):
    """A network that is estimated, on one chip, on `batch` samples. Files are those in the case's folder, or shipped.

    `work`: what energies and times are of, per sample. `samples`: of how many samples the multiply-accumulates of the
    forward pass are counted; as many products stand in their weights' gradients.
    """

    workload: str
    architecture: str
    technology: str = "bottom-up-14nm"
    work: Literal["training", "inference"] = "training"
    batch: Annotated[int, Field(ge=1)] = 1
    samples: Annotated[int, Field(ge=1)] = 1
    set: dict[str, Any] = Field(default_factory=dict)


class CaseUpdate(Record):
    """The outer product of one vector, written into a matrix of `rows` by `columns`, or the transfer of one line of it.

    A `cycle` is a product with the matrix, one with its transpose, and the outer product written. The chip updates in
    its arrays. Files are those in the case's folder, or shipped ones; operands are the largest.
    """

    architecture: str
    technology: str
    rows: Annotated[int, Field(ge=2)]
    columns: Annotated[int, Field(ge=1)]
    work: Literal["write", "transfer", "cycle"]
    set: dict[str, Any] = Field(default_factory=dict)


class Check(Record):
    """What a published number is compared with. Its band stands in designs/bands.yaml, the same for all cases.

    Parameters
    ----------
    of : names of operations (energies and times add up), or of one training, network or update
    quantity : one of `QUANTITIES`
    chip : architecture of a training that the quantity is of
    phase : phase of the training step that an energy or a latency is of; all of them if not given
    component : figures (of an area: area figures) whose part of an operation's energy or area this is, or parts of the
        chip whose part of a network's energy; all if not given
    class_, because : what the check can tell and why, where `classes.classify` does not find it or finds it wrong
    same_as : another check, NAME or CASE.NAME, that tells this fact first
    evidence : what the number is, if not what the case's numbers are
    full : only with --full
    """

    of: list[str]
    quantity: str
    chip: str | None = None
    phase: Literal["forward", "backward", "update", "refresh"] | None = None
    component: str | list[str] | None = None
    class_: Annotated[Class | None, Field(alias="class")] = None
    because: str | None = None
    same_as: str | None = None
    evidence: Evidence | None = None
    full: bool = False

    @model_validator(mode="after")
    def _has_phases(self) -> Check:
        if self.phase and self.quantity not in ("energy", "latency"):
            raise ValueError("names a phase; expected so for the energy or the latency of a training step alone")
        if self.component and (self.chip or self.quantity not in ("energy", "area")):
            raise ValueError("names a component; expected so for the energy or the area of operations alone")
        return self

    @model_validator(mode="after")
    def _gives_reasons(self) -> Check:
        if self.class_ not in (None, "calibration") and not self.because:
            raise ValueError(
                "states its class without a reason; expected `because`, or no class where it can be derived"
            )
        if self.because and not self.class_:
            raise ValueError("`because` without `class`; expected the class that it is the reason of")
        if self.same_as and self.class_:
            raise ValueError("has `same_as` and `class`; expected one of them: what another check tells is restated")
        return self

    @property
    def parts(self) -> tuple[str, ...]:
        """Figures whose part this is; empty for all."""
        return (self.component,) if isinstance(self.component, str) else tuple(self.component or ())


class Number(Record):
    """A published number.

    Parameters
    ----------
    what, value, where : in words, as text with its unit, and the place in the source
    role : "input" (it set something) or "check"
    sets : for an input: DESIGN-FILE.KEY of what it set, such as "analog.crossbar.rows"
    check : for a check, and for an input that calibrates
    """

    what: str
    value: str
    role: Literal["input", "check"]
    where: str = ""
    sets: list[str] = Field(default_factory=list)
    check: Check | None = None

    @model_validator(mode="after")
    def _one_role(self) -> Number:
        calibrates = self.check is not None and self.check.class_ == "calibration"
        if self.role == "check" and (self.check is None or calibrates or self.sets):
            raise ValueError("is a check, which has `check`, sets nothing and calibrates nothing")
        if self.role == "input" and (not self.sets or (self.check is not None and not calibrates)):
            raise ValueError("is an input, which says what it `sets` and is checked by nothing but its calibration")
        return self


class Design(Record):
    """Files of one design, by name in the case's folder (or shipped)."""

    architecture: str
    technology: str


class CaseFile(FileRecord):
    """Schema of case.yaml."""

    kind: Literal["case"]
    name: str
    title: str
    source: str
    evidence: Evidence
    note: str = ""
    designs: dict[str, Design] = Field(default_factory=dict)
    kernels: dict[str, Operation] = Field(default_factory=dict)
    trainings: dict[str, CaseTraining] = Field(default_factory=dict)
    networks: dict[str, CaseNetwork] = Field(default_factory=dict)
    updates: dict[str, CaseUpdate] = Field(default_factory=dict)
    published: dict[str, Number]


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
