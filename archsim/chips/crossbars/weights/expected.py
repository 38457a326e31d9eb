"""A matrix that is written in place of which only expectations are known: its leaves without numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from archsim.analog.hybrid import Written
from archsim.analog.in_place import (
    NEVER,
    ExpectedHybridCells,
    ExpectedPart,
    ExpectedSidedCells,
    ExpectedSingleCells,
    InPlace,
    given,
)
from archsim.base.arrays import F32, I64
from archsim.base.expected import Shares, expected
from archsim.chips.crossbars.in_array_file import InArrayArchitecture, PairsFile, TransferFile
from archsim.chips.crossbars.weights.base import FastArray, InArrayLayer, band_of
from archsim.chips.fitting.placement import Due, Grid, Shape, place, shapes_in_tiles
from archsim.devices.base import Device
from archsim.learning.expected import (
    ExpectedPulseRule,
    ExpectedSent,
    ExpectedTrains,
    ExpectedTransfer,
    over_tiles,
    pairs,
)
from archsim.learning.trains.sending import Part, Sent
from archsim.learning.transfer import Buffered, Chopped, Dynamic
from archsim.networks.network import Network

RULES: Mapping[str, type[Buffered]] = {"buffered": Buffered, "chopped": Chopped, "dynamic": Dynamic}
"""Rule of a file -> its class."""


@dataclass(frozen=True, slots=True)
class ExpectedInArrayLayer(InArrayLayer):
    """A layer whose pulses are spread evenly over its devices.

    Parameters
    ----------
    writing : InPlace
    """

    writing: InPlace = NEVER

    def by_tile(self, index: I64, pulses: I64) -> Iterator[Due]:
        """Return each tile's part of the pulses of as many outer products of a vector as `index` has all weights."""
        del pulses
        writing = self.writing
        up, down = writing.up, writing.down
        rows, columns = (bands[-1].stop for bands in (self.grid.rows, self.grid.columns))
        shares = iter(over_tiles(self.grid.tiles, writing.busiest))
        for r, row in enumerate(self.grid.rows):
            for c, column in enumerate(self.grid.columns):
                part, share = index.size * row.size * column.size / (rows * columns), next(shares)
                yield Due(r, c, 0, pairs(part), given(share * part * up, share * part * down, row.size, writing, share))

    def parts(self, sent: Sent) -> Iterator[tuple[int, int, Part]]:
        """Return what reaches each tile of trains, evenly spread."""
        trains, writing = cast("ExpectedSent", sent), self.writing
        for r, row in enumerate(self.grid.rows):
            for c, column in enumerate(self.grid.columns):
                met = trains.vectors * row.size * column.size
                pulses = given(met * writing.met_up, met * writing.met_down, row.size, writing)
                on_rows, on_columns = row.size * trains.pulsed, column.size * trains.pulsed
                yield r, c, cast("Part", ExpectedPart(trains.slots, pairs(met), pulses, on_rows, on_columns))

    def in_line(self, line: int, pulses: I64) -> Iterator[Due]:
        """Return each tile's part of the pulses of a transfer."""
        del pulses
        r, writing = band_of(self.grid, line), self.writing
        for c, column in enumerate(self.grid.columns):
            n = column.size
            yield Due(r, c, 0, pairs(n), given(n * writing.up, n * writing.down, 1, writing))

    def alone(self, line: int) -> F32:
        """Return the lines of a band of which one is driven, with its full code."""
        rows = self.grid.rows[band_of(self.grid, line)].size
        return expected((1, rows), Shares(driven=1 / rows, conducted=1 / rows))


def expected_layers(
    architecture: InArrayArchitecture, network: Network, device: Device, point: float, writing: Mapping[str, InPlace],
    *, pair: Device | None = None,
) -> dict[str, InArrayLayer]:  # fmt: skip
    """Return leaves without numbers for each matrix.

    Parameters
    ----------
    point : float [S]
        Where fast arrays stand in the mean: the device's symmetry point.
    writing : matrix -> how its devices are pulsed
    pair : Device, optional
        Of pairs below the others.
    """
    tile, middle = architecture.tile, (device.low + device.high) / 2
    found: dict[str, InArrayLayer] = {}
    shapes = shapes_in_tiles(network, architecture.feedback.at)
    for name, grid in place(shapes, rows=tile.rows, columns=tile.columns).items():
        mine, shape = writing.get(name, NEVER), shapes[name]
        rule: Any = ExpectedPulseRule(shape)
        if architecture.update.rounding == "trains":
            longest = architecture.trains.length
            rule = ExpectedTrains(slots=mine.slots * longest, pulsed=mine.pulsed * longest)
        fast = None
        if architecture.transfer is not None and name in network.shapes:
            fast = _fast(architecture.transfer, grid, shape, mine, (middle, point))
        weight = architecture.weight
        cells = _cells(grid, mine, (middle, middle), copies=weight.copies, written=weight.copies // weight.parts)
        if architecture.sides is not None:
            cells = _sided(grid, mine, device.common)
        if pair is not None:
            cells = _hybrid(grid, mine, (middle, 2 * pair.common), cast("PairsFile", architecture.pairs).gain)
        found[name] = ExpectedInArrayLayer(grid, cells, rule, fast, mine)
    return found


def _fast(
    transfer: TransferFile, grid: Grid, shape: Shape, writing: InPlace, conductances: tuple[float, float]
) -> FastArray:  # fmt: skip
    """Return a fast array, its reference and its buffer; `conductances` [S]: of the middle, and of its devices."""
    flips = {"buffered": 0.0, "chopped": transfer.flip, "dynamic": 1 / transfer.period}[transfer.rule]
    rule = ExpectedTransfer(
        RULES[transfer.rule], shape, every=transfer.every, crossed=writing.crossed, forgets=transfer.forgets,
        flips=flips,
    )  # fmt: skip
    cells = _cells(grid, writing, conductances)
    reference = _cells(grid, writing, conductances) if transfer.reference == "array" else []
    return FastArray(cells, reference, cast("Buffered", rule))


def _hybrid(
    grid: Grid, writing: InPlace, conductances: tuple[float, float], gain: float
) -> list[list[Written]]:  # fmt: skip
    """Return volatile devices, in the middle of their range, over pairs; `conductances` [S]: of one, of a pair."""
    middle, pair = conductances
    return [
        [
            cast(
                "Written",
                ExpectedHybridCells(
                    (row.size, column.size), conductance=middle, pair=pair, middle=middle, writing=writing, gain=gain
                ),
            )
            for column in grid.columns
        ]
        for row in grid.rows
    ]  # fmt: skip


def _sided(grid: Grid, writing: InPlace, conductance: float) -> list[list[Written]]:
    """Return pairs that are pulsed up only; `conductance` [S]: of a device."""
    return [
        [
            cast("Written", ExpectedSidedCells((row.size, column.size), conductance=conductance, writing=writing))
            for column in grid.columns
        ]
        for row in grid.rows
    ]


def _cells(
    grid: Grid, writing: InPlace, conductances: tuple[float, float], *, copies: int = 1, written: int = 1
) -> list[list[Written]]:
    middle, conductance = conductances
    return [
        [
            cast(
                "Written",
                ExpectedSingleCells(
                    (row.size, column.size), conductance=conductance, middle=middle, writing=writing,
                    copies=copies, written=written,
                ),
            )
            for column in grid.columns
        ]
        for row in grid.rows
    ]  # fmt: skip
