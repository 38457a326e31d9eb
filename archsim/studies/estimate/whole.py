"""A whole training from the cost of its steps: joules, seconds, pulses and wear of a stated number of samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archsim.accounting.intervals import TOTAL
from archsim.base import registry
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.chips.activity import Activity
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture
from archsim.studies.endurance import limit_of
from archsim.studies.estimate.books import estimate_chip
from archsim.studies.estimate.content import PULSES, priced
from archsim.studies.estimate.course import Course
from archsim.studies.estimate.spec import EstimateSpec


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a training: so many samples of one activity."""

    samples: float
    activity: Activity


def checked(samples: float) -> float:
    """Return a number of samples.

    Raises
    ------
    InputError
        If it is none.
    """
    if not (math.isfinite(samples) and samples >= 1):
        raise InputError(key="--samples", value=samples, expected="a number of samples from 1 on, such as 60e6")
    return samples


def parts(samples: float, course: Course) -> list[Part]:
    """Return a training as parts: as a run's training went, and on as it ended."""
    found, left = [], samples
    stretches = course.stretches()
    for stretch in stretches:
        mine = min(stretch.steps * course.spec.batch, left)
        if mine > 0:
            found.append(Part(mine, course.activity((stretch.begin, stretch.end))))
            left -= mine
    if left > 0:
        found.append(Part(left, found[-1].activity))
    return found


def pulsed_devices(architecture: CrossbarArchitecture) -> int:
    """Return the devices of a weight that are pulsed: of its pairs; or its own, and that of a fast array if any."""
    if registry.load("chip", architecture.chip).WRITES_IN_PLACE and getattr(architecture, "pairs", None) is None:
        several = any(getattr(architecture, key, None) is not None for key in ("transfer", "sides"))
        return 2 if several else 1
    return 2 * int(getattr(architecture.weight, "copies", 1))


def whole(spec: EstimateSpec, architecture: Architecture, several: Sequence[Part]) -> dict[str, Any]:
    """Return what a training, part by part, takes on a chip; wear where its weights lie in devices."""
    energy = dict.fromkeys((*STEP_PHASES, TOTAL), 0.0)
    seconds, pulses, resets = 0.0, 0.0, 0.0
    below = getattr(architecture, "pairs", None) is not None  # of a hybrid cell its pairs wear
    wearing = {("programmer", "set.pulse")} if below else PULSES
    for part in several:
        [one] = priced(spec, [estimate_chip(spec, architecture, part.activity)])
        steps = part.samples / spec.batch
        for phase in STEP_PHASES:
            joules = steps * one.training.total(phase=phase)
            energy[phase] += joules
            energy[TOTAL] += joules
        seconds += steps * math.fsum(one.chip.training.time_ps.values()) * 1e-12
        for row in one.chip.training.rows:
            if (row.component, row.action) in wearing:
                pulses += steps * row.amount
            resets += steps * row.amount * ((row.component, row.action) == ("programmer", "reset.pulse"))
    found: dict[str, Any] = {
        "samples": math.fsum(part.samples for part in several),
        "energy_J": energy,
        "time_s": seconds,
    }
    if isinstance(architecture, CrossbarArchitecture):
        devices, limit = pulsed_devices(architecture) * spec.network.weights, limit_of("set_pulses", architecture)
        found |= {
            "set_pulses": pulses, "reset_pulses": resets, "devices": devices, "set_pulses_per_device": pulses / devices,
            "endurance": None if limit is None else limit.pulses,
            "endurance_origin": None if limit is None else f"{limit.basis}: {limit.origin}",
        }  # fmt: skip
    return found
