"""Programming units: SET and RESET pulses, read-out of single devices, the log of programmed pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Ledger
from archsim.analog.hybrid import HybridCells, Looked, Programmed
from archsim.analog.paired import PairedCells, Refreshed
from archsim.analog.sided import SidedCells
from archsim.base.arrays import F32, I64
from archsim.base.expected import parcels
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import CONTROL, Component
from archsim.hardware.sram import Sram

T = TypeVar("T")


class Programmer(Component):
    """Drivers that pulse `parallel` devices at a time, and read as many.

    The caller holds the tile whose cells are programmed before it asks the programmer: always in this order.

    Parameters
    ----------
    parallel : int
        Devices pulsed or read at once.
    set_ps, reset_ps, read_ps : int
        One SET pulse, one RESET pulse, one read-out of a device with its conversion.
    cycle_ps : int
        Of its control.
    """

    kind = "programmer"
    ACTIONS: ClassVar = {
        "set.pulse": Action("one SET pulse", "programming", part="programming", circuit="device"),
        "reset.pulse": Action("one RESET pulse", "programming", part="programming", circuit="device"),
        "device.read": Action("one device read and converted", "programming", part="programming", circuit="analog"),
        **CONTROL,
    }
    PARTS: ClassVar = {"driver": PartKind(part="programming", circuit="analog")}
    TIMES: ClassVar = {
        "programmer.set_pulse": "device",
        "programmer.reset_pulse": "device",
        "programmer.read": "analog",
        "digital.cycle": "logic",
    }
    WORK: ClassVar = {"update": "transfer", "refresh": "refresh"}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, parallel: int, set_ps: int, reset_ps: int, read_ps: int, cycle_ps: int
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "programmer")
        self.parallel, self.set_ps, self.reset_ps, self.read_ps = parallel, set_ps, reset_ps, read_ps
        self.cycle_ps = cycle_ps

    def train_ps(self, *, pulses: float = 0, resets: float = 0, reads: float = 0) -> int:
        """Return the time of trains of pulses and reads, `parallel` at a time."""
        return round(
            parcels(pulses, self.parallel) * self.set_ps
            + parcels(resets, self.parallel) * self.reset_ps
            + parcels(reads, self.parallel) * self.read_ps
        )

    def look(self, cells: HybridCells, tag: Tag) -> Work[Looked]:
        """Read every device of an array."""
        return self._do(tag, cells.look, lambda read: (0, 0, 3 * read.plus.size))

    def program(self, cells: HybridCells, wanted: F32, read: Looked, tag: Tag, **rules: Any) -> Work[Programmed]:
        """Bring the pairs of an array to wanted differences [S], as `HybridCells.program` does by these rules."""
        return self._do(
            tag, lambda now: cells.program(wanted, read, now, **rules),
            lambda done: (done.pulses, done.resets, done.reads),
        )  # fmt: skip

    def renew(self, cells: SidedCells, tag: Tag, **rules: Any) -> Work[Refreshed]:
        """Read all pairs of an array, and start those anew that are saturated, as `SidedCells.refresh` does."""
        every = np.arange(cells.shape[0] * cells.shape[1])
        return self._do(
            tag, lambda now: cells.refresh(every, now, **rules), lambda done: (done.pulses, done.resets, done.reads)
        )

    def _do(self, tag: Tag, work: Callable[[int], T], taken: Callable[[T], tuple[float, float, float]]) -> Work[T]:
        """Take the drivers for work at the time now, hold and count the pulses, RESETs and reads that it took."""
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            done = work(self.clock.now)
            pulses, resets, reads = taken(done)
            hold_ps = self.train_ps(pulses=pulses, resets=resets, reads=reads)
            if hold_ps and not self.clock.passes(hold_ps):
                yield self.clock.timeout(hold_ps)
            amounts = {"set.pulse": pulses, "reset.pulse": resets, "device.read": reads}
            self.count(tag, {**amounts, "control.cycle": -(-hold_ps // self.cycle_ps)})
            return done
        finally:
            self.slot.give()

    def powered(self) -> dict[str, float]:
        """Return one unit of logic."""
        return {"logic.powered": 1.0}

    def parts(self) -> dict[str, float]:
        """Return the drivers, one for each device pulsed at once."""
        return {"driver": self.parallel}


class LoggingProgrammer(Programmer):
    """A programmer that writes what is due of an accumulator, and keeps a log of the pairs it has written.

    Parameters
    ----------
    log : Sram
        Memory of the log.
    others
        As for `Programmer`.
    """

    ACTIONS: ClassVar = {
        **Programmer.ACTIONS,
        "log.write": Action("one programmed pair noted", "programming", part="programming", circuit="memory"),
        "log.read": Action("one noted pair looked up", "programming", part="programming", circuit="memory"),
        "log.powered": Action(
            "one bit of the log powered for a second", "programming", "bit*s", part="programming", circuit="leakage"
        ),
    }
    PARTS: ClassVar = {**Programmer.PARTS, "log": PartKind("bit", part="programming", circuit="memory")}
    TIMES: ClassVar = {**Programmer.TIMES, "sram.access": "memory"}
    WORK: ClassVar = {"update": "SET pulses", "refresh": "refresh"}

    def __init__(self, clock: Clock, ledger: Ledger, *, log: Sram, **given: int) -> None:
        super().__init__(clock, ledger, **given)
        self.log = log

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

    def refresh(self, cells: PairedCells, candidates: I64, tag: Tag, **rules: Any) -> Work[Refreshed]:
        """Read the candidates, RESET the saturated pairs among them and program their differences again.

        By the rules of `PairedCells.refresh`.
        """
        if not self.slot.take():
            yield from self.slot.wait()
        try:
            done = cells.refresh(candidates, self.clock.now, **rules)
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
        """Return the log's bits, too."""
        return {**super().powered(), "log.powered": self.log.capacity_bit}

    def parts(self) -> dict[str, float]:
        """Return the log's bits, too."""
        return {**super().parts(), "log": self.log.capacity_bit}
