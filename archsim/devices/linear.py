"""A linear bounded device: the mean step is the same in every state, the bounds are hard."""

from __future__ import annotations

from typing import Literal

from archsim.base.provenance import Provenance
from archsim.devices.base import Switches
from archsim.devices.pcm import PositiveConductance
from archsim.devices.stepped import Bounded, BoundedFile


class LinearStep(Provenance):
    """Mean conductance change of one pulse in one direction, as a positive number."""

    step: PositiveConductance


class LinearFile(BoundedFile):
    """Schema of a linear device's file."""

    model: Literal["linear"]
    up: LinearStep
    down: LinearStep


class Linear(Bounded):
    """Device with a constant mean step up and another down, spread between pulses and between devices, hard bounds.

    Epsilon is the mean up step, the same in every state away from the upper bound.
    """

    FILE = LinearFile

    def __init__(self, file: LinearFile, switches: Switches) -> None:
        self.file = file
        super().__init__(
            file, switches, up=(file.up.step, 1.0, 1.0), down=(file.down.step, 1.0, 1.0), epsilon=file.up.step
        )
