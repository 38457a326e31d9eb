"""A study of rules as it is done: rates searched without the test set, kept, gone on with, the bits of runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from grid_kit import TINY

import archsim
from archsim.api import run, sweep
from archsim.base.errors import InputError
from archsim.records.sweeps.sweep import read_sweep
from archsim.runs.train import Trainer
from archsim.studies.rules import table, work
from archsim.studies.rules.asked import asked
from archsim.studies.rules.results import Results, reach
from archsim.studies.rules.study import Doing, Plan, carry_out, plan
from archsim.studies.sweeps.store import Store
from archsim.studies.workers.parcel import pack
from archsim.studies.workers.pool import given

SMALL: dict[str, Any] = {
    "archs": ["agad", "digital32"], "devices": ["reram-array", "pcm-nandakumar2018"], "learnings": ["backpropagation"],
    "rates": "0.05,0.2", "budget": 60, "steps": 120, "seeds": 2,
}  # fmt: skip


@pytest.fixture
def here() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as one:
        yield one


def planned(**options: Any) -> Plan:
    return plan(asked(TINY, **{**SMALL, **options}))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Results:
    with ThreadPoolExecutor(1) as one:
        return carry_out(planned(), tmp_path_factory.mktemp("rules") / "study", on=one)


def test_the_table_has_a_row_a_combination_and_reads_as_a_sweep(done: Results) -> None:
    found = read_sweep(done.path)
    assert found.definition["kind"] == "rules"
    assert list(zip(found.frame["chip"], found.frame[table.DEVICE], found.frame["state"], strict=True)) == [
        ("agad", "reram-array", "done"), ("agad", "pcm-nandakumar2018", "not possible"), ("digital32", "none", "done"),
    ]  # fmt: skip
    assert found.frame["reason"].iloc[1].startswith("weight.device: got 'pcm-nandakumar2018'")
    assert found.frame["seeds"].tolist() == [2, 0, 2]
    assert found.quantity("energy to the target").name == table.ENERGY_TO


def test_a_training_has_the_numbers_of_a_run_at_its_rate(done: Results, tmp_path: Path) -> None:
    row = read_sweep(done.path).frame.iloc[0]
    rate = row[table.RATE]
    told = [
        run(TINY, out=tmp_path / str(seed), archs=["agad"], techs=["reram-14nm"], seed=seed, steps=120,
            settings={"training.learning_rate": rate}).summary["architectures"]["agad"]
        for seed in (1, 2)
    ]  # fmt: skip
    assert row["test"] == pytest.approx(sum(each["test"] for each in told) / 2, rel=1e-15)
    energy = sum(each["energy_per_sample_J"]["total"] for each in told) / 2
    assert row["energy_per_sample_J"] == pytest.approx(energy, rel=1e-12)
    assert row["area_m2"] == pytest.approx(told[0]["area_m2"]["total"]["value"], rel=1e-12)


def test_the_same_study_again_does_nothing_and_gives_the_same_table(done: Results) -> None:
    before = (done.path / "sweep.csv").read_bytes()
    again = carry_out(planned(), done.path, on="dask://no.such.host:1")  # nothing is opened
    assert (done.path / "sweep.csv").read_bytes() == before
    assert again.target == done.target


def test_another_study_is_refused_in_the_same_directory(done: Results) -> None:
    for changes in ({"steps": 121}, {"rates": "0.05,0.3"}, {"seeds": 3}, {"target": "20%"}):
        with pytest.raises(InputError, match="a new directory, but it has another study of rules. It differs in"):
            carry_out(planned(**changes), done.path)


def test_a_study_that_was_interrupted_goes_on_to_the_same_bits(
    done: Results, here: ThreadPoolExecutor, tmp_path: Path
) -> None:
    count = 0

    def stop(*told: object) -> None:
        nonlocal count
        count += 1
        if count in (2, 5):
            raise KeyboardInterrupt

    for _ in range(2):  # in the search, then among the trainings
        with pytest.raises(KeyboardInterrupt):
            carry_out(planned(), tmp_path / "study", on=here, done=stop)
        assert json.loads((tmp_path / "study/sweep.json").read_text())["state"] == "partial"
        assert len(read_sweep(tmp_path / "study").frame) >= 1  # what is not possible is known at once
    carry_out(planned(), tmp_path / "study", on=here)
    one, other = read_sweep(tmp_path / "study"), read_sweep(done.path)
    pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
    assert one.definition["state"] == "finished"


def test_what_goes_on_says_from_its_first_trial_how_much_there_is(here: ThreadPoolExecutor, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def stop(_: str, count: int, of: int) -> None:
        told.append((count, of))
        if len(told) == 3:  # both rates of the first combination are judged, its trainings not begun
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(planned(), tmp_path / "study", on=here, done=stop)
    carry_out(planned(), tmp_path / "study", on=here, done=stop)
    assert told == [(1, 8), (2, 8), (3, 8), *((k, 5) for k in range(1, 6))]


def test_rates_are_chosen_without_a_look_at_the_test_set(
    here: ThreadPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for = planned(archs=["digital32"], devices=None)
    doing = Doing(asked_for, Store(tmp_path, {}))
    job = next(doing.trials())
    assert (job.seed, doing.spec(job).training.steps) == (0, 30)
    monkeypatch.setattr(Trainer, "evaluate", lambda _: pytest.fail("it looks at the test set"))
    found = work.trial(pack(doing.spec(job), given(here)))
    assert 0 <= found["score"] <= 1


def test_a_job_is_the_same_where_no_file_of_this_machine_is_seen(here: ThreadPoolExecutor, tmp_path: Path) -> None:
    doing = Doing(planned(archs=["agad"], learnings=["direct-feedback-alignment"]), Store(tmp_path, {}))
    job = next(doing.trials())
    near = given(here)
    assert work.trial(pack(doing.spec(job), replace(near, shared=False))) == work.trial(pack(doing.spec(job), near))


def test_a_rate_that_diverges_is_no_failure_and_is_never_taken(here: ThreadPoolExecutor, tmp_path: Path) -> None:
    steep = {
        **TINY,
        "network": {**TINY["network"], "layers": [{**TINY["network"]["layers"][0], "activation": "linear"}]},
    }
    found = carry_out(
        plan(asked(steep, **{**SMALL, "archs": ["digital32"], "devices": None, "rates": "0.001,1e6"})),
        tmp_path / "study", on=here,
    )  # fmt: skip
    [one] = found.done
    assert one.rate.scores[1e6] is None
    assert one.rate.rate == 0.001


def test_what_the_target_took_lies_on_the_line_between_two_tests(done: Results) -> None:
    one = next(each for each in done.done if each.rule == "digital32").seeds[0]
    tests = [(samples, test) for samples, test, _, _ in one.course]
    k = next(k for k in range(1, len(tests)) if tests[k][1] > max(test for _, test in tests[:k]))
    (before, low), (at, high) = tests[k - 1], tests[k]
    half = reach(one, done.plan.metric, (low + high) / 2)
    assert half is not None
    assert half.samples == pytest.approx((before + at) / 2)
    assert half.energy_J == pytest.approx(half.samples * one.energy_J, rel=0.02)  # every sample costs the same there
    assert sum(half.by_part_J.values()) == pytest.approx(half.energy_J)
    assert reach(one, done.plan.metric, 1.01) is None


def test_pulses_are_those_of_the_devices_and_a_chip_without_has_none(done: Results) -> None:
    agad, digital = done.done
    wear = agad.seeds[0].wear
    assert wear is not None
    assert wear["devices"] == 2 * 785 * 10  # weights and biases, and the fast array
    assert wear["place"].startswith("fc.fast/")  # it is pulsed by every sample
    assert wear["most"] >= sum(wear["pulses"].values()) / wear["devices"] > 0
    assert agad.seeds[0].state_bytes > 3 * 784 * 10 * 4  # three words a weight, and the rest of the chip's memory
    assert digital.seeds[0].wear is None
    assert digital.seeds[0].pulses is None


@pytest.mark.parametrize(("chip", "tech", "of_a_weight"), [("hybrid", "hybrid-14nm", 2), ("multi-pcm", None, 6)])
def test_all_devices_of_a_weight_that_wear_are_counted(chip: str, tech: str | None, of_a_weight: int) -> None:
    spec = archsim.resolve(TINY, archs=[chip], techs=[tech or "bottom-up-14nm"])
    trainer = Trainer(spec, spec.architectures[0])
    trainer.train(3)
    found = work.wear(trainer)
    assert found is not None
    assert found["devices"] == of_a_weight * 785 * 10


def test_a_sweep_does_not_go_on_in_a_study(done: Results) -> None:
    with pytest.raises(InputError, match=r"a new directory, but it has a study of rules\. Name another"):
        sweep(TINY, out=done.path, settings={"training.learning_rate": [0.1, 0.2]}, archs=["digital32"])
