"""Where the weights of a layer go: a grid of tiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from archsim.base.arrays import I64
from archsim.chips.fitting import _kernels
from archsim.chips.fitting.demands import Demand
from archsim.networks.network import Network

Shape = tuple[int, int]
"""Rows and columns of a weight matrix."""


@dataclass(frozen=True, slots=True)
class Band:
    """Consecutive lines [start, stop) of a weight matrix."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """Lines in the band."""
        return self.stop - self.start

    @property
    def part(self) -> slice:
        """The band as a slice."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class Grid:
    """The bands of rows and columns of one layer; their products are its tiles."""

    rows: tuple[Band, ...]
    columns: tuple[Band, ...]

    @property
    def tiles(self) -> int:
        """Tiles that the layer takes."""
        return len(self.rows) * len(self.columns)

    def edges(self) -> tuple[list[int], list[int]]:
        """Return where the bands of rows and of columns begin, and where the last ones end."""
        return [0, *(band.stop for band in self.rows)], [0, *(band.stop for band in self.columns)]


@dataclass(frozen=True, slots=True)
class Due:
    """Pulses of one tile: its place in the grid, flat positions inside, as they came, and pulses.

    `first` is where the first of them stood among those of all tiles; of a tile without any it says nothing.
    """

    row: int
    column: int
    first: int
    index: I64
    pulses: I64


def by_tile(grid: Grid, index: I64, pulses: I64) -> list[Due]:
    """Sort pulses, given by flat positions in the layer, to its tiles; row by row, those without a pulse too."""
    if grid.tiles == 1:
        return [Due(0, 0, 0, index, pulses)]
    rows, columns = grid.edges()
    sorted_, inside = np.empty_like(pulses), np.empty_like(index)
    ends, first = np.zeros(grid.tiles + 1, np.int64), np.empty(grid.tiles, np.int64)
    _kernels.sort_to_tiles(index, pulses, (np.array(rows), np.array(columns)), inside, sorted_, ends, first)
    at = ends.tolist()
    places = ((r, c) for r in range(len(rows) - 1) for c in range(len(columns) - 1))
    return [
        Due(r, c, begun, inside[a:b], sorted_[a:b])
        for (r, c), begun, (a, b) in zip(places, first.tolist(), pairwise(at), strict=True)
    ]


def bands(lines: int, most: int) -> tuple[Band, ...]:
    """Cut `lines` into as few bands of at most `most` as will do, of sizes that differ by one at most."""
    count = -(-lines // most)
    edges = [lines * k // count for k in range(count + 1)]
    return tuple(Band(a, b) for a, b in pairwise(edges))


def place(shapes: Mapping[str, Shape], *, rows: int, columns: int) -> dict[str, Grid]:
    """Return where layers of the given weight shapes go on tiles of (rows, columns) weights."""
    return {name: Grid(bands(shape[0], rows), bands(shape[1], columns)) for name, shape in shapes.items()}


def shapes_in_tiles(network: Network, at: str) -> dict[str, Shape]:
    """Return the shapes of the matrices that lie in tiles: those that learn, and random ones where they are `at`."""
    random = network.fixed if at == "tiles" else ()
    return {**network.shapes, **{matrix.name: matrix.shape for matrix in random if matrix.role != "signs"}}


def tiles_demand(shapes: Mapping[str, Shape], *, rows: int, columns: int, available: int) -> Demand:
    """Return the demand of layers on so many tiles of (rows, columns) weights."""
    grids = place(shapes, rows=rows, columns=columns)
    tiles = sum(grid.tiles for grid in grids.values())
    parts = ", ".join(f"{name} {shapes[name][0]}x{shapes[name][1]}: {grid.tiles}" for name, grid in grids.items())
    taken = accumulate(grid.tiles for grid in grids.values())
    first = next((name for name, sum_ in zip(grids, taken, strict=True) if sum_ > available), "")
    return Demand(
        "tile.count", tiles, available, f"needs {tiles} tiles of {rows}x{columns} ({parts})",
        f"at least {tiles} tiles, or larger ones", first,
    )  # fmt: skip
