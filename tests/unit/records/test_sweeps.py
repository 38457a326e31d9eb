"""A sweep is read back as it was written, or refused by the name of what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sweep_kit

from archsim.base.errors import InputError
from archsim.base.metrics import METRICS
from archsim.records.sweeps.sweep import Axis, Quantity, metric_quantity, read_sweep


def test_a_sweep_is_read_with_its_axes_quantities_and_finished_rows(tmp_path: Path) -> None:
    table = sweep_kit.failing(sweep_kit.frame(), 2)
    sweep = read_sweep(sweep_kit.write(tmp_path / "s", table))
    assert sweep.axes == sweep_kit.AXES
    assert [each.name for each in sweep.quantities][:2] == ["test", "energy_per_sample_J"]
    assert (len(sweep.frame), len(sweep.finished)) == (45, 43)
    assert list(sweep.frame.columns) == list(table.columns)
    assert sweep.finished["adc.conversion [J]"].tolist() == table["adc.conversion [J]"].tolist()[:43]
    assert set(sweep.parts) == set(sweep_kit.PARTS)
    assert read_sweep(tmp_path / "s" / "sweep.csv").axes == sweep.axes


def test_one_line_of_pandas_reads_the_same_numbers(tmp_path: Path) -> None:
    sweep = read_sweep(sweep_kit.write(tmp_path))
    pd.testing.assert_series_equal(pd.read_csv(tmp_path / "sweep.csv")["test"], sweep.frame["test"])


def test_levels_are_numbers_in_rising_order_and_words_as_declared(tmp_path: Path) -> None:
    table, axes = sweep_kit.random_table(60, np.random.default_rng(1))
    table.loc[table["device"] == "ideal", "device"] = "none"  # a word that pandas alone takes for a missing cell
    axes = (*axes[:-1], Axis("device", "set", "", ("pcm", "none", "linear")))
    sweep = read_sweep(sweep_kit.write(tmp_path, table, axes=axes))
    assert sweep.levels(sweep.axis("device")) == ["pcm", "none", "linear"]
    bits = sweep.levels(sweep.axis("tile.adc.bits"))
    assert bits == sorted(bits)
    assert sweep.levels(axes[2]) == sorted(table["adc.conversion [J]"])


def test_values_are_written_with_their_units() -> None:
    assert sweep_kit.AXES[2].text(1.6e-12) == "1.6 pJ"
    assert sweep_kit.AXES[0].text(np.int64(4)) == "4"
    accuracy = metric_quantity(METRICS["accuracy"])
    assert (accuracy.text(0.9771), accuracy.better) == ("97.71 %", "high")
    assert metric_quantity(METRICS["bits per character"]).better == "low"
    assert Quantity("area_m2", "area", "m^2").text(2e-6) == "2 mm^2"
    assert Quantity("x", "x", "TOPS/W", 1e-12, "high").text(float("nan")) == "-"


def test_quantities_are_found_by_column_title_or_first_words_and_the_nearest_is_named(tmp_path: Path) -> None:
    sweep = read_sweep(sweep_kit.write(tmp_path))
    assert sweep.quantity("accuracy") == sweep.quantity("test")
    for word, name in (("latency", "latency_per_sample_s"), ("time", "latency_per_sample_s"), ("area", "area_m2"),
                       ("energy", "energy_per_sample_J"), ("edp", "edp_per_sample_Js")):  # fmt: skip
        assert sweep.quantity(word).name == name
    with pytest.raises(InputError, match=r"--x: got 'joules'; expected one of test, energy_per_sample_J"):
        sweep.quantity("joules", option="--x")
    with pytest.raises(InputError, match=r"Did you mean 'accuracy'\?"):
        sweep.quantity("acuracy")
    with pytest.raises(InputError, match=r"Did you mean 'tile.rows'\?"):
        sweep.axis("tile.row")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, r"sweep\.json: schema: got 2; expected 1"),
        ({"axes": "bits"}, r"sweep\.json: axes: got 'bits'; expected a list"),
        ({"axes": [{"key": "a"}]}, r"sweep\.json: axes\.0: .*key, kind and unit"),
        ({"quantities": []}, r"sweep\.json: quantities: got \[\]; expected at least one"),
        ({"quantities": [{"name": "test", "title": "t", "better": "up"}]}, r"better: got 'up'; expected low or high"),
        ({"settings": [1]}, r"settings: got \[1\]; expected a mapping"),
        ({"search": 3}, r"search: got 3; expected a mapping"),
        ({"search": {"objectives": 3}}, r"search\.objectives: got 3; expected a list"),
        ({"axes": [{"key": "b", "kind": "set"}]}, r"sweep\.csv: lacks the column b"),
        ({"workload": 3}, r"workload: got 3; expected a name"),
    ],
)
def test_a_definition_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    file = sweep_kit.write(tmp_path) / "sweep.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_sweep(tmp_path)


@pytest.mark.parametrize(
    ("column", "value"), [("test", "high"), ("test", "inf"), ("tile.rows", "x"), ("area_m2", "True")]
)
def test_a_cell_that_is_no_number_is_refused_with_its_line(tmp_path: Path, column: str, value: object) -> None:
    table = sweep_kit.frame().astype({column: object})
    table.loc[3, column] = value
    sweep_kit.write(tmp_path, table)
    with pytest.raises(InputError, match=rf"sweep\.csv:5: {column}: got .*; expected a finite number"):
        read_sweep(tmp_path)


def test_a_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such directory"):
        read_sweep(tmp_path / "none")
    with pytest.raises(InputError, match=r"sweep\.json: is missing"):
        read_sweep(tmp_path)
    sweep_kit.write(tmp_path)
    (tmp_path / "sweep.csv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"sweep\.csv: is not readable.*The same command that made it writes it anew"):
        read_sweep(tmp_path)
    (tmp_path / "sweep.csv").unlink()
    with pytest.raises(InputError, match=r"sweep\.csv: no such file"):
        read_sweep(tmp_path)
    (tmp_path / "sweep.json").write_text(json.dumps([1]), encoding="utf-8")
    with pytest.raises(InputError, match="holds no mapping"):
        read_sweep(tmp_path)
