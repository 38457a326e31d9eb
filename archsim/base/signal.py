"""What travels between components, and the labels under which its cost is booked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

STEP_PHASES = ("forward", "backward", "update", "refresh")
"""Phases that make up a training step."""
OTHER_PHASES = ("evaluation", "loading", "retention")
"""Phases that do not."""
PHASES = STEP_PHASES + OTHER_PHASES


class Tag(NamedTuple):
    """Label of a booking: the phase of the step and the network's layer ("chip" where no layer is meant)."""

    phase: str
    layer: str


@dataclass(slots=True)
class Signal:
    """A bundle of vectors that travels.

    Parameters
    ----------
    values : float32 array, (vectors, size), or None where only counts travel
    size : int
        Elements in one vector.
    vectors : int
        Number of vectors.
    bits : int
        Width of one element on a bus.
    """

    values: np.ndarray | None
    size: int
    vectors: int
    bits: int

    @property
    def elements(self) -> int:
        """Elements in all vectors."""
        return self.size * self.vectors
