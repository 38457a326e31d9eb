"""Gradient descent in the array by coincidences of trains, all devices of a tile at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from archsim.analog.hybrid import Written
from archsim.base.arrays import F32, F64
from archsim.base.signal import Scale, Signal, Tag
from archsim.base.verbs import Work
from archsim.chips.crossbars.weights.base import InArrayLayer, Writing
from archsim.hardware.clock import Slot
from archsim.hardware.component import Component
from archsim.hardware.updating.train_writer import TrainWriter
from archsim.learning.expected import ExpectedTrains
from archsim.learning.trains import PulseTrains, Sent

if TYPE_CHECKING:
    from archsim.chips.crossbars.in_array import InArrayChip


class Trains(Writing):
    """Each vector's operands become trains on the lines of the tiles; where two meet, a device steps.

    Managed, operands are first divided by their largest magnitudes, which are searched for vector by vector. The
    generators of the tiles of a band are taken to be in step: a line has one train on all of them.
    """

    def __init__(self, chip: InArrayChip, state: Mapping[str, InArrayLayer]) -> None:
        super().__init__(chip, state)
        self.settings = chip.architecture.trains
        self.senders = {name: self._senders(name, self._written(layer)) for name, layer in state.items()}

    def _written(self, layer: InArrayLayer) -> list[list[Written]]:
        """Return the cells that trains write."""
        return layer.cells

    def _slot(self, matrix: str, r: int, c: int) -> Slot:
        """Return the slot of the tile that trains write."""
        return self.chip.tiles[matrix][r][c].slot

    def _senders(self, name: str, cells: list[list[Written]]) -> list[list[TrainWriter]]:
        return [
            [
                TrainWriter(
                    self.clock, self.ledger, f"trains {name}/{r},{c}", shape=one.shape, phases=self.settings.phases,
                    up_ps=self.chip.ps("writer.up_pulse"), down_ps=self.chip.ps("writer.down_pulse"),
                )
                for c, one in enumerate(row)
            ]
            for r, row in enumerate(cells)
        ]  # fmt: skip

    def components(self) -> Sequence[Component]:
        """Return the drivers of both kinds of lines."""
        return [sender for layer in self.senders.values() for row in layer for sender in row]

    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Send the trains of one vector after the other."""
        state, unit = self.state[matrix], self.chip.digital_unit
        inputs, errors = x.values, d.values
        x_scale: Scale = 1.0
        d_scale: Scale = 1.0
        if self.settings.managed:
            errors, d_scale = yield from self.chip.normalised(d, tag, "vector")
            inputs, x_scale = yield from self.chip.normalised(x, tag, "vector")
        unit.fetch(x.elements + d.elements, tag)
        sent = x.elements * len(state.grid.columns) + d.elements * len(state.grid.rows)
        yield from self.chip.bus.send(sent * self.settings.bits, tag)
        for trains in self._trains(matrix, (inputs, x_scale), (errors, d_scale), rate):
            yield from self._send(matrix, trains, tag)

    def _trains(self, matrix: str, x: tuple[F32, Scale], d: tuple[F32, Scale], rate: float) -> Iterator[Sent]:
        """Return the trains of one vector after the other; operands come with what they were divided by."""
        rule = self.state[matrix].rule
        if isinstance(rule, ExpectedTrains):
            yield rule.send(x[0].shape[0])
            return
        vectors = x[0].shape[0]
        scales = zip(_each(x[1], vectors), _each(d[1], vectors), strict=True)
        for vector, (x_max, d_max) in enumerate(scales):
            signed, k = self._asked(matrix, x[0][vector], x_max, d_max, rate)
            trains = cast("PulseTrains", rule).send(signed, d[0][vector], k)
            if trains is not None:
                yield trains

    def _asked(self, matrix: str, x: F32, x_max: float, d_max: float, rate: float) -> tuple[F32, float]:
        """Return inputs with the signs they are sent with, and the pulses that the largest product asks for."""
        return x, rate * x_max * d_max / self.chip.steps[matrix]

    def _send(self, matrix: str, trains: Sent, tag: Tag) -> Work[None]:
        """Write the tiles of a matrix side by side, all for as long as the trains are; tile before writer, always."""
        layer = self.state[matrix]
        cells, grid, work = self._written(layer), layer.grid, []
        for due in layer.by_tile(trains.index, trains.pulses):
            r, c = due.row, due.column
            lines = trains.rows[grid.rows[r].part], trains.columns[grid.columns[c].part]
            writing = self.senders[matrix][r][c].send(cells[r][c], due.index, due.pulses, lines, trains.slots, tag)
            work.append(self._slot(matrix, r, c).during(writing))
        yield from self.clock.together(work)


def _each(scale: Scale, vectors: int) -> list[float]:
    """Return the scale of each vector."""
    found: F64 = np.broadcast_to(np.asarray(scale, np.float64).reshape(-1), (vectors,))
    return found.tolist()  # type: ignore[no-any-return]
