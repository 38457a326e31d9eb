"""Which designs of the estimates are trained: stage 2 with made-up estimates and trainings."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from archsim.base.metrics import ACCURACY
from archsim.records.sweeps.sweep import QUANTITIES, metric_quantity
from archsim.studies.search import stages
from archsim.studies.search.asking import Verdict
from archsim.studies.search.goals import Goals

ENERGY, AREA = QUANTITIES["energy_per_sample_J"], QUANTITIES["area_m2"]


def trainings(
    monkeypatch: pytest.MonkeyPatch, estimated: dict[str, tuple[float, ...]], *, trained: str = "", most: int = 4,
    metric: bool = False,
) -> Any:  # fmt: skip
    """Return stage 2 with estimates by name, of which one was trained and fulfils all constraints."""
    points = [SimpleNamespace(values={"name": name}) for name in estimated]
    mine = SimpleNamespace(plan=SimpleNamespace(points=[each for each in points if each.values["name"] == trained]))
    estimates = SimpleNamespace(
        designs=SimpleNamespace(plan=SimpleNamespace(points=points)),
        known=lambda values: Verdict(tuple(map(math.log, estimated[values["name"]])), {}),
    )
    done = {"name": trained}
    monkeypatch.setattr(stages, "judged", lambda _, __, values: Verdict((0.0,), {}) if values == done else None)
    objectives = (ENERGY, AREA, *([metric_quantity(ACCURACY)] if metric else []))
    goals = Goals(objectives, (), ACCURACY)
    return stages.Trainings(mine, goals, estimates, most, None, lambda *_: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("energy", "area", "beaten"),
    [(1.09, 1.0, False), (1.11, 1.0, True), (1.11, 1.11, True), (2.0, 0.99, False), (1.0, 1.0, False)],
)
def test_a_design_is_not_trained_that_a_trained_one_beats_by_a_tenth_and_in_nothing_falls_behind(
    monkeypatch: pytest.MonkeyPatch, energy: float, area: float, beaten: bool
) -> None:
    stage = trainings(monkeypatch, {"good": (1.0, 1.0), "other": (energy, area)}, trained="good")
    assert (stage.known({"name": "other"}) == Verdict(None, {})) is beaten
    stage = trainings(monkeypatch, {"good": (1.0, 1.0), "other": (energy, area)}, trained="good", metric=True)
    assert stage.known({"name": "other"}) is None  # it may be better in what no estimate knows


def test_half_of_the_trainings_are_spaced_evenly_from_the_front_outwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine designs one behind the other: of six trainings the first three are the best, the middle and the worst."""
    line = {f"{k}": (1.0 + k, 1.0 + k) for k in range(9)}
    assert [each["name"] for each in trainings(monkeypatch, line, most=6).first()] == ["0", "4", "8"]
    assert [each["name"] for each in trainings(monkeypatch, line, most=18).first()] == list(line)
