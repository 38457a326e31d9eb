"""Volatile devices that learn by trains, and pairs under them that take over what those hold (3T1C + PCM)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from archsim.analog.hybrid import HybridCells
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.chips.crossbars.in_array_file import PairsFile
from archsim.chips.crossbars.weights.base import InArrayLayer
from archsim.chips.crossbars.weights.periodic import Periodic, programmer
from archsim.hardware.component import Component

if TYPE_CHECKING:
    from archsim.chips.crossbars.in_array import InArrayChip


class Hybrid(Periodic):
    """Trains write volatile devices; every so many samples all weights of a matrix go into their pairs.

    A transfer, tile by tile: every device is read; the digital unit sums a weight; its pair is programmed to that;
    the volatile device goes to the middle, and its sign may change; what the pair is off is given to it in pulses, row
    by row. Nothing is lost but what volatile devices cannot take. Addresses and the constants of conversions are not
    counted.
    """

    def __init__(self, chip: InArrayChip, state: Mapping[str, InArrayLayer]) -> None:
        self.rules = cast("PairsFile", chip.architecture.pairs)
        super().__init__(chip, state, every=self.rules.every)
        self.writers = self.array_writers()
        self.programmer = programmer(chip, self.rules.parallel)

    def components(self) -> Sequence[Component]:
        """Return the drivers of trains, those of single devices, and the programmer of pairs."""
        writers = [writer for layer in self.writers.values() for row in layer for writer in row]
        return [*super().components(), *writers, self.programmer]

    def apply(self, matrix: str, samples: int, tag: Tag) -> Work[None]:
        """Pass all weights of the matrix on, if so many samples have gone by."""
        self.count(matrix, samples)
        if not self.due(matrix):
            return
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
        index, pulses = cells.left(left, step)
        if index.size:
            unit.fetch(index.size, tag)
            yield from bus.send(index.size * bits, tag)
            yield from writer.write(cells, index, pulses, tag)
