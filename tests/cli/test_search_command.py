"""`archsim search` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Cli, goes_on_after_a_kill
from grid_kit import file

from archsim.base.frames import read_csv
from archsim.studies.search.asked import search

pytest.importorskip("optuna")
SPACE = ("--set", "tile.rows=64,128,256,512", "--set", "tile.adc.count=1..4", "--minimise", "time")
QUICK = ("--trials", 6, "--at-a-time", 3)


def test_a_dry_run_says_space_goal_and_rule_and_does_nothing(cli: Cli, tmp_path: Path) -> None:
    done = cli("search", file(tmp_path), *SPACE, "--maximise", "accuracy", "--subject-to", "area <= 9 mm2", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert "space      16 designs: tile.rows 64, 128, 256, 512; tile.adc.count 1, 2, 3, 4" in done.out
    assert "goal       minimise time per sample, maximise accuracy" in done.out
    assert "subject to area <= 9 mm2" in done.out
    assert "estimates  up to 100 designs by time per sample, proposed by tpe, 8 at a time, seed 1" in done.out
    assert (
        "trainings  up to 20 of these: half of them spaced evenly from the front of the estimates outwards" in done.out
    )
    assert not (tmp_path / "reports").exists()


@pytest.mark.usefixtures("one_process", "undrawn")
def test_a_search_ends_with_its_front_its_table_and_a_page_and_goes_on(cli: Cli, tmp_path: Path) -> None:
    done = cli("search", file(tmp_path), *SPACE, "--minimise", "area", *QUICK)
    assert done.code == 0, done.err
    assert "6 of 16 designs: 6 estimated; " in done.out
    assert "Table: reports/search-tiny/sweep.csv (archsim sweep show reports/search-tiny)" in done.out
    assert "Page: reports/search-tiny/report/sweep.html" in done.out
    assert "design 6 of 6" in done.err
    frame = read_csv(tmp_path / "reports/search-tiny/sweep.csv")
    again = cli("search", file(tmp_path), *SPACE, "--minimise", "area", *QUICK, "--json", "--no-page")
    assert (again.code, again.err) == (0, "")
    front = json.loads(again.out)
    assert {row["point"] for row in front} <= {*frame["point"]}
    assert min(row["area_m2"] for row in front) == frame["area_m2"].min()
    rows = json.loads(cli("sweep", "show", "reports/search-tiny", "--sort", "time", "--best", 1, "--json").out)
    assert rows[0]["latency_per_sample_s"] == pytest.approx(frame["latency_per_sample_s"].min(), rel=1e-14)
    other = cli("search", file(tmp_path), *SPACE, "--minimise", "energy", *QUICK, "--quiet")
    assert "another search. It differs in search" in other.error


@pytest.mark.usefixtures("one_process")
def test_without_a_design_within_the_constraints_one_line_says_what_came_nearest(cli: Cli, tmp_path: Path) -> None:
    done = cli("search", file(tmp_path), *SPACE, "--subject-to", "area <= 1 um2", *QUICK, "--quiet", "--no-page")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(
        "archsim: no design of 6 is within the constraints: none fulfils 'area <= 1 um2'; the nearest has area "
    )
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--minimise", "enrgy"), "Did you mean 'energy'"), (("--maximise", "energy"), "expected --minimise energy"),
        (("--subject-to", "area below 2"), "--subject-to: got 'area below 2'"),
        (("--subject-to", "tile.rows > 512"), "none of 16 designs fulfils it"),
        (("--sampler", "tpee"), "Did you mean 'tpe'"), (("--trials", 0), "--trials: got 0"),
        (("--join", "--out", "nowhere"), "the directory of a search that was begun"),
        (("--storage", "nothing://here"), "--storage: cannot be opened"), (("--set", "tile.rows=1"), "given twice"),
        (("--estimate", "--maximise", "accuracy"), "an estimate knows of no more"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("one_process")
def test_what_is_wrong_is_one_line(cli: Cli, tmp_path: Path, words: tuple[str, ...], error: str) -> None:
    done = cli("search", file(tmp_path), *SPACE, *words, "--quiet")
    assert done.code == 2
    assert error in done.error


@pytest.mark.long  # a sweep, whose store it shares, is killed in test_sweep_command
def test_a_killed_search_goes_on_with_the_same_command_and_has_the_same_table(cli: Cli, tmp_path: Path) -> None:
    options = ("--maximise", "accuracy", "--trials", "6", "--trainings", "3", "--at-a-time", "2", "--steps", "60")
    words = ("search", file(tmp_path), *SPACE, *options, "--on", "processes:1", "-q", "--no-page")
    goes_on_after_a_kill(cli, words, tmp_path, after=3)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--on", "foo"), "--on: got 'foo'"), (("--out", "mine"), "but it holds mine.txt"),
        (("--join", "--out", "mine"), "the directory of a search that was begun"),
        (("--storage", "nothing://here"), "--storage: cannot be opened"),
        (("--storage", "mine"), "--storage: got 'mine'; expected a file, but it is a directory"),
        (("--storage", "mine/mine.txt"), "--storage: got 'mine/mine.txt'; expected a new file, or a journal that archsim"),
        (("--subject-to", "area <= 1 uJ"), "area with 1 uJ, which is of another unit"),
    ],
)  # fmt: skip
def test_a_dry_run_refuses_what_the_search_would(cli: Cli, tmp_path: Path, words: tuple[str, ...], error: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/mine.txt").write_text("notes\n")
    done = cli("search", file(tmp_path), *SPACE, *words, "--dry-run")
    assert (done.code, done.out) == (2, "")
    assert error in done.error
    assert not (tmp_path / "reports").exists()


def test_a_storage_that_is_a_file_of_something_else_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n")
    done = cli("search", file(tmp_path), *SPACE, "--estimate", "--storage", "notes.txt", "--quiet")
    assert done.code == 2
    assert done.error.startswith("--storage: got 'notes.txt'; expected a new file, or a journal that archsim wrote")
    assert (tmp_path / "notes.txt").read_text() == "mine\n"


STUDY = """
schema: 1
kind: sweep
workload: tiny.yaml
set: {tile.rows: [64, 128, 256], training.learning_rate: "0.01..0.5:log", tile.adc.bits: 4..6}
conditions: ["tile.rows <= 128"]
seeds: 2
presets:
  quick: {steps: 7, set: {tile.adc.bits: 8}}
"""


def test_a_search_reads_a_study_s_file_as_a_sweep_does(cli: Cli, tmp_path: Path) -> None:
    file(tmp_path)
    (tmp_path / "study.yaml").write_text(STUDY)
    words = ("search", "--file", "study.yaml", "--minimise", "energy", "--dry-run")
    done = cli(*words)
    assert (done.code, done.err) == (0, "")
    assert "tile.rows 64, 128, 256; training.learning_rate 0.01..0.5 (log); tile.adc.bits 4, 5, 6" in done.out
    assert "subject to tile.rows <= 128" in done.out
    assert "into       reports/search-study" in done.out
    quick = cli(*words, "--preset", "quick", "--maximise", "accuracy", "--set", "tile.rows=64,128")
    assert "space      no end of designs: tile.rows 64, 128; training.learning_rate 0.01..0.5 (log)\n" in quick.out
    told = search(file=tmp_path / "study.yaml", preset="quick", maximise=["accuracy"])
    assert (told.study.steps, told.study.seeds, told.space.sets["tile.adc.bits"]) == (7, 2, "8")
    (tmp_path / "study.yaml").write_text(STUDY + "together: true\n")
    assert "a design of a search has one chip" in cli(*words).error
    assert "--file with a study" in cli("search", "--minimise", "energy").error
