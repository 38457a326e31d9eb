"""A folder of seeds, read as one run: the mean of the bills is the bill of the mean."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pytest
from explain_kit import small_run
from layout_kit import faults

from archsim.accounting.intervals import TOTAL
from archsim.api import load
from archsim.base.errors import InputError
from archsim.records.intervals import intervals
from archsim.records.recorded import Recorded
from archsim.records.ruled import ruled
from archsim.records.seeds import read, several
from archsim.report import ranges, style
from archsim.report.charts import metric
from archsim.report.make import make
from archsim.studies.explain.explain import explain
from archsim.studies.seeds import drawn

CHIPS = ("mixed-precision", "digital32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seeds") / "all"
    for seed in (2, 10, 1):
        small_run(path / f"seed-{seed}", seed=seed, steps=60)
    return path


@pytest.fixture(scope="module")
def mean(folder: Path) -> Recorded:
    return read(folder)


def test_the_seeds_are_read_in_their_order_and_a_run_is_a_run(folder: Path, mean: Recorded) -> None:
    assert [each.summary["seed"] for each in mean.seeds] == [1, 2, 10]
    assert mean.seeded == "mean of the seeds 1, 2, 10"
    assert several(folder)
    assert not several(folder / "seed-1")
    assert read(folder / "seed-1").seeds == ()


@pytest.mark.parametrize("chip", CHIPS)
def test_every_number_of_the_mean_is_the_mean_of_the_numbers(mean: Recorded, chip: str) -> None:
    alone = [run.summary["architectures"][chip] for run in mean.seeds]
    told = mean.summary["architectures"][chip]
    assert mean.total(chip) == pytest.approx(fmean(run.total(chip) for run in mean.seeds), rel=1e-12)
    for key in ("energy_per_step_J", "latency_per_step_s", "energy_per_sample_J"):
        for phase, value in told[key].items():
            assert value == pytest.approx(fmean(one[key][phase] for one in alone), rel=1e-12)
    assert told["test"] == pytest.approx(fmean(one["test"] for one in alone))
    assert mean.chips[chip].course[-1].test == pytest.approx(told["test"])
    for line in mean.contributions(chip):
        assert line.energy == pytest.approx(line.amount * line.price, rel=1e-9)


def test_the_ratio_is_that_of_the_mean_energies(mean: Recorded) -> None:
    ratio = mean.summary["ratios"]["mixed-precision"]["energy"]
    assert ratio == pytest.approx(mean.total("digital32") / mean.total("mixed-precision"), rel=1e-12)
    assert mean.summary["ratio"]["energy"] == ratio
    assert explain_value(mean) == pytest.approx(ratio, rel=1e-12)
    assert intervals(mean).chips["digital32"].energy[TOTAL].value == pytest.approx(mean.total("digital32"), rel=1e-12)


def test_seeds_json_has_the_intervals_of_the_mean_drawn_for_it(folder: Path, mean: Recorded, tmp_path: Path) -> None:
    assert "intervals" not in mean.summary, "a mean of intervals is none"
    assert drawn(folder)[mean.technology] == intervals(mean).content()
    assert drawn(tmp_path) == {}


@pytest.mark.usefixtures("undrawn")
def test_a_folder_by_another_scaling_rule_is_the_mean_of_its_runs_by_it(mean: Recorded, tmp_path: Path) -> None:
    rule = "stillmaker-baas-older"
    found = ruled(mean, rule)
    for chip in CHIPS:
        assert found.total(chip) == pytest.approx(fmean(ruled(one, rule).total(chip) for one in mean.seeds), rel=1e-12)
        assert found.total(chip) < 0.8 * mean.total(chip)
    written = make(mean.path, tmp_path, rule=rule)
    assert {"report.md", "intervals.json", "energy.png"} <= {path.name for path in written}
    told = json.loads((tmp_path / "intervals.json").read_text())["intervals"][f"bottom-up-14nm+{rule}"]
    energy = told["architectures"]["digital32"]["energy_per_step_J"]["total"]
    assert energy["value"] == pytest.approx(found.total("digital32"), rel=1e-12)
    assert energy["low"] < energy["value"] < energy["high"]


def explain_value(mean: Recorded) -> float:
    return explain(mean.path, steps=None, samples=500).spent.nominal


def test_a_table_gives_mean_and_deviation_over_the_seeds(mean: Recorded) -> None:
    (sheet,) = ranges.seeds(mean)
    values = [100 * run.summary["architectures"]["digital32"]["test"] for run in mean.seeds]
    row = next(row for row in sheet.rows if row[0] == "test accuracy, digital32")
    assert row[1:3] == (f"{fmean(values):.2f} %", f"{stdev(values):.2f} %")
    assert sheet.heads[3:] == ("seed 1", "seed 2", "seed 10")
    assert ranges.seeds(mean.seeds[0]) == []


@pytest.mark.parametrize("page", [None, style.COLUMN])
def test_tests_are_drawn_with_the_band_of_all_seeds(mean: Recorded, page: style.Page | None) -> None:
    with style.applied(page) if page else style.applied():
        figure = metric.draw(mean)
        assert faults(figure) == []
    left = figure.axes[0]
    errors = [1 - run.summary["architectures"][CHIPS[0]]["test"] for run in mean.seeds]
    ends = np.concatenate([path.vertices for band in left.collections[:1] for path in band.get_paths()])[:, 1]
    assert (ends.min(), ends.max()) == pytest.approx((min(errors), max(errors)))
    assert any("±" in str(line.get_label()) for line in left.lines)


@pytest.mark.usefixtures("undrawn")
def test_a_report_and_the_object_of_a_folder_hold_all_seeds(folder: Path, mean: Recorded, tmp_path: Path) -> None:
    written = make(folder, tmp_path)
    assert {"report.md", "intervals.json", "metric.png"} <= {path.name for path in written}
    assert "Over 3 seeds" in (tmp_path / "report.md").read_text(encoding="utf-8")
    opened = load(folder)
    assert set(opened.energy["seed"]) == {1, 2, 10}
    assert opened.summary["seeds"] == [1, 2, 10]


def test_seeds_of_different_runs_are_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(folder / "seed-1", other / "seed-1")
    small_run(other / "seed-2", seed=2, steps=61)
    with pytest.raises(InputError, match="has other steps than seed-1; expected 60") as caught:
        read(other)
    assert "seed-2" in str(caught.value)


def test_unfinished_seeds_are_left_out_and_without_any_it_is_said(folder: Path, tmp_path: Path) -> None:
    some = Path(shutil.copytree(folder, tmp_path / "some"))
    for seed in (1, 2, 10):
        file = some / f"seed-{seed}" / "run.yaml"
        file.write_text(file.read_text().replace("state: finished", "state: running"))
        if seed == 1:
            assert [each.summary["seed"] for each in read(some).seeds] == [2, 10]
    with pytest.raises(InputError, match="has no finished seed"):
        read(some)
    assert json.loads((some / "seed-1" / "summary.json").read_text())["state"] == "finished"
