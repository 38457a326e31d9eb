"""A volatile device over a pair that holds: W = (F (G+ - G-) + s (g - middle))/scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.analog.cells import Cells, read_devices
from archsim.analog.paired import PairedCells
from archsim.analog.sided import SidedCells
from archsim.analog.singles.single import Coincided, Pulsed, SingleCells
from archsim.base.arrays import F32, I64, Arrays, nested, stored, under
from archsim.base.streams import Streams
from archsim.devices.base import Device
from archsim.learning.trains.sending import Part


@dataclass(frozen=True, slots=True)
class Looked:
    """One read of every device of an array [S], (weights,): of volatile devices less the middle of their range."""

    volatile: F32
    plus: F32
    minus: F32

    @property
    def difference(self) -> F32:
        """What the pairs hold [S]."""
        found: F32 = self.plus - self.minus
        return found


@dataclass(frozen=True, slots=True)
class Programmed:
    """What bringing pairs to wanted differences took, and what they are known to hold then, (weights,) [S]."""

    difference: F32
    reads: float
    resets: float
    pulses: float


class HybridCells(Cells):
    """An array of weights that learn in volatile devices of lower significance, over pairs that hold what is passed on.

    Sole owner of the sign s under which the volatile devices count: read and pulsed so.

    Parameters
    ----------
    device : Device
        The volatile one, read against the middle of its range.
    shape, streams, name, drift_tolerance
        As for `Cells`.
    scale : float [S]
        Conductance difference of a volatile device that stands for a weight of 1.
    pairs : Device
    gain : float
        F, the significance of a pair's difference over that of a volatile device. It is taken to come behind the
        devices: all of them conduct at the read voltage, for as long as the code says.

    Source
    ------
    Ambrogio et al., Nature 558:60 (2018): abstract, and captions of Extended Data figures 2 and 9.
    """

    abreast, written, ways = 1, 1, 2
    """Of a weight's volatile devices: those on a row, those that a pulse reaches; directions that pulses go in."""

    def __init__(
        self, device: Device, shape: tuple[int, int], *, scale: float, streams: Streams, name: str,
        drift_tolerance: float = 0.01, pairs: Device, gain: float,
    ) -> None:  # fmt: skip
        super().__init__(
            pairs, shape, devices=0, scale=scale, streams=streams, name=name, drift_tolerance=drift_tolerance
        )  # fmt: skip
        given: dict[str, Any] = {"streams": streams, "drift_tolerance": drift_tolerance}
        self.volatile = SingleCells(device, shape, scale=scale, name=f"{name}/volatile", **given)
        self.pairs = PairedCells(pairs, shape, scale=scale / gain, name=f"{name}/pairs", **given)
        self.gain, self.per_weight, self.sign = gain, 3, np.ones(1, np.float32)
        self._noisy = pairs.reading.noisy or device.reading.noisy
        self._parts = self.volatile.cached(), self.pairs.cached()  # views

    # --- writing ------------------------------------------------------------------------------------------------
    def load(self, weight: F32, now_ps: int) -> None:
        """Set the pairs to `weight` (rows, columns), and the volatile devices to the middle."""
        self.pairs.load(weight, now_ps)
        self.volatile.load(np.zeros(self.shape, np.float32), now_ps)
        self.renew(now_ps)

    def pulse(self, index: I64, pulses: I64, now_ps: int) -> Pulsed:
        """Give |pulses[k]| pulses to the volatile device of the weight at flat position index[k], by its sign."""
        done = self.volatile.pulse(index, pulses * int(self.sign[0]), now_ps)
        self._renew_at(done.index, now_ps)
        return done

    def send(self, part: Part, now_ps: int, slot_ps: int) -> Coincided:
        """Pulse volatile devices as `SingleCells` does, by their sign; only they are on these lines."""
        done = self.volatile.send(part, now_ps, slot_ps, sign=int(self.sign[0]))
        rows, columns = (lines.reshape(-1) for lines in np.meshgrid(*part.touched(), indexing="ij"))
        self._renew_at(rows * self.shape[1] + columns, now_ps)
        return done

    def wait_batch(self, now_ps: int) -> bool:
        """Let a batch pass, for the volatile devices' leak; return whether they leaked."""
        leaked = self.volatile.wait_batch(now_ps)
        if leaked:
            self._combine()
        return leaked

    # --- passing on ---------------------------------------------------------------------------------------------
    def look(self, now_ps: int) -> Looked:
        """Return one noisy read of every device, after the volatile ones have leaked."""
        self.volatile.leak(now_ps)
        index = np.arange(self._total.size)
        own = self._programming.standard_normal(index.size)
        read = read_devices(self.volatile.device, self.volatile.devices, index, now_ps, own)
        return Looked(read - np.float32(self.volatile.reference), *self.pairs.look(index, now_ps))

    def program(
        self, wanted: F32, read: Looked, now_ps: int, *, saturated: float, most_pulses: int, closed: bool
    ) -> Programmed:
        """Bring the pairs' differences to `wanted` [S], (weights,), by SET pulses, from what was read of them.

        A pair that is within half a step is left alone. One whose device to be pulsed reads above `saturated` is RESET
        and begins anew. `closed`, a device is read after every pulse, at most so many; otherwise it gets the pulses
        that the change is worth.
        """
        epsilon, pairs = self.pairs.device.epsilon, self.pairs
        plus, minus = read.plus.copy(), read.minus.copy()
        change = wanted - (plus - minus)
        spent = np.flatnonzero((abs(change) >= epsilon / 2) & (np.where(change > 0, plus, minus) > saturated))
        if spent.size:
            pairs.reset(spent, now_ps)
            plus[spent], minus[spent] = pairs.look(spent, now_ps)
            change[spent] = wanted[spent] - (plus[spent] - minus[spent])
        due = np.flatnonzero(abs(change) >= epsilon / 2)
        down, far = change[due] < 0, abs(change[due])
        now, device = np.where(down, minus[due], plus[due]), due + self._total.size * down
        if closed:
            pulses, now = pairs.approach(device, now + far, now_ps, most_pulses=most_pulses)
            reads = pulses
        else:
            due_pulses = np.minimum(np.rint(far / epsilon).astype(np.int64), most_pulses)
            pulses = pairs.set_pulses(due, np.where(down, -due_pulses, due_pulses), now_ps)
            now, reads = now + np.float32(epsilon) * due_pulses, 0
        plus[due[~down]], minus[due[down]] = now[~down], now[down]
        self.renew(now_ps)
        return Programmed(plus - minus, reads + 2 * spent.size, 2 * spent.size, pulses)

    def discharge(self, step: float, now_ps: int, *, inverts: bool) -> float:
        """Bring the volatile devices to the middle, where their sign may change.

        Returns
        -------
        float : pulses of `step` [S] that would move as much charge.
        """
        devices, middle = self.volatile.devices, self.volatile.reference
        moved = float(np.abs(devices.conductance - middle).sum(dtype=np.float64))
        devices.conductance[...] = middle
        if inverts:
            self.sign *= -1
        self.renew(now_ps)
        return math.ceil(moved / step)

    def left(self, wanted: F32, step: float) -> tuple[I64, I64]:
        """Return which weights' volatile devices are pulsed to hold `wanted`, (weights,), and by how many of `step`."""
        pulses = np.rint(wanted / step).astype(np.int64)
        index = np.flatnonzero(pulses)
        return index, pulses[index]

    # --- time and keeping ---------------------------------------------------------------------------------------
    def renew(self, now_ps: int) -> None:
        """Compute the whole cache for the time `now_ps` [ps]."""
        self._renewed_ps = now_ps
        self.volatile.renew(now_ps)
        self.pairs.renew(now_ps)
        self._combine()

    def _combine(self) -> None:
        """Compute the cache from those of both parts."""
        volatile, pairs = self._parts
        self.weight[...] = pairs["cache"][:, 0] + self.sign * volatile["cache"][:, 0]
        self.variance[...] = pairs["cache"][:, 1] + volatile["cache"][:, 1]
        self._row_total[...] = pairs["row_total"] + volatile["row_total"]
        self._column_total[...] = pairs["column_total"] + volatile["column_total"]

    def _renew_at(self, index: I64, now_ps: int) -> None:
        """Renew the cache of some weights whose parts have been renewed."""
        del now_ps
        volatile, pairs = self._parts
        row, column = np.divmod(index, self.shape[1])
        self.weight[row, column] = pairs["cache"][row, 0, column] + self.sign * volatile["cache"][row, 0, column]
        self.variance[row, column] = pairs["cache"][row, 1, column] + volatile["cache"][row, 1, column]
        self._row_total[...] = pairs["row_total"] + volatile["row_total"]
        self._column_total[...] = pairs["column_total"] + volatile["column_total"]

    def _written_ps(self) -> I64:
        """Return when each weight was last written, in either part."""
        latest: I64 = self.pairs.devices.programmed_ps.reshape(2, -1).max(axis=0)
        return np.maximum(latest, self.volatile.devices.programmed_ps)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what decides the next read and the wear; volatile devices, which do not wear, without a shape."""
        volatile = {name: array for name, array in self.volatile.arrays().items() if name != "shape"}
        return {
            **nested("volatile", volatile), **nested("pairs", self.pairs.arrays()), "sign": self.sign,
            "renewed_ps": np.array(self._renewed_ps), "read_streams": self._streams,
        }  # fmt: skip

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        found = {name: stored(name, array, arrays) for name, array in self.arrays().items()}
        self.volatile.restore({**under("volatile", found), "shape": np.array(self.shape)})
        self.pairs.restore(under("pairs", found))
        self.sign[...], self._renewed_ps = found["sign"], int(found["renewed_ps"])
        self._streams[...] = found["read_streams"]
        self._combine()

    def cached(self) -> dict[str, NDArray[Any]]:
        """Return the caches of the whole and of both parts, views."""
        volatile, pairs = self._parts
        return {**super().cached(), **nested("volatile", volatile), **nested("pairs", pairs)}


Written = SingleCells | HybridCells | SidedCells
"""Cells that are written where they stand, by numbers of pulses with a sign."""
