"""Where the weights of a layer go: a grid of tiles. "Does not fit" is a result with demand, bound and gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from archsim.base.errors import DoesNotFitError


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


def bands(lines: int, most: int) -> tuple[Band, ...]:
    """Cut `lines` into as few bands of at most `most` as will do, of sizes that differ by one at most."""
    count = -(-lines // most)
    edges = [lines * k // count for k in range(count + 1)]
    return tuple(Band(a, b) for a, b in pairwise(edges))


def place(shapes: Mapping[str, tuple[int, int]], *, rows: int, columns: int, tiles: int) -> dict[str, Grid]:
    """Place layers of the given weight shapes on tiles of (rows, columns) pairs.

    Raises
    ------
    DoesNotFitError
        If the layers need more tiles than there are; with demand, bound, gap and what would make it fit.
    """
    grids = {name: Grid(bands(shape[0], rows), bands(shape[1], columns)) for name, shape in shapes.items()}
    demand = sum(grid.tiles for grid in grids.values())
    if demand > tiles:
        parts = ", ".join(f"{name} {shapes[name][0]}x{shapes[name][1]}: {grid.tiles}" for name, grid in grids.items())
        raise DoesNotFitError(
            f"needs {demand} tiles of {rows}x{columns} ({parts}), the chip has {tiles}: {demand - tiles} short",
            key="tile.count",
            expected=f"at least {demand} tiles, or larger ones",
            hint=f"--set tile.count={demand} makes it fit",
        )
    return grids
