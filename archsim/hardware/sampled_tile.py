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
from archsim.hardware.tile import Tile

InputStyle = Literal["pulse-width", "binary-pulses", "bit-serial"]
OutputStyle = Literal["multiplexed", "ramp", "counter", "binary-search"]


@dataclass(frozen=True, slots=True)
class Drive:
    """How lines are driven.

    Parameters
    ----------
    style : str
        "pulse-width": one pulse of up to 2^(bits-1) - 1 periods. "binary-pulses": bits - 1 pulses of 1, 2, 4 ...
        periods, as long together. "bit-serial": one read of one period a bit, `bits` of them.
    bits : int
        Of an input element; sign included for pulses.
    phases : int
        Integrations a product takes (quadrants of signed inputs and weights).
    """

    style: InputStyle
    bits: int
    phases: int = 1

    @property
    def periods(self) -> int:
        """Periods of one integration at full scale."""
        return self.bits if self.style == "bit-serial" else 2 ** (self.bits - 1) - 1

    @property
    def charges(self) -> int:
        """Times a line is charged in one integration."""
        return {"pulse-width": 1, "binary-pulses": self.bits - 1, "bit-serial": self.bits}[self.style]


@dataclass(frozen=True, slots=True)
class Readout:
    """How lines are converted.

    Parameters
    ----------
    style : str
        "multiplexed": `count` converters take the lines in turn. "ramp": all lines at once, one level after the other,
        2^bits of them. "binary-search": all lines at once, a cycle a bit. "counter": a current-controlled oscillator
        counts while the line integrates; no time after it.
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
    """Outer-product update in the array: every phase pulses all lines, each cell is written in one of them.

    Parameters
    ----------
    bits : int
        Of the operand that sets the pulse length, sign included.
    phases : int
    conductance : float [S]
        Mean of a cell while it is written.
    arrays : int
        Physical arrays that are written.
    """

    bits: int
    phases: int
    conductance: float
    arrays: int


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
        "tile": PartKind(part="DAC and cells", circuit="analog"),
    }
    TIMES: ClassVar = {**Tile.TIMES, "tile.adc.level": "analog"}

    def __init__(
        self, clock: Clock, ledger: Ledger, *, tiles: int, array: Array, drive: Drive, readout: Readout,
        write: Write | None, period_ps: int, settle_ps: int, convert_ps: int,
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "tile")
        self.tiles, self.array, self.drive, self.readout, self.write = tiles, array, drive, readout, write
        self.period_ps, self.settle_ps, self.convert_ps = period_ps, settle_ps, convert_ps

    def integrate_ps(self) -> int:
        """Return the time of one integration, settling included."""
        return self.settle_ps + self.drive.periods * self.period_ps

    def readout_ps(self, outputs: int) -> int:
        """Return the time in which the converters turn the tile's `outputs` lines into codes after an integration."""
        if self.readout.style == "counter":
            return 0
        if self.readout.style == "ramp":
            return int(2**self.readout.bits) * self.convert_ps
        if self.readout.style == "binary-search":
            return self.readout.bits * self.convert_ps
        return -(-outputs // self.readout.count) * self.convert_ps

    def read_ps(self, vectors: int, outputs: int) -> int:
        """Return the closed-form time of `vectors` products.

        A bit-serial tile converts each bit's result while the next bit is read, vector after vector. Otherwise a vector
        is integrated while the previous one is converted.
        """
        convert = self.readout_ps(outputs)
        if self.drive.style == "bit-serial":
            interval = max(self.settle_ps + self.period_ps, convert)
            return vectors * self.drive.phases * self.drive.bits * interval + convert
        integrate = self.drive.phases * self.integrate_ps()
        return integrate + convert + (vectors - 1) * max(integrate, convert)

    def update_ps(self, write: Write) -> int:
        """Return the time of one outer-product update: the phases one after the other."""
        return write.phases * (self.settle_ps + int(2 ** (write.bits - 1) - 1) * self.period_ps)

    def product(self, vectors: int, tag: Tag, *, transposed: bool = False, density: float = 1.0) -> Work[None]:
        """Hold for and count `vectors` products in every tile; `density` is the share of lines that are driven.

        Of several phases a line, having one sign, is driven in half, and a cell conducts for one pulse in all.
        """
        array, drive = self.array, self.drive
        lines, outputs = (array.columns, array.rows) if transposed else (array.rows, array.columns)
        yield from self.hold(self.read_ps(vectors, outputs))
        done = self.tiles * vectors
        conversions = drive.bits * drive.phases if drive.style == "bit-serial" else 1
        pulse_s = drive.periods * self.period_ps * 1e-12
        on_s = drive.phases * pulse_s
        convert_s = {
            "counter": drive.phases * self.integrate_ps(), "ramp": self.readout_ps(outputs),
            "binary-search": self.readout_ps(outputs), "multiplexed": conversions * self.convert_ps,
        }[self.readout.style] * 1e-12  # fmt: skip
        driven = done * lines * density
        self.count(tag, {
            "dac.convert": driven,
            "line.charge": driven * drive.charges * max(drive.phases / 2, 1) * array.arrays,
            "cells.conduct": driven * outputs * array.arrays * array.conductance * array.input_mean * pulse_s,
            "adc.convert": done * outputs * conversions,
            "integrate.on": done * outputs * on_s,
            "adc.on": done * outputs * convert_s,
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
        self.count(tag, {
            "dac.convert": self.tiles * array.rows,
            "line.charge": self.tiles * array.rows * self.drive.charges * write.phases / 2,
            "write.conduct": cells * write.conductance * pulse_s,
            "write.charge": self.tiles * array.columns * write.arrays * write.phases / 2,
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
        return {
            "cells": self.tiles * array.rows * array.columns * array.arrays,
            "adc": self.tiles * self.readout.count,
            "integrator": self.tiles * array.columns,
            "row.driver": self.tiles * array.rows,
            "column.driver": self.tiles * array.columns,
            "tile": self.tiles,
        }
