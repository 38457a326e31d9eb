"""Devices as signed weights: products with read noise, and pairs, W = sum(G+ - G-)/scale, with pulses and refresh."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.analog import _kernels
from archsim.analog.codes import SLAB, Codes
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

Grids = tuple[int, int, float, bool]
"""DAC and ADC levels to each side of zero (0: no rounding), the ADC's full scale in weight units, whether it clips."""

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


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: devices read, devices RESET, SET pulses given, pairs refreshed."""

    reads: float
    resets: float
    pulses: float
    pairs: float


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
    def multiply(self, x: F32 | Codes, phase: str, converters: Grids) -> Read:
        """Return the codes of x W as read now.

        Parameters
        ----------
        x : float32 array, (vectors, rows), or codes of the DAC for a slab of them at most
            Row inputs relative to the DAC's full scale.
        converters : Grids
        """
        if isinstance(x, Codes) or x.shape[0] >= BURST[0]:
            return self._product(x, converters, self._forward[phase], transposed=False)
        out = np.empty((x.shape[0], self.shape[1]), np.float32)
        driven, clipped, moment = _kernels.multiply(
            x, self._cache, self._row_total, self._noisy, self._forward[phase], self._table, converters,
            out, self._spread[1], self._order, self._codes[0],
        )  # fmt: skip
        return out, driven, clipped, moment

    def multiply_transposed(self, d: F32 | Codes, phase: str, converters: Grids) -> Read:
        """Return the codes of d W^T as read now; d : (vectors, columns)."""
        if isinstance(d, Codes) or d.shape[0] >= BURST[1]:
            return self._product(d, converters, self._transposed[phase], transposed=True)
        out = np.empty((d.shape[0], self.shape[0]), np.float32)
        driven, clipped, moment = _kernels.multiply_transposed(
            d, self._cache, self._column_total, self._noisy, self._transposed[phase], self._table, converters,
            out, self._spread[0], self._codes[1],
        )  # fmt: skip
        return out, driven, clipped, moment

    def _product(self, x: F32 | Codes, converters: Grids, stream: U64, *, transposed: bool) -> Read:
        """Return the product of many vectors: values and variances by BLAS, slab by slab, then noise and conversion."""
        weight, variance = (self.weight.T, self.variance.T) if transposed else (self.weight, self.variance)
        total = self._column_total if transposed else self._row_total
        out = np.empty((x.shape[0], weight.shape[1]), np.float32)
        spread = np.empty((min(SLAB, x.shape[0]), weight.shape[1] if self._noisy else 0), np.float32)
        driven, clipped, moment = 0, 0, 0.0
        for begin in range(0, x.shape[0], SLAB):
            part = slice(begin, begin + SLAB)
            codes = x if isinstance(x, Codes) else Codes.of(x[part], converters[0])
            values, y = codes.values, out[part]
            np.matmul(values, weight, out=y)
            if self._noisy:
                np.matmul(values * values, variance, out=spread[: len(values)])
            clipped += _kernels.finish(y, spread, stream, self._table, converters)
            driven += int(codes.driven.sum())
            moment += float(codes.magnitude @ total)
        return out, driven, clipped, moment

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


class PairedCells(Cells):
    """An array of device pairs: W = sum(G+ - G-)/scale; the device writes upwards only, or is used so.

    Parameters
    ----------
    device, shape, streams, name, drift_tolerance
        As for `Cells`.
    scale : float [S]
        Conductance difference of each of its pairs that stands for a weight of 1.
    copies : int
        Pairs that stand for a weight side by side, read together.
    turns : Turns, optional
        By which one of them at a time is written; without, each gets the pulses that are due.

    Notes
    -----
    Pair i of copy c is at the flat position i + c weights. Where all n pairs are pulsed, their noise averages: a weight
    moves as far as one of a single pair does, with a spread 1/sqrt(n) of its. Where one of them is (Boybat et al.
    2018), it moves by 1/n of that; a weight whose gradient changes its sign then drives its pairs apart until they
    saturate.
    """

    def __init__(
        self, device: Device, shape: tuple[int, int], *, scale: float, streams: Streams, name: str,
        drift_tolerance: float = 0.01, copies: int = 1, turns: Turns | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            device, shape, devices=2 * copies, scale=copies * scale, streams=streams, name=name,
            drift_tolerance=drift_tolerance, copies=copies, turns=turns,
        )  # fmt: skip
        self._weights = shape[0] * shape[1]
        self._pairs = copies * self._weights
        self._verify = streams.normals(f"cells/{name}/verify")

    # --- writing ------------------------------------------------------------------------------------------------
    def load(self, weight: F32, now_ps: int) -> None:
        """Set the pairs to `weight` (rows, columns) around the device's common conductance, exactly where bounds allow.

        The pairs of a weight have equal parts of it. A pair whose lower device would leave the bounds is moved up as a
        whole.
        """
        low = self.device.low
        half = np.asarray(weight, np.float64) * (self.scale / (2 * self.copies))
        base = np.maximum(self.device.common, low + np.abs(half))
        plus, minus = (np.tile(each.reshape(-1), self.copies) for each in (base + half, base - half))
        self.device.load(self.devices, np.concatenate([plus, minus]).astype(np.float32), now_ps)
        self.renew(now_ps)

    def set_pulses(self, index: I64, pulses: I64, now_ps: int) -> int:
        """Give pulses[k] SET pulses to each pair of the weight at flat position index[k], or to its next, in place.

        They go to G+ if positive, to G- if negative.

        Returns
        -------
        int : pulses given in all.
        """
        total: int
        if self.selection is None:
            side, due = np.empty((2, self.copies * index.size), np.int64)
            total = _kernels.sides(index, pulses, self._weights, self.copies, side, due)
        else:
            given, copy = self.selection.choose(pulses)
            index, pulses = index[given], pulses[given]
            side, due = index + self._weights * (copy + self.copies * (pulses < 0)), np.abs(pulses)
            total = int(due.sum())
        self.device.set_pulses(self.devices, side, due, total, now_ps, self._programming)
        self._renew_at(index, now_ps)
        return total

    def read_signs(self, index: I64, now_ps: int) -> NDArray[np.bool_]:
        """Return which of the weights at flat positions `index` are below zero, by one noisy read of each device."""
        pairs = (index + self._weights * np.arange(self.copies)[:, None]).reshape(-1)
        differences = self._read_devices(pairs, now_ps) - self._read_devices(pairs + self._pairs, now_ps)
        below: NDArray[np.bool_] = differences.reshape(self.copies, -1).sum(axis=0) < 0
        return below

    def refresh(
        self, candidates: I64, now_ps: int, *, saturated: float, difference: float, most_pulses: int
    ) -> Refreshed:
        """RESET saturated pairs and program their difference again, reading after every pulse.

        Parameters
        ----------
        candidates : int64 array
            Flat positions of the weights to look at, all pairs of each.
        saturated, difference : float [S]
            A pair is refreshed if one of its devices reads above `saturated` while its difference reads below
            `difference`.
        most_pulses : int
            SET pulses at most when programming a difference again.
        """
        pairs = (candidates + self._weights * np.arange(self.copies)[:, None]).reshape(-1)
        plus, minus = self.look(pairs, now_ps)
        due = (np.maximum(plus, minus) > saturated) & (np.abs(plus - minus) < difference)
        index, wanted = pairs[due], (plus - minus)[due]
        reads = 2 * pairs.size
        if not index.size:
            return Refreshed(reads, 0, 0, 0)
        self.reset(index, now_ps)
        side, target = index + self._pairs * (wanted < 0), np.abs(wanted)
        far = target >= self.device.epsilon / 2
        pulses, _ = self.approach(side[far], target[far], now_ps, most_pulses=most_pulses)
        self._renew_at(index % self._weights, now_ps)
        return Refreshed(reads + pulses, 2 * index.size, pulses, index.size)

    def look(self, pairs: I64, now_ps: int) -> tuple[F32, F32]:
        """Return one noisy read [S] of the G+ and of the G- devices of pairs, by their flat positions."""
        return self._read_devices(pairs, now_ps), self._read_devices(pairs + self._pairs, now_ps)

    def reset(self, pairs: I64, now_ps: int) -> None:
        """RESET both devices of pairs, in place; whoever asks renews the cache."""
        self.device.reset(self.devices, np.concatenate([pairs, pairs + self._pairs]), now_ps, self._programming)

    def approach(self, devices: I64, target: F32, now_ps: int, *, most_pulses: int) -> tuple[int, F32]:
        """Give devices SET pulses, reading after each, until they read half a step below `target` [S] or more.

        Each gets one at least, and `most_pulses` at most; whoever asks renews the cache.

        Returns
        -------
        (pulses in all, of which each was followed by a read; the last read of each device [S])
        """
        pulses, last = 0, np.zeros(devices.size, np.float32)
        due = np.arange(devices.size)
        for _ in range(most_pulses):
            if not due.size:
                break
            once = np.ones(due.size, np.int64)
            self.device.set_pulses(self.devices, devices[due], once, once.size, now_ps, self._programming)
            pulses += due.size
            last[due] = self._read_devices(devices[due], now_ps)
            due = due[last[due] < target[due] - self.device.epsilon / 2]
        return pulses, last

    def _renew_at(self, index: I64, now_ps: int) -> None:
        """Renew the cache of some weights."""
        _kernels.renew(
            index, self.devices.conductance, self.devices.programmed_ps, now_ps, self._drift, self._noise, self.scale,
            self._cache, self._total, self._row_total, self._column_total,
        )  # fmt: skip

    def _written_ps(self) -> I64:
        """Return when each weight was last written: the latest of its devices."""
        latest: I64 = self.devices.programmed_ps.reshape(self.per_weight, self._weights).max(axis=0)
        return latest

    def _read_devices(self, index: I64, now_ps: int) -> F32:
        """Return one noisy read [S] of each of the devices `index`; G- of pair k is device k + pairs."""
        return read_devices(self.device, self.devices, index, now_ps, self._verify.standard_normal(index.size))

    @property
    def pairs(self) -> tuple[DeviceArray, DeviceArray]:
        """Views of the G+ and the G- devices, each (pairs,)."""
        parts = [
            DeviceArray(*(getattr(self.devices, name)[part] for name in DeviceArray.__slots__))
            for part in (slice(None, self._pairs), slice(self._pairs, None))
        ]
        return parts[0], parts[1]
