"""What is asked of a study of rules: every wrong name and number in one line, before anything is done."""

from __future__ import annotations

from typing import Any

import pytest
from grid_kit import TINY

from archsim.base.errors import InputError
from archsim.studies.rules.asked import PRESETS, asked
from archsim.studies.rules.study import plan


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"archs": ["tiki-takka"]}, "--arch: got 'tiki-takka'; expected"),
        ({"devices": ["reram-arry"]}, "--device: got 'reram-arry'; expected a file, or one of"),
        ({"learnings": ["backprop"]}, "--learning: got 'backprop'; expected one of backpropagation"),
        ({"archs": []}, "--arch: an empty list; expected at least one"),
        ({"devices": ()}, "--device: an empty list"),
        ({"rates": []}, "--rates: an empty list"),
        ({"rates": "0.1,-0.3"}, "--rates: got '-0.3'; expected learning rates above 0"),
        ({"rates": "0.1,0"}, "--rates: got '0'; expected learning rates above 0"),
        ({"rates": [0.1, float("nan")]}, "--rates: got 'nan'"),
        ({"rates": "0.1,fast"}, "--rates: got 'fast'"),
        ({"rates": "0.1,0.10"}, "'0.10' is given twice"),
        ({"archs": ["agad", "agad"]}, "'agad' is given twice"),
        ({"seeds": 0}, "--seeds: got 0; expected a whole number from 1 on"),
        ({"budget": 0}, "--budget: got 0"),
        ({"preset": "quik"}, "--preset: got 'quik'; expected one of quick, full. Did you mean 'quick'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_what_would_be_right(options: dict[str, Any], error: str) -> None:
    with pytest.raises(InputError) as told:
        asked(TINY, **options)
    assert error in str(told.value)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"target": "190%"}, "--target: got '190%'; expected a per cent"),
        ({"target": "good"}, "--target: got 'good'"),
        ({"budget": 1, "rates": "0.1,0.2"}, "--budget: got 1; expected 2 steps or more"),
        ({"archs": ["agad"], "devices": ["pcm-nandakumar2018"]}, "none of 2 combinations is possible, the first: weight.d"),
        ({"settings": ["tile.adc.bit=4"]}, "tile.adc.bit: unknown key"),
        ({"settings": ["nothing.at.all=4"]}, "unknown key"),
    ],
)  # fmt: skip
def test_what_does_not_suit_the_workload_is_told_before_anything_is_trained(
    options: dict[str, Any], error: str
) -> None:
    with pytest.raises(InputError) as told:
        plan(asked(TINY, **{"archs": ["digital32", "in-array"], **options}))
    assert error in str(told.value)


@pytest.mark.parametrize(
    ("workload", "error"),
    [("resnet50", "nothing to train it on"), ("gan-mnist", "a generator against a")],
)
def test_a_workload_without_training_or_without_a_running_metric_is_refused(workload: str, error: str) -> None:
    with pytest.raises(InputError) as told:
        plan(asked(workload, archs=["digital32-deep"], learnings=["backpropagation"]))
    assert error in str(told.value)


def test_the_seed_of_the_search_is_none_of_the_trainings() -> None:
    for first in (0, 1, 5):
        study = asked(TINY, first_seed=first, seeds=3)
        assert study.search_seed not in study.numbers


@pytest.mark.parametrize(("whole", "batch", "steps"), [(3000, 1, 2000), (600, 16, 125), (300, 64, 60), (40, 1, 27)])
def test_the_quick_preset_cuts_steps_and_batches_more(whole: int, batch: int, steps: int) -> None:
    assert PRESETS["quick"].steps(whole, batch) == steps
    assert PRESETS["full"].steps(whole, batch) == whole


def test_rates_lie_on_a_grid_of_threes_around_that_of_the_workload() -> None:
    assert plan(asked(TINY, archs=["digital32"])).rates == (0.0222, 0.0667, 0.2, 0.6)
    assert len(PRESETS["full"].factors) == 7
    assert plan(asked(TINY, archs=["digital32"], rates="0.01..1:log:3")).rates == (0.01, 0.1, 1.0)
