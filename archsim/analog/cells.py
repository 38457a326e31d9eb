"""Pairs of devices as signed weights: W = (G+ - G-)/scale, products with read noise, pulses, refresh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import norm

from archsim.analog import _kernels
from archsim.base.arrays import F32, I64
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.devices.base import Device, DeviceArray

PS = 1e-12


@cache
def normal_table(size: int = 16384) -> F32:
    """Return the means of `size` equal slices of the standard normal, scaled to unit variance."""
    edges = norm.pdf(norm.ppf(np.arange(size + 1) / size))
    means = (edges[:-1] - edges[1:]) * size
    return (means / np.sqrt(np.mean(means**2))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: devices read, devices RESET, SET pulses given, pairs refreshed."""

    reads: int
    resets: int
    pulses: int
    pairs: int


class PairedCells:
    """An array of device pairs. Sole owner of conductances, pulse memory, programming times and the drift cache.

    Parameters
    ----------
    device : Device
    shape : (rows, columns)
    scale : float [S]
        Conductance difference that stands for a weight of 1.
    streams : Streams
        Source of this array's own random streams.
    name : str
        For example "fc1/0,0"; names the streams "cells/fc1/0,0/read" and so on.
    drift_tolerance : float
        How far a cached drift factor may be off, relative.

    Notes
    -----
    Cached per pair and renewed on every write, and as a whole when drift may have moved a factor by more than the
    tolerance: the weight as read now, the variance of one read of it, and the sums of G+ + G- over rows and columns.
    """

    def __init__(
        self, device: Device, shape: tuple[int, int], *, scale: float, streams: Streams, name: str,
        drift_tolerance: float = 0.01,
    ) -> None:  # fmt: skip
        self.device, self.shape, self.scale = device, shape, scale
        self.plus, self.minus = DeviceArray.blank(shape), DeviceArray.blank(shape)
        self.weight = np.zeros(shape, np.float32)
        self.variance = np.zeros(shape, np.float32)
        self._total = np.zeros(shape, np.float32)
        self._row_total = np.zeros(shape[0])
        self._column_total = np.zeros(shape[1])
        self._window_ps = device.drift_window_s(drift_tolerance) / PS
        self._renewed_ps = 0
        self._programming = streams.generator(f"cells/{name}/program")
        self._verify = streams.generator(f"cells/{name}/verify")
        # Evaluation reads through a stream of its own, so that evaluating more or less often changes no training.
        self._read = {
            phase: streams.word(f"cells/{name}/read" + ("" if phase in STEP_PHASES else f"/{phase}"))
            for phase in (*STEP_PHASES, "evaluation", "retention")
        }
        shared = self._read[STEP_PHASES[0]]
        for phase in STEP_PHASES:
            self._read[phase] = shared
        self._table = normal_table()
        self._spread = np.empty(max(shape), np.float32)
        self._order = np.empty(shape[0], np.int64)

    # --- products -----------------------------------------------------------------------------------------------
    def multiply(self, x: F32, phase: str) -> tuple[F32, float]:
        """Return x W as read now, and the moment of the read.

        Parameters
        ----------
        x : float32 array, (vectors, rows)
            Row inputs relative to the DAC's full scale.

        Returns
        -------
        y : float32 array, (vectors, columns)
            In weight units.
        moment : float [S]
            Sum over vectors and devices of |x_i| G_ij; times V^2 and the integration time it is the energy of the read.
        """
        out = np.empty((x.shape[0], self.shape[1]), np.float32)
        moment = _kernels.multiply(
            x, self.weight, self.variance, self._row_total, self.device.noisy, self._read[phase], self._table, out,
            self._spread[: self.shape[1]], self._order,
        )  # fmt: skip
        return out, moment

    def multiply_transposed(self, d: F32, phase: str) -> tuple[F32, float]:
        """Return d W^T as read now, (vectors, rows), and the moment [S]; d : (vectors, columns)."""
        out = np.empty((d.shape[0], self.shape[0]), np.float32)
        moment = _kernels.multiply_transposed(
            d, self.weight, self.variance, self._column_total, self.device.noisy, self._read[phase], self._table, out,
            self._spread[: self.shape[0]],
        )  # fmt: skip
        return out, moment

    # --- writing ------------------------------------------------------------------------------------------------
    def load(self, weight: F32, now_ps: int) -> None:
        """Set the pairs to `weight` (rows, columns) around the device's common conductance, exactly where bounds allow.

        A pair whose lower device would leave the bounds is moved up as a whole.
        """
        low = self.device.low
        half = np.asarray(weight, np.float64) * (self.scale / 2)
        base = np.maximum(self.device.common, low + np.abs(half))
        self.device.load(self.plus, (base + half).astype(np.float32), now_ps)
        self.device.load(self.minus, (base - half).astype(np.float32), now_ps)
        self.renew(now_ps)

    def set_pulses(self, index: I64, pulses: I64, now_ps: int) -> int:
        """Give pulses[k] SET pulses to the pair at flat position index[k]: G+ if positive, G- if negative, in place.

        Returns
        -------
        int : pulses given in all.
        """
        for devices, sign in ((self.plus, 1), (self.minus, -1)):
            chosen = pulses * sign > 0
            if chosen.any():
                self.device.set_pulses(devices, index[chosen], np.abs(pulses[chosen]), now_ps, self._programming)
        self._renew_at(index, now_ps)
        return int(np.abs(pulses).sum())

    def refresh(
        self, candidates: I64, now_ps: int, *, saturated: float, difference: float, most_pulses: int
    ) -> Refreshed:
        """RESET saturated pairs and program their difference again, reading after every pulse.

        Parameters
        ----------
        candidates : int64 array
            Flat positions of the pairs to look at.
        saturated, difference : float [S]
            A pair is refreshed if one of its devices reads above `saturated` while its difference reads below
            `difference`.
        most_pulses : int
            SET pulses at most when programming a difference again.
        """
        plus, minus = self._read_one(self.plus, candidates, now_ps), self._read_one(self.minus, candidates, now_ps)
        due = (np.maximum(plus, minus) > saturated) & (np.abs(plus - minus) < difference)
        index, wanted = candidates[due], (plus - minus)[due]
        reads, pulses = 2 * candidates.size, 0
        if not index.size:
            return Refreshed(reads, 0, 0, 0)
        for devices in (self.plus, self.minus):
            self.device.reset(devices, index, now_ps, self._programming)
        for devices, target in ((self.plus, wanted), (self.minus, -wanted)):
            open_ = np.flatnonzero(target >= self.device.epsilon / 2)
            for _ in range(most_pulses):
                if not open_.size:
                    break
                self.device.set_pulses(devices, index[open_], np.ones(open_.size, np.int64), now_ps, self._programming)
                pulses += open_.size
                reads += open_.size
                reached = self._read_one(devices, index[open_], now_ps)
                open_ = open_[reached < target[open_] - self.device.epsilon / 2]
        self._renew_at(index, now_ps)
        return Refreshed(reads, 2 * index.size, pulses, index.size)

    # --- time ---------------------------------------------------------------------------------------------------
    def age(self, now_ps: int) -> None:
        """Renew the cache as a whole if drift may have moved a factor by more than the tolerance since last time."""
        if now_ps - self._renewed_ps > self._window_ps:
            self.renew(now_ps)

    def renew(self, now_ps: int) -> None:
        """Compute the whole cache for the time `now_ps` [ps]."""
        self._renewed_ps = now_ps
        plus = self.plus.conductance * self.device.drift_factors(self.plus, now_ps)
        minus = self.minus.conductance * self.device.drift_factors(self.minus, now_ps)
        self.weight[...] = (plus - minus) / self.scale
        self.variance[...] = (self.device.read_sigma(plus) ** 2 + self.device.read_sigma(minus) ** 2) / self.scale**2
        self._total[...] = plus + minus
        self._row_total[...] = self._total.sum(axis=1, dtype=np.float64)
        self._column_total[...] = self._total.sum(axis=0, dtype=np.float64)

    def _drifted(self, devices: DeviceArray, index: I64, now_ps: int) -> F32:
        """Return the conductances [S] of some devices as they are now, without read noise."""
        part = DeviceArray(
            devices.conductance.reshape(-1)[index], devices.memory.reshape(-1)[index],
            devices.programmed_ps.reshape(-1)[index], index, index,
        )  # fmt: skip
        return (part.conductance * self.device.drift_factors(part, now_ps)).astype(np.float32)

    def _read_one(self, devices: DeviceArray, index: I64, now_ps: int) -> F32:
        """Return one noisy read [S] of each of some devices."""
        true = self._drifted(devices, index, now_ps)
        normals = self._verify.standard_normal(index.size, dtype=np.float32)
        return (true + self.device.read_sigma(true) * normals).astype(np.float32)

    def _renew_at(self, index: I64, now_ps: int) -> None:
        """Renew the cache of some pairs after a write, each pair once in `index`."""
        plus, minus = self._drifted(self.plus, index, now_ps), self._drifted(self.minus, index, now_ps)
        self.weight.reshape(-1)[index] = (plus - minus) / self.scale
        sigma2 = self.device.read_sigma(plus) ** 2 + self.device.read_sigma(minus) ** 2
        self.variance.reshape(-1)[index] = sigma2 / self.scale**2
        total = self._total.reshape(-1)
        change = (plus + minus - total[index]).astype(np.float64)
        total[index] = plus + minus
        np.add.at(self._row_total, index // self.shape[1], change)
        np.add.at(self._column_total, index % self.shape[1], change)
