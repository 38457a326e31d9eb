"""Pairs of devices that are pulsed up only, by trains; what saturates is refreshed once in so many samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from archsim.analog.sided import SidedCells
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.chips.crossbars.in_array_file import SidesFile
from archsim.chips.crossbars.weights.base import InArrayLayer
from archsim.chips.crossbars.weights.periodic import Periodic, programmer
from archsim.hardware.component import Component

if TYPE_CHECKING:
    from archsim.chips.crossbars.in_array import InArrayChip


class Sided(Periodic):
    """Trains write G+ or G- by the sign of what meets. A refresh reads all pairs: nobody notes which were pulsed."""

    def __init__(self, chip: InArrayChip, state: Mapping[str, InArrayLayer]) -> None:
        self.rules = cast("SidesFile", chip.architecture.sides)
        super().__init__(chip, state, every=self.rules.every)
        self.programmer = programmer(chip, self.rules.parallel)

    def components(self) -> Sequence[Component]:
        """Return the drivers of trains, and the programmer."""
        return [*super().components(), self.programmer]

    def apply(self, matrix: str, samples: int, tag: Tag) -> Work[None]:
        """Count samples: devices have been pulsed already."""
        self.count(matrix, samples)
        return super().apply(matrix, samples, tag)

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Refresh the saturated pairs of the matrix if it is time, tile by tile."""
        if not self.due(matrix):
            return
        rules = self.rules
        for r, row in enumerate(self.state[matrix].cells):
            for c, cells in enumerate(row):
                work = self.programmer.renew(
                    cast("SidedCells", cells), tag, saturated=rules.saturated, difference=rules.difference,
                    most_pulses=rules.most_pulses,
                )  # fmt: skip
                yield from self.chip.tiles[matrix][r][c].slot.during(work)
