"""Crossbar tile: cells between row and column converters, usable in both directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import simpy

from archsim.accounting.ledger import Action, Ledger
from archsim.analog.cells import PairedCells
from archsim.base.arrays import F32
from archsim.base.rounding import Quantiser
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.component import Component
from archsim.hardware.slot import Slot


@dataclass(frozen=True, slots=True)
class Converters:
    """The converters of a tile; rows and columns have equal ones.

    Parameters
    ----------
    dac, adc : Quantiser
    adcs : int
        ADCs of a bank; a column multiplexer brings each of them ceil(outputs/adcs) outputs in turn.
    forward_scale, backward_scale : float
        Full scale of the ADCs, as the sum of input (relative to the DAC's full scale) times weight.
    settle_ps, period_ps, conversion_ps : int
        Settling before a read; one period of the pulse-width DAC, whose longest pulse has 2^(bits-1) - 1 of them; one
        conversion.
    """

    dac: Quantiser
    adc: Quantiser
    adcs: int
    forward_scale: float
    backward_scale: float
    settle_ps: int
    period_ps: int
    conversion_ps: int

    @property
    def integration_ps(self) -> int:
        """Time for which the columns integrate: the longest pulse."""
        return (2 ** (self.dac.bits - 1) - 1) * self.period_ps


class Tile(Component):
    """Crossbar of cell pairs between shared converters. Holds no figures and computes nothing itself."""

    kind = "tile"
    ACTIONS: ClassVar = {
        "dac.convert": Action("one line driven by a non-zero code", "arithmetic"),
        "line.charge": Action("one line charged", "arithmetic"),
        "cells.conduct": Action("conductance times time at the read voltage", "arithmetic", "S*s"),
        "adc.convert": Action("one line's result turned into a code", "arithmetic"),
        "periphery.powered": Action("one tile powered for a second", "arithmetic", "s"),
    }

    def __init__(
        self, env: simpy.Environment, ledger: Ledger, label: str, *, cells: PairedCells, converters: Converters,
        bank: Slot | None = None,
    ) -> None:  # fmt: skip
        super().__init__(env, ledger, "tile", label=label)
        self.cells, self.converters = cells, converters
        self.bank = bank
        self.clipped = 0
        self._integration_s = converters.integration_ps * 1e-12

    def convert_ps(self, outputs: int) -> int:
        """Return the time in which one bank converts `outputs` lines: ceil(outputs/adcs) conversions."""
        return -(-outputs // self.converters.adcs) * self.converters.conversion_ps

    def read_ps(self, vectors: int, outputs: int) -> int:
        """Return the closed-form time of `vectors` products when the bank is the tile's own.

        Lines integrate one vector while the previous one is converted: the longer of the two is the interval.
        """
        integrate = self.converters.settle_ps + self.converters.integration_ps
        convert = self.convert_ps(outputs)
        return integrate + convert + (vectors - 1) * max(integrate, convert)

    def multiply(self, x: F32, tag: Tag) -> Work[F32]:
        """Drive the rows with x, (vectors, rows), relative to full scale; return the columns' codes as weight sums."""
        return self._read(x, tag, self.cells.multiply, self.cells.shape[1], self.converters.forward_scale)

    def multiply_transposed(self, d: F32, tag: Tag) -> Work[F32]:
        """Drive the columns with d, (vectors, columns), relative to full scale; return the rows' codes as weight sums."""
        return self._read(d, tag, self.cells.multiply_transposed, self.cells.shape[0], self.converters.backward_scale)

    def _read(
        self, x: F32, tag: Tag, product: Callable[[F32, str], tuple[F32, float]], outputs: int, full_scale: float
    ) -> Work[F32]:
        if not self.slot.take():
            yield self.slot.wait()
        codes, driven, _ = self.converters.dac.convert(x, 1.0)
        currents, moment = product(codes, tag.phase)
        result, _, clipped = self.converters.adc.convert(currents, full_scale)
        self.clipped += clipped
        vectors = x.shape[0]
        if self.bank is None:
            yield self.env.timeout(self.read_ps(vectors, outputs))
        else:
            yield from self._read_shared(self.bank, vectors, outputs)
        self.slot.give()
        self.count(
            tag,
            {
                "dac.convert": driven,
                "line.charge": driven,
                "cells.conduct": moment * self._integration_s,
                "adc.convert": vectors * outputs,
            },
        )
        return result

    def _read_shared(self, bank: Slot, vectors: int, outputs: int) -> Work[None]:
        """Hold for products whose conversions contend with other tiles for one bank, vector by vector."""
        for _ in range(vectors):
            yield self.env.timeout(self.converters.settle_ps + self.converters.integration_ps)
            if not bank.take():
                yield bank.wait()
            yield self.env.timeout(self.convert_ps(outputs))
            bank.give()

    def sizes(self, action: str) -> dict[str, float]:
        """Return the bits of the converter in question."""
        bits = {"dac.convert": self.converters.dac.bits, "adc.convert": self.converters.adc.bits}
        return {"bits": bits[action]} if action in bits else {}

    def powered(self) -> dict[str, float]:
        """Return one tile's periphery."""
        return {"periphery.powered": 1.0}
