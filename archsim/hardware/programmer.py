"""The programming unit: SET and RESET pulses, read-out of single devices, the log of programmed pairs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Ledger
from archsim.analog.cells import PairedCells, Refreshed
from archsim.base.arrays import I64
from archsim.base.expected import parcels
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import CONTROL, Component
from archsim.hardware.sram import Sram


class Programmer(Component):
    """Drivers that pulse `parallel` devices at a time, and a log of the pairs they have written.

    The caller holds the tile whose cells are programmed before it asks the programmer: always in this order.

    Parameters
    ----------
    parallel : int
        Devices pulsed or read at once.
    set_ps, reset_ps, read_ps : int
        One SET pulse, one RESET pulse, one read-out of a device with its conversion.
    cycle_ps : int
        Of its control.
    log : Sram
        Memory of the log.
    """

    kind = "programmer"
    ACTIONS: ClassVar = {
        "set.pulse": Action("one SET pulse", "programming", part="programming", circuit="device"),
        "reset.pulse": Action("one RESET pulse", "programming", part="programming", circuit="device"),
        "device.read": Action("one device read and converted", "programming", part="programming", circuit="analog"),
        "log.write": Action("one programmed pair noted", "programming", part="programming", circuit="memory"),
        "log.read": Action("one noted pair looked up", "programming", part="programming", circuit="memory"),
        "log.powered": Action(
            "one bit of the log powered for a second", "programming", "bit*s", part="programming", circuit="leakage"
        ),
        **CONTROL,
    }
    PARTS: ClassVar = {
        "driver": PartKind(part="programming", circuit="analog"),
        "log": PartKind("bit", part="programming", circuit="memory"),
    }
    TIMES: ClassVar = {
        "programmer.set_pulse": "device",
        "programmer.reset_pulse": "device",
        "programmer.read": "analog",
        "digital.cycle": "logic",
        "sram.access": "memory",
    }
    WORK: ClassVar = {"update": "SET pulses", "refresh": "refresh"}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, parallel: int, set_ps: int, reset_ps: int, read_ps: int,
        cycle_ps: int, log: Sram,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "programmer")
        self.parallel, self.set_ps, self.reset_ps, self.read_ps = parallel, set_ps, reset_ps, read_ps
        self.cycle_ps, self.log = cycle_ps, log

    def train_ps(self, *, pulses: float = 0, resets: float = 0, reads: float = 0) -> int:
        """Return the time of trains of pulses and reads, `parallel` at a time."""
        return round(
            parcels(pulses, self.parallel) * self.set_ps
            + parcels(resets, self.parallel) * self.reset_ps
            + parcels(reads, self.parallel) * self.read_ps
        )

    def set_pulses(self, cells: PairedCells, index: I64, pulses: I64, tag: Tag) -> Work[float]:
        """Give signed SET pulses to the pairs at flat positions `index`; return how many pulses were given."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            given = cells.set_pulses(index, pulses, self.clock.now)
            hold_ps = self.train_ps(pulses=given)
            if not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            row = self._account.row(tag)
            row["set.pulse"] += given
            row["log.write"] += index.size
            row["control.cycle"] += -(-hold_ps // self.cycle_ps)
            return given
        finally:
            self.slot.give()

    def read_signs(self, cells: PairedCells, index: I64, tag: Tag) -> Work[NDArray[np.bool_]]:
        """Read all devices of the weights at flat positions `index`; return which weights are below zero."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            negative = cells.read_signs(index, self.clock.now)
            reads = cells.per_weight * index.size
            hold_ps = self.train_ps(reads=reads)
            if not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            self.count(tag, {"device.read": reads, "control.cycle": -(-hold_ps // self.cycle_ps)})
            return negative
        finally:
            self.slot.give()

    def refresh(
        self, cells: PairedCells, candidates: I64, tag: Tag, *, saturated: float, difference: float, most_pulses: int
    ) -> Work[Refreshed]:
        """Read the candidates, RESET the saturated pairs among them and program their differences again."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            done = cells.refresh(
                candidates, self.clock.now, saturated=saturated, difference=difference, most_pulses=most_pulses
            )
            hold_ps = self.train_ps(pulses=done.pulses, resets=done.resets, reads=done.reads)
            if hold_ps and not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            self.count(
                tag,
                {
                    "set.pulse": done.pulses,
                    "reset.pulse": done.resets,
                    "device.read": done.reads,
                    "log.read": candidates.size,
                    "control.cycle": -(-hold_ps // self.cycle_ps),
                },
            )
            return done
        finally:
            self.slot.give()

    def sizes(self, action: str) -> dict[str, float]:
        """Return the log's sizes for its actions."""
        return self.log.sizes() if action.startswith("log.") else {}

    def powered(self) -> dict[str, float]:
        """Return the log's bits and one unit of logic."""
        return {"log.powered": self.log.capacity_bit, "logic.powered": 1.0}

    def parts(self) -> dict[str, float]:
        """Return the drivers, one for each device pulsed at once, and the log's bits."""
        return {"driver": self.parallel, "log": self.log.capacity_bit}
