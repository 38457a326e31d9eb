"""What every device model offers, and the state of an array of devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from archsim.base.arrays import F32, I64


@dataclass(slots=True)
class DeviceArray:
    """State of an array of devices. Owned by the cells that pair them; device models change it in place.

    Parameters
    ----------
    conductance : float32 array [S], any shape
        At the device's reference time after programming (T0); drift is applied at reading.
    memory : float32 array, same shape
        The model's own state of a device (PCM: pulse memory P, 1 after RESET).
    programmed_ps : int64 array [ps], same shape
        Clock at the last programming.
    set_pulses, reset_pulses : int64 arrays, same shape
        Pulses received since the beginning (endurance).
    """

    conductance: F32
    memory: F32
    programmed_ps: I64
    set_pulses: I64
    reset_pulses: I64

    @classmethod
    def blank(cls, shape: tuple[int, ...]) -> DeviceArray:
        """Return devices of zero conductance, programmed at time 0, never pulsed."""
        return cls(
            np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.int64),
            np.zeros(shape, np.int64), np.zeros(shape, np.int64),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Switches:
    """Non-idealities of a device, each with its own switch. All on by default.

    Parameters
    ----------
    state_dependence : the mean SET step depends on conductance and pulse memory; off: every step is epsilon
    programming_noise : SET and RESET are stochastic
    pulse_memory : earlier pulses make later ones smaller; off: P stays at its mean over ten pulses
    read_noise : every read of a device is noisy
    drift : conductance falls with time since programming
    """

    state_dependence: bool = True
    programming_noise: bool = True
    pulse_memory: bool = True
    read_noise: bool = True
    drift: bool = True


class Device(Protocol):
    """A model of one memory device, on arrays.

    Attributes
    ----------
    low, high : float [S]
        Bounds of the conductance.
    epsilon : float [S]
        Mean conductance change of one SET pulse: what the digital unit believes a pulse does.
    common : float [S]
        Conductance that both devices of a pair share before the first step.
    drifts, noisy : bool
        Whether reading depends on time, and on a random number.
    """

    low: float
    high: float
    epsilon: float
    common: float
    drifts: bool
    noisy: bool

    def load(self, devices: DeviceArray, conductance: F32, now_ps: int) -> None:
        """Set conductances [S] directly, as before the first step; clipped to the bounds."""

    def set_pulses(self, devices: DeviceArray, index: I64, pulses: I64, now_ps: int, rng: np.random.Generator) -> None:
        """Apply `pulses[k]` SET pulses to the device at flat position `index[k]`, in place."""

    def reset(self, devices: DeviceArray, index: I64, now_ps: int, rng: np.random.Generator) -> None:
        """RESET the devices at the flat positions `index`, in place."""

    def drift_factors(self, devices: DeviceArray, now_ps: int) -> F32:
        """Return the factor of each device between its conductance at T0 and now, same shape."""

    def drift_window_s(self, tolerance: float) -> float:
        """Return for how long [s] factors may be kept before one of them is off by more than `tolerance`."""

    def read_sigma(self, conductance: F32) -> F32:
        """Return the standard deviation [S] of one read of devices at a (drifted) conductance [S]."""
