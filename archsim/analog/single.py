"""One device a weight that is pulsed up and down, against a fixed reference: W = (G - reference)/scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.analog import _kernels
from archsim.analog.cells import Cells
from archsim.base.arrays import F32, I64
from archsim.base.errors import ModelError
from archsim.base.streams import Streams
from archsim.devices.base import Device


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
    """

    up: float
    down: float
    up_moment: float
    down_moment: float


class SingleCells(Cells):
    """An array of bidirectional devices, one a weight, read against the middle of the device's range.

    The reference is a line of fixed devices beside the array; it conducts in every read and adds no noise of its own.

    Parameters
    ----------
    device, shape, scale, streams, name, drift_tolerance
        As for `Cells`.

    Raises
    ------
    ModelError
        If the device has no gradual down pulses.
    """

    def __init__(
        self, device: Device, shape: tuple[int, int], *, scale: float, streams: Streams, name: str,
        drift_tolerance: float = 0.01,
    ) -> None:  # fmt: skip
        if not device.bidirectional:
            raise ModelError("one device a weight needs gradual pulses up and down")
        super().__init__(
            device, shape, devices=1, scale=scale, streams=streams, name=name, drift_tolerance=drift_tolerance,
            reference=(device.low + device.high) / 2,
        )  # fmt: skip

    def load(self, weight: F32, now_ps: int) -> None:
        """Set the devices to `weight` (rows, columns) around the reference, exactly where bounds allow."""
        wanted = self.reference + np.asarray(weight, np.float64) * self.scale
        self.device.load(self.devices, wanted.astype(np.float32), now_ps)
        self.renew(now_ps)

    def pulse(self, index: I64, pulses: I64, now_ps: int) -> Pulsed:
        """Give |pulses[k]| pulses to the device at flat position index[k], up if positive, down if negative, in place.

        First all that go up, then all that go down, as the array is written; no device stands in `index` twice.
        """
        rising = pulses > 0
        up, up_moment = self._train(index[rising], pulses[rising], now_ps, up=True)
        down, down_moment = self._train(index[~rising], -pulses[~rising], now_ps, up=False)
        self._renew_at(index, now_ps)
        return Pulsed(up, down, up_moment, down_moment)

    def on_lines(self, rows: I64, columns: I64) -> float:
        """Return the sum over pulses of the conductance [S] of the line they are on; `rows`, `columns`: pulses on each.

        Without the reference, which no pulse reaches.
        """
        along = (self._row_total - self.reference) @ rows + (self._column_total - self.reference) @ columns
        return float(along)

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
        """Return when each device was last written."""
        return self.devices.programmed_ps
