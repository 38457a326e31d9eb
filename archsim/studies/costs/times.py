"""Where the time of a training step goes: a step done again, looking on, its critical path by kind of layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from archsim.networks.file import file_of
from archsim.records.timeline import Bar, Step
from archsim.records.trace import trace
from archsim.studies.costs.asked import kind_of
from archsim.studies.costs.spent import NetworkCost

SKIP = 10
"""Steps before the one that is looked at, if the run has so many: the very first finds all errors as they begin."""


@dataclass(frozen=True, slots=True)
class StepTime:
    """The time of one training step on one chip.

    Parameters
    ----------
    step : int
        From 1 on.
    seconds : float
        All of it.
    by_kind, by_unit : kind of layer, kind of unit -> its part of the critical path, the longest first
    """

    step: int
    seconds: float
    by_kind: Mapping[str, float]
    by_unit: Mapping[str, float]


def times(network: NetworkCost, *, data: Path | None = None) -> dict[str, StepTime]:
    """Return chip -> the time of one of its steps, done again from the start of the training on.

    Raises
    ------
    InputError
        If the run cannot be reopened: its data are not found, or no longer what they were.
    """
    told = file_of(network.run.run["workload"]["network"])
    skip = min(SKIP, *(chip.steps - 1 for chip in network.chips.values()))
    line = trace(network.run.path, steps=1, skip=skip, data=data)
    return {
        chip.architecture: StepTime(
            step=step.number, seconds=step.length_ps * 1e-12,
            by_kind=_shares(step, lambda bar: kind_of(told, bar.layer)),
            by_unit=_shares(step, lambda bar: bar.lane.partition(" ")[0].rstrip(":").replace("_", " ")),
        )
        for chip in line.chips
        for step in chip.steps
    }  # fmt: skip


def _shares(step: Step, name: Callable[[Bar], str]) -> dict[str, float]:
    """Return what each name's slices make of the critical path, which is as long as the step."""
    found: dict[str, int] = defaultdict(int)
    for bar in step.path:
        found[name(bar)] += bar.length_ps
    return {key: length / step.length_ps for key, length in sorted(found.items(), key=lambda one: -one[1])}
