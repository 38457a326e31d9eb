"""Phase-change memory after Nandakumar et al., J. Appl. Phys. 124, 152135 (2018)."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from archsim.base.arrays import F32, I64
from archsim.base.errors import ModelError
from archsim.base.provenance import Provenance
from archsim.base.quantities import Memory
from archsim.base.streams import Normals
from archsim.base.yamlfile import FileRecord, Record, quantity
from archsim.devices import _kernels
from archsim.devices.base import DeviceArray, Reading, Switches, effects


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError(f"got {value:g}; expected a positive quantity")
    return value


Conductance = Annotated[float, quantity("S")]
PositiveConductance = Annotated[float, quantity("S"), AfterValidator(_positive)]
NotNegative = Annotated[FiniteFloat, Field(ge=0)]
NotNegativeConductance = Annotated[float, Field(ge=0), quantity("S")]
Duration = Annotated[float, quantity("s"), AfterValidator(_positive)]


class Affine(Provenance):
    """A quantity that is linear in conductance G and pulse memory P: slope G + offset + memory P."""

    slope: FiniteFloat
    offset: Conductance
    memory: Conductance


class Decay(Provenance):
    """Pulse memory: P <- P exp(-1/pulses) at every SET pulse."""

    pulses: Annotated[FiniteFloat, Field(gt=0)]


class Bounds(Provenance):
    """Range in which the model holds; conductance is clipped to it."""

    low: PositiveConductance
    high: PositiveConductance

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        if self.high <= self.low:
            raise ValueError(f"got {self.low:g} to {self.high:g} S; expected low below high")
        return self


class Drift(Provenance):
    """G(t) = G(T0) (max(t - tp, shortest)/reference)^-exponent."""

    exponent: NotNegative
    reference: Duration
    shortest: Duration


class ReadNoise(Provenance):
    """Standard deviation of one read: slope G + offset."""

    slope: NotNegative
    offset: NotNegativeConductance


class ResetState(Provenance):
    """Conductance after a RESET pulse."""

    mean: PositiveConductance
    std: NotNegativeConductance


class Start(Provenance):
    """State of the devices before the first step: conductance both devices of a pair share, and pulses behind it."""

    common: PositiveConductance
    pulses: FiniteFloat


class MeanStd(Record):
    """Mean and standard deviation of the conductance."""

    mean: PositiveConductance
    std: NotNegativeConductance


class AfterPulses(Provenance):
    """A check, never an input: conductance after n SET pulses from RESET, clipped at `high`, without read noise."""

    high: PositiveConductance
    points: dict[int, MeanStd]


class Endurance(Provenance):
    """Pulses of a kind that a device is taken to endure. It changes no simulation."""

    set_pulses: Annotated[FiniteFloat, Field(gt=0)]
    reset_pulses: Annotated[FiniteFloat, Field(gt=0)]


class PcmFile(FileRecord):
    """Schema of a PCM device file (tech_params/devices)."""

    kind: Literal["device"]
    model: Literal["pcm"]
    name: str
    title: str
    memory: Memory | None = None
    mean_step: Affine
    std_step: Affine
    pulse_memory: Decay
    bounds: Bounds
    drift: Drift
    read_noise: ReadNoise
    after_reset: ResetState
    start: Start
    endurance: Endurance | None = None
    after_pulses: AfterPulses | None = None


class Pcm:
    """PCM device: state-dependent stochastic SET with pulse memory, RESET, drift, read noise.

    One SET pulse: P <- P exp(-1/2.6); dG ~ Normal(-0.084 G + 0.880 + 1.40 P, 0.091 G + 0.260 + 2.15 P) in uS.

    Source
    ------
    nandakumar2018, whose constants were read in one public re-implementation (see the device file).
    """

    FILE = PcmFile
    bidirectional = False
    leak = 0.0

    def __init__(self, file: PcmFile, switches: Switches) -> None:
        self.file, self.switches = file, switches
        self.low, self.high = file.bounds.low, file.bounds.high
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
        self._mean, self._std = mean, std
        self.reading = Reading(
            exponent=file.drift.exponent if switches.drift else 0.0,
            reference_s=file.drift.reference,
            shortest_s=file.drift.shortest,
            noise_slope=file.read_noise.slope if switches.read_noise else 0.0,
            noise_offset=file.read_noise.offset if switches.read_noise else 0.0,
        )

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of the switches for which the file has a number other than zero."""
        mean, std, noise = self.file.mean_step, self.file.std_step, self.file.read_noise
        return effects(
            state_dependence=(mean.slope, mean.offset, mean.memory) != (0.0, self.epsilon, 0.0),
            programming_noise=any((std.slope, std.offset, std.memory, self.file.after_reset.std)),
            pulse_memory=any((mean.memory, std.memory)), read_noise=any((noise.slope, noise.offset)),
            drift=self.file.drift.exponent != 0,
        )  # fmt: skip

    def load(self, devices: DeviceArray, conductance: F32, now_ps: int) -> None:
        """Set conductances [S]; the pulse memory is that after the device file's number of pulses."""
        np.clip(conductance.reshape(-1), self.low, self.high, out=devices.conductance)
        devices.memory[...] = self._start_memory
        devices.programmed_ps[...] = now_ps

    def set_pulses(
        self, devices: DeviceArray, index: I64, pulses: I64, total: int, now_ps: int, normals: Normals
    ) -> None:
        """Apply blind SET pulses in place."""
        _kernels.pcm_set_pulses(
            devices.conductance, devices.memory, devices.programmed_ps, devices.set_pulses, index, pulses, now_ps,
            normals.standard_normal(total), self._mean, self._std, self._decay, self.low, self.high,
        )  # fmt: skip

    def down_pulses(
        self, devices: DeviceArray, index: I64, pulses: I64, total: int, now_ps: int, normals: Normals
    ) -> None:
        """Refuse: a phase-change device melts at once, there is no gradual RESET."""
        del devices, index, pulses, total, now_ps, normals
        raise ModelError(f"{self.file.name} has no gradual down pulses; it can only be RESET")

    def reset(self, devices: DeviceArray, index: I64, now_ps: int, normals: Normals) -> None:
        """RESET in place: G near 0.1 uS, P = 1."""
        after = self.file.after_reset
        spread = after.std if self.switches.programming_noise else 0.0
        draws = normals.standard_normal(index.size)
        devices.conductance[index] = np.clip(after.mean + spread * draws, self.low, self.high)
        devices.memory[index] = 1.0
        devices.programmed_ps[index] = now_ps
        devices.reset_pulses[index] += 1


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
