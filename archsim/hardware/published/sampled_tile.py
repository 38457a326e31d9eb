"""Crossbar tile that works on counts: how often and how long, for stated densities instead of values.

Its actions carry the names of the functional tile's, so one technology prices both. It knows the converter styles of
published designs, which trained networks on this chip do not need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Entry, Ledger
from archsim.base.errors import ModelError
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock
from archsim.hardware.component import Component
from archsim.hardware.published.streaming import Emit, nobody
from archsim.hardware.tile import Tile

InputStyle = Literal["pulse-width", "pulse-count", "binary-pulses", "bit-serial", "voltage"]
OutputStyle = Literal["multiplexed", "ramp", "counter", "binary-search"]
Settles = Literal["integration", "pulse", "product"]
RowsWritten = Literal["parallel", "serial"]


@dataclass(frozen=True, slots=True)
class Drive:
    """How lines are driven.

    Parameters
    ----------
    style : str
        "pulse-width": one pulse of up to 2^m - 1 periods, m the bits of a magnitude. "pulse-count": as many pulses of
        one period as the input says. "binary-pulses": m pulses of 1, 2, 4 ... periods, as long together. "bit-serial":
        reads of one period, each of `bits_per_read`. "voltage": one level of `bits`, held for one period.
    bits : int
        Of an input element.
    phases : int
        Integrations a product takes (quadrants of signed inputs and weights).
    signed : bool
        Whether one of the bits of a pulsed input is its sign; a sign alone still takes a pulse.
    settles : str
        What the lines settle before: each "integration", each "pulse" of it, or a "product".
    bits_per_read : int
        Bits of a bit-serial input that one read takes.
    """

    style: InputStyle
    bits: int
    phases: int = 1
    signed: bool = True
    settles: Settles = "integration"
    bits_per_read: int = 1

    @property
    def reads(self) -> int:
        """Reads of a bit-serial input in one integration."""
        return -(-self.bits // self.bits_per_read)

    @property
    def magnitude_bits(self) -> int:
        """Bits of a pulsed input without its sign."""
        return max(self.bits - self.signed, 1)

    @property
    def periods(self) -> int:
        """Periods of one integration at full scale."""
        whole = {"bit-serial": self.reads, "voltage": 1}
        return whole.get(self.style, int(2**self.magnitude_bits) - 1)

    @property
    def charges(self) -> int:
        """Times a line is charged in one integration at full scale."""
        return {
            "pulse-width": 1, "pulse-count": self.periods, "binary-pulses": self.magnitude_bits,
            "bit-serial": self.reads, "voltage": 1,
        }[self.style]  # fmt: skip

    @property
    def settlings(self) -> int:
        """Times the lines settle in a product."""
        return {"integration": self.phases, "pulse": self.phases * self.charges, "product": 1}[self.settles]


@dataclass(frozen=True, slots=True)
class Readout:
    """How lines are converted.

    Parameters
    ----------
    style : str
        "multiplexed": `count` converters take the lines in turn. "ramp": `count` lines at once, one level after the
        other, 2^bits of them. "binary-search": `count` lines at once, a cycle a bit. "counter": a current-controlled
        oscillator counts while the line integrates; no time after it.
    bits, count : int
    """

    style: OutputStyle
    bits: int
    count: int


@dataclass(frozen=True, slots=True)
class Array:
    """The crossbar.

    Parameters
    ----------
    rows, columns : int
        Lines of one tile.
    arrays : int
        Physical arrays read at once through one set of converters (positive, and negative or reference).
    conductance : float [S]
        Mean of a cell while it is read.
    input_mean : float
        Mean magnitude of the inputs over their full scale.
    """

    rows: int
    columns: int
    arrays: int
    conductance: float
    input_mean: float


@dataclass(frozen=True, slots=True)
class Write:
    """Outer-product update in the array: every phase pulses all columns, each cell is written in one of them.

    Parameters
    ----------
    bits : int
        Of the operand that sets the pulse length, sign included.
    phases : int
    conductance : float [S]
        Mean of a cell while it is written.
    arrays : int
        Physical arrays that are written.
    rows : str
        All rows in "parallel", or "serial": the phases of one after those of the other.
    batch : int
        Vectors whose update is written at once.
    """

    bits: int
    phases: int
    conductance: float
    arrays: int
    rows: RowsWritten = "parallel"
    batch: int = 1


@dataclass(frozen=True, slots=True)
class DriverBits:
    """Bits of a row's and of a column's driver, whose logic takes area by them."""

    row: int
    column: int


class SampledTile(Component):
    """Equal tiles side by side that take stated counts through their converters.

    Parameters
    ----------
    tiles : int
        Working in step: one time, so many counts.
    period_ps, settle_ps, convert_ps : int
        Of the line driver; before every integration; one conversion (multiplexed), level (ramp) or bit (binary search).
    """

    kind = "tile"
    ACTIONS: ClassVar = {
        **Tile.ACTIONS,
        "integrate.on": Action(
            "one line's integrator on for a second", "arithmetic", "s", part="ADC", circuit="analog"
        ),
        "adc.on": Action("one line's converter on for a second", "arithmetic", "s", part="ADC", circuit="analog"),
        "product": Action(
            "registers and control of one product or update",
            "control and clock",
            part="control and clock",
            circuit="logic",
        ),
        "write.conduct": Action(
            "conductance times time at the write voltage", "programming", "S*s", part="programming", circuit="device"
        ),
        "write.charge": Action(
            "one line charged to the write voltage", "programming", part="programming", circuit="analog"
        ),
    }
    PARTS: ClassVar = {
        "cells": PartKind(part="DAC and cells", circuit="device"),
        "adc": PartKind(part="ADC", circuit="analog"),
        "integrator": PartKind(part="ADC", circuit="analog"),
        "row.driver": PartKind(part="DAC and cells", circuit="analog"),
        "column.driver": PartKind(part="DAC and cells", circuit="analog"),
        "row.driver.logic": PartKind("bit", part="DAC and cells", circuit="logic"),
        "column.driver.logic": PartKind("bit", part="DAC and cells", circuit="logic"),
        "tile": PartKind(part="DAC and cells", circuit="analog"),
    }
    TIMES: ClassVar = {**Tile.TIMES, "tile.adc.level": "analog"}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, tiles: int, array: Array, drive: Drive, readout: Readout,
        write: Write | None, period_ps: int, settle_ps: int, convert_ps: int, driver_bits: DriverBits | None = None,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "tile")
        self.tiles, self.array, self.drive, self.readout, self.write = tiles, array, drive, readout, write
        self.period_ps, self.settle_ps, self.convert_ps = period_ps, settle_ps, convert_ps
        self.driver_bits = driver_bits

    def integrate_ps(self) -> int:
        """Return the time of all integrations of a product, settling included."""
        drive = self.drive
        return drive.settlings * self.settle_ps + drive.phases * drive.periods * self.period_ps

    def interval_ps(self, outputs: int) -> int:
        """Return the time of one bit of a bit-serial tile, the longer of its read and of the conversions before it."""
        settle_ps = 0 if self.drive.settles == "product" else self.settle_ps
        return max(settle_ps + self.period_ps, self.readout_ps(outputs))

    def drive_ps(self, outputs: int) -> int:
        """Return the time for which a product takes the lines, all but what its converters need after it."""
        drive = self.drive
        if drive.style != "bit-serial":
            return self.integrate_ps()
        once_ps = self.settle_ps if drive.settles == "product" else 0
        return once_ps + drive.phases * drive.reads * self.interval_ps(outputs)

    @property
    def conversions(self) -> int:
        """Conversions of one output of a product."""
        return self.drive.reads * self.drive.phases if self.drive.style == "bit-serial" else 1

    def readout_ps(self, outputs: int) -> int:
        """Return the time in which the converters turn the tile's `outputs` lines into codes after an integration."""
        if self.readout.style == "counter":
            return 0
        return -(-outputs // self.readout.count) * self.conversion_ps()

    def rounds(self, outputs: int) -> int:
        """Return how many lines share one integrator and its converter, each having its share of the phases.

        Multiplexed converters take what lines have integrated; each line has an integrator of its own.
        """
        return 1 if self.readout.style == "multiplexed" else -(-outputs // self.readout.count)

    def conversion_ps(self) -> int:
        """Return the time of one conversion."""
        levels = {"ramp": 2**self.readout.bits, "binary-search": self.readout.bits, "multiplexed": 1, "counter": 0}
        return int(levels[self.readout.style]) * self.convert_ps

    def update_ps(self, write: Write) -> int:
        """Return the time of one outer-product update: the phases one after the other, of all rows or row by row."""
        rows = self.array.rows if write.rows == "serial" else 1
        return rows * write.phases * (self.settle_ps + int(2 ** (write.bits - 1) - 1) * self.period_ps)

    def integrate(self, outputs: int, emit: Emit = nobody) -> Work[None]:
        """Hold for the part of one product that takes the lines; a bit-serial tile's first results are out early."""
        first = self.interval_ps(outputs) if self.drive.style == "bit-serial" else 0
        if first:
            yield from self.hold(first)
            emit()
        yield from self.hold(self.drive_ps(outputs) - first)

    def convert(self, outputs: int, emit: Emit = nobody) -> Work[None]:
        """Pass the time of the conversions of one product; converters that take lines in turn emit early."""
        first = min(self.convert_ps, self.readout_ps(outputs)) if self.readout.style == "multiplexed" else 0
        if first:
            yield self.clock.timeout(first)
            emit()
        yield self.clock.timeout(self.convert_span_ps(outputs) + self.readout_ps(outputs) - first)

    def convert_span_ps(self, outputs: int) -> int:
        """Return the time for which the converters of a bit-serial tile follow its bits."""
        return self.drive_ps(outputs) - self.interval_ps(outputs) if self.drive.style == "bit-serial" else 0

    def emerge_ps(self, outputs: int) -> int:
        """Return the time from the first result of a product to its last [ps]."""
        if self.readout.style != "multiplexed":
            return self.convert_span_ps(outputs)
        return self.convert_span_ps(outputs) + max(self.readout_ps(outputs) - self.convert_ps, 0)

    def lines(self, *, transposed: bool = False) -> tuple[int, int]:
        """Return the lines that are driven and those that are converted."""
        array = self.array
        return (array.columns, array.rows) if transposed else (array.rows, array.columns)

    def count_products(self, vectors: int, tag: Tag, *, transposed: bool = False, density: float = 1.0) -> None:
        """Count `vectors` products in every tile.

        Of several phases a line, having one sign, is driven in half, and a cell conducts for one pulse in all.
        """
        array, drive = self.array, self.drive
        lines, outputs = self.lines(transposed=transposed)
        done = self.tiles * vectors
        pulse_s = drive.periods * self.period_ps * 1e-12
        convert_ps = {"counter": self.integrate_ps(), "multiplexed": self.conversions * self.convert_ps}
        driven = done * lines * density
        charges = drive.charges * (array.input_mean if drive.style == "pulse-count" else 1)
        integrations = drive.phases / self.rounds(outputs)
        self.count(tag, {
            "dac.convert": driven * max(drive.phases / 2, 1),
            "line.charge": driven * charges * max(drive.phases / 2, 1) * array.arrays,
            "cells.conduct": driven * outputs * array.arrays * array.conductance * array.input_mean * pulse_s,
            "adc.convert": done * outputs * self.conversions,
            "integrate.on": done * outputs * integrations * pulse_s,
            "adc.on": done * outputs * convert_ps.get(self.readout.style, self.conversion_ps()) * 1e-12,
            "product": done,
        })  # fmt: skip

    def update(self, tag: Tag) -> Work[None]:
        """Hold for and count an outer-product update of every cell, the worst case; a line works in half the phases."""
        array, write = self.array, self.write
        if write is None:
            raise ModelError("tile: no update without `write`")
        yield from self.hold(self.update_ps(write))
        pulse_s = int(2 ** (write.bits - 1) - 1) * self.period_ps * 1e-12
        cells = self.tiles * array.rows * array.columns * write.arrays
        selected = array.rows if write.rows == "serial" else 1  # times that the columns are charged in a phase
        self.count(tag, {
            "dac.convert": self.tiles * array.rows * write.phases / 2,
            "line.charge": self.tiles * array.rows * self.drive.charges * write.phases / 2,
            "write.conduct": cells * write.conductance * pulse_s,
            "write.charge": self.tiles * array.columns * write.arrays * write.phases / 2 * selected,
            "product": self.tiles,
        })  # fmt: skip

    def sizes(self, action: str) -> dict[str, float]:
        """Return the bits of the converter in question."""
        bits = {"dac.convert": self.drive.bits, "adc.convert": self.readout.bits}
        return {"bits": bits[action]} if action in bits else {}

    def entries(self) -> list[Entry]:
        """Return every action, those of writing only where the tile can write."""
        return [entry for entry in super().entries() if self.write or not entry.key.startswith("tile.write.")]

    def powered(self) -> dict[str, float]:
        """Return the periphery of all tiles."""
        return {"periphery.powered": self.tiles}

    def parts(self) -> dict[str, float]:
        """Return cells, converters and drivers of all tiles."""
        array = self.array
        bits = self.driver_bits
        logic = {
            "row.driver.logic": self.tiles * array.rows * bits.row,
            "column.driver.logic": self.tiles * array.columns * bits.column,
        } if bits else {}  # fmt: skip
        return {
            "cells": self.tiles * array.rows * array.columns * array.arrays,
            "adc": self.tiles * self.readout.count,
            "integrator": self.tiles * -(-array.columns // self.rounds(array.columns)),
            "row.driver": self.tiles * array.rows,
            "column.driver": self.tiles * array.columns,
            "tile": self.tiles,
            **logic,
        }
