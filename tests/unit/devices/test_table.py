"""Table devices: the kernel against NumPy's interpolation, bounds, missing directions, and mistakes in the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.base.errors import InputError, ModelError
from archsim.base.streams import Normals
from archsim.devices import _kernels
from archsim.devices.base import DeviceArray, Switches
from archsim.devices.library import build, device_file, input_files

US = 1e-6
CSV = """direction,conductance_uS,mean_uS,std_uS
up,1,0.5,0.1
up,3,0.3,0.1
up,5,0,0
down,0.5,0,0.2
down,4,-0.4,0.2
"""
YAML = """schema: 1
kind: device
model: table
name: mine
title: A table of three rows
table: {file: mine.csv, basis: assumed, why: "a test"}
after_reset: {mean: 1 uS, std: 0 S, basis: assumed, why: "a test"}
start: {common: 2 uS, basis: assumed, why: "a test"}
"""


def written(folder: Path, csv: str = CSV, yaml: str = YAML) -> Path:
    (folder / "mine.csv").write_text(csv)
    (folder / "mine.yaml").write_text(yaml)
    return folder / "mine.yaml"


def table(folder: Path, csv: str = CSV, **switches: bool) -> Any:
    return build(written(folder, csv), Switches(**switches))


def normals(seed: int = 0) -> Normals:
    return Normals(np.random.default_rng(seed))


def pulse(way: Any, start: float, pulses: int = 1) -> float:
    array = DeviceArray.blank(1)
    array.conductance[:] = start
    way(array, np.arange(1), np.array([pulses]), pulses, 0, normals())
    return float(array.conductance[0])


@given(
    g=st.lists(st.floats(0.05, 7), min_size=1, max_size=8), z=st.floats(-3, 3),
    knots=st.lists(st.floats(0.1, 6), min_size=2, max_size=7, unique_by=lambda x: round(x, 2)),
)  # fmt: skip
def test_one_pulse_is_an_interpolation_between_the_rows(g: list[float], z: float, knots: list[float]) -> None:
    at = np.sort(np.array(knots))
    mean, std = np.cos(at), np.sin(at) ** 2
    found = np.array(g, np.float32)
    expected = np.clip(found + np.interp(found, at, mean) + z * np.interp(found, at, std), 0.01, 8)
    n = found.size
    count = np.zeros(n, np.int64)
    _kernels.table_pulses(
        found, np.zeros(n, np.float32), np.zeros(n, np.int64), count, np.arange(n), np.ones(n, np.int64), 1,
        np.full(n, z), at, mean, std, 0.0, 0.01, 8.0,
    )  # fmt: skip
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert (count == 1).all()


def test_a_device_draws_its_factor_once_and_keeps_it(tmp_path: Path) -> None:
    record = 'spread: {devices: 0.2, basis: assumed, why: "a test"}\n'
    device: Any = build(written(tmp_path, CSV.replace("0.1", "0").replace("0.2\n", "0\n"), YAML + record), Switches())
    array, n, source = DeviceArray.blank(20_000), 20_000, normals()
    ways = (device.set_pulses, device.down_pulses, device.set_pulses)
    factors = []
    for way, mean in zip(ways, (0.4, -0.4 * 1.5 / 3.5, 0.4), strict=True):
        array.conductance[:] = 2 * US
        way(array, np.arange(n), np.ones(n, np.int64), n, 0, source)
        factors.append((array.conductance.astype(float) / US - 2) / mean)
    assert factors[0] == pytest.approx(factors[1], abs=1e-5)
    assert factors[0] == pytest.approx(factors[2], abs=1e-5)
    assert factors[0].std() == pytest.approx(0.2, rel=0.03)  # six standard errors
    assert factors[0].mean() == pytest.approx(1, abs=0.01)
    still: Any = build(tmp_path / "mine.yaml", Switches(programming_noise=False))
    assert pulse(still.set_pulses, 2 * US) == pytest.approx(2.4 * US)
    assert device.effects == ("state_dependence", "programming_noise")
    assert still.effects == device.effects


def test_the_bounds_are_what_the_tables_of_both_directions_cover(tmp_path: Path) -> None:
    device = table(tmp_path)
    assert (device.low, device.high) == pytest.approx((1 * US, 4 * US))
    array = DeviceArray.blank(2)
    device.load(array, np.array([0.2 * US, 9 * US], np.float32), 0)
    assert array.conductance == pytest.approx([1 * US, 4 * US])
    assert pulse(device.set_pulses, 3 * US, 50) == np.float32(4 * US)
    assert pulse(device.down_pulses, 3 * US, 50) >= np.float32(1 * US)


def test_epsilon_is_the_mean_up_step_at_the_common_conductance(tmp_path: Path) -> None:
    assert table(tmp_path).epsilon == pytest.approx(0.4 * US)


def test_each_switch_takes_its_effect_away(tmp_path: Path) -> None:
    exact = table(tmp_path, programming_noise=False)
    assert pulse(exact.set_pulses, 3 * US) == pytest.approx(3.3 * US)
    assert pulse(exact.down_pulses, 2.25 * US) == pytest.approx(2.05 * US)
    same = table(tmp_path, programming_noise=False, state_dependence=False)
    assert pulse(same.set_pulses, 3 * US) == pytest.approx(3.4 * US)
    assert pulse(same.down_pulses, 3 * US) == pytest.approx(2.6 * US)


def test_without_rows_for_down_pulses_there_are_none(tmp_path: Path) -> None:
    device = table(tmp_path, "\n".join(CSV.splitlines()[:4]))
    assert not device.bidirectional
    assert device.high == pytest.approx(5 * US)
    with pytest.raises(ModelError, match="mine has no down pulses in its table"):
        pulse(device.down_pulses, 2 * US)


def test_the_table_counts_among_the_files_that_decide_the_numbers(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert input_files(path) == [path, tmp_path / "mine.csv"]
    assert input_files(device_file("ideal")) == [device_file("ideal")]


def test_a_run_names_the_table_among_its_inputs() -> None:
    from archsim.chips import architecture

    document = architecture.document("mixed-precision")
    parsed = architecture.parse(document.with_settings({("weight", "device"): "table-example"}))
    assert [path.name for path in parsed.files()] == ["table-example.yaml", "table-example.csv"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("std_uS", "std", 'mine.csv:1: std: has no unit in its name; expected a name such as "std (uS)"'),
        ("mean_uS", "mean_kg", "mine.csv:1: mean_kg: has the unit 'kg'; expected one of S, such as \"mean (uS)\""),
        ("direction,", "way,", "mine.csv:1: direction: is missing; expected a column such as 'direction' beside way"),
        ("up,3,0.3,0.1", "sideways,3,0.3,0.1", "mine.csv:3: direction: got 'sideways'; expected up or down"),
        ("up,3,0.3,0.1", "up,3,0.3,-0.1", "mine.csv:3: std: got -1e-07; expected no negative standard deviation"),
        ("up,3,0.3,0.1", "up,3,nan,0.1", "mine.csv:3: mean_uS: got 'nan'; expected a finite number"),
        ("up,3,0.3,0.1", "up,3,0.3", "mine.csv:3: has 3 cells; expected 4"),
        ("up,3,0.3,0.1", "up,0.5,0.3,0.1", "mine.csv:1: conductance: is not in order for 'up'"),
        ("up,1,0.5,0.1\nup,3,0.3,0.1\n", "", "mine.csv:1: direction: has 1 rows of 'up'; expected two or more"),
        ("up,1,0.5,0.1\nup,3,0.3,0.1\n", "up,4.5,0.3,0.1\n", "mine.yaml:6: table.file: up and down have no range in common"),
        ("up,1,0.5,0.1", "up,1,-2,0.1", "mine.yaml:8: start.common: an up pulse changes 2e-06 S by -8.5e-07 S on average"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_table_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, words: str
) -> None:
    assert old in CSV
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        table(tmp_path, CSV.replace(old, new, 1))
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("file: mine.csv", "file: other.csv", "other.csv: no such file"),
        ("file: mine.csv, ", "", "mine.yaml:6: table.file: is missing"),
        ("common: 2 uS", "common: 4.5 uS", "mine.yaml:8: start.common: start.common is 4.5e-06 S"),
        ("mean: 1 uS", "mean: 0.9 uS", "mine.yaml:7: after_reset.mean: after_reset.mean is 9e-07 S"),
    ],
)
def test_a_mistake_in_the_device_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        build(written(tmp_path, yaml=YAML.replace(old, new, 1)), Switches())
    assert str(caught.value).startswith(words)
