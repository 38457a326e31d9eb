from __future__ import annotations

import json
import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from archsim.api import run
from archsim.base import kept
from archsim.base.errors import InputError
from archsim.studies.ablate import BITS, ablate, bit_points, interval, marks, own_architecture, switch_points

SWITCHES = ["drift", "read_noise"]


TINY = """
schema: 1
kind: workload
name: tiny
title: a small perceptron
dataset: mnist-5k
network:
  inputs: 784
  initial_std: 0.08
  layers:
    - {name: fc1, kind: dense, units: 12, activation: sigmoid}
    - {name: fc2, kind: dense, units: 10, activation: sigmoid}
training: {batch: 1, learning_rate: 0.3, epochs: 1}
"""
FEW = (4, 6, 8, 10)


def small(folder: Path, **options: Any) -> dict[str, Any]:
    (folder / "tiny.yaml").write_text(TINY)
    with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr("archsim.studies.ablate.BITS", FEW)
        return ablate(str(folder / "tiny.yaml"), folder / "out", **{"steps": 15, "seeds": 1, **options}, on=pool)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ablation")
    small(path)
    return path


@pytest.fixture(scope="module")
def content(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out/ablate.json").read_text())
    return found


def test_one_switch_is_off_at_a_time_between_all_on_and_all_off() -> None:
    points = switch_points(SWITCHES, 3)
    assert [point.name for point in points] == ["all on", "drift off", "read noise off", "all off"]
    assert points[1].settings == ("nonidealities.drift=false", "nonidealities.read_noise=true")
    assert sum("false" in text for text in points[-1].settings) == 2
    assert all(point.seeds == 3 for point in points)


def test_converters_get_4_to_10_bits_together_and_alone() -> None:
    points = bit_points(SWITCHES, 3)
    assert [(p.converters, p.bits) for p in points] == [(c, b) for c in ("both", "DAC", "ADC") for b in BITS]
    assert points[0].settings[-2:] == ("tile.dac.bits=4", "tile.adc.bits=4")
    assert "tile.adc.bits" not in " ".join(points[8].settings)
    assert {point.seeds for point in points} == {3}


def test_a_point_gives_what_a_run_with_its_settings_gives(folder: Path, content: dict[str, Any]) -> None:
    # without read noise a test gives the same whatever tests were before
    found = next(point for point in content["nonidealities"]["points"] if point["switch"] == "read_noise")
    summary = run(
        str(folder / "tiny.yaml"), archs=("mixed-precision",), techs=("bottom-up-14nm",), steps=15, seed=1,
        settings=("nonidealities.read_noise=false",), out=folder / "run",
    ).summary  # fmt: skip
    chip = summary["architectures"]["mixed-precision"]
    assert found["last_test"] == chip["test"]
    for phase in ("forward", "backward", "update", "refresh", "total"):
        assert found[f"{phase}_energy_J"] == pytest.approx(chip["energy_per_step_J"][phase])
        assert found[f"{phase}_latency_s"] == pytest.approx(chip["latency_per_step_s"][phase])
    assert found["pulses_per_step"] == chip["pulses_per_step"]


def test_a_training_is_tested_five_times_towards_its_end() -> None:
    assert marks(10_000) == [9000, 9250, 9500, 9750, 10_000]
    assert marks(100) == [60, 70, 80, 90, 100]
    assert marks(3) == [1, 2, 3]


def test_differences_and_ratios_are_against_all_on(content: dict[str, Any]) -> None:
    first, *others = content["nonidealities"]["points"]
    assert (first["difference"], first["energy_ratio"], first["pulses_ratio"]) == (0, 1, 1)
    for point in others:
        assert point["difference"] == pytest.approx(point["test"] - first["test"])
        assert point["energy_ratio"] == pytest.approx(point["total_energy_J"] / first["total_energy_J"])


def test_more_bits_cost_energy_and_those_of_the_dac_double_its_pulse(content: dict[str, Any]) -> None:
    points = {(p["converters"], p["bits"]): p for p in content["converters"]["points"]}
    for which in ("both", "DAC", "ADC"):
        reads = [points[which, bits]["forward_energy_J"] for bits in FEW]
        assert reads == sorted(reads)
        assert reads[-1] > 1.2 * reads[0]
    times = np.array([points["DAC", bits]["forward_latency_s"] for bits in FEW])
    pulses = 2 * 1e-9 * (2.0 ** (np.array(FEW) - 1) - 1)  # two layers, periods of 1 ns
    bus = np.diff(times - pulses)  # what is left is the same for every two bits more
    assert np.ptp(bus) < 0.05 * bus.mean()
    adc = [points["ADC", bits]["forward_latency_s"] for bits in FEW]
    assert np.ptp(adc) < 0.1 * np.ptp(times)  # the bus again; a conversion takes the same time


def test_points_that_come_to_the_same_chip_are_trained_once(folder: Path, content: dict[str, Any]) -> None:
    same = [p for p in content["converters"]["points"] if p["bits"] == 8]
    assert [point["difference"] for point in same] == [0, 0, 0]
    trained = 11 + 3 * len(FEW) - 3  # the architecture has 8 bits: all on
    assert len(list((folder / "out/points").iterdir())) == trained


def test_an_ablation_that_died_goes_on_where_it_was(folder: Path, content: dict[str, Any], tmp_path: Path) -> None:
    shutil.copytree(folder / "out", tmp_path / "out")
    lost, *left = sorted((tmp_path / "out/points").iterdir())
    lost.unlink()
    for file in left:
        point = kept.read(file)
        point["numbers"]["pulses_per_step"] = 5.0  # recognisable: read again, not trained again
        kept.write(file, point)
    told: list[tuple[int, int]] = []
    again = small(tmp_path, done=lambda *rest: told.append(rest[3:]))
    assert told == [(1, 1)]
    for group in ("nonidealities", "converters"):
        assert [p["tests"] for p in again[group]["points"]] == [p["tests"] for p in content[group]["points"]]
    pulses = {p["pulses_per_step"] for group in ("nonidealities", "converters") for p in again[group]["points"]}
    assert len(pulses) == 2
    assert 5.0 in pulses


def test_what_is_set_holds_for_every_training_and_what_a_device_lacks_is_left_out(tmp_path: Path) -> None:
    found = small(tmp_path, settings=("weight.device=table-example", "training.learning_rate=0.2"), bits=False)
    points = found["nonidealities"]["points"]
    assert found["not_in_device"] == ["pulse_memory", "read_noise", "drift"]
    assert found["settings"] == {"weight.device": "table-example", "training.learning_rate": "0.2"}
    assert found["learning_rate"] == 0.2
    assert [point["name"] for point in points] == [
        "all on", "state dependence off", "programming noise off", "DAC quantisation off", "ADC quantisation off",
        "ADC clipping off", "device saturation off", "all off",
    ]  # fmt: skip
    summary = run(
        str(tmp_path / "tiny.yaml"), archs=("mixed-precision",), techs=("bottom-up-14nm",), steps=15, seed=1,
        settings=("weight.device=table-example", "training.learning_rate=0.2", "nonidealities.programming_noise=false"),
        out=tmp_path / "run",
    ).summary  # fmt: skip
    chip = summary["architectures"]["mixed-precision"]
    assert points[2]["last_test"] == chip["test"]
    assert "drift" not in chip["nonidealities"]


@pytest.mark.parametrize("key", ["nonidealities.drift", "mixed-precision.nonidealities.drift"])
def test_a_non_ideality_is_no_setting_of_an_ablation(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match="nonidealities.drift: got 'false'; expected no non-ideality"):
        small(tmp_path, settings=(f"{key}=false",))
    assert not (tmp_path / "out").exists()


def test_an_architecture_without_non_idealities_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="digital32 has no non-idealities") as caught:
        small(tmp_path, arch="digital32")
    assert caught.value.key == "--arch"
    assert not (tmp_path / "out").exists()


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds other files"):
        small(tmp_path)
    with pytest.raises(InputError, match=r"it is a file"):
        ablate("mlp-mnist", tmp_path / "out/notes.txt")


def test_two_rows_give_the_interval_of_a_paired_t_test() -> None:
    table = {"all on": [0.90, 0.93, 0.91], "drift off": [0.92, 0.935, 0.94]}
    found = interval(table, 10_000)
    paired = stats.ttest_rel(table["drift off"], table["all on"]).confidence_interval(0.95)
    assert found["half_width"]["drift off"] == pytest.approx((paired.high - paired.low) / 2)
    assert found["half_width"]["all on"] == 0


def test_what_all_rows_of_a_seed_share_is_no_uncertainty() -> None:
    table = {"all on": [0.90, 0.80], "drift off": [0.92, 0.82], "all off": [0.95, 0.85]}
    assert interval(table, 10_000)["half_width"]["all off"] == pytest.approx(0, abs=1e-12)


def test_all_intervals_of_a_table_hold_the_truth_at_once_in_95_of_100() -> None:
    # 1,000 tables of 11 rows and 3 seeds without any difference. Bonferroni misses in at most 5 % of them; with the
    # fixed seed there is no false alarm, with others more than 75 in 1,000 would have a chance below 0.1 %.
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(1000):
        values = 0.9 + 0.02 * rng.standard_normal(3) + 0.01 * rng.standard_normal((11, 3))
        table = {str(k): list(row) for k, row in enumerate(values)}
        half = interval(table, 10_000)["half_width"]["1"]
        missed += bool(np.any(np.abs(values[1:].mean(axis=1) - values[0].mean()) > half))
    assert 10 < missed < 75  # too wide would be wrong as well


def test_one_seed_gives_two_proportions() -> None:
    found = interval({"all on": [0.9], "drift off": [0.92]}, 10_000)
    half = stats.norm.isf(0.025) * math.sqrt((0.9 * 0.1 + 0.92 * 0.08) / 10_000)
    assert found["half_width"]["drift off"] == pytest.approx(half)
    assert found["method"] == "two proportions"


@pytest.mark.parametrize(
    ("workload", "expected"), [("mlp-mnist", "mixed-precision"), ("gpt-text", "mixed-precision-deep-wide")]
)
def test_a_workload_is_studied_on_the_first_of_its_own_chips_that_has_non_idealities(
    workload: str, expected: str
) -> None:
    assert own_architecture(workload) == expected
