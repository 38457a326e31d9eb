"""Gradient descent in the array by coincidences of trains, all devices of a tile at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from archsim.learning.trains.sending import PulseTrains, Sent

if TYPE_CHECKING:
    from archsim.chips.crossbars.in_array import InArrayChip


class Trains(Writing):
    """Each vector's operands become trains on the lines of the tiles; where two meet, a device steps.

    The vectors of a burst are sent one after the other and hold their tiles until the last is.

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
        up_ps, down_ps = self.chip.ps("writer.up_pulse"), self.chip.ps("writer.down_pulse")
        return [
            [
                TrainWriter(
                    self.clock, self.ledger, f"trains {name}/{r},{c}", shape=one.shape, phases=self.settings.phases,
                    up_ps=up_ps, down_ps=up_ps if one.ways == 1 else down_ps,
                )
                for c, one in enumerate(row)
            ]
            for r, row in enumerate(cells)
        ]  # fmt: skip

    def components(self) -> Sequence[Component]:
        """Return the drivers of both kinds of lines."""
        return [sender for layer in self.senders.values() for row in layer for sender in row]

    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Send the trains of all vectors."""
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
        trains = self._sent(matrix, (inputs, x_scale), (errors, d_scale), rate)
        if np.any(trains.slots):
            yield from self._send(matrix, trains, tag)

    def _sent(self, matrix: str, x: tuple[F32, Scale], d: tuple[F32, Scale], rate: float) -> Sent:
        """Return the trains of all vectors; operands come with what they were divided by."""
        rule, vectors = self.state[matrix].rule, x[0].shape[0]
        if isinstance(rule, ExpectedTrains):
            return cast("Sent", rule.send(vectors))
        signed, k = self._asked(matrix, x[0], _each(x[1], vectors), _each(d[1], vectors), rate)
        return cast("PulseTrains", rule).send(signed, d[0], k)

    def _asked(self, matrix: str, x: F32, x_max: F64, d_max: F64, rate: float) -> tuple[F32, F64]:
        """Return inputs with the signs they are sent with, and the pulses that the largest product asks for."""
        return x, rate * x_max * d_max / self.chip.steps[matrix]

    def _send(self, matrix: str, trains: Sent, tag: Tag) -> Work[None]:
        """Write the tiles of a matrix side by side, all for as long as the trains are; tile before writer, always."""
        layer = self.state[matrix]
        cells, work = self._written(layer), []
        for r, c, part in layer.parts(trains):
            writing = self.senders[matrix][r][c].send(cells[r][c], part, tag)
            work.append(self._slot(matrix, r, c).during(writing))
        yield from self.clock.together(work)


def _each(scale: Scale, vectors: int) -> F64:
    """Return the scale of each vector."""
    return np.broadcast_to(np.asarray(scale, np.float64).reshape(-1), (vectors,))
