"""Drivers of a tile that pulse its devices in place, up and down."""

from __future__ import annotations

import math
from typing import ClassVar

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Ledger
from archsim.analog.hybrid import HybridCells, Written
from archsim.analog.in_place import Given
from archsim.analog.single import Pulsed
from archsim.base.arrays import I64
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component
from archsim.hardware.updating import _kernels


class ArrayWriter(Component):
    """Write drivers beside the columns of one tile. Pulses up and down have widths and voltages of their own.

    A group of columns, one of each driver, is written in a slot: first as many pulses up as its longest train has,
    then down likewise. While a row's group is pulsed up, the other columns are held at that voltage, so that nothing
    falls across their devices; downwards they stay at rest. Of several devices a weight those are pulsed whose turn it
    is, at once: a driver reaches all columns of a weight, and a row is as many times longer. The caller holds the tile.

    Parameters
    ----------
    label : str
    columns : int
        Columns of the tile that are in use.
    columns_per_driver : int
        Columns that one driver serves in turn.
    serial : bool
        Row by row; otherwise all rows at once, and each row that is pulsed is charged.
    up_ps, down_ps : int
        Width of a pulse.
    name : str
        The component's name in the ledger.

    Source
    ------
    chen2018neurosim: the time of a write and the lines that it charges, one-transistor-one-resistor array.
    """

    kind = "writer"
    ACTIONS: ClassVar = {
        "up.pulse": Action("one pulse up", "programming", part="programming", circuit="device"),
        "down.pulse": Action("one pulse down", "programming", part="programming", circuit="device"),
        "up.conduct": Action(
            "conductance times time at the voltage of a pulse up",
            "programming",
            "S*s",
            part="programming",
            circuit="device",
        ),
        "down.conduct": Action(
            "conductance times time at the voltage of a pulse down",
            "programming",
            "S*s",
            part="programming",
            circuit="device",
        ),
        "up.charge": Action(
            "one line charged to the voltage of a pulse up", "programming", part="programming", circuit="analog"
        ),
        "down.charge": Action(
            "one line charged to the voltage of a pulse down", "programming", part="programming", circuit="analog"
        ),
        "control.cycle": Action(
            "one cycle of control and clock, at the start of a slot",
            "control and clock",
            part="control and clock",
            circuit="logic",
        ),
        "logic.powered": Action(
            "the unit's logic powered for a second",
            "control and clock",
            "s",
            part="control and clock",
            circuit="leakage",
        ),
    }
    PARTS: ClassVar = {"driver": PartKind(part="programming", circuit="analog")}
    TIMES: ClassVar = {"writer.up_pulse": "device", "writer.down_pulse": "device"}

    def __init__(
        self, clock: Clock, ledger: Ledger, label: str, *, columns: int, columns_per_driver: int, serial: bool,
        up_ps: int, down_ps: int, name: str = "writer",
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, name, label=label)
        self.columns, self.serial = columns, serial
        self.drivers = -(-columns // columns_per_driver)
        self.up_ps, self.down_ps = up_ps, down_ps

    def write(self, cells: Written, index: I64, pulses: I64, tag: Tag) -> Work[None]:
        """Give signed numbers of pulses to the devices at flat positions `index`, in rising order."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            done = cells.pulse(index, pulses, self.clock.now)
            up_slots, down_slots, charged = self._slots(cells, done)
            hold_ps = round(up_slots * self.up_ps + down_slots * self.down_ps)
            if not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            self.count(
                tag,
                {
                    "up.pulse": done.up,
                    "down.pulse": done.down,
                    "up.conduct": done.up_moment * self.up_ps * 1e-12,
                    "down.conduct": done.down_moment * self.down_ps * 1e-12,
                    "up.charge": charged,
                    "down.charge": done.down,
                    "control.cycle": up_slots + down_slots,
                },
            )
        finally:
            self.slot.give()

    def discharge(self, cells: HybridCells, step: float, tag: Tag, *, inverts: bool) -> Work[None]:
        """Bring all volatile devices to the middle of their range, at once, in the time of a pulse.

        It moves as much charge as the pulses of `step` [S] would, and is counted as so many, all of them up.
        """
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            moved = cells.discharge(self.clock.now, inverts=inverts)
            if not self.clock.passes(self.up_ps):
                yield self.clock.timeout(self.up_ps)
            lines = sum(cells.shape)
            self.count(tag, {"up.pulse": math.ceil(moved / step), "up.charge": lines, "control.cycle": 1})
        finally:
            self.slot.give()

    def _slots(self, cells: Written, done: Pulsed) -> tuple[float, float, float]:
        """Return the slots up and down of what was written, and the lines charged to the voltage of a pulse up."""
        if isinstance(done.pulses, Given):
            return done.pulses.slots(-(-self.columns // self.drivers), serial=self.serial)
        longest = _kernels.longest_trains if self.serial else _kernels.longest_columns
        up_slots, down_slots, trains, devices = longest(done.index, done.pulses, self.columns, self.drivers)
        held = trains * self.columns * cells.copies - devices * cells.written if self.serial else 0
        return up_slots, down_slots, done.up + trains * cells.copies + held

    def powered(self) -> dict[str, float]:
        """Return one unit of logic."""
        return {"logic.powered": 1.0}

    def parts(self) -> dict[str, float]:
        """Return the drivers."""
        return {"driver": self.drivers}
