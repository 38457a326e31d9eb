"""What devices with gradual pulses in both directions share: schema, bounds, reading, RESET.

Linear, soft-bounds and table devices differ only in how the change of one pulse depends on the conductance.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, FiniteFloat, model_validator

from archsim.base.arrays import F32, I64
from archsim.base.provenance import Provenance
from archsim.base.quantities import Memory, Switch
from archsim.base.streams import Normals
from archsim.base.yamlfile import FileRecord
from archsim.devices import _kernels
from archsim.devices.base import DeviceArray, Reading, Switches, effects
from archsim.devices.ideal import Common
from archsim.devices.pcm import Bounds, Drift, Endurance, NotNegative, ReadNoise, ResetState


class SpreadFile(Provenance):
    """Randomness of a step: between pulses, as fractions of the mean step and of the range; between devices.

    Standard deviation of one pulse: of_step |mean step| + of_range (high - low). A device's own factor of the mean step
    is Normal(1, devices), not below 0.05, the same up and down, and stays with the device; `lognormal`, it is
    exp(devices z - devices^2/2), of the mean 1, z standard normal.
    """

    of_step: NotNegative
    of_range: NotNegative
    devices: NotNegative
    lognormal: Switch = False


class LeakFile(Provenance):
    """Batches in which a device that leaks would come to the middle of its range, at the rate at which it begins to."""

    batches: Annotated[FiniteFloat, Field(gt=1)]


class SteppedFile(FileRecord):
    """What the files of these devices have in common. Drift, leak and read noise may be left out: none then."""

    kind: Literal["device"]
    name: str
    title: str
    memory: Memory | None = None
    drift: Drift | None = None
    leak: LeakFile | None = None
    read_noise: ReadNoise | None = None
    after_reset: ResetState
    start: Common
    endurance: Endurance | None = None


class BoundedFile(SteppedFile):
    """A stepped device whose bounds stand in its file."""

    bounds: Bounds
    spread: SpreadFile

    @model_validator(mode="after")
    def _inside(self) -> Self:
        for what, value in (("start.common", self.start.common), ("after_reset.mean", self.after_reset.mean)):
            check_inside(what, value, self.bounds.low, self.bounds.high)
        return self


def check_inside(what: str, value: float, low: float, high: float) -> None:
    """Raise ValueError if a conductance [S] is not within the bounds; on them only that after RESET may be."""
    slack = 1e-5 * (high - low) * (-1 if what == "start.common" else 1)
    if not low - slack <= value <= high + slack:
        raise ValueError(f"{what} is {value:g} S; expected it within the bounds, {low:g} to {high:g} S")


class Stepped:
    """Base of the devices with gradual pulses; a subclass sets `epsilon` and gives pulses in `_give`.

    It also says, whatever the switches, whether the mean step depends on the state, and whether pulses are random.

    Parameters
    ----------
    file : SteppedFile
    switches : Switches
    low, high : float [S]
        Bounds of the conductance.
    """

    bidirectional: bool = True
    epsilon: float
    depends_on_state: bool
    random: bool

    def __init__(self, file: SteppedFile, switches: Switches, low: float, high: float) -> None:
        self.switches, self.low, self.high, self.common = switches, low, high, file.start.common
        self._after_reset, self._file = file.after_reset, file
        drift, noise = file.drift, file.read_noise
        self.leak = 1 / file.leak.batches if file.leak and switches.drift else 0.0
        timing = {"reference_s": drift.reference, "shortest_s": drift.shortest} if drift else {}
        self.reading = Reading(
            exponent=drift.exponent if drift and switches.drift else 0.0,
            noise_slope=noise.slope if noise and switches.read_noise else 0.0,
            noise_offset=noise.offset if noise and switches.read_noise else 0.0,
            **timing,
        )

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of the switches for which the file has a number other than zero; there is no pulse memory."""
        drift, noise = self._file.drift, self._file.read_noise
        return effects(
            state_dependence=self.depends_on_state, programming_noise=self.random or self._after_reset.std > 0,
            read_noise=noise is not None and any((noise.slope, noise.offset)),
            drift=(drift is not None and drift.exponent != 0) or self._file.leak is not None,
        )  # fmt: skip

    def load(self, devices: DeviceArray, conductance: F32, now_ps: int) -> None:
        """Set conductances [S], clipped to the bounds."""
        np.clip(conductance.reshape(-1), self.low, self.high, out=devices.conductance)
        devices.programmed_ps[...] = now_ps

    def set_pulses(
        self, devices: DeviceArray, index: I64, pulses: I64, total: int, now_ps: int, normals: Normals
    ) -> None:
        """Apply blind up pulses in place."""
        self._give(devices, index, pulses, total=total, now_ps=now_ps, normals=normals, up=True)

    def down_pulses(
        self, devices: DeviceArray, index: I64, pulses: I64, total: int, now_ps: int, normals: Normals
    ) -> None:
        """Apply blind down pulses in place."""
        self._give(devices, index, pulses, total=total, now_ps=now_ps, normals=normals, up=False)

    def _give(
        self, devices: DeviceArray, index: I64, pulses: I64, *, total: int, now_ps: int, normals: Normals, up: bool
    ) -> None:
        raise NotImplementedError

    def reset(self, devices: DeviceArray, index: I64, now_ps: int, normals: Normals) -> None:
        """Bring to the conductance after RESET in place; a device's own factor of the step stays."""
        after = self._after_reset
        spread = after.std if self.switches.programming_noise else 0.0
        draws = normals.standard_normal(index.size)
        devices.conductance[index] = np.clip(after.mean + spread * draws, self.low, self.high)
        devices.programmed_ps[index] = now_ps
        devices.reset_pulses[index] += 1


class Bounded(Stepped):
    """Base of the devices whose mean step is a formula of the distance to the bound ahead.

    Up: dG = step (left + (1 - left) ((high - G)/(high - low))^exponent); down the mirror image, from `high` on.
    """

    def __init__(
        self, file: BoundedFile, switches: Switches, *, up: tuple[float, float, float],
        down: tuple[float, float, float], epsilon: float,
    ) -> None:  # fmt: skip
        super().__init__(file, switches, file.bounds.low, file.bounds.high)
        self.epsilon = epsilon
        span = self.high - self.low
        self.depends_on_state = (up, down) != ((epsilon, 1.0, 1.0), (epsilon, 1.0, 1.0))
        self.random = any((file.spread.of_step, file.spread.of_range, file.spread.devices))
        if not switches.state_dependence:
            up = down = (epsilon, 1.0, 1.0)
        self._up: dict[str, Any] = {"far": self.high, "span": span, "step": up[0], "left": up[1], "exponent": up[2]}
        self._down = {"far": self.low, "span": -span, "step": -down[0], "left": down[1], "exponent": down[2]}
        spread = file.spread if switches.programming_noise else None
        self._of_step = spread.of_step if spread else 0.0
        self._absolute = spread.of_range * span if spread else 0.0
        self._devices = spread.devices if spread else 0.0
        self._lognormal = file.spread.lognormal

    def _give(
        self, devices: DeviceArray, index: I64, pulses: I64, *, total: int, now_ps: int, normals: Normals, up: bool
    ) -> None:
        if self._devices > 0:
            fresh = index[devices.memory[index] == 0]
            if self._lognormal:
                draws = self._devices * normals.standard_normal(fresh.size)
                devices.memory[fresh] = np.exp(draws - self._devices**2 / 2)
            else:
                total += fresh.size
        side, count = (self._up, devices.set_pulses) if up else (self._down, devices.down_pulses)
        _kernels.bounded_pulses(
            devices.conductance, devices.memory, devices.programmed_ps, count, index, pulses, now_ps,
            normals.standard_normal(total), side["step"], side["far"], side["span"], side["left"], side["exponent"],
            self._of_step, self._absolute, self._devices, self.low, self.high,
        )  # fmt: skip


def mean_step(step: float, left: float, exponent: float, distance: float) -> float:
    """Return step (left + (1 - left) distance^exponent): the mean change [S] at a relative distance to the bound."""
    return step * (left + (1.0 - left) * math.pow(distance, exponent))
