"""The symmetry point of a device: where pulses up and down are equal on average, whither alternating ones bring it."""

from __future__ import annotations

import numpy as np

from archsim.base.arrays import F32, F64
from archsim.base.streams import Normals
from archsim.devices.base import Device, DeviceArray

_GRID = 4096
_SAME = 0.02
"""Steps that differ by less than this part of themselves everywhere count as equal: float32 keeps no more of them."""


def symmetry(device: Device) -> tuple[float, float]:
    """Return the symmetry point [S] of a device, and the mean step [S] of one pulse there.

    It is found by pulsing, so that any model has one: that of the state in which a pulse up and one down differ least.
    Where they are equal in every state, any would do, and it is the middle of the range.

    Parameters
    ----------
    device : Device
        Bidirectional, without programming noise.
    """
    span = device.high - device.low
    conductance = np.linspace(device.low + span / 64, device.high - span / 64, _GRID).astype(np.float32)
    up, down = _step(device, conductance, up=True), -_step(device, conductance, up=False)
    step = (up + down) / 2
    if np.all(abs(up - down) <= _SAME * step):
        return (device.low + device.high) / 2, float(np.median(step))
    place = int(np.argmin(abs(up - down)))
    return float(conductance[place]), float(step[place])


def _step(device: Device, conductance: F32, *, up: bool) -> F64:
    """Return what one pulse changes [S] at each conductance."""
    array, index = DeviceArray.blank(conductance.size), np.arange(conductance.size)
    device.load(array, conductance, 0)
    give = device.set_pulses if up else device.down_pulses
    give(array, index, np.ones(index.size, np.int64), index.size, 0, Normals(np.random.default_rng(0)))
    return array.conductance.astype(np.float64) - conductance
