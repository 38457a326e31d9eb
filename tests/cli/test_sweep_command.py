"""`archsim sweep` as a user runs it."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import sweep_kit
from cli_kit import Cli, goes_on_after_a_kill
from grid_kit import file

from archsim.base.frames import read_csv
from archsim.chips.crossbars.in_array import InArrayChip

GRID = ("--set", "tile.adc.bits=4,6", "--figure", "adc.conversion=1pJ,2pJ", "--arch", "mixed-precision", "--no-ratio")


def test_a_dry_run_says_what_would_be_trained_and_how_long_and_trains_nothing(cli: Cli, tmp_path: Path) -> None:
    done = cli("sweep", file(tmp_path), *GRID, "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert "points     4: 2 trained, 2 priced from these" in done.out
    assert "trainings  2 of one chip and seed, 40 steps: mixed-precision 2" in done.out
    assert re.search(
        r"duration   some \d+ s on one core.*, by steps and tests of the first point, timed here", done.out
    )
    assert not (tmp_path / "reports").exists()


@pytest.mark.usefixtures("one_process", "undrawn")
def test_a_sweep_ends_with_its_best_points_and_its_table_and_goes_on(cli: Cli, tmp_path: Path) -> None:
    done = cli("sweep", file(tmp_path), *GRID)
    assert done.code == 0
    assert "Table: reports/sweep-tiny/sweep.csv (4 rows; archsim sweep show reports/sweep-tiny)" in done.out
    assert "training 2 of 2" in done.err
    frame = read_csv(tmp_path / "reports/sweep-tiny/sweep.csv")
    assert list(frame["adc.conversion [J]"]) == [1e-12, 2e-12] * 2
    again = cli("sweep", file(tmp_path), *GRID)
    assert (again.code, again.err) == (0, "")
    assert cli("sweep", file(tmp_path), *GRID, "--steps", 41).error.startswith(
        "--out: got 'reports/sweep-tiny'; expected a"
    )

    shown = cli("sweep", "show", "reports/sweep-tiny", "--sort", "energy", "--best", 1, "--csv")
    first = pd.read_csv(io.StringIO(shown.out))
    assert first["energy_per_sample_J"][0] == frame["energy_per_sample_J"].min()
    rows = json.loads(cli("sweep", "show", "reports/sweep-tiny", "--where", "tile.adc.bits > 4", "--json").out)
    assert [row["tile.adc.bits"] for row in rows] == [6, 6]
    every = json.loads(cli("sweep", "show", "reports/sweep-tiny", "--json").out)
    assert [row["energy_per_sample_J"] for row in every] == frame["energy_per_sample_J"].tolist()  # to the last bit
    told = cli("sweep", "show", "reports/sweep-tiny", "--columns", "tile.adc.bits,accuracy,area")
    assert told.out.split("\n")[0].split() == ["tile.adc.bits", "accuracy", "area"]
    assert " %" in told.out
    assert " mm^2" in told.out or " um^2" in told.out
    none = cli("sweep", "show", "reports/sweep-tiny", "--where", "accuracy > 100 %", "--csv")
    assert len(none.out.splitlines()) == 1


@pytest.mark.usefixtures("one_process")
def test_failed_points_are_counted_in_one_line_and_the_code_is_1(cli: Cli, tmp_path: Path) -> None:
    path = file(tmp_path)
    path.write_text(path.read_text().replace("sigmoid", "linear"))
    done = cli("sweep", path, "--set", "training.learning_rate=0.001,1e6", "--arch", "digital32", "--quiet")
    assert done.code == 1
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.err.startswith("archsim: 1 of 2 points failed, the first: ")


@pytest.mark.usefixtures("one_process")
def test_a_baseline_that_no_parameter_changes_is_one_of_the_best_but_once(cli: Cli) -> None:
    cli("sweep", "mlp-mnist", "--estimate", "--set", "tile.adc.bits=4,6,8", "--no-page", "--out", "s", "--quiet")
    told = cli("sweep", "show", "s", "--sort", "area", "--best", "6")
    assert told.out.count("digital32") == 1
    assert len(told.out.splitlines()) == 1 + 4
    assert len(cli("sweep", "show", "s", "--sort", "area", "--best", "6", "--csv").out.splitlines()) == 1 + 6


@pytest.mark.usefixtures("one_process")
def test_chips_that_update_in_the_array_are_estimated_at_every_point(cli: Cli) -> None:
    chips = ("--arch", "agad", "--arch", "in-array-sgd", "--no-ratio")
    done = cli("sweep", "mlp-mnist", "--estimate", *chips, "--set", "update.trains.length=5,20", "--json")
    rows = {(row["chip"], row["update.trains.length"]): row for row in json.loads(done.out)}
    assert {row["how"] for row in rows.values()} == {"estimated"}
    assert (
        3 < rows["agad", 20]["energy_per_sample_J"] / rows["agad", 5]["energy_per_sample_J"] < 5
    )  # whose trains are as long as they may be


@pytest.mark.usefixtures("one_process")
def test_estimates_need_no_data_and_print_as_json(cli: Cli) -> None:
    done = cli("sweep", "mlp-mnist", "--estimate", "--set", "tile.adc.bits=4..8", "--json")
    assert (done.code, done.err) == (0, "")
    rows = json.loads(done.out)
    assert len(rows) == 10
    assert {row["how"] for row in rows} == {"estimated"}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((), "WORKLOAD: "), (("mlp-mnist", "two"), "one workload"), (("show",), "the directory of a sweep"),
        (("show", "nowhere"), "no such directory"), (("mlp-mnist", "--set", "tile.adc.bits=4..9999"), "--set"),
        (("mlp-mnist", "--set", "tile.adc.bits=4,6", "--where", "tile.adc.bits > 6"), "an empty grid"),
        (("mlp-mnist", "--file", "no.yaml"), "no.yaml"), (("mlp-mnist", "--on", "dusk://a:1", "--steps", "20"), "--on"),
        (("mlp-mnist", "--set", "tile.adc.bits=4,6", "--figure", "adc.conversion=0.1pJ..1pJ:lin:99999"), "points"),
        (("mlp-mnist", "--estimate", "--stop-hopeless"), "--stop-hopeless"),
        (("mlp-mnist", "--set", "tile.adc.bits=4,6", "--where", "tile.adc.bts > 4"), "--where: unknown name 'tile.adc.bts'"),
        (("mlp-mnist", "--estimate", "--batch", "99999999999999999999"), "--batch: got 99999999999999999999"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(cli: Cli, words: tuple[str, ...], error: str) -> None:
    done = cli("sweep", *words, "--quiet")
    assert done.code == 2
    assert error in done.error


def test_a_killed_sweep_goes_on_with_the_same_command_and_has_the_same_table(cli: Cli, tmp_path: Path) -> None:
    grid = ("--set", "tile.adc.bits=4,5,6,7", "--arch", "mixed-precision", "--no-ratio", "--on", "processes:1", "-q")
    goes_on_after_a_kill(cli, ("sweep", file(tmp_path), *grid), tmp_path, after=2)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--on", "foo"), "--on: got 'foo'"), (("--on", "processes:0"), "a number of processes from 1 on"),
        (("--out", "mine"), "but it holds mine.txt"), (("--out", "mine/mine.txt"), "but it is a file"),
        (("--out", "other"), "another sweep. It differs in steps"), (("--best", "0"), "--best: got 0"),
        (("--sort", "engy"), "Did you mean 'energy'"), (("--on", "slurm:workers=x"), "workers=x"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("one_process")
def test_a_dry_run_refuses_what_the_sweep_would_and_before_it_times_anything(
    cli: Cli, tmp_path: Path, words: tuple[str, ...], error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/mine.txt").touch()
    if "other" in words:
        assert cli("sweep", file(tmp_path), *GRID, "--steps", 5, "--out", "other", "--no-page", "-q").code == 0
    monkeypatch.setattr("archsim.studies.sweeps.sweep.timed", lambda _: pytest.fail("timed"))
    path, before = file(tmp_path), sorted(tmp_path.rglob("*"))
    done = cli("sweep", path, *GRID, *words, "--dry-run")
    assert (done.code, done.out) == (2, "")
    assert error in done.error
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_asks_a_scheduler_whether_it_is_there(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("archsim.studies.workers.clusters.ANSWER_S", 0.3)
    done = cli("sweep", file(tmp_path), *GRID, "--on", "dask://127.0.0.1:9", "--dry-run")
    assert (done.code, done.out) == (6, "")
    assert "the scheduler did not answer" in done.error


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("show", "s", "--steps", "3"), "--steps: is no option of sweep show; expected one of --where, --sort"),
        (("report", "s", "--best", "3"), "--best: is no option of sweep report; expected one of --x, --y"),
        (("mlp-mnist", "--map", "a,b"), "--map: is no option of a sweep, but of sweep report"),
        (("show", "s", "--csv", "--json"), "--csv, --json: both given; expected one of them"),
    ],
)  # fmt: skip
def test_an_option_that_means_nothing_is_refused(cli: Cli, words: tuple[str, ...], error: str) -> None:
    done = cli("sweep", *words)
    assert done.code == 2
    assert error in done.error


def test_rows_are_chosen_by_quantities_with_their_units(cli: Cli, tmp_path: Path) -> None:
    sweep_kit.write(tmp_path / "s")
    energies = sweep_kit.frame()["energy_per_sample_J"]
    shown = cli("sweep", "show", "s", "--where", "energy <= 2 nJ", "--where", "tile.rows = 256", "--json")
    rows = json.loads(shown.out)
    assert 0 < len(rows) < (energies <= 2e-9).sum()
    assert all(row["energy_per_sample_J"] <= 2e-9 and row["tile.rows"] == 256 for row in rows)
    wrong = cli("sweep", "show", "s", "--where", "energy > 1 mm2")
    assert wrong.code == 2
    assert "energy with 1 mm2, which is of another unit" in wrong.error
    assert "expected a quantity in J" in wrong.error
    assert cli("sweep", "show", "s", "--where", "energy > 1 J").out == f"none of {len(energies)} rows\n"


def test_no_cell_of_a_table_is_broken_where_there_is_no_terminal(cli: Cli, tmp_path: Path) -> None:
    sweep_kit.write(tmp_path / "s")
    rows = len(sweep_kit.frame())
    columns = ",".join(map(str, sweep_kit.frame().columns))
    assert len(cli("sweep", "show", "s", "--columns", columns).out.splitlines()) == rows + 1


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ("how == price", "how is never price, in 'how == price'; expected one of trained"),
        ("chip == nobody", "chip is never nobody"), ("energy_per_sample_J <= energy", "with itself"),
    ],
)  # fmt: skip
def test_rows_are_chosen_by_words_that_a_table_has(cli: Cli, tmp_path: Path, condition: str, error: str) -> None:
    sweep_kit.write(tmp_path / "s")
    rows = len(sweep_kit.frame())
    assert cli("sweep", "show", "s", "--where", "state == failed").out == f"none of {rows} rows\n"
    assert len(json.loads(cli("sweep", "show", "s", "--where", "state == 'done'", "--json").out)) == rows
    wrong = cli("sweep", "show", "s", "--where", condition)
    assert wrong.code == 2
    assert error in wrong.error


def test_a_report_s_map_goes_over_the_axes_asked_for_and_holds_others(cli: Cli, tmp_path: Path) -> None:
    sweep_kit.write(tmp_path / "s")
    done = cli("sweep", "report", "s", "--map", "tile.adc.bits,adc.conversion", "--fix", "tile.rows=128", "--x", "area",
               "--out", "r")  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Page: r/sweep.html (and ")
    picture = "".join(re.findall(r"<!-- (.*?) -->", (tmp_path / "r/map.svg").read_text()))
    assert "adc.conversion and tile.adc.bits on mixed-precision, at tile.rows 128" in picture
    for words, error in (
        (("--map", "tile.adc.bits"), "--map: got 'tile.adc.bits'; expected two axes"),
        (("--map", "tile.adc.bit,tile.rows"), "Did you mean 'tile.adc.bits'"),
        (("--fix", "tile.rows"), "--fix: got 'tile.rows'; expected KEY=VALUE"),
        (("--fix", "tile.rows=100"), "expected one of 64, 128, 256"),
        (("--map", "tile.adc.bits,tile.rows", "--fix", "tile.rows=64"), "is an axis of the map"),
    ):
        assert error in cli("sweep", "report", "s", *words, "--out", "q").error
    assert not (tmp_path / "q").exists()


def test_ctrl_c_before_anything_is_done_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("archsim.studies.sweeps.plan.plan", stop)
    done = cli("sweep", "mlp-mnist", "--set", "tile.adc.bits=4,6")
    assert (done.code, done.out, done.err) == (130, "", "archsim: interrupted\n")


def test_ctrl_c_while_the_command_line_is_loaded_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Loading(ModuleType):
        def __getattr__(self, name: str) -> None:
            raise KeyboardInterrupt

    from archsim.__main__ import main

    monkeypatch.setitem(sys.modules, "archsim.cli", Loading("archsim.cli"))
    with pytest.raises(SystemExit) as stop:
        main()
    assert (stop.value.code, capsys.readouterr().err) == (130, "archsim: interrupted\n")


def test_what_cannot_be_estimated_is_refused_before_anything_is_done(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InArrayChip, "ESTIMATED", False)  # as a kind of a package of one's own may be
    for command in ("sweep", "search"):
        more = ("--minimise", "time") if command == "search" else ("--estimate",)
        done = cli(command, file(tmp_path), "--arch", "hybrid", "--set", "tile.rows=64,128", *more, "-q")
        assert done.code == 2
        assert "hybrid is of a kind that is not estimated" in done.error
        assert "a sweep without --estimate, a search with --train" in done.error
    assert not (tmp_path / "reports").exists()
