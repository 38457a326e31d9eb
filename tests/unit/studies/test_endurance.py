"""Endurance: pulses by device, their sums, their map, against a stated endurance."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from archsim.base.errors import InputError
from archsim.report.studies import endurance as drawing
from archsim.runs.run import execute
from archsim.runs.spec import resolve
from archsim.studies.endurance import endurance

TECH = ("bottom-up-14nm",)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose refresh RESETs pairs early, so that both kinds of pulse fall."""
    path = tmp_path_factory.mktemp("endurance") / "run"
    settings = ("dataset=mnist-5k", "refresh.saturated=3 uS", "refresh.difference=2.5 uS", "refresh.every=50")
    execute(resolve("mlp-mnist", steps=400, techs=TECH, settings=settings), path)
    return path


def test_the_pulses_of_all_devices_are_those_of_the_ledger(run: Path, tmp_path: Path) -> None:
    (worn,) = endurance(run, out=tmp_path)
    activity = pd.read_csv(run / "activity.csv")
    mixed = activity[activity.architecture == "mixed-precision"]
    for wear, action in zip(worn.wear, ("set.pulse", "reset.pulse"), strict=True):
        assert wear.total == mixed[(mixed.component == "programmer") & (mixed.action == action)].amount.sum() > 0


def test_tiles_table_and_summary_tell_the_same(run: Path, tmp_path: Path) -> None:
    (worn,) = endurance(run, out=tmp_path)
    table = pd.read_csv(tmp_path / "endurance.csv")
    content = json.loads((tmp_path / "endurance.json").read_text())["architectures"]["mixed-precision"]
    assert list(table.tile.unique()) == ["fc1/0,0", "fc1/1,0", "fc1/2,0", "fc1/3,0", "fc2/0,0"]
    assert worn.devices == content["devices"] == 2 * (785 * 250 + 251 * 10)
    assert (2 * table.groupby("tile").first()[["rows", "columns"]].prod(axis=1)).sum() == worn.devices
    for wear in worn.wear:
        counts, said = worn.counts(wear.kind), content["pulses"][wear.kind]
        assert table[f"{wear.kind}_total"].sum() == counts.sum() == wear.total == said["total"]
        assert table[f"{wear.kind}_most"].max() == counts.max() == wear.most == said["most"]
        assert wear.untouched == pytest.approx((counts == 0).mean())
        assert said["never_pulsed"] == pytest.approx(table[f"{wear.kind}_never_pulsed_devices"].sum() / worn.devices)


def test_the_hottest_device_is_where_it_is_said_to_be(run: Path, tmp_path: Path) -> None:
    (worn,) = endurance(run, out=tmp_path)
    wear = worn.wear[0]
    assert wear.hottest is not None
    tile, side, row, column = wear.hottest.removeprefix("tile ").split(", ")
    counts = next(one.counts["set_pulses"] for one in worn.tiles if one.name == tile)
    place = ("G+", "G-").index(side), int(row.split()[1]), int(column.split()[1])
    assert counts[place] == wear.most


def test_single_devices_that_are_written_in_turn_are_named_apart(tmp_path: Path) -> None:
    execute(resolve("mlp-mnist", steps=3, techs=TECH, archs=("multi-device",)), tmp_path / "run")
    (worn,) = endurance(tmp_path / "run")
    assert worn.tiles[0].sides == ("G 1", "G 2", "G 3", "G 4")
    activity = pd.read_csv(tmp_path / "run" / "activity.csv")
    assert worn.wear[0].total == activity[activity.action == "up.pulse"].amount.sum() > 0


def test_pairs_that_stand_side_by_side_are_named_apart(tmp_path: Path) -> None:
    options = {"steps": 100, "techs": TECH, "archs": ("mixed-precision",), "settings": ("weight.copies=2",)}
    execute(resolve("mlp-mnist", **options), tmp_path / "run")  # type: ignore[arg-type]
    (worn,) = endurance(tmp_path / "run")
    assert worn.tiles[0].sides == ("G+ 1", "G+ 2", "G- 1", "G- 2")
    assert worn.devices == 4 * (785 * 250 + 251 * 10)
    activity = pd.read_csv(tmp_path / "run" / "activity.csv")
    assert worn.wear[0].total == activity[activity.action == "set.pulse"].amount.sum() > 0


def test_trainings_are_the_endurance_over_the_most_pulses(run: Path, tmp_path: Path) -> None:
    (stated,) = endurance(run, out=tmp_path)
    (given,) = endurance(run, limit=5000, out=tmp_path)
    for one, other in zip(stated.wear, given.wear, strict=True):
        assert one.limit is not None
        assert (one.limit.pulses, one.limit.basis) == (1e8, "assumed")
        assert one.trainings == 1e8 / one.most
        assert other.trainings == 5000 / one.most


def test_a_device_without_a_stated_endurance_is_not_extrapolated(tmp_path: Path) -> None:
    options = {"steps": 60, "techs": TECH, "archs": ("mixed-precision",), "settings": ("weight.device=ideal",)}
    execute(resolve("mlp-mnist", **options), tmp_path / "run")  # type: ignore[arg-type]
    (worn,) = endurance(tmp_path / "run")
    assert [wear.limit for wear in worn.wear] == [None, None]
    assert worn.wear[1].trainings is None
    assert "not stated" in str([list(column.cells) for column in drawing.text(worn)[0].columns])  # type: ignore[union-attr]


def test_a_run_without_devices_is_refused(tmp_path: Path) -> None:
    execute(resolve("mlp-mnist", steps=10, techs=TECH, archs=("digital32",)), tmp_path / "run")
    with pytest.raises(InputError, match="expected a run with a chip whose weights lie in devices"):
        endurance(tmp_path / "run")


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_an_endurance_that_is_no_number_of_pulses_is_refused(run: Path, limit: float) -> None:
    with pytest.raises(InputError, match="--limit: .*expected a positive number of pulses"):
        endurance(run, limit=limit)


def test_maps_and_histogram_are_drawn_and_an_old_map_goes(run: Path, tmp_path: Path) -> None:
    (worn,) = endurance(run, out=tmp_path)
    written = {path.name for path in drawing.write(worn, tmp_path)}
    assert written == {
        f"{stem}-mixed-precision.{suffix}"
        for stem in ("map-set", "map-reset", "histogram")
        for suffix in ("png", "svg")
    }
    figure = drawing.draw_histogram(worn)
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    drawn = sum(float(np.sum(patch.get_data().values)) for patch in axes.patches[:1])  # type: ignore[attr-defined]
    assert drawn == np.count_nonzero(worn.counts("set_pulses"))
    none = replace(worn, tiles=worn.tiles[-1:], wear=(worn.wear[0], replace(worn.wear[1], total=0, most=0)))
    drawing.write(none, tmp_path)
    assert not list(tmp_path.glob("map-reset*"))


def test_a_chip_of_one_device_a_weight_has_one_side(tmp_path: Path) -> None:
    settings = ("dataset=mnist-5k",)
    execute(resolve("mlp-mnist", steps=60, archs=("in-array",), techs=TECH, settings=settings), tmp_path / "run")
    (worn,) = endurance(tmp_path / "run", out=tmp_path)
    assert worn.devices == 785 * 250 + 251 * 10
    assert {tile.sides for tile in worn.tiles} == {("G",)}
    assert set(pd.read_csv(tmp_path / "endurance.csv").side) == {"G"}
    assert "pulses of a device" in drawing.draw_map(worn, worn.wear[0]).axes[-1].get_ylabel()
