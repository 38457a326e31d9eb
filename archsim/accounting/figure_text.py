"""Schema of times, figures and areas as a file has them, and of where they come from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, FiniteFloat, model_validator

from archsim.base.provenance import Provenance
from archsim.base.quantities import Memory
from archsim.base.yamlfile import Record

Part = Annotated[FiniteFloat, Field(gt=0, le=1)]
CAUSES = {
    "scaling": "the rule by which figures are scaled to the node",
    "supply": "the supply voltage of logic and memory",
    "corner": "the process corner, which decides what cells leak",
    "memory": "how a memory is built, in its read and its write alike",
    "converter": "the kind of converter",
    "clock": "the share of the clock in a design",
    "pulse": "the voltage of a pulse on a device",
}
"""What figures may share their uncertainty through: name -> what it is."""
Positive = Annotated[FiniteFloat, Field(gt=0)]


class Calibration(Record):
    """What a figure was fitted to, and what it was before."""

    to: str
    was: Any


class Original(Record):
    """A figure as its source prints it, beside the derived value."""

    value: str
    where: str


class Printed(Record):
    """A number as printed, from which a scaled figure is computed.

    Parameters
    ----------
    value : quantity in the figure's unit
    node : technology node at which it holds
    supply : the voltage there; the node's usual one if not given
    weight : its weight in the geometric mean with the others, 1 if not given
    """

    value: Any
    node: str
    supply: str | None = None
    weight: Positive = 1.0


class Term(Record):
    """One summand of a scaled figure: a factor times the geometric mean of printed numbers, each scaled by one rule.

    Parameters
    ----------
    row : what is scaled: a row of the tables of arithmetic, "memory", or "wire"
    printed : the numbers, `from` in the file
    times : plain factor, 1 if not given
    """

    row: str
    printed: list[Printed] = Field(alias="from", min_length=1)
    times: Positive = 1.0


class ScaledPoint(Record):
    """A point over capacity that is scaled: the capacity as in `points`, and the sum that makes its value."""

    size: Any
    terms: list[Term] = Field(min_length=1)


class ScaledText(Record):
    """How a figure follows from printed numbers and a scaling rule, so that another rule is a matter of computing.

    Parameters
    ----------
    to : node for which the figure holds
    supply : voltage there; the node's usual one if not given
    terms : the sum that makes the value, or
    points : those of the figure's points that are scaled; the value follows them
    """

    to: str
    supply: str | None = None
    terms: list[Term] = Field(default_factory=list)
    points: list[ScaledPoint] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_way(self) -> ScaledText:
        if bool(self.terms) == bool(self.points):
            raise ValueError("gives both terms and points, or neither; expected the one or the other")
        return self


class Origin(Provenance):
    """Where a figure comes from: what all numbers say, and beside it what only figures and times do.

    Parameters
    ----------
    calibrated : what it was fitted to and what it was before, for a calibrated one
    why : the reason of an assumption, and of a value of zero
    central : why the value is not the middle of its range
    node : the technology node at which the value was found
    original : the value as printed, beside the derived one
    scaled : how the value follows from printed ones by a scaling rule
    causes : what it shares its uncertainty with other figures through -> the part of its variance that is shared
    """

    calibrated: Calibration | None = None
    central: str | None = None
    node: str | None = None
    original: Original | None = None
    scaled: ScaledText | None = None
    causes: dict[str, Part] | None = None


class ItemText(Origin):
    """What times, prices and areas have in common in a file."""

    value: Any
    range: list[Any] | None = None


class TimeText(ItemText):
    """A time as a file has it; over the capacity of a memory if it gives `at` and `points`."""

    at: dict[str, Any] = Field(default_factory=dict)
    points: list[list[Any]] = Field(default_factory=list)


class AreaText(ItemText):
    """An area as a file has it."""

    prices: list[str]
    covers: list[str] = Field(default_factory=list)


class FigureText(AreaText):
    """A figure as a file has it; `memory` says of what kind of memory the pulses are that it prices."""

    law: str = "constant"
    at: dict[str, Any] = Field(default_factory=dict)
    points: list[list[Any]] = Field(default_factory=list)
    memory: Memory | list[Memory] | None = None

    @property
    def memories(self) -> tuple[str, ...]:
        """Kinds of memory whose pulses it prices."""
        return (self.memory,) if isinstance(self.memory, str) else tuple(self.memory or ())
