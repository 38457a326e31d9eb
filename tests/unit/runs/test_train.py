"""Training: order of the data, learning rate, evaluation, progress."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.errors import InputError
from archsim.base.progress import Report
from archsim.base.streams import Streams
from archsim.data.sampler import Sampler
from archsim.learning.optimisers.rules import Adam, Momentum
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import CHUNK, Trainer, evaluation_steps, total_steps

exact = settings(max_examples=60, deadline=None, derandomize=True)


def small(arch: str = "digital32", **options: Any) -> RunSpec:
    return resolve("mlp-mnist", **{"steps": 20, "techs": ("bottom-up-14nm",), "archs": (arch,), **options})


def trainer(spec: RunSpec, **options: Any) -> Trainer:
    return Trainer(spec, spec.architectures[0], **options)


def sampler(samples: int, batch: int, seed: int = 0) -> Sampler:
    """Return a sampler of inputs that are their own number."""
    x = np.arange(samples, dtype=np.float32)[:, None]
    data = SimpleNamespace(train_x=x, train_y=np.arange(samples) % 3, classes=3, augment=())
    return Sampler(data, batch, Streams(seed))  # type: ignore[arg-type]


@exact
@given(samples=st.integers(1, 60), batch=st.integers(1, 70))
def test_an_epoch_takes_every_sample_once_in_a_fresh_order(samples: int, batch: int) -> None:
    source = sampler(samples, batch)
    orders = []
    for _ in range(2):
        order: list[int] = []
        for _ in range(-(-samples // batch)):
            x, target, label = source.batch()
            assert x.shape[0] == target.shape[0] <= batch
            assert (target.argmax(axis=1) == label).all()
            assert (x[:, 0] % 3 == label).all()
            order += x[:, 0].astype(int).tolist()
        assert sorted(order) == list(range(samples))
        orders.append(order)
    if samples > 20:
        assert orders[0] != orders[1]


def test_the_order_of_the_data_depends_on_the_seed_alone() -> None:
    def order(seed: int) -> list[float]:
        source = sampler(50, 1, seed)
        return [float(source.batch()[0][0, 0]) for _ in range(50)]

    assert order(1) == order(1) != order(2)


def test_both_chips_see_the_same_samples_and_start_from_the_same_weights() -> None:
    first, second = trainer(small("digital32")), trainer(small("mixed-precision"))
    for _ in range(20):
        assert (first.task.sampler.batch()[0] == second.task.sampler.batch()[0]).all()


@exact
@given(steps=st.integers(1, 200_000), per_epoch=st.integers(1, 60_000), evaluations=st.integers(1, 30))
def test_evaluations_are_in_order_and_end_with_the_last_step(steps: int, per_epoch: int, evaluations: int) -> None:
    marks = evaluation_steps(steps, per_epoch, evaluations)
    assert marks[-1] == steps
    assert marks[0] > 0
    assert all(a < b for a, b in pairwise(marks))
    every = max(per_epoch // evaluations, 1)
    assert set(range(every, steps + 1, every)) <= set(marks)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("training.steps=20000000000", "training.steps: 20,000,000,000 steps; expected at most 10,000,000,000"),
        ("training.epochs=3000", "training.epochs: 15,000,000,000 steps; expected at most 10,000,000,000"),
        (
            "training.evaluations_per_epoch=5000000",
            "training.evaluations_per_epoch: 25,000,000 tests in 25,000,000 steps",
        ),
    ],
)
def test_more_steps_or_tests_than_could_be_done_are_refused(setting: str, said: str) -> None:
    spec = small(steps=None, settings=("training.samples_per_epoch=5000000", setting))
    with pytest.raises(InputError, match=said):
        total_steps(spec)


def test_steps_come_from_epochs_unless_they_are_given() -> None:
    spec = small(
        steps=None,
        settings=(
            "training.samples_per_epoch=1000",
            "training.batch=7",
            "training.epochs=3",
            "digital_unit.buffer_words=10892",
        ),
    )
    assert total_steps(spec) == (3 * 143, 143)
    assert total_steps(small(steps=5, settings=("training.samples_per_epoch=1000",))) == (5, 1000)


def test_the_learning_rate_decays_once_an_epoch() -> None:
    options = ("training.samples_per_epoch=10", "training.decay=0.5", "training.learning_rate=0.4")
    one = trainer(small(steps=35, settings=options))
    rates = []
    original = one.chip.accumulate

    def accumulate(layer: str, x: Any, d: Any, rate: float, tag: Any) -> Any:
        rates.append(rate)
        return original(layer, x, d, rate, tag)

    one.chip.accumulate = accumulate  # type: ignore[method-assign]
    one.train(25)
    one.train(10)
    assert rates[::2] == pytest.approx([0.4] * 10 + [0.2] * 10 + [0.1] * 10 + [0.05] * 5)
    assert rates[::2] == rates[1::2]


SCHEDULED = [
    ("constant", [8.0] * 40),
    ("{kind: step, factor: 0.5}", [8.0] * 10 + [4.0] * 10 + [2.0] * 10 + [1.0] * 10),
    ("{kind: step, every: 2, factor: 0.25}", [8.0] * 20 + [2.0] * 20),
    (
        "{kind: cosine, warmup: 3, final: 0.1}",
        [2.0, 4.0, 6.0] + [0.8 + 7.2 * 0.5 * (1 + math.cos(math.pi * k / 37)) for k in range(37)],
    ),
    ("cosine", [8.0 * math.cos(math.pi * k / 80) ** 2 for k in range(40)]),
]


@pytest.mark.parametrize(("schedule", "due"), SCHEDULED, ids=[told for told, _ in SCHEDULED])
def test_each_step_has_the_learning_rate_of_the_schedule(schedule: str, due: list[float]) -> None:
    told = (f"training.schedule={schedule}", "training.decay=1", "training.learning_rate=8")
    training = small(steps=40, settings=told).training
    assert [training.rate(step, 10, 40) for step in range(40)] == pytest.approx(due, rel=1e-12)


def test_a_schedule_multiplies_what_decay_leaves_and_reaches_the_chip_and_the_course() -> None:
    told = (
        "training.samples_per_epoch=10", "training.decay=0.5", "training.learning_rate=0.4",
        "training.schedule={kind: step, every: 2, factor: 0.1}",
    )  # fmt: skip
    one = trainer(small(steps=25, settings=told))
    done = one.run()
    assert [point.learning_rate for point in done.points] == pytest.approx(
        [0.4 * 0.5 ** (p.step // 10) * 0.1 ** (p.step // 20) for p in done.points]
    )
    assert one.rate() == pytest.approx(0.4 * 0.25 * 0.1)


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ("schedule=cosin", r"schedule.kind: got 'cosin'; expected one of constant, cosine, step. Did you mean"),
        ("schedule={kind: step, factor: 2}", "schedule.factor: got 2; expected less than or equal to 1"),
        ("schedule={kind: cosine, warmup: 20}", "schedule.warmup: got 20; expected fewer than the 20 steps"),
        ("optimiser={kind: adam, beta_1: 0.9}", "optimiser.beta_1: unknown key; expected one of beta1, beta2"),
        ("optimiser={kind: adam, epsilon: 0}", "optimiser.epsilon: got 0; expected greater than 0"),
    ],
)
def test_a_wrong_schedule_or_optimiser_is_refused_with_what_would_be_right(told: str, error: str) -> None:
    with pytest.raises(InputError, match=error):
        trainer(small(settings=(f"training.{told}",)))


def test_a_preset_brings_an_optimiser_and_a_schedule_but_settings_win(tmp_path: Path) -> None:
    presets = "presets:\n  led: {optimiser: momentum, schedule: {kind: cosine, warmup: 2}}\n"
    text = Path("workloads/mlp-mnist.yaml").read_text().replace("presets:\n", presets)
    file = tmp_path / "mlp-mnist.yaml"
    file.write_text(text)
    led = resolve(str(file), preset="led", archs=("digital32",), steps=9).training
    assert led.optimiser.build() == Momentum(0.9)
    assert led.schedule.model_dump() == {"kind": "cosine", "warmup": 2, "final": 0.0}
    own = ("training.optimiser.kind=adam",)
    assert isinstance(
        resolve(str(file), preset="led", archs=("digital32",), settings=own).training.optimiser.build(), Adam
    )


def test_progress_is_reported_every_chunk_and_at_every_evaluation() -> None:
    seen: list[Report] = []
    steps = 2 * CHUNK + 10
    trained = trainer(small(steps=steps), progress=seen.append).run()
    marks = {100, 300, *range(CHUNK, steps, CHUNK), steps}
    assert {report.done for report in seen} >= {100, 300, steps}
    assert max(b - a for a, b in pairwise([0, *(report.done for report in seen)])) <= CHUNK
    assert len(seen) <= len(marks) + 1
    assert all(report.due == steps and report.what == "digital32" for report in seen)
    assert seen[-1].test == trained.test
    assert trained.finished
    assert trained.steps == steps


def test_there_is_no_running_accuracy_before_the_first_step() -> None:
    one = trainer(small())
    assert math.isnan(one.running)
    one.train(3)
    assert 0 <= one.running <= 1


@pytest.mark.parametrize("arch", ["mixed-precision", "digital32"])
def test_each_evaluation_is_booked_once(arch: str) -> None:
    one = trainer(small(arch))
    booked = []
    for _ in range(4):
        one.evaluate()
        rows = {(r.layer, r.component, r.action): r.amount for r in one.chip.ledger.rows() if r.phase == "evaluation"}
        booked.append((one.chip.ledger.time_ps["evaluation"], rows))
    first_time, first = booked[0]
    for times, (time_ps, rows) in enumerate(booked, start=1):
        assert time_ps == times * first_time
        for key, amount in rows.items():
            assert amount == pytest.approx(times * first[key], rel=1e-3 if "conduct" in key[2] else 1e-9), key


@pytest.mark.parametrize("arch", ["mixed-precision", "digital32"])
def test_the_last_point_of_the_course_has_all_that_was_booked(arch: str) -> None:
    trained = trainer(small(arch)).run()
    assert trained.points[-1].rows == trained.rows
    assert [point.step for point in trained.points] == [0, 20]
    assert not [row for row in trained.points[0].rows if row.phase == "forward"]


@pytest.mark.parametrize("arch", ["mixed-precision", "digital32"])
def test_a_training_cut_in_pieces_is_the_training_in_one(arch: str) -> None:
    whole, pieces = trainer(small(arch)), trainer(small(arch))
    whole.train(60)
    for steps in (1, 9, 50):
        pieces.train(steps)
    assert whole.chip.ledger.rows() == pieces.chip.ledger.rows()
    assert whole.chip.clock.now == pieces.chip.clock.now


def test_a_technology_of_the_same_times_changes_no_amount() -> None:
    one = trainer(small("mixed-precision")).run()
    other = trainer(small("mixed-precision", techs=("digital-7nm",))).run()
    assert one.rows == other.rows
    assert one.time_ps == other.time_ps
