"""Retention: drift on the simulated clock, with and without compensation."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from archsim.base.errors import InputError
from archsim.base.streams import Streams
from archsim.chips.crossbars import compensation
from archsim.records.reopen import reopen, trained_chip
from archsim.runs.run import execute
from archsim.runs.spec import resolve
from archsim.studies.hold import HoldPoint, _mode, hold, hold_times, mean_difference

DAY = 86400.0
EXPONENT = 0.04


def done(path: Path, *off: str, archs: tuple[str, ...] = ("mixed-precision",), **options: Any) -> Path:
    # The digits by name: a fixture of the module runs before the environment is cleared of the user's data.
    settings = ("dataset=mnist-5k", *(f"nonidealities.{name}=false" for name in off))
    execute(
        resolve(
            "mlp-mnist", **{"steps": 250, "techs": ("bottom-up-14nm",), "archs": archs, "settings": settings, **options}
        ),
        path,
    )
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return done(tmp_path_factory.mktemp("hold") / "run", archs=("mixed-precision", "digital32"))


@pytest.fixture(scope="module")
def noise_free(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return done(tmp_path_factory.mktemp("hold") / "run", "read_noise")


def test_times_are_log_spaced_from_a_second_and_end_with_the_duration() -> None:
    assert hold_times(30.0) == [0, 1, 3, 10, 30]
    assert hold_times(7.0) == [0, 1, 3, 7]
    assert hold_times(1.0) == [0, 1]
    assert hold_times(90 * DAY)[-3:] == [1e6, 3e6, 90 * DAY]


def test_without_drift_and_noise_the_accuracy_is_the_same_at_all_times(tmp_path: Path) -> None:
    content = hold(done(tmp_path / "run", "drift", "read_noise"), duration_s=90 * DAY, repeats=1)
    chip = content["architectures"]["mixed-precision"]
    assert {entry["plain"]["test"] for entry in chip["times"]} == {chip["trained_test"]}
    assert all(entry["difference_left"] == 1 for entry in chip["times"])
    assert all(set(entry["compensated"]["gains"].values()) == {1.0} for entry in chip["times"])


def test_the_differences_fall_by_the_closed_form(noise_free: Path) -> None:
    """Long after the training all devices are of one age; at its end all are younger than the law's shortest time."""
    content = hold(noise_free, duration_s=30 * DAY, repeats=1)
    chip = content["architectures"]["mixed-precision"]
    for entry in chip["times"]:
        age = max(entry["time_s"], 1.0)
        assert entry["difference_left"] == pytest.approx(age**-EXPONENT, rel=1e-3)
    assert chip["drift_exponents"] == [EXPONENT]


def test_compensation_brings_the_mean_output_back(noise_free: Path) -> None:
    spec = reopen(noise_free)
    chip = trained_chip(noise_free, spec, spec.architectures[0])
    vectors = compensation.known_vectors(spec.network, Streams(spec.seed))

    def outputs() -> dict[str, float]:
        twin = chip.twin()
        return twin.run(compensation.read_out(twin, spec.network, vectors, "retention"))

    def through(gains: dict[str, float], layer: str) -> float:
        from archsim.base.signal import Signal, Tag

        twin = chip.twin()
        verbs = compensation.Compensated(twin, gains)
        product = twin.run(verbs.multiply(layer, Signal(vectors[layer]), Tag("retention", layer)))
        return float(np.abs(product.values).mean())

    chip.age()
    first = outputs()
    before = {layer: through(dict.fromkeys(first, 1.0), layer) for layer in first}
    chip.run(chip.wait(round(30 * DAY) * 10**12))
    chip.age()
    gains = compensation.factors(first, outputs())
    for layer, gain in gains.items():
        assert gain == pytest.approx((30 * DAY) ** EXPONENT, rel=0.02)  # the rounding of the ADC is all that is left
        assert through(dict.fromkeys(gains, 1.0), layer) < 0.65 * before[layer]
        assert through(gains, layer) == pytest.approx(before[layer], rel=0.02)


def test_compensation_costs_operations_that_the_account_shows(run: Path) -> None:
    spec = reopen(run)
    chip = trained_chip(run, spec, spec.architectures[0])
    plain, scaled, calibrated = chip.twin(), chip.twin(), chip.twin()
    from archsim.chips.execute import inference

    x, network = spec.dataset.test_x[:10], spec.network
    plain.run(inference(plain, network, x, "retention"))
    verbs = compensation.Compensated(scaled, {"fc1": 1.5, "fc2": 1.5})
    scaled.run(inference(scaled, network, x, "retention", through=verbs))
    vectors = compensation.known_vectors(network, Streams(1))
    calibrated.run(compensation.read_out(calibrated, network, vectors, "retention"))

    def amount(one: Any, component: str, action: str) -> float:
        return sum(r.amount for r in one.ledger.rows() if (r.component, r.action) == (component, action))

    more = amount(scaled, "digital_unit", "multiply") - amount(plain, "digital_unit", "multiply")
    assert more == 10 * (250 + 10)
    assert {row.phase for row in calibrated.ledger.rows()} == {"retention"}
    reads = compensation.READS * compensation.VECTORS
    assert amount(calibrated, "tile", "adc.convert") == reads * (4 * 250 + 10)
    assert amount(calibrated, "digital_unit", "compare") == compensation.VECTORS * 260
    assert scaled.ledger.time_ps["retention"] > plain.ledger.time_ps["retention"]


def test_a_hold_writes_its_points_and_leaves_the_run_alone(run: Path, tmp_path: Path) -> None:
    before = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    seen: list[tuple[str, float]] = []
    content = hold(
        run, duration_s=10, repeats=2, out=tmp_path / "out", progress=lambda r: seen.append((r.what, r.done))
    )
    assert {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()} == before
    table = pd.read_csv(tmp_path / "out/hold.csv")
    assert seen == [("mixed-precision", t) for t in (0, 1, 3, 10)] + [("digital32", 0)]
    drifting = table[table.architecture == "mixed-precision"]
    assert len(drifting) == 4 * 2 * 2
    assert (drifting.energy_per_inference_J > 0).all()
    assert ((drifting.calibration_energy_J > 0) == drifting.compensated).all()
    assert json.loads((tmp_path / "out/hold.json").read_text()) == content
    digital = content["architectures"]["digital32"]
    (only,) = digital["times"]
    assert not digital["drifts"]
    assert only["plain"]["test"] == digital["trained_test"]
    assert "compensated" not in only


def test_the_same_hold_gives_the_same_points_again(run: Path, tmp_path: Path) -> None:
    for name in "ab":
        hold(run, duration_s=3, repeats=2, out=tmp_path / name)
    assert (tmp_path / "a/hold.csv").read_bytes() == (tmp_path / "b/hold.csv").read_bytes()


def test_the_clock_moves_and_a_chip_without_devices_has_no_difference(run: Path) -> None:
    spec = reopen(run)
    mixed, digital = (trained_chip(run, spec, architecture) for architecture in spec.architectures)
    begin = mixed.clock.now
    mixed.run(mixed.wait(5 * 10**12))
    assert mixed.clock.now == begin + 5 * 10**12
    assert sum(mixed.ledger.time_ps.values()) == 0
    assert mean_difference(mixed) > 0
    assert math.isnan(mean_difference(digital))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"duration_s": 107 * DAY}, r"--for: got '107 days'; expected at most 106.7 days"),
        ({"duration_s": 0.5}, "--for: got '500 ms'; expected at least 1 s"),
        ({"duration_s": math.nan}, "--for: .*expected at least 1 s"),
        ({"repeats": 0}, "--repeats: got 0"),
        ({"techs": ("digital-7nm",)}, "--tech: .*expected one this run was priced by: bottom-up-14nm"),
    ],
)
def test_what_cannot_be_simulated_is_refused(run: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        hold(run, **options)
    assert not (run / "hold").exists()


def test_a_mean_of_equal_accuracies_is_one_of_them() -> None:
    accuracy = 0.1 + 0.2 + 1e-3
    tests = [HoldPoint("chip", 1.0, False, k, accuracy, 0.0, {}, 0.0, 0.0) for k in range(3)]
    found = _mode(tests)
    assert found["lowest"] <= found["test"] <= found["highest"]
