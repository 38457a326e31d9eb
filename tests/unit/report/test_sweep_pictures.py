"""Pictures of a sweep show what its table says: the front, the knee, shares, means and maps."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sweep_kit
from layout_kit import faults

from archsim.base.errors import InputError
from archsim.records.sweeps.fronts import front
from archsim.records.sweeps.sweep import read_sweep
from archsim.report import style
from archsim.report.sweeps import influence
from archsim.report.sweeps.fronts import draw_front
from archsim.report.sweeps.page import PAGE, render
from archsim.report.sweeps.parallel import draw_parallel, uprights
from archsim.report.sweeps.view import View, view
from archsim.report.sweeps.write import figures, write


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with style.applied():
        yield


def seen(folder: Path, table: pd.DataFrame | None = None, **options: str) -> View:
    return view(read_sweep(sweep_kit.write(folder, table)), **options)


def data_of(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def test_the_metric_is_drawn_over_the_energy_and_without_one_time_over_energy(tmp_path: Path) -> None:
    made = seen(tmp_path)
    assert (made.y.name, made.x.name) == ("test", "energy_per_sample_J")
    table = sweep_kit.frame().drop(columns=["test", "test.std"])
    estimate = view(read_sweep(sweep_kit.write(tmp_path / "estimate", table, metric=False)))
    assert (estimate.y.name, estimate.x.name) == ("latency_per_sample_s", "energy_per_sample_J")
    chosen = seen(tmp_path / "other", x="area", y="edp")
    assert (chosen.x.name, chosen.y.name) == ("area_m2", "edp_per_sample_Js")
    with pytest.raises(InputError, match=r"--y: got 'area_m2'; expected another quantity than --x area_m2"):
        seen(tmp_path / "same", x="area", y="area_m2")
    with pytest.raises(InputError, match=r"--x: got 'enrgy'; .*Did you mean 'energy'\?"):
        seen(tmp_path / "wrong", x="enrgy")


def test_a_sweep_of_which_nothing_is_done_is_refused(tmp_path: Path) -> None:
    table = sweep_kit.frame()
    with pytest.raises(InputError, match=r"sweep\.csv: has no finished design with accuracy and energy per sample"):
        seen(tmp_path, sweep_kit.failing(table, len(table)))


def test_the_front_is_joined_through_the_very_designs_and_the_knee_is_named_with_its_parameters(tmp_path: Path) -> None:
    made = seen(tmp_path)
    [axes] = draw_front(made).axes
    lines = {line.get_label(): line for line in axes.lines}
    joined = lines["front: no other design is better"]
    on = made.rows[front(made.rows, [made.x, made.y])].sort_values(made.x.name)
    np.testing.assert_allclose(joined.get_xdata(), on[made.x.name])
    np.testing.assert_allclose(joined.get_ydata(), 100 * on["test"])
    [knee] = [label for label in lines if str(label).startswith("knee: ")]
    row = made.rows.iloc[made.knee or 0]
    assert knee.startswith(f"knee: tile.adc.bits {row['tile.adc.bits']}, tile.rows {row['tile.rows']}, adc.conversion ")
    assert lines[knee].get_xdata()[0] == row[made.x.name]
    assert axes.get_xlabel() == "energy per sample, lower is better (log axis)"
    assert axes.get_ylabel() == "accuracy [%], higher is better"


def test_error_bars_are_one_standard_deviation_over_the_seeds(tmp_path: Path) -> None:
    made = seen(tmp_path)
    [axes] = draw_front(made).axes
    bars = [np.ptp(segment, axis=0) for lines in axes.collections for segment in lines.get_segments()]
    upright = [height for width, height in bars if width == 0]
    assert len(upright) == len(made.rows)
    np.testing.assert_allclose(upright, 2 * 100 * 0.002)


def test_a_chip_whose_designs_are_all_beaten_has_its_own_front_dashed(tmp_path: Path) -> None:
    table = sweep_kit.frame(sweep_kit.CHIPS)
    worse = table["chip"] == "digital32"
    table.loc[worse, "test"] = 0.5 + 0.01 * table.loc[worse, "tile.adc.bits"]
    table.loc[worse, "energy_per_sample_J"] *= table.loc[worse, "tile.adc.bits"]
    made = seen(tmp_path, table)
    labels = [str(line.get_label()) for line in draw_front(made).axes[0].lines]
    assert "front of digital32 alone" in labels
    assert {"mixed-precision", "digital32"} <= set(labels)


def test_a_chip_that_no_parameter_changes_stands_once_and_without_parameters(tmp_path: Path) -> None:
    made = seen(tmp_path, sweep_kit.frame(sweep_kit.CHIPS))
    own = made.rows[made.rows["chip"] == "digital32"]
    assert (len(own), len(made.rows)) == (1, 46)
    assert own[["tile.adc.bits", "adc.conversion [J]"]].isna().all(axis=None)
    assert made.named(int(own.index[0])) == "chip digital32"
    assert made.chips == ("mixed-precision",)


def test_two_technologies_are_told_apart(tmp_path: Path) -> None:
    table = sweep_kit.frame()
    other = table.assign(technology="seven-nm", energy_per_sample_J=table["energy_per_sample_J"] / 3)
    made = seen(tmp_path, pd.concat([table, other]))
    assert [each.label for each in made.series] == ["mixed-precision, bottom-up-14nm", "mixed-precision, seven-nm"]
    assert {each.name for each in made.factors("mixed-precision")} >= {"technology", "tile.rows"}


def test_each_upright_runs_from_its_lowest_to_its_highest_value(tmp_path: Path) -> None:
    table, axes = sweep_kit.random_table(80, np.random.default_rng(4))
    made = view(read_sweep(sweep_kit.write(tmp_path, table, axes=axes)))
    found = {each.title: each for each in uprights(made)}
    price = found["adc.conversion"]  # two decades: on a log axis
    values = made.rows["adc.conversion [J]"].to_numpy()
    np.testing.assert_allclose(price.places, np.log(values / values.min()) / np.log(values.max() / values.min()))
    assert [text for _, text in found["device"].marks] == ["pcm", "linear", "ideal"]
    assert set(found["device"].places) == {0, 0.5, 1}
    assert "accuracy (high is better)" in found
    [chart] = draw_parallel(made).axes
    assert sum(len(lines.get_segments()) for lines in chart.collections) == 80


def test_every_column_of_shares_sums_to_one_and_small_ones_stand_together(tmp_path: Path) -> None:
    table, axes = sweep_kit.random_table(200, np.random.default_rng(4))
    for made in (seen(tmp_path / "grid"), view(read_sweep(sweep_kit.write(tmp_path / "random", table, axes=axes)))):
        told = influence.told(made, "mixed-precision")
        rows = influence.shares(told)
        assert [sum(own[k] for _, own in rows) for k in range(len(told))] == pytest.approx([1] * len(told))
        assert rows[0][0] == "tile.adc.bits"
        assert rows[0][1][0] > 0.9  # of accuracy
        assert len(rows) <= influence.ROWS + 2


def test_a_map_holds_means_over_the_others_or_the_values_at_a_fixed_one(tmp_path: Path) -> None:
    made = seen(tmp_path)
    bits, rows = (made.sweep.axis(key) for key in ("tile.adc.bits", "tile.rows"))
    figure = influence.draw_map(made, "mixed-precision", bits, rows)
    energy = next(axes for axes in figure.axes if axes.get_title() == "energy per sample, lower is better")
    [mesh] = [each for each in energy.collections if each.get_array() is not None]
    wanted = made.rows.groupby(["tile.rows", "tile.adc.bits"])["energy_per_sample_J"].mean()
    np.testing.assert_allclose(np.ravel(mesh.get_array()), wanted)
    assert "mean over adc.conversion" in figure.get_label()
    fixed = influence.draw_map(made, "mixed-precision", bits, rows, fixed={"adc.conversion": 5e-12})
    [mesh] = [each for each in fixed.axes[1].collections if each.get_array() is not None]
    at = made.rows[made.rows["adc.conversion [J]"] == 5e-12].set_index(["tile.rows", "tile.adc.bits"]).sort_index()
    np.testing.assert_allclose(np.ravel(mesh.get_array()), at["energy_per_sample_J"])
    assert "at adc.conversion 5 pJ" in fixed.get_label()
    with pytest.raises(InputError, match=r"--fix: got 'adc.conversion=3 J'; expected values that some design has"):
        influence.draw_map(made, "mixed-precision", bits, rows, fixed={"adc.conversion": 3.0})


def test_what_is_held_fixed_is_given_as_it_is_written_or_as_the_table_has_it(tmp_path: Path) -> None:
    made = seen(tmp_path)
    for given in ("1.6 pJ", "1600 fJ", 1.6e-12):
        assert influence.held(made, {"adc.conversion": given}) == {"adc.conversion": 1.6e-12}
    for given in ("128", 128):
        assert influence.held(made, {"tile.rows": given}) == {"tile.rows": 128}
    with pytest.raises(InputError, match=r"--fix tile.rows: got '127'; expected one of 64, 128, 256"):
        influence.held(made, {"tile.rows": "127"})
    with pytest.raises(InputError, match=r"got '2 J'; expected one of 500 fJ, 1.6 pJ, 5 pJ"):
        influence.held(made, {"adc.conversion": "2 J"})


def test_a_map_with_designs_missing_says_so(tmp_path: Path) -> None:
    made = seen(tmp_path, sweep_kit.failing(sweep_kit.frame(), 4))
    bits, rows = (made.sweep.axis(key) for key in ("tile.adc.bits", "tile.rows"))
    figure = influence.draw_map(made, "mixed-precision", bits, rows)
    assert "mean of 2 to 3 designs, one with - has none: not all" in figure.get_supxlabel()


def test_uprights_run_over_the_designs_that_are_drawn(tmp_path: Path) -> None:
    path = sweep_kit.write(tmp_path, sweep_kit.frame())
    told = json.loads((path / "sweep.json").read_text())
    (path / "sweep.json").write_text(json.dumps({**told, "search": {"subject_to": ["tile.rows <= 128"]}}))
    made = view(read_sweep(path))
    rows = next(each for each in uprights(made) if each.title == "tile.rows")
    assert [text for _, text in rows.marks] == ["64", "128"]
    energy = next(each for each in uprights(made) if each.title.startswith("energy per sample"))
    assert (min(energy.places[made.within]), max(energy.places[made.within])) == (0, 1)
    said = draw_parallel(made).axes[0].get_title(loc="left")
    assert "that break a constraint" in " ".join(said.split())


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (["tile.rows"], r"--map: got 'tile.rows'; expected two parameters"),
        (["tile.rows", "tile.row"], r"--map: got 'tile.row'; .*Did you mean 'tile.rows'\?"),
    ],
)
def test_a_pair_that_is_none_is_refused(tmp_path: Path, pair: list[str], message: str) -> None:
    made = seen(tmp_path)
    with pytest.raises(InputError, match=message):
        influence.pair(made, "mixed-precision", pair)


@pytest.mark.parametrize(
    "kind",
    [
        "two chips",
        "one design",
        "long names",
        *(pytest.param(each, marks=pytest.mark.long) for each in ("grid", "random", "one axis")),
    ],
)
def test_no_words_of_a_picture_lie_over_each_other_or_leave_it(tmp_path: Path, kind: str) -> None:
    table, axes = sweep_kit.random_table(60, np.random.default_rng(4))
    grid = sweep_kit.frame()
    if kind == "random":
        made = view(read_sweep(sweep_kit.write(tmp_path, table, axes=axes)))
    elif kind == "long names":
        names = {axis.column: f"tile.units.of.a.long.block.{axis.column}" for axis in sweep_kit.AXES[:2]}
        long = [type(axis)(names.get(axis.key, axis.key), axis.kind, axis.unit, axis.values) for axis in sweep_kit.AXES]
        made = view(read_sweep(sweep_kit.write(tmp_path, grid.rename(columns=names), axes=long)))
    else:
        part = {
            "grid": grid, "two chips": sweep_kit.frame(sweep_kit.CHIPS), "one design": grid[:1],
            "one axis": grid[(grid["tile.rows"] == 64) & (grid["adc.conversion [J]"] == 5e-12)],
        }[kind]  # fmt: skip
        made = seen(tmp_path, part)
    names = []
    for name, figure in figures(made):
        names.append(name)
        assert faults(figure) == [], name
    assert ("parallel" in names) == (kind != "one design")
    assert ("map" in names) == (kind not in ("one axis", "one design"))


def test_all_files_are_written_and_written_anew_and_those_of_an_earlier_call_removed(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = sweep_kit.write(tmp_path)
    written = write(folder)
    assert written[0] == tmp_path / "report" / PAGE
    stems = {path.stem for path in written[1:]}
    assert stems == {"front", "front-area", "parallel", "shares", "levels", "map"}
    assert {path.suffix for path in written[1:]} == {".png", ".svg", ".pdf"}
    assert all(path.stat().st_size > 1000 for path in written)
    first = written[0].read_bytes()
    request.getfixturevalue("undrawn")
    (tmp_path / "report" / "my-map.png").touch()
    assert len(write(folder, x="area")) == len(written) - 3
    assert not (tmp_path / "report" / "front-area.png").exists()
    assert write(folder) == written
    assert written[0].read_bytes() == first
    assert (tmp_path / "report" / "my-map.png").exists()
    written[0].write_text("my own", encoding="utf-8")
    with pytest.raises(InputError, match="a page that archsim wrote"):
        write(folder)


def test_the_page_holds_every_finished_design_and_says_what_failed(tmp_path: Path) -> None:
    table = sweep_kit.failing(sweep_kit.frame(), 3)
    page = render(seen(tmp_path, table))
    data = data_of(page)
    columns = {each["key"]: each for each in data["columns"]}  # type: ignore[attr-defined]
    assert data["count"] == 42
    assert columns["test"]["values"] == table["test"].tolist()[:42]
    assert columns["adc.conversion [J]"]["values"][:3] == [0.5e-12, 1.6e-12, 5e-12]
    assert "3 of 45 rows have no numbers" in page
    assert "tile.rows: got 256; expected what fits" in page
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg|http-equiv", "", page)


def test_a_sweep_that_goes_on_says_so_and_an_estimate_is_none_of_trainings(tmp_path: Path) -> None:
    running = render(view(read_sweep(sweep_kit.write(tmp_path / "a", state="running"))))
    assert "This sweep is running: what stands here are the designs that were done." in running
    estimate = render(view(read_sweep(sweep_kit.write(tmp_path / "b", what="estimate", kind="search"))))
    assert "estimates of mlp-mnist on mixed-precision" in estimate
    assert "<title>Search: mlp-mnist, b</title>" in estimate


def test_a_map_over_many_numbers_has_classes_and_words_stand_as_they_were_declared(tmp_path: Path) -> None:
    table, axes = sweep_kit.random_table(300, np.random.default_rng(6))
    made = view(read_sweep(sweep_kit.write(tmp_path, table, axes=axes)))
    figure = influence.draw_map(made, "mixed-precision", made.sweep.axis("adc.conversion"), made.sweep.axis("device"))
    accuracy = next(axes for axes in figure.axes if axes.get_title().startswith("accuracy"))
    [mesh] = [each for each in accuracy.collections if each.get_array() is not None]
    assert np.shape(mesh.get_array()) == (3, 5)
    assert [label.get_text() for label in accuracy.get_yticklabels()] == ["pcm", "linear", "ideal"]
    rows = made.rows[made.rows["device"] == "linear"]
    assert np.average(mesh.get_array()[1]) == pytest.approx(rows["test"].mean(), rel=0.02)
    values = np.ma.getdata(mesh.get_array())
    classes = pd.qcut(made.rows["adc.conversion [J]"], 5, labels=False)
    wanted = made.rows["test"][(classes == 4) & (made.rows["device"] == "ideal")].mean()
    assert values[2, 4] == pytest.approx(wanted)


def test_of_many_designs_beaten_some_lines_are_drawn_and_all_of_the_front(tmp_path: Path) -> None:
    table, axes = sweep_kit.random_table(5000, np.random.default_rng(6))
    made = view(read_sweep(sweep_kit.write(tmp_path, table, axes=axes)))
    [chart] = draw_parallel(made).axes
    pale, strong = (len(lines.get_segments()) for lines in chart.collections)
    beaten = int((~made.front).sum())
    assert pale == -(-beaten // 3)
    assert strong == made.front.sum()
    assert f"pale: one in 3 of the {beaten:,} designs beaten" in chart.get_title(loc="left").replace("\n", " ")
