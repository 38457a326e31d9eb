"""Devices as signed weights: what every array of cells keeps, reads and caches, however devices stand for a weight."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.analog import _kernels
from archsim.analog.selection import Selection, Turns
from archsim.base.arrays import F32, I64, U64, Arrays, stored
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.devices.base import Device, DeviceArray

PS = 1e-12
_READERS = {**dict.fromkeys(STEP_PHASES, 0), "evaluation": 1, "retention": 2}
"""Readers count their vectors apart; the phases of a step are one. Evaluating more or less changes no training."""
BURST = (16, 8)
"""From so many vectors on a product, and a transposed one, is taken by BLAS: where that is quicker for usual tiles."""

SLAB = 4096
"""Vectors over which what they conduct is summed by line before it is weighed."""
PART = 2**17
"""Elements of a product's operands and results that are worked on at once: few enough to stay in a cache."""
WHOLE = 12
"""Vectors that OpenBLAS's kernels take at a time: parts are multiples of it, so that no sum is taken by another one."""

Grids = tuple[int, int, float, bool]
"""DAC and ADC levels to each side of zero (0: no rounding), the ADC's full scale in weight units, whether it clips."""

Into = tuple[F32, int]
"""Where a product is to be written: an array, (vectors, columns), and the first of its columns to take."""

Read = tuple[F32, int, int, float]
"""Codes (vectors, lines); lines driven; results clipped; moment [S], the sum over vectors and devices of |x_i| G_ij.

The moment times V^2 and the integration time is the energy that the cells conduct.
"""


@cache
def normal_table(size: int = 16384) -> F32:
    """Return the means of `size` equal slices of the standard normal, scaled to unit variance."""
    inside = [NormalDist().inv_cdf(place / size) for place in range(1, size)]  # scipy.special is slow to import
    edges = np.exp(-(np.array([-np.inf, *inside, np.inf]) ** 2) / 2) / np.sqrt(2 * np.pi)
    means = (edges[:-1] - edges[1:]) * size
    table: F32 = (means / np.sqrt(np.mean(means**2))).astype(np.float32)
    return table


def read_devices(device: Device, array: DeviceArray, index: I64, now_ps: int, normals: NDArray[np.floating]) -> F32:
    """Return one noisy read [S] of each of the devices `index` at `now_ps`; `normals` are standard, one a read."""
    out, law = np.empty(index.size, np.float32), device.reading
    _kernels.read_devices(
        array.conductance, array.programmed_ps, index, now_ps, (law.exponent, law.reference_s, law.shortest_s),
        (law.noise_slope, law.noise_offset), normals, out,
    )  # fmt: skip
    return out


class Cells(ABC):
    """An array of weights in devices. Sole owner of conductances, pulse memory, programming times and the drift cache.

    A subclass says how devices stand for a weight: it loads them, pulses them, and renews the cache of some weights.

    Parameters
    ----------
    device : Device
    shape : (rows, columns)
    devices : int
        Devices a weight.
    scale : float [S]
        Conductance difference that stands for a weight of 1.
    streams : Streams
        Source of this array's own random streams.
    name : str
        For example "fc1/0,0"; names the streams "cells/fc1/0,0/program" and so on.
    drift_tolerance : float
        How far a cached drift factor may be off, relative.
    reference : float [S]
        Conductance of a line of reference devices beside the array, which every read drives too; 0 without one.

    Attributes
    ----------
    copies : int
        Times that each line of the array stands beside itself, for as many devices or pairs a weight.
    selection : Selection, optional
        Which of the copies a write goes to; without one it goes to all.

    Notes
    -----
    Cached per weight and renewed on every write, and as a whole when drift may have moved a factor by more than the
    tolerance: the weight as read now, the variance of one read of it, and the sums of conductance over lines.

    A draw of read noise is a function of the array's key for reader and direction, of the number of the vector among
    those that it has read so, and of the line: the same whether vectors come one by one, in bursts or in slabs.
    """

    def __init__(
        self, device: Device, shape: tuple[int, int], *, devices: int, scale: float, streams: Streams, name: str,
        drift_tolerance: float, reference: float = 0.0, copies: int = 1, turns: Turns | None = None,
    ) -> None:  # fmt: skip
        self.device, self.shape, self.scale, self.reference = device, shape, scale, reference
        self.per_weight, self.copies = devices, copies
        self.selection = Selection(copies, turns) if turns else None
        weights = shape[0] * shape[1]
        self.devices = DeviceArray.blank(devices * weights)
        self._cache = np.zeros((shape[0], 2, shape[1]), np.float32)  # a row's weights and their variances side by side
        self.weight, self.variance = self._cache[:, 0], self._cache[:, 1]
        self._total = np.zeros(weights, np.float32)
        self._row_total = np.full(shape[0], reference)
        self._column_total = np.full(shape[1], reference)
        reading = device.reading
        self._drift = (reading.exponent, reading.reference_s, reading.shortest_s)
        self._noise = (reading.noise_slope, reading.noise_offset)
        self._noisy = reading.noisy
        self._window_ps = reading.window_s(drift_tolerance) / PS
        self._renewed_ps = 0
        self._programming = streams.normals(f"cells/{name}/program")
        keys = [
            [streams.word(f"cells/{name}/read/{reader}/{way}")[0] for way in ("forward", "transposed")]
            for reader in ("step", "evaluation", "retention")
        ]
        self._streams = np.zeros((3, 2, 2), np.uint64)
        self._streams[..., 0] = keys
        self._forward, self._transposed = ({p: self._streams[r, k] for p, r in _READERS.items()} for k in (0, 1))
        self._table = normal_table()
        self._spread = (np.empty(shape[0], np.float32), np.empty(shape[1], np.float32))
        self._codes = (np.empty(shape[0], np.float32), np.empty(shape[1], np.float32))
        self._order = np.empty(shape[0], np.int64)

    @abstractmethod
    def load(self, weight: F32, now_ps: int) -> None:
        """Set the devices to `weight` (rows, columns), as before the first step."""

    @abstractmethod
    def _renew_at(self, index: I64, now_ps: int) -> None:
        """Renew the cache of the weights at flat positions; a weight written is read at its own age from now on."""

    @abstractmethod
    def _written_ps(self) -> I64:
        """Return when each weight was last written [ps], flat."""

    # --- products -----------------------------------------------------------------------------------------------
    def multiply(self, x: F32, phase: str, converters: Grids, into: Into | None = None) -> Read:
        """Return the codes of x W as read now.

        Parameters
        ----------
        x : float32 array, (vectors, rows)
            Row inputs relative to the DAC's full scale.
        converters : Grids
        into : Into, optional
            Where the codes are to stand, a burst's; what is returned is a view of it.
        """
        if x.shape[0] >= BURST[0]:
            return self._product(x, converters, self._forward[phase], into, transposed=False)
        out = np.empty((x.shape[0], self.shape[1]), np.float32)
        driven, clipped, moment = _kernels.multiply(
            x, self._cache, self._row_total, self._noisy, self._forward[phase], self._table, converters,
            out, self._spread[1], self._order, self._codes[0],
        )  # fmt: skip
        return out, driven, clipped, moment

    def multiply_transposed(self, d: F32, phase: str, converters: Grids, into: Into | None = None) -> Read:
        """Return the codes of d W^T as read now; d : (vectors, columns)."""
        if d.shape[0] >= BURST[1]:
            return self._product(d, converters, self._transposed[phase], into, transposed=True)
        out = np.empty((d.shape[0], self.shape[0]), np.float32)
        driven, clipped, moment = _kernels.multiply_transposed(
            d, self._cache, self._column_total, self._noisy, self._transposed[phase], self._table, converters,
            out, self._spread[0], self._codes[1],
        )  # fmt: skip
        return out, driven, clipped, moment

    def _product(self, x: F32, converters: Grids, stream: U64, into: Into | None, *, transposed: bool) -> Read:
        """Return the product of many vectors, part by part: codes, sums and variances by BLAS, noise, conversion."""
        weight, variance = (self.weight.T, self.variance.T) if transposed else (self.weight, self.variance)
        total = self._column_total if transposed else self._row_total
        vectors, (lines, outputs) = x.shape[0], weight.shape
        whole, column = into or (np.empty((vectors, outputs), np.float32), 0)
        many = min(max(PART // (lines + outputs) // WHOLE, 8) * WHOLE, vectors)
        codes, spread = np.empty((many, lines), np.float32), np.empty((many if self._noisy else 0, outputs), np.float32)
        squares = np.empty((many, lines if self._noisy else 0), np.float32)
        driven, clipped, moment = 0, 0, 0.0
        for begin in range(0, vectors, SLAB):
            end = min(begin + SLAB, vectors)
            on, magnitude = np.zeros(lines, np.int32), np.zeros(lines)
            for first in range(begin, end, many):
                n = min(many, end - first)
                part, y = np.ascontiguousarray(x[first : first + n]), whole[first : first + n]
                _kernels.encode(part, converters[0], codes, squares, on, magnitude)
                np.matmul(codes[:n], weight, out=y[:, column : column + outputs])
                if self._noisy:
                    np.matmul(squares[:n], variance, out=spread[:n])
                clipped += _kernels.finish(y, column, spread, stream, self._table, converters)
            driven += int(on.sum())
            moment += float(magnitude @ total)
        return whole[:, column : column + outputs], driven, clipped, moment

    # --- time ---------------------------------------------------------------------------------------------------
    def age(self, now_ps: int) -> None:
        """Renew the cache as a whole if drift may have moved a factor by more than the tolerance since last time."""
        if now_ps - self._renewed_ps > self._window_ps:
            self.renew(now_ps)

    def renew(self, now_ps: int) -> None:
        """Compute the whole cache for the time `now_ps` [ps]."""
        self._renewed_ps = now_ps
        self._total[:] = 0
        self._row_total[:] = self.reference
        self._column_total[:] = self.reference
        self._renew_at(np.arange(self._total.size), now_ps)

    # --- keeping ------------------------------------------------------------------------------------------------
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what decides the next read and the wear, by name. Random streams of writing are no part of it."""
        return {
            **{name: getattr(self.devices, name) for name in DeviceArray.__slots__},
            "shape": np.array(self.shape), "renewed_ps": np.array(self._renewed_ps),
            "read_streams": self._streams,
            **({"selection": self.selection.counters} if self.selection else {}),
        }  # fmt: skip

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place; the next read gives the same bits as that of the original.

        Raises
        ------
        InputError
            If an array is missing or of another shape or type.
        """
        now = self.arrays()
        found = {name: stored(name, array, arrays) for name, array in now.items()}
        if tuple(found["shape"]) != self.shape:
            raise InputError(f"is {tuple(found['shape'])}", key="shape", expected=str(self.shape))
        for name in DeviceArray.__slots__:
            getattr(self.devices, name)[...] = found[name]
        self._streams[...] = found["read_streams"]
        if self.selection:
            self.selection.counters[...] = found["selection"]
        self._renew_as_then(int(found["renewed_ps"]))

    def cached(self) -> dict[str, NDArray[Any]]:
        """Return the cache by name, views: its last bits hang on the order in which it was renewed."""
        return {
            "cache": self._cache, "total": self._total, "row_total": self._row_total,
            "column_total": self._column_total,
        }  # fmt: skip

    def _renew_as_then(self, renewed_ps: int) -> None:
        """Rebuild the cache of the original: renewed as a whole at `renewed_ps`, then pair by pair when written."""
        self.renew(renewed_ps)
        written = self._written_ps()
        late = np.flatnonzero(written > renewed_ps)
        late = late[np.argsort(written[late], kind="stable")]
        moments, begins = np.unique(written[late], return_index=True)
        for moment, index in zip(moments.tolist(), np.split(late, begins[1:]), strict=False):
            self._renew_at(index, moment)
