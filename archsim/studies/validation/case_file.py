"""The file of a case: what of a published design is run, and each published number, an input or a check on it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from archsim.base.yamlfile import FileRecord, Record

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
Class = Literal["prediction", "restated", "arithmetic", "sum", "calibration"]
"""What a check can tell: the model's own answer; a fact told by another check or by what was calibrated; one published
number times counts; published parts added up; or a number that set a figure of the model."""
Evidence = Literal["measured", "simulated", "derived"]
"""What a published number is: measured on silicon, simulated by its authors or a tool, or calculated by them."""


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
    forward pass are counted; as many products stand in their weights' gradients. `copies`: matrix -> on how many groups
    of tiles its weights stand, to be read for several vectors side by side; one, if it is not named.
    """

    workload: str
    architecture: str
    technology: str = "bottom-up-14nm"
    work: Literal["training", "inference"] = "training"
    batch: Annotated[int, Field(ge=1)] = 1
    samples: Annotated[int, Field(ge=1)] = 1
    copies: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
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
