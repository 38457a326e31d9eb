"""What every way of learning in arrays offers, and the leaves of a matrix that learns so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archsim.analog.cells import Cells
from archsim.analog.hybrid import Written
from archsim.base.arrays import F32, I64, Arrays
from archsim.base.signal import Signal, Tag
from archsim.base.verbs import Work
from archsim.chips.fitting.placement import Due, Grid, by_tile
from archsim.hardware.component import Component
from archsim.hardware.updating.array_writer import ArrayWriter
from archsim.learning.pulses import PulseRule
from archsim.learning.trains.sending import Part, PulseTrains, Sent
from archsim.learning.transfer import Buffered

if TYPE_CHECKING:
    from archsim.chips.crossbars.in_array import InArrayChip


@dataclass(frozen=True, slots=True)
class FastArray:
    """An array that learns in place of a matrix's weights: its cells, its reference, the buffer."""

    cells: list[list[Written]]
    reference: list[list[Written]]
    rule: Buffered


@dataclass(frozen=True, slots=True)
class InArrayLayer:
    """Leaves of one matrix: its place, the cells by grid position, what finds pulses, a fast array if it has one."""

    grid: Grid
    cells: list[list[Written]]
    rule: PulseRule | PulseTrains
    fast: FastArray | None = None

    def by_tile(self, index: I64, pulses: I64) -> Iterator[Due]:
        """Sort pulses to tiles."""
        return iter(by_tile(self.grid, index, pulses))

    def parts(self, sent: Sent) -> Iterator[tuple[int, int, Part]]:
        """Return row and column of each tile, and what reaches it of trains."""
        for r, row in enumerate(self.grid.rows):
            for c, column in enumerate(self.grid.columns):
                yield r, c, sent.to(row.part, column.part)

    def in_line(self, line: int, pulses: I64) -> Iterator[Due]:
        """Sort the pulses of a line, (columns,), to the tiles that it goes through and where any are due."""
        r = band_of(self.grid, line)
        for c, column in enumerate(self.grid.columns):
            here = pulses[column.part]
            due = np.flatnonzero(here)
            if due.size:
                begin = (line - self.grid.rows[r].start) * column.size
                yield Due(r, c, int(due[0]), begin + due, here[due])

    def alone(self, line: int) -> F32:
        """Return what the rows of a line's band are driven with to read that line alone, (1, rows of the band)."""
        band = self.grid.rows[band_of(self.grid, line)]
        driven = np.zeros((1, band.size), np.float32)
        driven[0, line - band.start] = 1.0
        return driven


class Writing(ABC):
    """How the matrices of a chip learn. Owns the units that write, and for each matrix what lies beside its weights.

    Parameters
    ----------
    chip : InArrayChip
        Whose clock, ledger, digital unit, bus and tiles are used.
    state : matrix -> its leaves

    Attributes
    ----------
    more : bool
        Whether a step that is only expected is one of those with a transfer more than the least.
    """

    def __init__(self, chip: InArrayChip, state: Mapping[str, InArrayLayer]) -> None:
        self.chip, self.state = chip, state
        self.clock, self.ledger, self.update = chip.clock, chip.ledger, chip.architecture.update
        self.more = False

    @abstractmethod
    def components(self) -> Sequence[Component]:
        """Return every unit that is not the chip's own."""

    @abstractmethod
    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Do the verb of that name."""

    def apply(self, matrix: str, samples: int, tag: Tag) -> Work[None]:
        """Do what is left to do after so many samples: nothing, where devices have been pulsed already."""
        del matrix, samples, tag
        yield from ()

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Do nothing: pulses go both ways, so that no device is stuck at its bound."""
        del matrix, tag
        yield from ()

    def more_often(self, samples: int) -> float:
        """Return the share of all steps of so many samples that do a transfer more than the others: `more` is True."""
        del samples
        return 0.0

    def cells(self) -> dict[str, Cells]:
        """Return the arrays beside the weights' own, by "MATRIX.WHICH/ROW,COLUMN" of their tile."""
        return {}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is kept beside cells, by name."""
        return {}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        del arrays  # nothing is kept here

    def array_writers(self) -> dict[str, list[list[ArrayWriter]]]:
        """Return what gives numbers of pulses to the devices of each tile."""
        update, ps = self.update, self.chip.ps
        return {
            name: [
                [
                    ArrayWriter(
                        self.clock, self.ledger, f"writer {name}/{r},{c}", columns=cells.shape[1],
                        columns_per_driver=update.columns_per_driver, serial=update.rows == "serial",
                        up_ps=ps("writer.up_pulse"), down_ps=ps("writer.down_pulse"),
                    )
                    for c, cells in enumerate(row)
                ]
                for r, row in enumerate(layer.cells)
            ]
            for name, layer in self.state.items()
        }  # fmt: skip


def band_of(grid: Grid, line: int) -> int:
    """Return the band of rows that a line is in."""
    return next(k for k, band in enumerate(grid.rows) if line < band.stop)
