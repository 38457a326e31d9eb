"""Devices that are pulsed up and down, against a fixed reference: W = sum(G - reference)/scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.analog.cells import Cells
from archsim.analog.selection import Turns
from archsim.analog.singles import _kernels
from archsim.base.arrays import F32, F64, I64, Arrays
from archsim.base.errors import ModelError
from archsim.base.streams import Streams
from archsim.devices.base import Device
from archsim.devices.laws import EXACT
from archsim.learning.trains.sending import Part, count_met, stretches

PULSES = 1 << 20
"""Pulses that random numbers are kept ready for at once; which they are does not hang on it."""
_NO_COUNTERS = np.zeros(3, np.int64)


@dataclass(frozen=True, slots=True)
class Pulsed:
    """What a write did.

    Parameters
    ----------
    up, down : int
        Pulses given; a mean where only expectations are known.
    up_moment, down_moment : float [S]
        Sum over pulses of the device's conductance, the mean of before and after the train; times V^2 and the pulse's
        width it is the energy that the devices conduct.
    index, pulses : int64 arrays
        Flat positions of the weights that were written, and the signed pulses of each device written of them.
    """

    up: float
    down: float
    up_moment: float
    down_moment: float
    index: I64
    pulses: I64


@dataclass(frozen=True, slots=True)
class Coincided:
    """What trains did to an array.

    Parameters
    ----------
    up, down, up_moment, down_moment
        As `Pulsed` has them.
    on_rows, on_columns : int
        Pulses on all lines.
    up_half, down_half : float [S]
        Sum over pulses of lines of the conductance that sees half the voltage, less that where two meet, in phases up
        and in phases down.
    """

    up: float
    down: float
    up_moment: float
    down_moment: float
    on_rows: float
    on_columns: float
    up_half: float
    down_half: float

    @classmethod
    def of(cls, sums: F64) -> Coincided:
        """Return what the sums of each say, (8,): pulses, moments, pulses on lines, halves."""
        up, down, up_moment, down_moment, on_rows, on_columns, up_half, down_half = sums.tolist()
        return cls(int(up), int(down), up_moment, down_moment, int(on_rows), int(on_columns), up_half, down_half)


class SingleCells(Cells):
    """An array of bidirectional devices, each read against the middle of its range.

    The reference is a line of fixed devices beside the array, as many as a weight has; it conducts in every read and
    adds no noise of its own. Device i of copy c is at the flat position i + c weights.

    Parameters
    ----------
    device, shape, streams, name, drift_tolerance
        As for `Cells`.
    scale : float [S]
        Conductance difference of each of its devices that stands for a weight of 1.
    copies : int
        Devices that stand for a weight side by side, read together.
    turns : Turns, optional
        By which one of them at a time is written; without, each gets the pulses that are due.

    Raises
    ------
    ModelError
        If the device has no gradual down pulses.
    """

    def __init__(
        self, device: Device, shape: tuple[int, int], *, scale: float, streams: Streams, name: str,
        drift_tolerance: float = 0.01, copies: int = 1, turns: Turns | None = None,
    ) -> None:  # fmt: skip
        if not device.bidirectional:
            raise ModelError("devices that are not in pairs need gradual pulses up and down")
        super().__init__(
            device, shape, devices=copies, scale=copies * scale, streams=streams, name=name,
            drift_tolerance=drift_tolerance, reference=copies * (device.low + device.high) / 2, copies=copies,
            turns=turns,
        )  # fmt: skip
        self._weights, self._tolerance, self._unleaked = shape[0] * shape[1], drift_tolerance, np.zeros(1, np.int64)

    ways = 2
    """Directions that pulses go in."""

    @property
    def abreast(self) -> int:
        """How many of a weight's devices lie on a row."""
        return self.copies

    @property
    def written(self) -> int:
        """How many of a weight's devices one write reaches."""
        return 1 if self.selection else self.copies

    def load(self, weight: F32, now_ps: int) -> None:
        """Set the devices to `weight` (rows, columns) around the reference, in equal parts where bounds allow."""
        wanted = (self.reference + np.asarray(weight, np.float64) * self.scale) / self.copies
        self.device.load(self.devices, np.tile(wanted.astype(np.float32).reshape(-1), self.copies), now_ps)
        self.renew(now_ps)

    def pulse(self, index: I64, pulses: I64, now_ps: int) -> Pulsed:
        """Give |pulses[k]| pulses to the devices of the weight at flat position index[k], or to its next, in place.

        They go up if positive, down if negative: first all that go up, then all that go down, as the array is written.
        No weight stands in `index` twice.
        """
        device, due = index, pulses
        if self.selection:
            given, copy = self.selection.choose(pulses)
            index, due = index[given], pulses[given]
            device = index + self._weights * copy
        elif self.copies > 1:
            device = (index + self._weights * np.arange(self.copies)[:, None]).reshape(-1)
            due = np.tile(pulses, self.copies)
        rising = due > 0
        up, up_moment = self._train(device[rising], due[rising], now_ps, up=True)
        down, down_moment = self._train(device[~rising], -due[~rising], now_ps, up=False)
        self._renew_at(index, now_ps)
        return Pulsed(up, down, up_moment, down_moment, index, due[: index.size])

    def send(self, part: Part, now_ps: int, slot_ps: int, *, sign: int = 1) -> Coincided:
        """Pulse devices where trains meet, vector after vector, in place; each slot takes `slot_ps`.

        `sign` is that under which the pulses are given.
        """
        law = self.device.law
        begins = part.begins(now_ps, slot_ps)
        if law is None:
            return self._one_by_one(part, begins, sign)
        met = count_met(part.sent.rows, part.sent.columns, part.window)
        most = min(int(met.max(initial=0)), self._weights)
        scratch = (*np.empty((2, most), np.int64), *np.empty((4, most * self.copies), np.int64))
        each = self.written * (0 if law.kind == EXACT else 1 + (law.devices > 0))  # normals a coincidence, at most
        turns = self.selection.turns if self.selection else None
        turning = (self.copies, turns.stride, turns.up_every, turns.down_every) if turns else (self.copies, 0, 1, 1)
        counters = self.selection.counters if self.selection else _NO_COUNTERS
        found = np.zeros(8)
        for stretch, pulses in stretches(met, PULSES):
            normals = self._programming.ahead(pulses * each)
            used, *sums = _kernels.send_trains(
                (stretch.start, stretch.stop), part.sent.rows, part.sent.columns, part.window, begins, law.plain,
                (self.devices.conductance, self.devices.memory, self.devices.programmed_ps, self.devices.set_pulses,
                 self.devices.down_pulses),
                turning, counters, sign, normals, (self._drift, self._noise, self.scale, self.reference),
                (self._cache, self._total, self._row_total, self._column_total), scratch,
            )  # fmt: skip
            self._programming.skip(used)
            found += np.concatenate(sums)
        return Coincided.of(found)

    def _one_by_one(self, part: Part, begins: I64, sign: int) -> Coincided:
        """Do as `send` does, by the methods of a device of which no kernel knows."""
        found = np.zeros(8)
        for vector in np.flatnonzero(part.sent.slots).tolist():
            on = part.on(vector)
            selected = self.on_lines(*on)
            index, pulses = part.met(vector)
            done = self.pulse(index, pulses * sign, int(begins[vector]))
            half = [max(selected - 2 * moment, 0.0) for moment in (done.up_moment, done.down_moment)]
            lines = (on[0].sum(), on[1].sum())
            found += [done.up, done.down, done.up_moment, done.down_moment, *lines, *half]
        return Coincided.of(found)

    def wait_batch(self, now_ps: int) -> bool:
        """Let a batch pass; once devices would leak by more than the drift tolerance they do. Return whether so."""
        self._unleaked += 1
        due = bool(self._unleaked[0] * self.device.leak > self._tolerance)
        if due:
            self.leak(now_ps)
        return due

    def leak(self, now_ps: int) -> None:
        """Let the devices fall towards the middle of their range, for the batches since the last time."""
        if self._unleaked[0]:
            middle, left = self.reference / self.copies, (1 - self.device.leak) ** float(self._unleaked[0])
            self.devices.conductance[...] = middle + (self.devices.conductance - middle) * np.float32(left)
            self._unleaked[:] = 0
            self.renew(now_ps)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the batches that have not leaked yet, too, if the devices leak."""
        return {**super().arrays(), **({"unleaked": self._unleaked} if self.device.leak else {})}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        super().restore(arrays)
        if self.device.leak:
            self._unleaked[...] = arrays["unleaked"]

    def on_lines(self, rows: I64, columns: I64) -> float:
        """Return the sum over pulses of the conductance [S] of the line they are on; `rows`, `columns`: pulses on each.

        Without the reference, which no pulse reaches. A row is one line of all devices; of the columns of a weight's
        devices those that are written are pulsed, and are taken to have their equal part of the conductance.
        """
        along_rows = (self._row_total - self.reference) @ rows
        along_columns = (self._column_total - self.reference) @ columns
        return float(along_rows + along_columns * (self.written / self.copies))

    def _train(self, index: I64, pulses: I64, now_ps: int, *, up: bool) -> tuple[int, float]:
        """Give trains in one direction; return pulses, and the sum over them of the mean conductance [S]."""
        if not index.size:
            return 0, 0.0
        total = int(pulses.sum())
        conductance = self.devices.conductance
        before = conductance[index]
        give = self.device.set_pulses if up else self.device.down_pulses
        give(self.devices, index, pulses, total, now_ps, self._programming)
        return total, float(((before + conductance[index]) * pulses).sum(dtype=np.float64) / 2)

    def _renew_at(self, index: I64, now_ps: int) -> None:
        """Renew the cache of some weights."""
        _kernels.renew_single(
            index, self.devices.conductance, self.devices.programmed_ps, now_ps, self._drift, self._noise, self.scale,
            self.reference, self._cache, self._total, self._row_total, self._column_total,
        )  # fmt: skip

    def _written_ps(self) -> I64:
        """Return when each weight was last written: the latest of its devices."""
        latest: I64 = self.devices.programmed_ps.reshape(self.copies, self._weights).max(axis=0)
        return latest
