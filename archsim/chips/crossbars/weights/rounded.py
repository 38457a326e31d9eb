"""Gradient descent in the array, with numbers of pulses that a digital unit works out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from archsim.base.signal import Signal, Tag
from archsim.base.verbs import Work
from archsim.chips.crossbars.weights.base import InArrayLayer, Writing
from archsim.chips.fitting.placement import Due
from archsim.hardware.component import Component
from archsim.hardware.updating.pulse_unit import PulseUnit
from archsim.learning.pulses import PulseRule

if TYPE_CHECKING:
    from archsim.chips.crossbars.in_array import InArrayChip


class Rounded(Writing):
    """Each product of an input and an error is rounded to a number of pulses, which write drivers give."""

    def __init__(self, chip: InArrayChip, state: Mapping[str, InArrayLayer]) -> None:
        super().__init__(chip, state)
        self.pulse_unit = PulseUnit(
            self.clock, self.ledger, lanes=self.update.lanes, cycle_ps=chip.ps("digital.cycle")
        )  # fmt: skip
        self.writers = self.array_writers()

    def components(self) -> Sequence[Component]:
        """Return the unit that finds pulses, and the writers."""
        return [self.pulse_unit, *(writer for layer in self.writers.values() for row in layer for writer in row)]

    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Scale the errors by the rate, find the pulses that the outer product is worth, and give them."""
        unit, state = self.chip.digital_unit, self.state[matrix]
        unit.fetch(d.elements, tag)
        scaled = yield from unit.collect([d.values], tag, scale=rate)
        unit.fetch(x.elements + d.elements, tag)
        due = yield from self.pulse_unit.find(cast("PulseRule", state.rule), x.values, scaled, tag)
        if due.index.size:
            parts = state.by_tile(due.index, due.pulses)
            yield from self.clock.together([self._write(matrix, part, tag) for part in parts if part.index.size])

    def _write(self, matrix: str, due: Due, tag: Tag) -> Work[None]:
        """Pulse the devices of one tile; tile before writer, always."""
        r, c = due.row, due.column
        work = self.writers[matrix][r][c].write(self.state[matrix].cells[r][c], due.index, due.pulses, tag)
        return self.chip.tiles[matrix][r][c].slot.during(work)
