"""Pairs of devices that trains of pulses write, upwards only: to G+ or to G- by the sign of what meets."""

from __future__ import annotations

import numpy as np

from archsim.analog.paired import PairedCells
from archsim.analog.singles.single import Coincided, Pulsed
from archsim.base.arrays import I64
from archsim.learning.trains.sending import Part


class SidedCells(PairedCells):
    """An array of pairs, W = (G+ - G-)/scale, whose every pulse adds to one of both devices.

    G+ and G- of a weight lie on one row and have columns of their own; where a train of either sign meets one of the
    row, the device of that sign is pulsed. What saturates starts anew by `refresh`.
    """

    abreast, written, ways = 2, 1, 1
    """Devices of a weight on a row; devices that a write reaches; directions that pulses go in."""

    def pulse(self, index: I64, pulses: I64, now_ps: int) -> Pulsed:
        """Give |pulses[k]| pulses to the G+ device, if positive, else to the G- device, of the weight at index[k].

        No weight stands in `index` twice. All of them are pulses up.
        """
        if not index.size:
            return Pulsed(0, 0, 0.0, 0.0, index, pulses)
        side, due = index + self._weights * (pulses < 0), np.abs(pulses)
        total, before = int(due.sum()), self.devices.conductance[side]
        self.device.set_pulses(self.devices, side, due, total, now_ps, self._programming)
        moment = float(((before + self.devices.conductance[side]) * due).sum(dtype=np.float64) / 2)
        self._renew_at(index, now_ps)
        return Pulsed(total, 0, moment, 0.0, index, pulses)

    def send(self, part: Part, now_ps: int, slot_ps: int) -> Coincided:
        """Pulse devices where trains meet, vector after vector, in place; each slot takes `slot_ps`.

        Phases of either sign see half the voltage alike, so that all of it counts as that of pulses up.
        """
        begins, found = part.begins(now_ps, slot_ps), np.zeros(8)
        for vector in np.flatnonzero(part.sent.slots).tolist():
            rows, columns = part.on(vector)
            selected = self._row_total @ rows + self._column_total @ columns / self.abreast
            done = self.pulse(*part.met(vector), int(begins[vector]))
            half = max(2 * (selected - done.up_moment), 0.0)
            found += [done.up, 0, done.up_moment, 0, rows.sum(), columns.sum(), half, 0]
        return Coincided.of(found)

    def wait_batch(self, now_ps: int) -> bool:
        """Let nothing leak: such devices are refused."""
        del now_ps
        return False
