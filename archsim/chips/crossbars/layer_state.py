"""The leaves of one matrix on a mixed-precision chip: cells, chi, logs of what was programmed; computed or expected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from archsim.analog.paired import PairedCells
from archsim.base.arrays import I64, Arrays, stored
from archsim.chips.fitting.placement import Due, Grid, by_tile
from archsim.learning.chi.accumulate import Accumulator, RefreshLog
from archsim.learning.expected import ExpectedLog, pairs


@dataclass(slots=True)
class LayerState:
    """Leaves of one layer: cells by grid position, chi, the log of each cell array, the gradient for an optimiser.

    `since_refresh` and `logged` count samples and entries in the log since the last refresh.
    """

    grid: Grid
    cells: list[list[PairedCells]]
    accumulator: Accumulator
    logs: list[list[RefreshLog]]
    gradient: Accumulator | None = None
    since_refresh: int = 0
    logged: int = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return chi, the counters, and by grid position the pairs noted for the next refresh."""
        noted = {f"log/{r},{c}": log.noted() for r, row in enumerate(self.logs) for c, log in enumerate(row)}
        return {"chi": self.accumulator.chi, "counters": np.array([self.since_refresh, self.logged]), **noted}

    def refresh_due(self, every: int, log_words: int) -> bool:
        """Whether so many samples have passed, or the log is full."""
        return self.since_refresh >= every or self.logged >= log_words

    def by_tile(self, index: I64, pulses: I64) -> Iterable[Due]:
        """Return pairs, given by flat positions in the layer, by tile, in the order in which tiles are first due."""
        due = [part for part in by_tile(self.grid, index, pulses) if part.index.size]
        return sorted(due, key=lambda part: part.first)

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        found = {
            name: stored(name, like, arrays, any_length=name.startswith("log/")) for name, like in self.arrays().items()
        }
        for r, row in enumerate(self.logs):
            for c, log in enumerate(row):
                log.take()
                log.add(found[f"log/{r},{c}"])
        self.accumulator.restore(found["chi"])
        self.since_refresh, self.logged = found["counters"].tolist()


class ExpectedLayerState(LayerState):
    """A layer of which only expectations are known: each step does its part of a refresh, unless told otherwise."""

    def refresh_due(self, every: int, log_words: int) -> bool:
        """Say yes: a refresh looks at what the logs give."""
        del every, log_words
        return True

    def refreshes(self, steps: int, log_words: int, *, due: bool) -> None:
        """Take a refresh to come once in so many steps, and this one to be such a step or not.

        Where the log is full before, a refresh is for the steps until then, and other steps do their part of the rest.
        """
        noted = self.accumulator.apply()[0].size
        each = min(max(log_words / noted, 1.0), steps) if noted else steps
        looked = each if due else (steps - each) / (steps - 1)
        for log in (log for row in self.logs for log in row):
            cast("ExpectedLog", log).steps = looked

    def by_tile(self, index: I64, pulses: I64) -> Iterable[Due]:
        """Return each tile's part, by its cells, of the pairs."""
        del pulses
        whole = self.accumulator.chi.size
        for r, row in enumerate(self.grid.rows):
            for c, column in enumerate(self.grid.columns):
                part = pairs(index.size * row.size * column.size / whole)
                yield Due(r, c, 0, part, part)
