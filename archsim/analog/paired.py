"""Pairs of devices as signed weights, W = sum(G+ - G-)/scale: their pulses and their refresh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archsim.analog import _kernels
from archsim.analog.cells import Cells, read_devices
from archsim.analog.selection import Turns
from archsim.base.arrays import F32, I64
from archsim.base.streams import Streams
from archsim.devices.base import Device, DeviceArray


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: devices read, devices RESET, SET pulses given, pairs refreshed."""

    reads: float
    resets: float
    pulses: float
    pairs: float


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
    saturate, unless a refresh makes them even.
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
        self, candidates: I64, now_ps: int, *, saturated: float, difference: float, most_pulses: int,
        even: bool = False,
    ) -> Refreshed:  # fmt: skip
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
        even : bool
            Whether the pairs of a weight are refreshed together, if one of them is saturated while their mean
            difference reads below `difference`, and each then gets that mean.
        """
        pairs = (candidates + self._weights * np.arange(self.copies)[:, None]).reshape(-1)
        plus, minus = self.look(pairs, now_ps)
        highest, wanted = np.maximum(plus, minus), plus - minus
        if even:
            highest = np.tile(highest.reshape(self.copies, -1).max(axis=0), self.copies)
            wanted = np.tile(wanted.reshape(self.copies, -1).mean(axis=0, dtype=np.float32), self.copies)
        due = (highest > saturated) & (np.abs(wanted) < difference)
        index, wanted = pairs[due], wanted[due]
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
