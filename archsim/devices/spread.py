"""How much the devices of a measurement differ from each other: a factor of the mean step that is each device's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from archsim.base.csvfile import F64
from archsim.devices.binned import Binned
from archsim.devices.measured import Pulses

LEAST_DEVICES, LEAST_PULSES = 5, 10
"""Devices from which a spread is fitted, and pulses that each of them got at least."""
_ROUNDS = 20
_FLOOR = 1e-3
"""Least standard deviation of a pulse over the largest mean step, so that pulses without noise have a weight."""


@dataclass(frozen=True, slots=True)
class DeviceSpread:
    """Standard deviation of the devices' own factors of the mean step.

    Parameters
    ----------
    devices : float
        What is left once the uncertainty of each factor is taken off; 0 if that is no more than chance gives.
    error : float
        Its standard error; of a spread of 0, the least that would have shown.
    count : int
        Devices measured.
    """

    devices: float
    error: float
    count: int


def fit_spread(pulses: Pulses, bins: Mapping[str, Binned]) -> tuple[DeviceSpread | None, dict[str, Binned]]:
    """Fit a factor of the mean step for each device, and mean and deviation of the step of a device whose factor is 1.

    A pulse of device i from the conductance G changes it by f_i m(G), and noise of standard deviation s(G). Given m and
    s, f_i is the weighted least squares estimate, sum(m c/s^2)/sum(m^2/s^2) over its changes c, with the variance
    1/sum(m^2/s^2); given f, the mean of a bin is sum(f c)/sum(f^2). The two go on in turns, the mean factor kept at 1.
    The spread is the variance of the factors less the mean of their own variances. A variance of n normal factors is
    known to itself times sqrt(2/(n - 1)); what is less than two of these for equal devices is taken for chance.

    Parameters
    ----------
    pulses : Pulses
    bins : direction -> its pulses, binned with all devices taken for alike

    Returns
    -------
    The spread, None of fewer than `LEAST_DEVICES` devices with `LEAST_PULSES` pulses each; and the bins of a device
    whose factor is 1: as they were if there is no spread.
    """
    if pulses.device is None:
        return None, dict(bins)
    enough = np.flatnonzero(np.bincount(pulses.device) >= LEAST_PULSES)
    if enough.size < LEAST_DEVICES:
        return None, dict(bins)
    factor = np.ones(int(pulses.device.max()) + 1)
    now = dict(bins)
    for _ in range(_ROUNDS):
        upper, lower = np.zeros(factor.size), np.zeros(factor.size)
        for name, part in now.items():
            chosen = pulses.up == (name == "up")
            device, before, change = (each[chosen] for each in (pulses.device, pulses.before, pulses.change))
            mean, std = (np.interp(before, part.centre, each) for each in (part.mean, part.std))
            weight = 1.0 / np.maximum(std, _FLOOR * np.abs(part.mean).max()) ** 2
            upper += np.bincount(device, weight * mean * change, factor.size)
            lower += np.bincount(device, weight * mean**2, factor.size)
        factor[enough] = upper[enough] / lower[enough]
        factor[enough] /= factor[enough].mean()
        now = {name: _again(pulses, part, factor, name) for name, part in bins.items()}
    found = factor[enough]
    count, whole, chance = int(enough.size), float(found.var(ddof=1)), float((1.0 / lower[enough]).mean())
    known = math.sqrt(2 / (count - 1))
    if whole - chance <= 2 * known * chance:
        return DeviceSpread(0.0, math.sqrt(2 * known * chance), count), dict(bins)
    devices = math.sqrt(whole - chance)
    return DeviceSpread(devices, whole * known / (2 * devices), count), now


def _again(pulses: Pulses, part: Binned, factor: F64, name: str) -> Binned:
    """Return bins with the mean, and the standard deviation about it, of a device whose factor is 1."""
    assert pulses.device is not None  # noqa: S101  the caller saw to it
    chosen = pulses.up == (name == "up")
    own, before, change = factor[pulses.device[chosen]], pulses.before[chosen], pulses.change[chosen]
    place = np.searchsorted(part.edges[1:-1], before, side="right")
    mean = np.bincount(place, own * change) / np.bincount(place, own**2)
    left = np.bincount(place, (change - own * mean[place]) ** 2)
    return replace(part, mean=mean, std=np.sqrt(left / (part.points - 1)))
