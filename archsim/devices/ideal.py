"""A perfect device: every pulse adds or takes away epsilon exactly, no noise, no drift; only the bounds remain."""

from __future__ import annotations

from typing import Literal

import numpy as np

from archsim.base.arrays import F32, I64
from archsim.base.provenance import Provenance
from archsim.base.quantities import Memory
from archsim.base.streams import Normals
from archsim.base.yamlfile import FileRecord
from archsim.devices.base import DeviceArray, Reading, Switches
from archsim.devices.pcm import Bounds, PositiveConductance


class Step(Provenance):
    """Conductance added by one SET pulse."""

    step: PositiveConductance


class Common(Provenance):
    """Conductance that both devices of a pair share before the first step."""

    common: PositiveConductance


class IdealFile(FileRecord):
    """Schema of an ideal device's file."""

    kind: Literal["device"]
    model: Literal["ideal"]
    name: str
    title: str
    memory: Memory | None = None
    set_step: Step
    bounds: Bounds
    start: Common


class Ideal:
    """Device that does exactly what the digital unit believes."""

    FILE = IdealFile
    bidirectional = True
    leak = 0.0

    def __init__(self, file: IdealFile, switches: Switches) -> None:
        self.file, self.switches = file, switches
        self.low, self.high, self.epsilon = file.bounds.low, file.bounds.high, file.set_step.step
        self.common = file.start.common
        self.reading = Reading()

    @property
    def effects(self) -> tuple[str, ...]:
        """None."""
        return ()

    def load(self, devices: DeviceArray, conductance: F32, now_ps: int) -> None:
        """Set conductances [S], clipped to the bounds."""
        np.clip(conductance.reshape(-1), self.low, self.high, out=devices.conductance)
        devices.programmed_ps[...] = now_ps

    def set_pulses(
        self, devices: DeviceArray, index: I64, pulses: I64, total: int, now_ps: int, normals: Normals
    ) -> None:
        """Add epsilon a pulse, up to the upper bound."""
        del total, normals
        devices.conductance[index] = np.minimum(devices.conductance[index] + pulses * self.epsilon, self.high)
        devices.programmed_ps[index] = now_ps
        devices.set_pulses[index] += pulses

    def down_pulses(
        self, devices: DeviceArray, index: I64, pulses: I64, total: int, now_ps: int, normals: Normals
    ) -> None:
        """Take epsilon away a pulse, down to the lower bound."""
        del total, normals
        devices.conductance[index] = np.maximum(devices.conductance[index] - pulses * self.epsilon, self.low)
        devices.programmed_ps[index] = now_ps
        devices.down_pulses[index] += pulses

    def reset(self, devices: DeviceArray, index: I64, now_ps: int, normals: Normals) -> None:
        """Bring to the lower bound exactly."""
        del normals
        devices.conductance[index] = self.low
        devices.programmed_ps[index] = now_ps
        devices.reset_pulses[index] += 1
