"""Estimates of chips that update in the array: their trainings' books, if they know how devices were pulsed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sealed_kit import unseal

from archsim.accounting.bill import price
from archsim.analog.in_place import InPlace
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.chips import architecture as architectures
from archsim.networks.graph import Matrix
from archsim.runs.run import execute
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer
from archsim.studies.estimate import books
from archsim.studies.estimate.assumed import assumed
from archsim.studies.estimate.busiest import busy
from archsim.studies.estimate.course import courses
from archsim.studies.estimate.estimate import estimate
from archsim.studies.estimate.in_place import OFF, SETS, longest, of_rounded, trained
from archsim.studies.estimate.spec import resolve as estimated

CHIPS = ("in-array", "in-array-sgd", "tiki-taka", "chopped-tiki-taka", "agad")
ROUNDED = ("in-array", "multi-device")
STEPS = 50


def both(chip: str, *settings: str, steps: int = STEPS) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a training's energy and time of a step by phase, and those of the estimate that knows its activity."""
    given = [f"{chip}.{each}" for each in settings if not each.startswith("training")]
    of_work = [each for each in settings if each.startswith("training")]
    spec = resolve("mlp-mnist", steps=steps, archs=[chip], settings=["dataset=mnist-5k", *given, *of_work])
    [architecture] = spec.architectures
    trainer = Trainer(spec, architecture)
    trainer.train(steps)
    trainer.chip.settle()
    rows = tuple(trainer.chip.ledger.rows())
    told = estimated("mlp-mnist", archs=[chip], settings=given, batch=spec.training.batch)
    found = books.estimate_chip(told, architecture, books.activity_of(told, architecture, rows, steps, "measured"))
    technology, inside = spec.technologies[0], architecture.boundary.inside
    did = price(rows, trainer.chip.entries(), technology, inside)
    would = price(found.training.rows, found.entries, technology, inside)
    return (
        {phase: (did.total(phase=phase) / steps, trainer.chip.ledger.time_ps[phase] / steps) for phase in STEP_PHASES},
        {phase: (would.total(phase=phase), found.training.time_ps[phase]) for phase in STEP_PHASES},
    )


@pytest.mark.parametrize("chip", CHIPS)
def test_an_estimate_that_knows_the_activity_is_the_training(chip: str) -> None:
    did, would = both(chip)
    for phase in STEP_PHASES:
        rounded_alone = chip == "in-array" and phase == "update"
        assert would[phase][0] == pytest.approx(did[phase][0], rel=0.1 if rounded_alone else 0.01), phase
    for phase in ("forward", "backward"):
        assert would[phase][1] == did[phase][1]
    if chip != "in-array":  # whose tiles take times of their own: the busiest holds up the others
        assert would["update"][1] == pytest.approx(did["update"][1], rel=0.001)


@pytest.mark.parametrize(
    ("chip", "settings"),
    [
        ("tiki-taka", ["transfer.every=4"]),  # a transfer in a quarter of the steps
        ("agad", ["transfer.every=2", "training.batch=3", "digital_unit.buffer_words=8192"]),  # one or two a step
        pytest.param("in-array-sgd", ["update.trains.phases=2", "update.trains.managed=false"], marks=pytest.mark.long),
        ("multi-device", []),  # one of four devices at a time
        pytest.param("tiki-taka", ["weight.copies=2"], marks=pytest.mark.long),
        ("in-array", ["update.rows=parallel", "tile.columns=64", "tile.count=17"]),
        ("hybrid", ["pairs.every=5"]),  # six transfers
        ("in-array-pcm", ["sides.every=5", "sides.saturated=3uS"]),  # six refreshes
        ("hybrid", ["pairs.every=10", "pairs.loop=blind", "training.batch=5", "digital_unit.buffer_words=8192"]),
    ],
)
def test_it_is_with_other_settings_of_the_rule_too(chip: str, settings: list[str]) -> None:
    did, would = both(chip, *settings, steps=30)
    for phase in ("forward", "backward", "update"):
        assert would[phase][0] == pytest.approx(did[phase][0], rel=0.1 if chip in ROUNDED else 0.02), phase
    if chip not in ROUNDED:
        assert would["update"][1] == pytest.approx(did["update"][1], rel=0.002)


def test_trains_ask_what_their_formulas_say() -> None:
    rng = np.random.default_rng(3)
    chip: Any = architectures.parse(architectures.document("in-array-sgd"))
    asked, top, rows, columns = 4.0, 31, 200, 100  # one tile
    x, d = rng.uniform(0, 0.3, rows), rng.uniform(0, 0.3, columns)  # 0.15 in the mean
    slots = 5  # ceil(asked), or half a slot more than it asks for in the mean of several
    p, q = math.sqrt(asked / slots) * x, math.sqrt(asked / slots) * d
    found = trained(chip, asked, 1.0, (rows, columns))
    assert found.slots * top == pytest.approx(slots, rel=0.11)
    assert found.pulsed * top == pytest.approx(slots * (p.sum() + q.sum()) / (rows + columns), rel=0.1)
    assert found.met_up + found.met_down == pytest.approx(slots * p.mean() * q.mean(), rel=0.1)


def test_the_longest_of_many_poisson_numbers_is_that_of_draws() -> None:
    rng = np.random.default_rng(5)
    for devices, mean in ((1, 0.3), (16, 0.01), (16, 2.0)):
        drawn = rng.poisson(mean, (20000, devices)).max(axis=1).mean()
        assert longest(devices, mean) == pytest.approx(drawn, rel=0.05)


def test_half_as_large_a_step_takes_twice_the_pulses_that_are_assumed() -> None:
    def pulses(levels: str) -> float:
        settings = [f"weight.unit={levels}"]
        chip = estimate("mlp-mnist", archs=["in-array"], settings=settings)["architectures"]["in-array"]
        return float(chip["pulses_per_step"])

    assert pulses("12 uS") == pytest.approx(2 * pulses("6 uS"), rel=1e-6)


def test_writing_takes_a_slot_each_way_where_every_group_has_pulses() -> None:
    chip, fc1 = architectures.parse(architectures.document("in-array")), Matrix("fc1", 100, 256, 0.1)
    many = of_rounded(chip, fc1, 4.0, 4.0)  # type: ignore[arg-type]
    assert 2 * 4 < many.turns < 2 * 13
    few = of_rounded(chip, fc1, 5e-5, 5e-5)  # type: ignore[arg-type]
    assert few.turns == pytest.approx(16 * 1e-4, rel=0.01)
    assert few.charges == pytest.approx(8e-4 * 257, rel=0.01)


def test_assumed_activity_is_off_by_what_is_said() -> None:
    did, _ = both("tiki-taka")
    found = estimate("mlp-mnist", archs=["tiki-taka"])["architectures"]["tiki-taka"]
    assert "1.2 times for mlp-mnist" in found["activity"]
    energy = sum(joules for joules, _ in did.values())
    assert found["training"]["energy_per_step_J"]["total"] / energy == pytest.approx(
        OFF["transfer"]["mlp-mnist"], rel=0.5
    )


@pytest.mark.parametrize("chip", CHIPS)
def test_what_is_assumed_says_so_and_a_whole_training_counts_pulses(chip: str) -> None:
    found = estimate("lenet-mnist", archs=[chip], batch=4, samples=400)["architectures"][chip]
    assert "assumed" in found["activity"]
    assert found["pulses_per_step"] > 0
    whole = found["whole"]
    assert whole["set_pulses"] == pytest.approx(100 * found["pulses_per_step"])
    assert whole["devices"] == (1 if chip.startswith("in-array") else 2) * 61706


def test_a_hybrid_cell_passes_weights_on_once_in_so_many_samples_and_its_pairs_wear() -> None:
    def whole(every: int) -> dict[str, Any]:
        given = {"archs": ["hybrid"], "settings": [f"pairs.every={every}"], "batch": 4, "samples": 24000}
        found: dict[str, Any] = estimate("lenet-mnist", **given)["architectures"]["hybrid"]["whole"]
        return found

    often, rare = whole(4000), whole(8000)
    assert rare["devices"] == 2 * 61706
    assert rare["set_pulses"] == pytest.approx(3 * SETS * 61706)
    assert often["set_pulses"] == pytest.approx(2 * rare["set_pulses"])
    assert rare["set_pulses_per_device"] == pytest.approx(3 * SETS / 2)
    assert often["time_s"] > rare["time_s"]


def test_copies_of_weights_are_refused() -> None:
    with pytest.raises(InputError, match=r"--tiles: copies of weights that agad pulses by chance would differ"):
        estimate("mlp-mnist", archs=["agad"], tiles=40)


def test_the_busiest_tile_holds_up_the_others_and_pulses_stay_as_many() -> None:
    told = estimated("mlp-mnist", archs=["in-array"])
    [chip] = told.architectures
    even = books.estimate_chip(told, chip, assumed(told, chip)).training
    one = books.estimate_chip(told, chip, busy(assumed(told, chip), 2.0)).training

    def pulses(of: books.Books) -> float:
        return sum(row.amount for row in of.rows if row.component == "writer" and row.action.endswith(".pulse"))

    assert pulses(one) == pytest.approx(pulses(even), rel=1e-3)
    assert 1.5 * even.time_ps["update"] < one.time_ps["update"] < 2 * even.time_ps["update"]


def test_a_run_of_the_array_is_the_activity_of_an_estimate_and_one_that_did_not_record_it_is_left_alone(
    tmp_path: Path,
) -> None:
    chips = ["in-array", "agad"]
    execute(resolve("mlp-mnist", archs=chips, steps=30, settings=["dataset=mnist-5k"]), tmp_path / "run")
    found = estimate("mlp-mnist", archs=chips, activity=tmp_path / "run")["architectures"]
    assert all("measured: steps 0 to 30" in found[chip]["activity"] for chip in chips)
    [rounded, _] = courses(tmp_path / "run")
    took = found["in-array"]["training"]["latency_per_step_s"]["update"]
    assert took == pytest.approx(rounded.update_s, rel=2e-3)  # its busiest tile among it
    file = tmp_path / "run" / "activity-course.csv"
    old = [line for line in file.read_text().splitlines() if not line.startswith("in-array,") or "writer" not in line]
    file.write_text("\n".join(old) + "\n")
    unseal(tmp_path / "run")
    found = estimate("mlp-mnist", archs=chips, activity=tmp_path / "run")["architectures"]
    assert "assumed" in found["in-array"]["activity"]
    assert "measured" in found["agad"]["activity"]


def test_written_pulses_grow_with_the_batch_and_those_of_a_vector_do_not() -> None:
    assert InPlace(up=0.1, turns=0.2, charges=3.0).of(2) == InPlace(up=0.2, turns=0.4, charges=6.0)
    assert InPlace(slots=0.5, up=0.1).of(2) == InPlace(slots=0.5, up=0.1)


def test_an_assumption_is_one_of_the_layers_that_learn() -> None:
    told = estimated("lenet-mnist", archs=["tiki-taka"])
    found = assumed(told, told.architectures[0])
    assert set(found.writing) == {"conv1", "conv2", "fc1", "fc2", "fc3"}
