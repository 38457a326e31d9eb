"""What every device model offers, and the state of an array of devices."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from archsim.base.arrays import F32, I32, I64
from archsim.base.streams import Normals
from archsim.devices.laws import Law


@dataclass(slots=True)
class DeviceArray:
    """State of an array of devices, flat. Owned by the cells that pair them; device models change it in place.

    Parameters
    ----------
    conductance : float32 array [S], (devices,)
        At the device's reference time after programming (T0); drift is applied at reading.
    memory : float32 array, (devices,)
        The model's own state of a device. PCM: pulse memory P, 1 after RESET. Devices that differ from each other: a
        device's own factor of the mean step, drawn at its first pulse, 0 before.
    programmed_ps : int64 array [ps], (devices,)
        Clock at the last programming.
    set_pulses, reset_pulses, down_pulses : int32 arrays, (devices,)
        Pulses received since the beginning (endurance): SET or up, RESET, gradual down. No device endures 2^31.
    """

    conductance: F32
    memory: F32
    programmed_ps: I64
    set_pulses: I32
    reset_pulses: I32
    down_pulses: I32

    @classmethod
    def blank(cls, devices: int) -> DeviceArray:
        """Return devices of zero conductance, programmed at time 0, never pulsed."""
        return cls(
            np.zeros(devices, np.float32), np.zeros(devices, np.float32), np.zeros(devices, np.int64),
            np.zeros(devices, np.int32), np.zeros(devices, np.int32), np.zeros(devices, np.int32),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Switches:
    """Non-idealities of a device, each with its own switch. All on by default.

    Parameters
    ----------
    state_dependence : the mean step depends on conductance and pulse memory; off: every step is epsilon, up and down
    programming_noise : SET, RESET and down pulses are stochastic, and devices differ from each other
    pulse_memory : earlier pulses make later ones smaller; off: P stays at its mean over ten pulses
    read_noise : every read of a device is noisy
    drift : conductance falls with time since programming, or leaks away with batches
    """

    state_dependence: bool = True
    programming_noise: bool = True
    pulse_memory: bool = True
    read_noise: bool = True
    drift: bool = True


def effects(**found: bool) -> tuple[str, ...]:
    """Return the names of the switches that are given as true, in the order of `Switches`."""
    return tuple(each.name for each in fields(Switches) if found.get(each.name, False))


@dataclass(frozen=True, slots=True)
class Reading:
    """How a device reads at time t after programming: G(T0) (max(t, shortest)/reference)^-exponent, plus noise.

    Parameters
    ----------
    exponent : float
        Drift exponent; 0 switches drift off.
    reference_s, shortest_s : float [s]
        T0, and the time below which the law is held constant.
    noise_slope : float
    noise_offset : float [S]
        Standard deviation of one read: slope G + offset. Both 0 switch noise off.
    """

    exponent: float = 0.0
    reference_s: float = 1.0
    shortest_s: float = 1.0
    noise_slope: float = 0.0
    noise_offset: float = 0.0

    @property
    def noisy(self) -> bool:
        """Whether a read takes a random number."""
        return self.noise_slope != 0 or self.noise_offset != 0

    def window_s(self, tolerance: float) -> float:
        """Return for how long [s] drift factors may be kept before one is off by more than `tolerance` of itself.

        At age a, waiting w multiplies the factor by (1 + w/a)^-nu; a is never below the shortest time s, so
        w = s ((1 - tolerance)^(-1/nu) - 1) bounds all devices.
        """
        if self.exponent == 0:
            return float("inf")
        return float(self.shortest_s * ((1.0 - tolerance) ** (-1.0 / self.exponent) - 1.0))


class Device(Protocol):
    """A model of one memory device, on arrays.

    Attributes
    ----------
    low, high : float [S]
        Bounds of the conductance.
    epsilon : float [S]
        Mean conductance change of one SET pulse: what the digital unit believes a pulse does. Each model says in which
        state.
    common : float [S]
        Conductance that both devices of a pair share before the first step.
    reading : Reading
    leak : float
        Part of its distance to the middle of its range that a device loses in a batch; 0 where it holds what it has.
    bidirectional : bool
        Whether there are gradual down pulses, or only SET and RESET.
    law : Law or None
        Its steps in numbers, for kernels that pulse devices many times; None of a device that only its methods know.
    effects : names of the `Switches` that change anything, each off alone: the non-idealities that the device has
    """

    low: float
    high: float
    epsilon: float
    common: float
    reading: Reading
    leak: float
    bidirectional: bool
    law: Law | None

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of the non-idealities that the device has."""

    def load(self, devices: DeviceArray, conductance: F32, now_ps: int) -> None:
        """Set conductances [S] directly, as before the first step; clipped to the bounds."""

    def set_pulses(
        self, devices: DeviceArray, index: I64, pulses: I64, total: int, now_ps: int, normals: Normals
    ) -> None:
        """Give pulses[k] >= 1 SET pulses to device index[k], `total` in all, in place; each device at most once."""

    def down_pulses(
        self, devices: DeviceArray, index: I64, pulses: I64, total: int, now_ps: int, normals: Normals
    ) -> None:
        """Give pulses[k] >= 1 gradual down pulses to device index[k], `total` in all, in place; each at most once.

        Raises
        ------
        ModelError
            If the device is not bidirectional.
        """

    def reset(self, devices: DeviceArray, index: I64, now_ps: int, normals: Normals) -> None:
        """RESET the devices `index`, in place."""
