"""Estimates: the same programs and books as a training; equal to it when they know what it did."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sealed_kit import unseal

from archsim.accounting.bill import price
from archsim.base.errors import DoesNotFitError, InputError
from archsim.base.signal import STEP_PHASES, Tag
from archsim.chips.activity import Activity
from archsim.report.studies.estimate import sheets
from archsim.runs.run import execute
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer
from archsim.studies.estimate import books, course
from archsim.studies.estimate.assumed import ERRORS, INPUTS, assumed
from archsim.studies.estimate.busiest import busiest
from archsim.studies.estimate.content import content, priced
from archsim.studies.estimate.estimate import estimate
from archsim.studies.estimate.spec import resolve as estimated

NETWORKS = {
    "mlp-mnist": {"steps": 400, "settings": []},
    "lenet-mnist": {"steps": 60, "settings": ["mixed-precision-deep.tile.adc.tracked.every=1"]},
    "gpt-text": {"steps": 24, "settings": ["tile.adc.tracked.every=1"]},
    "cnn-cifar10": {"steps": 6, "settings": ["tile.adc.tracked.every=1"]},
}
"""Trained for so many steps; a range that follows looks at every second batch, as an estimate takes it."""


@pytest.mark.parametrize("name", NETWORKS)
def test_an_estimate_that_knows_the_activity_is_the_training_in_energy_by_phase_and_in_time(name: str) -> None:
    steps, settings = NETWORKS[name]["steps"], NETWORKS[name]["settings"]
    spec = resolve(name, steps=steps, settings=settings, preset=None if name == "mlp-mnist" else "quick")
    told = estimated(spec.workload.name, settings=settings, batch=spec.training.batch)
    for architecture in spec.architectures:
        trainer = Trainer(spec, architecture)
        trainer.train(steps)
        trainer.chip.settle()
        ledger = trainer.chip.ledger
        rows = tuple(ledger.rows())
        activity = books.activity_of(told, architecture, rows, steps, "measured")
        found = books.estimate_chip(told, architecture, activity)
        technology, inside = spec.technologies[0], architecture.boundary.inside
        did = price(rows, trainer.chip.entries(), technology, inside)
        would = price(found.training.rows, found.entries, technology, inside)
        for phase in STEP_PHASES:
            expected = did.total(phase=phase) / steps
            assert would.total(phase=phase) == pytest.approx(expected, rel=0.05, abs=1e-3 * did.total() / steps), phase
        for phase in ("forward", "backward") if architecture.chip == "digital32" else ():  # no count decides there
            assert found.training.time_ps[phase] == ledger.time_ps[phase] / steps


def test_times_that_no_count_decides_are_those_of_the_training_to_the_picosecond() -> None:
    spec = resolve("mlp-mnist", steps=50, settings=["training.batch=3", "digital_unit.buffer_words=8192"])
    told = estimated("mlp-mnist", batch=3, settings=["digital_unit.buffer_words=8192"])
    for architecture in spec.architectures:
        trainer = Trainer(spec, architecture)
        trainer.train(50)
        found = books.estimate_chip(told, architecture, Activity())
        for phase in ("forward", "backward"):
            assert found.training.time_ps[phase] == trainer.chip.ledger.time_ps[phase] / 50


def test_full_activity_is_dearer_than_none_and_a_share_lies_on_the_line_between() -> None:
    from archsim.base.expected import ALL, NOTHING, Shares

    told = estimated("mlp-mnist")
    chip = told.architectures[0]

    def energy(shares: Shares) -> float:
        phases = dict.fromkeys(("forward", "backward", "update"), shares)
        [one] = priced(told, [books.estimate_chip(told, chip, Activity(by_phase=phases))])
        return one.training.total(phase="forward")

    none, half, full = energy(NOTHING), energy(Shares(driven=0.5, conducted=0.5)), energy(ALL)
    assert none < half < full
    assert half == pytest.approx((none + full) / 2, rel=1e-6)


def test_a_batch_costs_a_sample_less_where_weights_are_read_once_for_several() -> None:
    one, many = (estimate("lenet-mnist", batch=batch)["architectures"]["digital32-deep"] for batch in (1, 64))
    assert many["training"]["by_part_J"]["weight memory"] / 64 < one["training"]["by_part_J"]["weight memory"]


def test_a_chip_grows_by_what_is_asked_and_says_so_or_refuses() -> None:
    settings = ["mixed-precision.tile.count=2", "mixed-precision.digital_unit.buffer_words=256"]
    grown = estimate("mlp-mnist", settings=settings)["architectures"]["mixed-precision"]["grown"]
    assert grown["tile.count"] == [2, 5]
    assert grown["digital_unit.buffer_words"][0] == 256
    with pytest.raises(DoesNotFitError, match=r"tile\.count"):
        estimate("mlp-mnist", settings=settings, as_is=True)


def test_totals_are_the_sums_of_their_parts_and_lie_in_their_intervals() -> None:
    found = estimate("lenet-mnist")
    for chip in found["architectures"].values():
        for what in ("training", "inference"):
            work = chip[what]
            total = work["energy_per_step_J"]["total"]
            assert sum(work["by_part_J"].values()) == pytest.approx(total)
            assert sum(sum(layer.values()) for layer in work["by_layer_J"].values()) == pytest.approx(total)
            assert work["energy_per_sample_J"]["total"] == pytest.approx(total / found["batch"])
            ends = work["intervals"]["energy_per_step_J"]["total"]
            assert ends["low"] < total < ends["high"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run of the perceptron with several tests on the way."""
    path = tmp_path_factory.mktemp("estimate") / "run"
    spec = resolve("mlp-mnist", steps=400, settings=["training.evaluations_per_epoch=600"])
    execute(spec, path)
    return path


def test_what_a_gate_passes_of_a_rectified_signal_is_assumed_as_sparse_as_that() -> None:
    conv = {"kind": "conv2d", "window": 1, "units": 4}
    layers: list[dict[str, Any]] = [
        {"name": "a", **conv, "activation": "relu"},
        {"name": "mean", "kind": "global-average"},
        {"name": "gate", "kind": "dense", "units": 4, "activation": "sigmoid"},
        {"name": "gated", "kind": "multiply", "of": ["a", "gate"]},
        {"name": "b", **conv, "activation": "silu"},
        {"name": "c", **conv, "activation": "linear"},
    ]
    network = {"inputs": [6, 6, 2], "initial_std": "he", "layers": layers, "loss": "squared"}
    work = {
        "schema": 1,
        "kind": "workload",
        "name": "gates",
        "title": "gates",
        "network": network,
        "architectures": ["digital32-deep"],
    }
    spec = estimated(work)
    nonzero = {layer: assumed(spec, spec.architectures[0]).shares(Tag("forward", layer)).nonzero for layer in "bc"}
    assert nonzero == {"b": INPUTS[True].nonzero, "c": INPUTS[False].nonzero}


def test_a_run_records_activity_over_its_training_and_an_estimate_takes_a_window_of_it(run: Path) -> None:
    [mixed, _] = course.courses(run)
    steps = sorted(mixed.points)
    assert steps[0] == 0
    assert steps[-1] == 400
    early, late = mixed.activity((0, 100)), mixed.activity((300, 400))
    assert min(early.written.pairs, late.written.pairs) > 0
    assert early.written != late.written
    whole = estimate("mlp-mnist", activity=run)["architectures"]["mixed-precision"]
    assert "steps 0 to 400" in whole["activity"]
    assert "matrices are not" not in whole["activity"]
    other = estimate("lenet-mnist", activity=run)["architectures"]["mixed-precision-deep"]["activity"]
    assert "3 of 5 matrices are not in that network and have the mean of its layers" in other
    assert whole["pulses_per_step"] == pytest.approx(
        sum(row.amount for row in mixed.points[400] if row.action == "set.pulse") / 400
    )


def test_an_estimate_from_a_run_knows_that_a_tile_at_the_image_border_is_busier_than_the_mean(run: Path) -> None:
    [mixed, digital] = course.courses(run)
    found = books.estimate_chip(mixed.spec, mixed.architecture, mixed.activity())
    assert found.training.time_ps["update"] * 1e-12 == pytest.approx(mixed.update_s, rel=2e-3)
    activity = books.activity_of(mixed.spec, mixed.architecture, mixed.points[400], 400, "")
    even = books.estimate_chip(mixed.spec, mixed.architecture, activity)
    assert even.training.time_ps["update"] * 1e-12 < 0.75 * mixed.update_s
    assert found.training.rows != even.training.rows  # leakage follows the time
    assert busiest(digital.spec, digital.architecture, digital.activity(), digital.update_s) == 1.0


def test_a_whole_training_goes_as_the_run_went_and_on_as_it_ended(run: Path) -> None:
    def pulses(samples: float) -> float:
        found = estimate("mlp-mnist", activity=run, samples=samples)
        return float(found["architectures"]["mixed-precision"]["whole"]["set_pulses"])

    [mixed, _] = course.courses(run)
    did = sum(row.amount for row in mixed.points[400] if row.action == "set.pulse")
    assert pulses(400) == pytest.approx(did)
    last = mixed.stretches()[-1]
    rate = sum(row.amount for row in last.rows if row.action == "set.pulse") / last.steps
    assert pulses(1400) == pytest.approx(did + 1000 * rate)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, r"--batch: got 0; expected a whole number from 1 to 1,000,000,000"),
        ({"window": (0, 10)}, r"--window: got '0:10'; expected a run with --activity"),
        ({"samples": float("nan")}, r"--samples: got nan; expected a number of samples"),
        ({"activity": Path("nowhere")}, r"expected a run directory"),
    ],
)
def test_what_cannot_be_estimated_is_refused_in_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        estimate("mlp-mnist", **options)


def test_a_window_without_two_tests_names_those_there_are(run: Path) -> None:
    with pytest.raises(InputError, match=r"--window: got '1:2'; expected two tests of the training in it.*400"):
        estimate("mlp-mnist", activity=run, window=(1, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: "nan", r"activity-course\.csv: amount: got 'nan'; expected a number from 0 on"),
        (
            lambda amount: str(2 * float(amount)),
            r"activity-course\.csv: mixed-precision: .* ends at .*as in activity\.csv",
        ),
        (lambda _: "0", r"activity-course\.csv: mixed-precision: .* falls at step 400; expected sums"),
    ],
)
def test_an_altered_course_is_refused(run: Path, tmp_path: Path, change: Any, message: str) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    lines = (copy / "activity-course.csv").read_text().splitlines()
    column = lines[0].split(",").index("amount")
    last = max(k for k, line in enumerate(lines) if line.startswith("mixed-precision,") and "dac.convert" in line)
    cells = lines[last].split(",")
    cells[column] = change(cells[column])
    lines[last] = ",".join(cells)
    (copy / "activity-course.csv").write_text("\n".join(lines) + "\n")
    unseal(copy)
    with pytest.raises(InputError, match=message):
        estimate("mlp-mnist", activity=copy)


@pytest.mark.parametrize("setting", ["tile.adc.tiles_per_bank=1", "tile.adc.tiles_per_bank=2", "flow.samples=1"])
def test_twins_share_the_vectors_of_a_product_whatever_stands_beside_them(setting: str) -> None:
    settings = [f"mixed-precision-deep.{setting}", "mixed-precision-deep.tile.dac.error_scale=vector"]
    chips = [
        estimate("lenet-mnist", tiles=tiles, archs=["mixed-precision-deep"], batch=4, settings=settings)[
            "architectures"
        ]["mixed-precision-deep"]
        for tiles in (6, 60)
    ]
    forward = [chip["training"]["latency_per_step_s"]["total"] for chip in chips]
    assert chips[1]["tiles"]["conv1"] >= 4
    assert forward[0] - forward[1] > 20e-6  # 784 vectors of conv1 an image, some 130 ns each


def test_what_leaves_a_chip_is_told_by_layer() -> None:
    """Of ResNet-18 on chips of 100 tiles: signals go below from the first layers on, and to the next chips at last."""
    chip = "mixed-precision-large"
    found = estimate("resnet18", archs=[chip], batch=16, settings=["tile.count=100"])
    moved = found["architectures"][chip]["training"]["moved_bit"]
    assert max(moved["dram"], key=lambda layer: sum(moved["dram"][layer].values())).startswith("stem")
    assert "stem" not in moved["link"]
    assert "block4-2" in moved["link"]
    [sheet] = [each for each in sheets(found, details=False) if each.title.startswith("Moved off the chip")]
    whole = sum(bits for by_phase in moved["dram"].values() for bits in by_phase.values()) / 16 / 8 / 2**20
    label, below, between = sheet.rows[-1]
    assert label == "in all"
    assert float(below.removesuffix(" MiB").replace(",", "")) == pytest.approx(whole, rel=0.005)
    assert float(between.removesuffix(" MiB")) > 0
    fits = estimate("lenet-mnist", archs=["mixed-precision-deep"], batch=4)
    assert fits["architectures"]["mixed-precision-deep"]["training"]["moved_bit"] == {}


def test_groups_that_save_nothing_alone_are_laid_down_with_those_that_do() -> None:
    """A vector of five takes as long on four groups as on three; none of the 60 tiles is left, where 18 were."""
    few, many = (
        estimate("lenet-mnist", tiles=tiles, archs=["mixed-precision-deep"], batch=1)["architectures"][
            "mixed-precision-deep"
        ]
        for tiles in (42, 60)
    )
    assert sum(many["tiles"].values()) == 60
    forward = [chip["training"]["latency_per_step_s"]["forward"] for chip in (few, many)]
    assert forward[0] - forward[1] > 1e-6


@pytest.mark.long
@pytest.mark.usefixtures("real_data")
@pytest.mark.parametrize("name", ERRORS)
def test_assumed_activity_is_off_by_what_is_said(name: str, tmp_path: Path) -> None:
    chip = resolve(name).architectures[0].name
    execute(resolve(name, preset="quick", archs=[chip]), tmp_path / "run")
    measured, guess = (
        estimate(name, archs=[chip], activity=activity)["architectures"][chip]["training"]["energy_per_step_J"]["total"]
        for activity in (tmp_path / "run", None)
    )
    assert guess / measured - 1 == pytest.approx(ERRORS[name], abs=0.02)


def test_an_estimate_is_json_and_the_same_again() -> None:
    import json

    told = estimated("mlp-mnist")
    one = content(told, priced(told, [books.estimate_chip(told, a, Activity()) for a in told.architectures]))
    again = content(told, priced(told, [books.estimate_chip(told, a, Activity()) for a in told.architectures]))
    assert json.dumps(one) == json.dumps(again)
