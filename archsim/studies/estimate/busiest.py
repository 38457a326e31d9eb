"""How much busier the busiest tile of a matrix is than the mean, where a run's time says it and its counts do not."""

from __future__ import annotations

from dataclasses import replace

from archsim.analog.in_place import InPlace
from archsim.base.expected import Shares
from archsim.chips.activity import Activity, Writes
from archsim.chips.architecture import Architecture
from archsim.studies.estimate.books import estimate_chip, tiles
from archsim.studies.estimate.spec import EstimateSpec

CLOSE = 1e-3
"""Update times closer than this part count as equal."""
ROUNDS = 20
"""Halvings at most."""


def busiest(spec: EstimateSpec, architecture: Architecture, activity: Activity, update_s: float) -> float:
    """Return the one number for all layers with which the update of an estimate takes the time that it took in a run.

    Tiles work side by side and wait for the busiest, and books add up what all of them did. Where batches flow an
    update has no time of its own, and the tiles are taken as equally busy.

    Parameters
    ----------
    spec : EstimateSpec
        Of the run's own network and batch.
    activity : Activity
        Of the run.
    update_s : float [s]
        Of a training step of the run, in the mean.

    Returns
    -------
    float : from 1, for tiles that are equally busy, to the number of tiles of the matrix that has most.
    """
    most = max(tiles(spec, architecture).values(), default=1)
    if architecture.flow is not None or most == 1:
        return 1.0

    def time_s(times: float) -> float:
        return estimate_chip(spec, architecture, busy(activity, times)).training.time_ps["update"] * 1e-12

    low, high = 1.0, float(most)
    if update_s <= time_s(low) * (1 + CLOSE):
        return low
    for _ in range(ROUNDS):
        middle = (low + high) / 2
        found = time_s(middle)
        if abs(found - update_s) <= CLOSE * update_s:
            return middle
        low, high = (middle, high) if found < update_s else (low, middle)
    return high


def busy(activity: Activity, busiest: float) -> Activity:
    """Return an activity in which the busiest tile of each matrix does so many times what they do in the mean."""

    def of(shares: Shares, phase: str) -> Shares:
        return replace(shares, busiest=busiest) if phase == "update" else shares

    def written(each: Writes) -> Writes:
        return replace(each, busiest=busiest) if isinstance(each, InPlace) else each

    return replace(
        activity,
        by_layer={tag: of(shares, tag.phase) for tag, shares in activity.by_layer.items()},
        by_phase={phase: of(shares, phase) for phase, shares in activity.by_phase.items()},
        writing={layer: written(each) for layer, each in activity.writing.items()},
        written=written(activity.written),
    )
