"""Products of a sampled tile alone: their closed form of time, to which the flow of a chip has to come, and their counts."""

from __future__ import annotations

from archsim.base.signal import Tag
from archsim.base.verbs import Work
from archsim.hardware.published.sampled_tile import SampledTile


def read_ps(tile: SampledTile, vectors: int, outputs: int) -> int:
    """Return the time of products one after the other.

    A bit-serial tile converts each bit's result while the next bit is read, vector after vector. Otherwise a vector is
    integrated while the previous one is converted.
    """
    drive, convert = tile.drive_ps(outputs), tile.readout_ps(outputs)
    if tile.drive.style == "bit-serial":
        return vectors * drive + convert
    return drive + convert + (vectors - 1) * max(drive, convert)


def product(tile: SampledTile, vectors: int, tag: Tag, *, transposed: bool = False, density: float = 1.0) -> Work[None]:
    """Hold for and count products in every tile; `density` is the share of lines that are driven."""
    yield from tile.hold(read_ps(tile, vectors, tile.lines(transposed=transposed)[1]))
    tile.count_products(vectors, tag, transposed=transposed, density=density)
