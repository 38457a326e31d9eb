"""What the units of a chip do with the operands of a product: counted in values, as its kernels count them.

Operands are float32 arrays as a training has them: inputs (vectors, rows), errors (vectors, columns) in any scale and
of either sign. A unit's rules (converters, scales, bands, bursts, what it skips) are those of the architecture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np

from archsim.base.arrays import F32
from archsim.base.rounding import Quantiser
from archsim.base.signal import Scale
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture
from archsim.chips.crossbars.in_array_file import InArrayArchitecture
from archsim.chips.crossbars.mixed_precision_file import MixedPrecisionArchitecture
from archsim.chips.crossbars.ranges import within_full_scale
from archsim.chips.digital.digital32_file import Digital32Architecture
from archsim.chips.fitting.placement import Band, place
from archsim.learning.products import nonzero, swept
from archsim.networks.network import Network
from archsim.studies.meter import _kernels
from archsim.studies.meter.in_place import sends_trains
from archsim.studies.meter.sums import Done


class Lens(Protocol):
    """Sees operands as a chip's units do."""

    def forward(self, matrix: str, x: F32) -> Done:
        """Return what a product with inputs, (vectors, rows), does."""

    def backward(self, matrix: str, d: F32) -> Done:
        """Return what a transposed product with errors, (vectors, columns), does."""

    def update(self, matrix: str, x: F32, d: F32) -> Done:
        """Return what the outer product of both does."""


def lens(architecture: Architecture, network: Network) -> Lens:
    """Return what sees operands as a chip does that holds a network."""
    if isinstance(architecture, Digital32Architecture):
        return DigitalLens(architecture)
    return CrossbarLens(cast("CrossbarArchitecture", architecture), network)


class DigitalLens:
    """Operands as a MAC array has them: those that are not zero, and rows of weights read for several vectors."""

    def __init__(self, architecture: Digital32Architecture) -> None:
        array = architecture.mac_array
        self._group, self._skips = array.accumulators, array.skip_zero_inputs

    def forward(self, matrix: str, x: F32) -> Done:
        """Return elements that are not zero, and rows that are read."""
        del matrix
        return {
            "nonzero": (nonzero(x), x.size),
            "swept": (
                swept(x, self._group, skip_zeros=self._skips),
                swept(x, self._group, skip_zeros=False),
            ),
        }

    def backward(self, matrix: str, d: F32) -> Done:
        """Return the same of errors."""
        return self.forward(matrix, d)

    def update(self, matrix: str, x: F32, d: F32) -> Done:
        """Return the same of inputs: the outer product passes over no zero error."""
        del d
        return self.forward(matrix, x)


class CrossbarLens:
    """Operands as converters of tiles and the unit of the outer product have them: codes other than zero."""

    def __init__(self, architecture: CrossbarArchitecture, network: Network) -> None:
        tile, switches = architecture.tile, cast("Any", architecture).nonidealities
        self._dac = tile.dac
        ideal = not switches.dac_quantisation
        self._levels = Quantiser(tile.dac.bits, ideal=ideal).levels
        back = getattr(tile, "backward_bits", None) or tile.dac.bits
        self._back_levels = Quantiser(back, ideal=ideal).levels
        self._pulses = isinstance(architecture, InArrayArchitecture) and not sends_trains(architecture)
        self._fixed = within_full_scale(architecture, network)
        self._outer = architecture.outer_product if isinstance(architecture, MixedPrecisionArchitecture) else None
        grids = place(network.shapes, rows=tile.rows, columns=tile.columns)
        tiled = self._outer is not None and self._outer.at == "tiles"
        self._bands = {
            name: (_members(grid.rows, together=not tiled), _members(grid.columns, together=not tiled))
            for name, grid in grids.items()
        }

    def forward(self, matrix: str, x: F32) -> Done:
        """Return lines driven, and what they are driven with, both of all lines at full scale."""
        return self._driven(x, self._input_scale(matrix, x), self._levels)

    def backward(self, matrix: str, d: F32) -> Done:
        """Return the same of errors over their largest magnitude."""
        del matrix
        return self._driven(d, _largest(d, by_vector=self._dac.error_scale == "vector"), self._back_levels)

    def update(self, matrix: str, x: F32, d: F32) -> Done:
        """Return products, rows scaled, and elements of the accumulator changed; where there is none, products."""
        if self._pulses:
            taken = np.count_nonzero(x, axis=1) @ np.count_nonzero(d, axis=1)
            return {"products": (int(taken), x.size * d.shape[1])}
        if self._outer is None or not self._outer.skip_zeros:
            return {}
        outer, (vectors, rows), columns = self._outer, x.shape, d.shape[1]
        d_scale = _largest(d, by_vector=self._dac.error_scale == "vector")
        driven = _coded(x, self._input_scale(matrix, x), Quantiser(outer.x_bits).levels)
        errors = _coded(d, d_scale, Quantiser(outer.error_bits).levels)
        x_bands, d_bands = self._bands[matrix]
        of_x, of_d = driven.astype(np.float32) @ x_bands, errors.astype(np.float32) @ d_bands  # whole numbers
        by_tile = of_x.T.astype(np.float64) @ of_d
        products, scaled = int(by_tile.sum()), int(of_x.sum(axis=1) @ np.count_nonzero(of_d, axis=1))
        begins = range(0, vectors, outer.burst)
        if outer.burst == 1:
            changed = products
        else:
            touched = (np.count_nonzero(np.logical_or.reduceat(each, begins), axis=1) for each in (driven, errors))
            changed = int(np.dot(*touched))
        return {
            "nonzero": (nonzero(x), x.size),
            "products": (products, vectors * rows * columns),
            "rows": (scaled, vectors * rows * d_bands.shape[1]),
            "busiest": (int(by_tile.max()) * by_tile.size, products),
            "updates": (changed, len(begins) * rows * columns),
        }

    def _input_scale(self, matrix: str, x: F32) -> Scale:
        if matrix in self._fixed:
            return self._dac.full_scale
        return _largest(x, by_vector=self._dac.input_scale == "vector")

    def _driven(self, x: F32, scale: Scale, levels: int) -> Done:
        if not levels:  # lines are driven with what is there
            drive = float((np.abs(x) / scale).sum(dtype=np.float64))
            return {"driven": (nonzero(x), x.size), "conducted": (drive, x.size), "nonzero": (nonzero(x), x.size)}
        factor = np.broadcast_to(np.float32(levels / np.asarray(scale)).reshape(-1), x.shape[:1])
        driven, codes, count = _kernels.driving(np.ascontiguousarray(x), np.ascontiguousarray(factor), levels)
        drive = codes / levels
        return {"driven": (driven, x.size), "conducted": (drive, x.size), "nonzero": (count, x.size)}


def _members(bands: Sequence[Band], *, together: bool) -> F32:
    """Return which line is of which band, (lines, bands): 1 or 0; all of one if they are `together`."""
    found = np.zeros((bands[-1].stop, len(bands)), np.float32)
    for k, band in enumerate(bands):
        found[band.part, k] = 1
    return found.sum(axis=1, keepdims=True) if together else found


def _largest(x: F32, *, by_vector: bool) -> Scale:
    """Return the largest magnitude of all vectors or of each, 1 where all is zero."""
    if not by_vector:
        return float(max(x.max(initial=0.0), -x.min(initial=0.0))) or 1.0
    found = np.abs(x).max(axis=1, keepdims=True, initial=0.0).astype(np.float64)
    return np.where(found > 0, found, 1.0)


def _coded(x: F32, scale: Scale, levels: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return where the code of x is not zero: half a step rounds to the even code, 0."""
    return np.abs(x) * np.asarray(levels / scale, np.float32) > np.float32(0.5)
