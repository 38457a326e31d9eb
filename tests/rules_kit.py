"""Made results of a study of rules, for tests of what is said of them: numbers in place of trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from archsim.base.metrics import ACCURACY, IMAGE
from archsim.studies.rules.combine import NO_DEVICE, Combination
from archsim.studies.rules.rates import Found
from archsim.studies.rules.results import DONE, FAILED, NOT_POSSIBLE, Reach, Result, Results

RATES = (0.1, 0.3, 0.9)
BACK, DIRECT = "backpropagation", "direct-feedback-alignment"


@dataclass
class Told:
    """What a training of one seed came to, as it is told."""

    test: float
    energy_J: float = 1e-7  # noqa: N815  as the study names it
    time_s: float = 1e-5
    pulses: float | None = 0.01
    most: float | None = 1.0
    worn: float | None = None
    state_bytes: float = 0.0
    samples: int = 1000
    reach: Reach | None = None
    priced: Any = field(default_factory=lambda: SimpleNamespace(area_m2=np.array([1e-6]), by_part_J={}))

    @property
    def wear(self) -> Mapping[str, Any] | None:
        """Where the device that got the most is."""
        return None if self.pulses is None else {"place": "fc1/0,0", "most": 3, "basis": "assumed"}


def reach(energy: float) -> Reach:
    """Return what the target took."""
    return Reach(1000.0, energy, energy * 100, {"ADC": 0.75 * energy, "programming": 0.25 * energy})


def made(rule: str, device: str = "pcm", learning: str = BACK) -> Combination:
    """Return a combination that can be trained, by name alone."""
    spec: Any = SimpleNamespace(technologies=(), architectures=(SimpleNamespace(),))
    return Combination(rule, device, learning, "bottom-up-14nm", spec, key=f"{rule}{device}{learning}")


def result(
    rule: str, tests: Sequence[float], energies: Sequence[float | None] = (), *, device: str = "pcm",
    learning: str = BACK, rate: float = 0.3, **of_all: Any,
) -> Result:  # fmt: skip
    """Return what a combination came to, a test and an energy to the target a seed."""
    pulses: dict[str, Any] = {"pulses": None, "most": None} if device == NO_DEVICE else {}
    seeds = [
        Told(test, **{**pulses, **of_all}, reach=None if energy is None else reach(energy))
        for test, energy in zip(tests, energies or [None] * len(tests), strict=True)
    ]
    found = Found(rate, dict.fromkeys(RATES, 0.5))
    return Result(made(rule, device, learning), DONE, "", found, cast("Any", tuple(seeds)))


def refused(rule: str, device: str, reason: str = "no gradual pulses", learning: str = BACK) -> Result:
    """Return a combination that is not possible."""
    return Result(Combination(rule, device, learning, "bottom-up-14nm", None, reason), NOT_POSSIBLE, reason)


def failed(rule: str, reason: str = "diverged") -> Result:
    """Return a combination that failed."""
    return Result(made(rule), FAILED, reason, Found(None, dict.fromkeys(RATES)))


def results(*all_of_it: Result, target: float | None = 0.9, seeds: int = 3, asked: float | None = None) -> Results:
    """Return a study of these."""
    study = SimpleNamespace(seeds=seeds, numbers=tuple(range(1, seeds + 1)), search_seed=0)
    plan: Any = SimpleNamespace(
        metric=ACCURACY, chance=0.1, sample=IMAGE, study=study, workload="mlp-mnist", origin="MNIST", steps=1000,
        batch=1, rates=RATES, trial_steps=300, judged_samples=150, target=asked,
        combinations=tuple(each.combination for each in all_of_it),
        possible=[each.combination for each in all_of_it if each.combination.possible],
    )  # fmt: skip
    return Results(plan, tuple(all_of_it), target)
