"""Fast arrays that learn by trains, and slow ones, the weights, that take over what those hold (Tiki-Taka)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archsim.analog.cells import Cells
from archsim.analog.hybrid import Written
from archsim.base.arrays import F32, Arrays, nested, under
from archsim.base.signal import Signal, Tag
from archsim.base.verbs import Work
from archsim.chips.crossbars.in_array_file import TransferFile
from archsim.chips.crossbars.weights.base import FastArray, InArrayLayer, band_of
from archsim.chips.crossbars.weights.trains import Trains
from archsim.hardware.clock import Slot
from archsim.hardware.component import Component
from archsim.hardware.tile import Tile
from archsim.hardware.updating.transfer_unit import TransferUnit
from archsim.learning.transfer import Buffered

if TYPE_CHECKING:
    from archsim.chips.crossbars.in_array import InArrayChip


class Transferred(Trains):
    """Trains write the fast array A; every so many samples a line of it is read, and weights are pulsed by what is due.

    A transfer: the line of A is driven alone, and that of its reference beside it; their codes come over the bus and
    are subtracted in the digital unit; the buffer's rule finds pulses; the devices of the line get them at once. It
    takes one tile a band of columns, side by side. Addresses of lines are not counted.
    """

    state: Mapping[str, InArrayLayer]

    def __init__(self, chip: InArrayChip, state: Mapping[str, InArrayLayer]) -> None:
        state = {name: layer for name, layer in state.items() if layer.fast}  # all that learn
        self.fast = {name: _fast(layer) for name, layer in state.items()}
        super().__init__(chip, state)
        self.transfer = _transfer(chip)
        self.tiles = {name: self._tiles(f"{name}.fast", one.cells) for name, one in self.fast.items()}
        self.references = {
            name: self._tiles(f"{name}.reference", one.reference) for name, one in self.fast.items() if one.reference
        }
        self.writers = self.array_writers()
        self.unit = TransferUnit(
            self.clock, self.ledger, lanes=self.transfer.lanes, cycle_ps=chip.ps("digital.cycle"),
            buffer=chip.sram(
                sum(one.rule.buffer.size * one.rule.WORDS for one in self.fast.values()), banks=self.transfer.banks
            ),
        )  # fmt: skip
        self._rates: dict[str, float] = {}

    def _written(self, layer: InArrayLayer) -> list[list[Written]]:
        return _fast(layer).cells

    def _slot(self, matrix: str, r: int, c: int) -> Slot:
        return self.tiles[matrix][r][c].slot

    def _tiles(self, name: str, cells: Sequence[Sequence[Written]]) -> list[list[Tile]]:
        """Return the tiles of an array, with the weights' converters but for the full scale."""
        tile, scale = self.chip.architecture.tile, self.transfer.full_scale
        return [
            [
                Tile(
                    self.clock, self.ledger, f"tile {name}/{r},{c}", cells=one, matrix=name,
                    converters=replace(self.chip.converters(one), forward_scale=scale), lines=(tile.rows, tile.columns),
                )
                for c, one in enumerate(row)
            ]
            for r, row in enumerate(cells)
        ]  # fmt: skip

    def components(self) -> Sequence[Component]:
        """Return the tiles of fast arrays and references, the writers of the weights, the unit with the buffer, too."""
        layers: list[Mapping[str, Sequence[Sequence[Component]]]] = [self.tiles, self.references, self.writers]
        units = [unit for each in layers for layer in each.values() for row in layer for unit in row]
        return [*super().components(), *units, self.unit]

    # --- learning -------------------------------------------------------------------------------------------------
    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Send the trains to the fast array; the rate is that of what is taken over from it."""
        self._rates[matrix] = rate
        return super().accumulate(matrix, x, d, rate, tag)

    def _asked(self, matrix: str, x: F32, x_max: float, d_max: float, rate: float) -> tuple[F32, float]:
        del rate  # which fast arrays do not learn at
        rule = self.fast[matrix].rule
        return rule.signs(x), rule.see(x_max, d_max)

    def apply(self, matrix: str, samples: int, tag: Tag) -> Work[None]:
        """Transfer the lines that are due after so many samples, one after the other."""
        for line in self.fast[matrix].rule.due(samples):
            read = yield from self._read(matrix, line, tag)
            pulses = yield from self.unit.take(self.fast[matrix].rule, line, read, self._rates[matrix], tag)
            if pulses.any():
                yield from self._pulse(matrix, line, pulses, tag)

    def _read(self, matrix: str, line: int, tag: Tag) -> Work[F32]:
        """Return a line of the fast array, (columns,), less that of its reference."""
        grid, fast = self.state[matrix].grid, self.fast[matrix]
        r, driven = band_of(grid, line), self.state[matrix].alone(line)
        tiles = [*self.tiles[matrix][r], *(self.references[matrix][r] if fast.reference else ())]
        for tile in tiles:
            tile.cells.age(self.clock.now)
        codes = yield from self.clock.together(
            [tile.read(tile.multiply, driven, tile.cells.shape[1], tag) for tile in tiles]
        )
        columns = grid.columns[-1].stop
        yield from self.chip.bus.send(sum(each.size for each in codes) * tiles[0].converters.adc.bits, tag)
        both = np.concatenate(codes, axis=1)
        parts = [both[:, :columns], *([-both[:, columns:]] if fast.reference else [])]
        read: F32 = yield from self.chip.digital_unit.collect(parts, tag)
        line_read: F32 = read[0]
        return line_read

    def _pulse(self, matrix: str, line: int, pulses: NDArray[np.int64], tag: Tag) -> Work[None]:
        """Give the weights of a line their pulses; tile before writer, always."""
        layer, work = self.state[matrix], []
        for due in layer.in_line(line, pulses):
            r, c = due.row, due.column
            writing = self.writers[matrix][r][c].write(layer.cells[r][c], due.index, due.pulses, tag)
            work.append(self.chip.tiles[matrix][r][c].slot.during(writing))
        yield from self.clock.together(work)

    # --- keeping --------------------------------------------------------------------------------------------------
    def cells(self) -> dict[str, Cells]:
        """Return the cells of fast arrays and their references."""
        return {
            f"{name}.{which}/{r},{c}": cells
            for name, one in self.fast.items()
            for which, rows in (("fast", one.cells), ("reference", one.reference))
            for r, row in enumerate(rows)
            for c, cells in enumerate(row)
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what the rules keep."""
        return {
            key: array for name, rule in self._rules().items() for key, array in nested(name, rule.arrays()).items()
        }

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        for name, rule in self._rules().items():
            rule.restore(under(name, arrays))

    def _rules(self) -> dict[str, Buffered]:
        return {f"transfer/{name}": one.rule for name, one in self.fast.items()}


def _fast(layer: InArrayLayer) -> FastArray:
    assert layer.fast is not None  # noqa: S101  whoever builds a chip with transfers gives every matrix one
    return layer.fast


def _transfer(chip: InArrayChip) -> TransferFile:
    found = chip.architecture.transfer
    assert found is not None  # noqa: S101  as above
    return found
