"""Crossbar tile: cells between row and column converters, usable in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, Protocol

import numpy as np

from archsim.accounting.circuits import PartKind
from archsim.accounting.ledger import Action, Ledger
from archsim.analog.cells import BURST, Cells, Grids, Into
from archsim.base.arrays import F32
from archsim.base.expected import Expected
from archsim.base.rounding import Quantiser
from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.clock import Clock, Slot
from archsim.hardware.component import Component


class Product(Protocol):
    """A product of a tile's, in one of its directions."""

    def __call__(self, x: F32, tag: Tag, into: Into | None = None, /) -> F32:
        """Return the codes for x, (vectors, lines), which a burst's are written `into` a place, if there is one."""


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
    clips : bool
        Whether the ADCs clip at their full scale.
    settle_ps, period_ps, conversion_ps : int
        Settling before a read; one period of the pulse-width DAC, whose longest pulse has 2^(bits-1) - 1 of them; one
        conversion.
    backward_dac, backward_adc : Quantiser, optional
        Precision when the columns are driven and the rows read, if it is another.
    """

    dac: Quantiser
    adc: Quantiser
    adcs: int
    forward_scale: float
    backward_scale: float
    clips: bool
    settle_ps: int
    period_ps: int
    conversion_ps: int
    backward_dac: Quantiser | None = None
    backward_adc: Quantiser | None = None

    def bits(self, *, backward: bool) -> tuple[int, int]:
        """Return the bits of what is driven and of what is read, forward or backward."""
        if not backward:
            return self.dac.bits, self.adc.bits
        return (self.backward_dac or self.dac).bits, (self.backward_adc or self.adc).bits

    def longest_ps(self, *, backward: bool) -> int:
        """Return the longest pulse on the lines that are driven, forward or backward."""
        return int(2 ** (self.bits(backward=backward)[0] - 1) - 1) * self.period_ps


class Tile(Component):
    """Crossbar of cell pairs between shared converters. Holds no figures and computes nothing itself.

    Parameters
    ----------
    label : str
    cells : Cells
    converters : Converters
    bank : Slot, optional
        The converters, if other tiles use them, too.
    lines : (rows, columns), optional
        Pairs of the whole tile, of which the cells may fill a part; those of the cells if not given.
    matrix : str
        Whose weights, or a part of them, the cells are.

    Attributes
    ----------
    twins : int
        Tiles with the same cells that share the vectors of a burst, each with converters of its own; one is simulated.
    """

    kind = "tile"
    ACTIONS: ClassVar = {
        "dac.convert": Action(
            "one line driven by a non-zero code", "arithmetic", part="DAC and cells", circuit="analog"
        ),
        "line.charge": Action("one line charged", "arithmetic", part="DAC and cells", circuit="analog"),
        "cells.conduct": Action(
            "conductance times time at the read voltage", "arithmetic", "S*s", part="DAC and cells", circuit="device"
        ),
        "adc.convert": Action("one line's result turned into a code", "arithmetic", part="ADC", circuit="analog"),
        "periphery.powered": Action(
            "one tile powered for a second", "arithmetic", "s", part="DAC and cells", circuit="leakage"
        ),
    }
    PARTS: ClassVar = {
        "cells": PartKind(part="DAC and cells", circuit="device"),
        "dac": PartKind(part="DAC and cells", circuit="analog"),
        "adc": PartKind(part="ADC", circuit="analog"),
    }
    WORK: ClassVar = {"forward": "read", "backward": "read"}
    TIMES: ClassVar = {"tile.settle": "analog", "tile.dac.period": "analog", "tile.adc.conversion": "analog"}

    def __init__(
        self, clock: Clock, ledger: Ledger, label: str, *, cells: Cells, converters: Converters,
        bank: Slot | None = None, lines: tuple[int, int] | None = None, matrix: str = "",
    ) -> None:  # fmt: skip
        super().__init__(clock, ledger, "tile", label=label)
        self.cells, self.converters, self.matrix = cells, converters, matrix
        self.lines = lines or cells.shape
        self.bank = bank
        self.clipped = self.converted = 0
        self.twins = 1
        self._forward_s, self._backward_s = (converters.longest_ps(backward=back) * 1e-12 for back in (False, True))
        dac, adc = converters.backward_dac or converters.dac, converters.backward_adc or converters.adc
        self._forward: Grids = (
            converters.dac.levels, converters.adc.levels, converters.forward_scale, converters.clips,
        )  # fmt: skip
        self._backward: Grids = (dac.levels, adc.levels, converters.backward_scale, converters.clips)

    def set_full_scale(self, scale: float, *, backward: bool) -> None:
        """Set the full scale of the ADCs in a direction, as the sum of input times weight."""
        if backward:
            self._backward = (*self._backward[:2], scale, self._backward[3])
        else:
            self._forward = (*self._forward[:2], scale, self._forward[3])

    def convert_ps(self, outputs: int) -> int:
        """Return the time in which one bank converts `outputs` lines: ceil(outputs/adcs) conversions."""
        return -(-outputs // self.converters.adcs) * self.converters.conversion_ps

    def share(self, vectors: int) -> int:
        """Return how many of so many vectors come to each of the twins, at most."""
        return -(-vectors // self.twins)

    def read_ps(self, vectors: int, outputs: int, *, backward: bool = False) -> int:
        """Return the closed-form time of `vectors` products when the bank is the tile's own.

        Lines integrate one vector while the previous one is converted: the longer of the two is the interval.
        """
        integrate, convert = self._vector_ps(outputs, backward=backward)
        return integrate + convert + (vectors - 1) * max(integrate, convert)

    def _vector_ps(self, outputs: int, *, backward: bool) -> tuple[int, int]:
        """Return how long one vector is integrated, and converted."""
        return self.converters.settle_ps + self.converters.longest_ps(backward=backward), self.convert_ps(outputs)

    def multiply(self, x: F32, tag: Tag, into: Into | None = None) -> F32:
        """Return the columns' codes, as weight sums, for rows driven with x, (vectors, rows), relative to full scale.

        Computes and counts; the time is held by `read` or by whoever reads several tiles at once.
        """
        codes, driven, clipped, moment = self.cells.multiply(x, tag.phase, self._forward, into)
        return self._counted(codes, driven, clipped, moment * self._forward_s, tag)

    def multiply_transposed(self, d: F32, tag: Tag, into: Into | None = None) -> F32:
        """Return the rows' codes for columns driven with d, (vectors, columns); else like `multiply`."""
        codes, driven, clipped, moment = self.cells.multiply_transposed(d, tag.phase, self._backward, into)
        return self._counted(codes, driven, clipped, moment * self._backward_s, tag)

    def _counted(self, codes: F32, driven: int, clipped: int, conducted: float, tag: Tag) -> F32:
        self.clipped += clipped
        self.converted += codes.size
        row = self._account.row(tag)
        row["dac.convert"] += driven
        row["line.charge"] += driven * self.cells.copies  # lines as much longer, or as many more
        row["cells.conduct"] += conducted
        row["adc.convert"] += codes.size
        return codes

    def read(
        self, product: Product, x: F32, outputs: int, tag: Tag, *, backward: bool = False, into: Into | None = None
    ) -> Work[F32]:  # fmt: skip
        """Take the tile, let it compute `product` (one of its own), and hold until its `outputs` are converted."""
        if not self.slot.take():
            yield from self.slot.wait()
        vectors = self.share(x.shape[0])
        try:
            codes = product(x, tag, into)
            if self.bank is None:
                once_ps = min(self._vector_ps(outputs, backward=backward))  # the fill and drain of a burst
                yield self.clock.pause(self.read_ps(vectors, outputs, backward=backward), once_ps)
            else:
                yield from self._read_shared(self.bank, vectors, outputs, backward=backward)
            return codes
        finally:
            self.slot.give()

    def _read_shared(self, bank: Slot, vectors: int, outputs: int, *, backward: bool) -> Work[None]:
        """Hold for products whose conversions contend with other tiles for one bank, vector by vector.

        The next vector is integrated while one is converted, so an uncontended bank gives the time of `read_ps`.
        """
        integrate, convert = self._vector_ps(outputs, backward=backward)
        yield self.clock.timeout(integrate)
        for vector in range(vectors):
            if not bank.take(self.slot.name):
                yield from bank.wait(self.slot.name)
            try:
                yield self.clock.timeout(convert)
            finally:
                bank.give()
            if vector < vectors - 1 and integrate > convert:
                yield self.clock.timeout(integrate - convert)

    def sizes(self, action: str) -> dict[str, float]:
        """Return the bits of the converter in question, as it is used forward."""
        bits = {"dac.convert": self.converters.dac.bits, "adc.convert": self.converters.adc.bits}
        return {"bits": bits[action]} if action in bits else {}

    def powered(self) -> dict[str, float]:
        """Return one tile's periphery."""
        return {"periphery.powered": 1.0}

    def parts(self) -> dict[str, float]:
        """Return the devices of the whole tile, the drivers of its rows and columns, the ADCs of its bank.

        A bank that tiles share stands in each of them; the chip counts it once.
        """
        rows, columns = self.lines
        return {"cells": self.cells.per_weight * rows * columns, "dac": rows + columns, "adc": self.converters.adcs}


class TileGroup:
    """The tiles that one product of a layer reads side by side, in one direction.

    Parameters
    ----------
    clock : Clock
    lanes : list of (tile, product, input lines, outputs)
        A product is one of the tile's own; input lines are the slice of the layer's input that the tile is driven with.
    bands : int
        Bands of the result: the lanes go through all of them for one band of inputs after the other.
    backward : bool
        Whether the products are transposed ones.
    """

    def __init__(
        self, clock: Clock, lanes: list[tuple[Tile, Product, slice, int]], bands: int, *, backward: bool = False
    ) -> None:
        self.clock, self.lanes, self.bands, self.backward = clock, lanes, bands, backward
        self.outputs = sum(outputs for _, _, _, outputs in lanes)
        self.dac_bits, self.adc_bits = lanes[0][0].converters.bits(backward=backward)
        self._lines = [lines for _, _, lines, _ in lanes]
        self._products = [product for _, product, _, _ in lanes]
        self._slots = [tile.slot for tile, _, _, _ in lanes]
        self._cells = [tile.cells for tile, _, _, _ in lanes]
        self._shared = any(tile.bank for tile, _, _, _ in lanes)
        self._hold_ps: dict[int, int] = {}
        self._full_scale = 0.0

    def set_full_scale(self, scale: float) -> None:
        """Set the full scale of all tiles' ADCs in the group's direction."""
        if scale != self._full_scale:
            self._full_scale = scale
            for tile, _, _, _ in self.lanes:
                tile.set_full_scale(scale, backward=self.backward)

    def hold_ps(self, vectors: int) -> int:
        """Return the time of the slowest tile when no bank is shared."""
        if vectors not in self._hold_ps:
            self._hold_ps[vectors] = max(
                tile.read_ps(tile.share(vectors), outputs, backward=self.backward) for tile, _, _, outputs in self.lanes
            )
        return self._hold_ps[vectors]

    def age(self) -> None:
        """Let the cells see the clock, so that they drift."""
        now = self.clock.now
        for cells in self._cells:
            cells.age(now)

    def read(self, x: F32, tag: Tag, *, apart: bool = False) -> Work[list[F32]]:
        """Read all tiles for x, (vectors, lines); return their codes when the slowest has converted its outputs.

        Those of a burst stand where `join` would set them, unless each tile's are wanted in an array apart.
        """
        vectors = x.shape[0]
        parts = [x[:, lines] for lines in self._lines]
        places: list[Into | None] = [None] * len(parts)
        if not isinstance(x, Expected):
            if vectors >= BURST[self.backward]:
                if self.bands > 1 and not apart:
                    places = self._places(vectors)
            elif vectors > 1:  # of one vector, slices are contiguous as they are
                parts = [np.ascontiguousarray(part) for part in parts]
        if self._free() and self.clock.passes(self.hold_ps(vectors)):
            lanes = zip(self._products, parts, places, strict=False)
            return [product(part, tag, into) for product, part, into in lanes]
        return (
            yield from self.clock.together(
                [
                    tile.read(product, part, outputs, tag, backward=self.backward, into=into)
                    for (tile, product, _, outputs), part, into in zip(self.lanes, parts, places, strict=True)
                ]
            )
        )

    def _places(self, vectors: int) -> list[Into | None]:
        """Return where each lane's codes are to stand, so that those of all bands stand beside each other."""
        found: list[Into | None] = []
        for first in range(0, len(self.lanes), self.bands):
            ends = list(accumulate(outputs for _, _, _, outputs in self.lanes[first : first + self.bands]))
            whole = np.empty((vectors, ends[-1]), np.float32)
            found += [(whole, begin) for begin in (0, *ends[:-1])]
        return found

    def _free(self) -> bool:
        """Whether no tile is taken and none shares its converters."""
        return not self._shared and not any([slot.taken for slot in self._slots])  # noqa: C419  a list is faster here

    def join(self, codes: list[F32]) -> list[F32]:
        """Set the bands of the result beside each other: one partial sum for each band of inputs."""
        if self.bands == 1:
            return codes
        return [_beside(codes[k : k + self.bands]) for k in range(0, len(codes), self.bands)]


def _beside(parts: list[F32]) -> F32:
    """Return parts beside each other: the array that they are views of and fill from left to right, or a copy."""
    whole: F32 | None = getattr(parts[0], "base", None)
    if whole is not None and all(part.base is whole for part in parts):
        return whole
    return np.concatenate(parts, axis=1)
