"""Phase-change memory after Nandakumar et al., J. Appl. Phys. 124, 152135 (2018)."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, FiniteFloat

from archsim.base.arrays import F32, I64
from archsim.base.provenance import Provenance
from archsim.base.yamlfile import FileRecord, quantity
from archsim.devices import _kernels
from archsim.devices.base import DeviceArray, Switches


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError(f"got {value:g}; expected a positive quantity")
    return value


Conductance = quantity("S")
PositiveConductance = Annotated[Conductance, AfterValidator(_positive)]
Duration = Annotated[quantity("s"), AfterValidator(_positive)]


class Affine(Provenance):
    """A quantity that is linear in conductance G and pulse memory P: slope G + offset + memory P."""

    slope: FiniteFloat
    offset: Conductance
    memory: Conductance


class Decay(Provenance):
    """Pulse memory: P <- P exp(-1/pulses) at every SET pulse."""

    pulses: FiniteFloat


class Bounds(Provenance):
    """Range in which the model holds; conductance is clipped to it."""

    low: PositiveConductance
    high: PositiveConductance


class Drift(Provenance):
    """G(t) = G(T0) (max(t - tp, shortest)/reference)^-exponent."""

    exponent: FiniteFloat
    reference: Duration
    shortest: Duration


class ReadNoise(Provenance):
    """Standard deviation of one read: slope G + offset."""

    slope: FiniteFloat
    offset: Conductance


class ResetState(Provenance):
    """Conductance after a RESET pulse."""

    mean: PositiveConductance
    std: Conductance


class Start(Provenance):
    """State of the devices before the first step: conductance both devices of a pair share, and pulses behind it."""

    common: PositiveConductance
    pulses: FiniteFloat


class PcmFile(FileRecord):
    """Schema of a PCM device file (tech_params/devices)."""

    kind: Literal["device"]
    model: Literal["pcm"]
    name: str
    title: str
    mean_step: Affine
    std_step: Affine
    pulse_memory: Decay
    bounds: Bounds
    drift: Drift
    read_noise: ReadNoise
    after_reset: ResetState
    start: Start


class Pcm:
    """PCM device: state-dependent stochastic SET with pulse memory, RESET, drift, read noise.

    One SET pulse: P <- P exp(-1/2.6); dG ~ Normal(-0.084 G + 0.880 + 1.40 P, 0.091 G + 0.260 + 2.15 P) in uS.

    Source
    ------
    nandakumar2018, whose constants were read in one public re-implementation (see the device file).
    """

    FILE = PcmFile

    def __init__(self, file: PcmFile, switches: Switches) -> None:
        self.file, self.switches = file, switches
        self.low, self.high = file.bounds.low, file.bounds.high
        self.drifts, self.noisy = switches.drift, switches.read_noise
        self._decay = math.exp(-1.0 / file.pulse_memory.pulses)
        self._start_memory = self._decay**file.start.pulses
        self.epsilon, self.common = mean_step(file), file.start.common
        mean = np.array([file.mean_step.slope, file.mean_step.offset, file.mean_step.memory])
        std = np.array([file.std_step.slope, file.std_step.offset, file.std_step.memory])
        if not switches.pulse_memory:
            typical = sum(self._decay ** (n + 1) for n in range(10)) / 10
            for row in (mean, std):
                row[1] += row[2] * typical
                row[2] = 0.0
        if not switches.state_dependence:
            mean[:] = (0.0, self.epsilon, 0.0)
        if not switches.programming_noise:
            std[:] = 0.0
        self._mean, self._std = mean.astype(np.float32), std.astype(np.float32)

    def load(self, devices: DeviceArray, conductance: F32, now_ps: int) -> None:
        """Set conductances [S]; the pulse memory is that after the device file's number of pulses."""
        np.clip(conductance, self.low, self.high, out=devices.conductance)
        devices.memory[...] = self._start_memory
        devices.programmed_ps[...] = now_ps

    def set_pulses(self, devices: DeviceArray, index: I64, pulses: I64, now_ps: int, rng: np.random.Generator) -> None:
        """Apply blind SET pulses in place."""
        normals = rng.standard_normal(int(pulses.sum()), dtype=np.float32)
        _kernels.pcm_set_pulses(
            devices.conductance.reshape(-1), devices.memory.reshape(-1), index, pulses, normals,
            self._mean, self._std, np.float32(self._decay), np.float32(self.low), np.float32(self.high),
        )  # fmt: skip
        devices.programmed_ps.reshape(-1)[index] = now_ps
        devices.set_pulses.reshape(-1)[index] += pulses

    def reset(self, devices: DeviceArray, index: I64, now_ps: int, rng: np.random.Generator) -> None:
        """RESET in place: G near 0.1 uS, P = 1."""
        after = self.file.after_reset
        spread = after.std if self.switches.programming_noise else 0.0
        normals = rng.standard_normal(index.size, dtype=np.float32)
        devices.conductance.reshape(-1)[index] = np.clip(after.mean + spread * normals, self.low, self.high)
        devices.memory.reshape(-1)[index] = 1.0
        devices.programmed_ps.reshape(-1)[index] = now_ps
        devices.reset_pulses.reshape(-1)[index] += 1

    def drift_factors(self, devices: DeviceArray, now_ps: int) -> F32:
        """Return ((t - tp)/T0)^-0.04, held constant below the shortest time of the device file."""
        factors = np.ones_like(devices.conductance)
        if self.drifts:
            drift = self.file.drift
            _kernels.power_law(
                devices.programmed_ps.reshape(-1), now_ps, drift.reference, drift.shortest, -drift.exponent,
                factors.reshape(-1),
            )  # fmt: skip
        return factors

    def drift_window_s(self, tolerance: float) -> float:
        """Return the time after which the factor of the freshest device has moved by `tolerance`.

        At age a, waiting w multiplies the factor by (1 + w/a)^-nu; a is never below the shortest time s, so
        w = s ((1 - tolerance)^(-1/nu) - 1) bounds all devices.
        """
        if not self.drifts or self.file.drift.exponent == 0:
            return math.inf
        return self.file.drift.shortest * ((1.0 - tolerance) ** (-1.0 / self.file.drift.exponent) - 1.0)

    def read_sigma(self, conductance: F32) -> F32:
        """Return 0.03 G + 0.13 uS."""
        noise = self.file.read_noise
        if not self.noisy:
            return np.zeros_like(conductance)
        return (noise.slope * conductance + noise.offset).astype(np.float32)


def mean_step(file: PcmFile, pulses: int = 10) -> float:
    """Return the mean conductance change [S] of one SET pulse over the first `pulses` from RESET.

    This is the paper's epsilon: 0.766 uS, or 0.096 in weight at 8 uS a unit (the paper: 0.096).
    """
    decay = math.exp(-1.0 / file.pulse_memory.pulses)
    g, memory = file.after_reset.mean, 1.0
    for _ in range(pulses):
        memory *= decay
        g += file.mean_step.slope * g + file.mean_step.offset + file.mean_step.memory * memory
    return (g - file.after_reset.mean) / pulses
