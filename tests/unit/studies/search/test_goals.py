"""What a search is after, and how far a design is from it."""

from __future__ import annotations

import math

import pytest

from archsim.base.errors import InputError
from archsim.base.metrics import ACCURACY, METRICS, Metric
from archsim.studies.search.goals import Goals, asks_metric, goals
from archsim.studies.sweeps.measures import NUMBER

ROW = {"test": 0.95, "energy_per_sample_J": 2e-9, "area_m2": 3e-6, "tile.rows": "128"}


def wanted(
    *, minimise: tuple[str, ...] = (), maximise: tuple[str, ...] = (), limits: tuple[str, ...] = (),
    metric: Metric | None = ACCURACY,
) -> Goals:  # fmt: skip
    return goals(minimise, maximise, limits, keys={"tile.rows": NUMBER}, metric=metric)


def test_objectives_are_named_shortly_and_low_is_better_of_their_losses() -> None:
    found = wanted(minimise=("energy", "area"), maximise=("accuracy",))
    assert [each.name for each in found.objectives] == ["energy_per_sample_J", "area_m2", "test"]
    assert found.losses(ROW) == (math.log(2e-9), math.log(3e-6), -0.95)
    assert found.losses({**ROW, "area_m2": math.nan}) is None
    assert found.losses({"test": 0.9}) is None


def test_a_constraint_says_by_what_share_it_is_missed() -> None:
    found = wanted(minimise=("energy",), limits=("accuracy >= 97 %", "area <= 2 mm2", "tile.rows <= 128"))
    excesses = found.excesses(ROW)
    assert excesses["accuracy >= 97 %"] == pytest.approx(0.02 / 0.97)
    assert excesses["area <= 2 mm2"] == pytest.approx(1 / 3)
    assert excesses["tile.rows <= 128"] == 0
    assert not found.fulfilled(ROW)
    assert found.fulfilled({**ROW, "test": 0.97, "area_m2": 2e-6})
    assert found.excesses({"tile.rows": "128"})["area <= 2 mm2"] == 1
    assert [each.own for each in found.limits] == [False, False, True]
    assert [each.judged for each in found.limits] == [True, False, False]


def test_an_estimate_knows_all_but_the_metric() -> None:
    found = wanted(minimise=("area",), maximise=("accuracy",), limits=("accuracy >= 97 %", "energy <= 3 nJ"))
    assert found.judged
    known = found.estimable()
    assert [each.name for each in known.objectives] == ["area_m2"]
    assert [each.condition.text for each in known.limits] == ["energy <= 3 nJ"]
    assert not known.judged
    [energy] = wanted(maximise=("accuracy",)).estimable().objectives
    assert energy.name == "energy_per_sample_J"


def test_the_baseline_is_counted_only_for_its_ratio() -> None:
    assert wanted(maximise=("energy_ratio",)).asks_ratio
    assert wanted(minimise=("time",), limits=("energy_ratio >= 10",)).asks_ratio
    assert not wanted(minimise=("time",)).asks_ratio


def test_whether_a_training_is_needed_is_seen_by_the_names() -> None:
    assert not asks_metric(["energy", "time"], ["area <= 2 mm2", "training.test_samples >= 3"])
    assert asks_metric(["energy", "accuracy"], [])
    assert asks_metric(["energy"], ["accuracy >= 97 %"])
    assert asks_metric(["energy"], ["bits per character <= 2.5"])
    assert asks_metric(["enrgy"], [])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, "no objective"), ({"minimise": ("enrgy",)}, "--minimise: got 'enrgy'.*Did you mean 'energy'"),
        ({"maximise": ("acuracy",)}, "Did you mean 'accuracy'"),
        ({"minimise": ("accuracy",)}, "better high; expected --maximise accuracy"),
        ({"minimise": ("energy", "energy_per_sample_J")}, "given twice"),
        ({"minimise": ("energy",), "limits": ("accuracy over 97",)}, "--subject-to: "),
        ({"minimise": ("energy",), "limits": ("acuracy >= 97 %",)}, "Did you mean 'accuracy'"),
        ({"minimise": ("energy",), "limits": ("accuracy >= 97",)}, '97, a number without a unit.*"97 %"'),
        ({"minimise": ("energy",), "limits": ("accuracy > 100 %",)}, "no value fulfils it"),
        ({"minimise": ("energy",), "maximise": ("accuracy",), "metric": None}, "an estimate knows of no more"),
    ],
)  # fmt: skip
def test_what_cannot_be_wanted_is_named(options: dict[str, tuple[str, ...]], error: str) -> None:
    with pytest.raises(InputError, match=error):
        wanted(**options)  # type: ignore[arg-type]


def test_a_metric_that_is_better_low_is_minimised() -> None:
    bits = METRICS["bits per character"]
    found = wanted(minimise=("bits per character",), limits=("bits per character <= 2.5",), metric=bits)
    assert found.losses({"test": 2.25}) == (2.25,)
    assert found.fulfilled({"test": 2.25})
