"""A whole training without a run's activity: its pulses follow the workload's schedule of the learning rate."""

from __future__ import annotations

import pytest

from archsim.runs.training import Training
from archsim.studies.estimate.estimate import estimate
from archsim.studies.estimate.scheduled import STRETCHES, shares

COSINE = "training.schedule={kind: cosine, final: 0.2}"


def whole(chip: str, *settings: str, samples: float = 6400) -> tuple[float, float]:
    """Return the pulses of a training of LeNet, and as many as all of its steps had at the whole rate."""
    found = estimate("lenet-mnist", archs=[chip], batch=16, samples=samples, settings=settings)["architectures"][chip]
    return found["whole"]["set_pulses"], samples / 16 * found["pulses_per_step"]


@pytest.mark.parametrize("chip", ["mixed-precision-deep", "in-array"])
def test_pulses_of_a_training_with_a_cosine_are_those_at_its_mean_rate(chip: str) -> None:
    """What is asked for is in proportion to the rate; the mean of 0.2 + 0.8 (1 + cos) / 2 is 0.6."""
    found, all_through = whole(chip, COSINE, "training.decay=1")
    assert found / all_through == pytest.approx(0.6, rel=0.01)


def test_pulses_of_a_training_whose_rate_falls_by_epoch_are_the_sum_over_epochs() -> None:
    found, all_through = whole("mixed-precision-deep", "training.samples_per_epoch=1600", "training.decay=0.7")
    assert found / all_through == pytest.approx((1 + 0.7 + 0.7**2 + 0.7**3) / 4, rel=0.01)


def test_trains_do_not_follow_the_rate_below_their_shortest() -> None:
    """A managed train has one slot at least, so that a rate that falls saves less than it falls."""
    found, all_through = whole("in-array-sgd", COSINE, "training.decay=1")
    assert 0.55 < found / all_through < 1


def test_a_digital_chip_and_a_constant_rate_have_one_part() -> None:
    told = Training(batch=16, learning_rate=0.1, epochs=4)
    assert shares(told, 1000, 16) == [(1000, 1.0)]
    found = estimate("lenet-mnist", archs=["digital32-deep"], samples=1600, settings=[COSINE])
    chip = found["architectures"]["digital32-deep"]
    assert chip["whole"]["energy_J"]["total"] == pytest.approx(100 * chip["training"]["energy_per_step_J"]["total"])


def test_stretches_are_whole_steps_and_their_mean_rate_is_that_of_the_training() -> None:
    told = Training.model_validate(
        {"batch": 1, "learning_rate": 0.5, "epochs": 1, "schedule": {"kind": "cosine", "warmup": 10, "final": 0.0}}
    )
    found = shares(told, 1001, 1)
    assert (len(found), sum(steps for steps, _ in found)) == (STRETCHES, 1001)
    exact = sum(told.rate(step, 1001, 1001) for step in range(1001)) / 0.5
    assert sum(steps * share for steps, share in found) == pytest.approx(exact, rel=1e-3)
    assert shares(told, 3, 1)[0][0] == 1
