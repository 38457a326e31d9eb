"""Trains, and something that is done with all weights of a matrix once in so many samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import Arrays, stored
from archsim.chips.crossbars.weights.base import InArrayLayer
from archsim.chips.crossbars.weights.trains import Trains
from archsim.hardware.updating.programmer import Programmer
from archsim.learning.expected import ExpectedTrains

if TYPE_CHECKING:
    from archsim.chips.crossbars.in_array import InArrayChip


class Periodic(Trains):
    """Trains that write cells, and the samples since all weights of each matrix were looked at last.

    Parameters
    ----------
    chip, state
        As for `Writing`.
    every : int
        Samples between two times.
    """

    def __init__(self, chip: InArrayChip, state: Mapping[str, InArrayLayer], *, every: int) -> None:
        super().__init__(chip, state)
        self.every, self.samples = every, 0
        self.since = {name: np.zeros(1, np.int64) for name in state}

    def count(self, matrix: str, samples: int) -> None:
        """Count samples that the matrix has learnt from."""
        self.since[matrix] += samples
        self.samples = samples

    def due(self, matrix: str) -> bool:
        """Return whether it is time, and begin anew if so; where all is expected: whether in this kind of step."""
        if isinstance(self.state[matrix].rule, ExpectedTrains):
            return self.more or self.samples >= self.every
        found = bool(self.since[matrix][0] >= self.every)
        self.since[matrix] %= self.every
        return found

    def more_often(self, samples: int) -> float:
        """Return the share of steps in which it is time, unless it is in all."""
        return samples / self.every if samples < self.every else 0.0

    # --- keeping --------------------------------------------------------------------------------------------------
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the samples since the last time of each matrix."""
        return {f"transfer/{name}/since": since for name, since in self.since.items()}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        for name, mine in self.arrays().items():
            mine[...] = stored(name, mine, arrays)


def programmer(chip: InArrayChip, parallel: int) -> Programmer:
    """Return the unit that reads and programs single devices of a chip, so many at once."""
    return Programmer(
        chip.clock, chip.ledger, parallel=parallel, set_ps=chip.ps("programmer.set_pulse"),
        reset_ps=chip.ps("programmer.reset_pulse"), read_ps=chip.ps("programmer.read"),
        cycle_ps=chip.ps("digital.cycle"),
    )  # fmt: skip
