"""What travels between components, and the labels under which its cost is booked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from archsim.base.arrays import F32, F64

STEP_PHASES = ("forward", "backward", "update", "refresh")
"""Phases that make up a training step."""
OTHER_PHASES = ("evaluation", "loading", "retention")
"""Phases that do not."""
PHASES = STEP_PHASES + OTHER_PHASES


Scale = float | F64
"""What vectors are to be multiplied by: one factor for all, or one for each, (vectors, 1)."""


class Tag(NamedTuple):
    """Label of a booking: the phase of the step and the network's layer ("chip" where no layer is meant)."""

    phase: str
    layer: str


@dataclass(slots=True)
class Signal:
    """A bundle of vectors that travels.

    Parameters
    ----------
    values : float32 array, (vectors, size)
    bits : int
        Width of one element where it comes from.
    normal, by_vector : (array, scale), optional
        Values over their largest magnitude, and that magnitude, once a unit has computed them: one of all vectors, or
        one of each.
    """

    values: F32
    bits: int = 32
    normal: tuple[F32, Scale] | None = None
    by_vector: tuple[F32, Scale] | None = None

    @property
    def elements(self) -> int:
        """Elements in all vectors."""
        return self.values.size
