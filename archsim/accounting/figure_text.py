"""Schema of times, figures and areas as a file has them, and of where they come from."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from archsim.base.provenance import Provenance
from archsim.base.yamlfile import Record


class Calibration(Record):
    """What a figure was fitted to, and what it was before."""

    to: str
    was: Any


class Original(Record):
    """A figure as its source prints it, beside the derived value."""

    value: str
    where: str


class Origin(Provenance):
    """Where a figure comes from: what all numbers say, and beside it what only figures and times do.

    Parameters
    ----------
    calibrated : what it was fitted to and what it was before, for a calibrated one
    why : the reason of an assumption, and of a value of zero
    node : the technology node at which the value was found
    original : the value as printed, beside the derived one
    """

    calibrated: Calibration | None = None
    node: str | None = None
    original: Original | None = None


class TimeText(Origin):
    """A time as a file has it."""

    value: Any
    range: list[Any] | None = None


class AreaText(TimeText):
    """An area as a file has it."""

    prices: list[str]
    covers: list[str] = Field(default_factory=list)


class FigureText(AreaText):
    """A figure as a file has it."""

    law: str = "constant"
    at: dict[str, Any] = Field(default_factory=dict)
    points: list[list[Any]] = Field(default_factory=list)
