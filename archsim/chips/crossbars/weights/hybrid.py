"""Volatile devices that learn by trains, and pairs under them that take over what those hold (3T1C + PCM)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from archsim.analog.hybrid import HybridCells
from archsim.base.arrays import Arrays, stored
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.chips.crossbars.in_array_file import PairsFile
from archsim.chips.crossbars.weights.base import InArrayLayer
from archsim.chips.crossbars.weights.trains import Trains
from archsim.hardware.component import Component
from archsim.hardware.updating.programmer import Programmer

if TYPE_CHECKING:
    from archsim.chips.crossbars.in_array import InArrayChip


class Hybrid(Trains):
    """Trains write volatile devices; every so many samples all weights of a matrix go into their pairs.

    A transfer, tile by tile: every device is read; the digital unit sums a weight; its pair is programmed to that;
    the volatile device goes to the middle, and its sign may change; what the pair is off is given to it in pulses, row
    by row. Nothing is lost but what volatile devices cannot take. Addresses and the constants of conversions are not
    counted.
    """

    def __init__(self, chip: InArrayChip, state: Mapping[str, InArrayLayer]) -> None:
        super().__init__(chip, state)
        self.rules = cast("PairsFile", chip.architecture.pairs)
        self.writers = self.array_writers()
        self.programmer = Programmer(
            self.clock, self.ledger, parallel=self.rules.parallel, set_ps=chip.ps("programmer.set_pulse"),
            reset_ps=chip.ps("programmer.reset_pulse"), read_ps=chip.ps("programmer.read"),
            cycle_ps=chip.ps("digital.cycle"),
        )  # fmt: skip
        self.since = {name: np.zeros(1, np.int64) for name in state}

    def components(self) -> Sequence[Component]:
        """Return the drivers of trains, those of single devices, and the programmer of pairs."""
        writers = [writer for layer in self.writers.values() for row in layer for writer in row]
        return [*super().components(), *writers, self.programmer]

    def apply(self, matrix: str, samples: int, tag: Tag) -> Work[None]:
        """Pass all weights of the matrix on, if so many samples have gone by."""
        self.since[matrix] += samples
        if self.since[matrix][0] < self.rules.every:
            return
        self.since[matrix] %= self.rules.every
        for r, row in enumerate(self.state[matrix].cells):
            for c, cells in enumerate(row):
                work = self._pass_on(matrix, (r, c), cast("HybridCells", cells), tag)
                yield from self.chip.tiles[matrix][r][c].slot.during(work)

    def _pass_on(self, matrix: str, place: tuple[int, int], cells: HybridCells, tag: Tag) -> Work[None]:
        """Do a transfer of one tile, which the caller holds."""
        unit, bus, rules = self.chip.digital_unit, self.chip.bus, self.rules
        bits = self.chip.architecture.tile.adc.bits
        read = yield from self.programmer.look(cells, tag)
        yield from bus.send(3 * read.plus.size * bits, tag)
        held = cells.sign * read.volatile / np.float32(cells.gain)
        whole = yield from unit.collect([held, read.plus, -read.minus], tag, scale=cells.gain)
        done = yield from self.programmer.program(
            cells, whole / np.float32(cells.gain), read, tag, saturated=rules.saturated, most_pulses=rules.most_pulses,
            closed=rules.loop == "closed",
        )  # fmt: skip
        left = yield from unit.collect([whole, -np.float32(cells.gain) * done.difference], tag)
        writer = self.writers[matrix][place[0]][place[1]]
        step = self.chip.steps[matrix] * cells.scale
        yield from writer.discharge(cells, step, tag, inverts=rules.inverts)
        pulses = np.rint(left / step).astype(np.int64)
        index = np.flatnonzero(pulses)
        if index.size:
            unit.fetch(index.size, tag)
            yield from bus.send(index.size * bits, tag)
            yield from writer.write(cells, index, pulses[index], tag)

    # --- keeping --------------------------------------------------------------------------------------------------
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the samples since the last transfer of each matrix."""
        return {f"transfer/{name}/since": since for name, since in self.since.items()}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        for name, mine in self.arrays().items():
            mine[...] = stored(name, mine, arrays)
