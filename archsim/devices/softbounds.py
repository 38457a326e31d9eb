"""A soft-bounds device: the step shrinks on the way to the bound ahead, as in ReRAM and ECRAM."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from archsim.base.provenance import Provenance
from archsim.devices.base import Switches
from archsim.devices.pcm import PositiveConductance
from archsim.devices.stepped import Bounded, BoundedFile, mean_step

Positive = Annotated[FiniteFloat, Field(gt=0)]
Fraction = Annotated[FiniteFloat, Field(ge=0, le=1)]


class SoftStep(Provenance):
    """Mean change of one pulse in one direction, given in one of two ways.

    By `step`, the mean change at the bound behind (`low` upwards, `high` downwards); `left`, the fraction of it that is
    left at the bound ahead (0 by default: the step dies out there); `exponent` of the distance between (1 by default).
    Or by NeuroSim's `levels`, pulses from bound to bound, and `curvature`, its A over the levels:
    G(P) = low + B (1 - exp(-P/A)), B = (high - low)/(1 - exp(-levels/A)).
    """

    step: PositiveConductance | None = None
    left: Fraction | None = None
    exponent: Positive | None = None
    levels: Positive | None = None
    curvature: Positive | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_step = self.step is not None and self.levels is None and self.curvature is None
        by_levels = self.levels is not None and self.curvature is not None
        if not by_step and not (by_levels and self.step is self.left is self.exponent is None):
            raise ValueError("gives no step; expected `step` (with `left`, `exponent`), or `levels` and `curvature`")
        return self

    def parameters(self, span: float) -> tuple[float, float, float]:
        """Return step [S], fraction left at the bound ahead, exponent; `span` [S] is the distance of the bounds.

        NeuroSim's curve has the step (B + low - G)(1 - exp(-1/A)): linear in G, exp(-levels/A) of it left at the end.
        """
        if self.levels is None or self.curvature is None:
            assert self.step is not None  # noqa: S101  the validator saw to it
            return self.step, self.left or 0.0, self.exponent or 1.0
        left = math.exp(-1.0 / self.curvature)
        return span / (1.0 - left) * -math.expm1(-1.0 / (self.curvature * self.levels)), left, 1.0


class SoftBoundsFile(BoundedFile):
    """Schema of a soft-bounds device's file."""

    model: Literal["soft-bounds"]
    up: SoftStep
    down: SoftStep


class SoftBounds(Bounded):
    """Device whose mean step falls with the distance to the bound ahead.

    Up: dG = step (left + (1 - left) ((high - G)/(high - low))^exponent), down alike with (G - low). Epsilon is the mean
    up step at the conductance that both devices of a pair share before the first step.

    Source
    ------
    ibm2021aihwkit (soft bounds and linear steps), chen2018neurosim (the exponential curve); see the device files.
    """

    FILE = SoftBoundsFile

    def __init__(self, file: SoftBoundsFile, switches: Switches) -> None:
        self.file = file
        span = file.bounds.high - file.bounds.low
        up, down = file.up.parameters(span), file.down.parameters(span)
        epsilon = mean_step(*up, (file.bounds.high - file.start.common) / span)
        super().__init__(file, switches, up=up, down=down, epsilon=epsilon)
