"""`archsim sweep` as a user runs it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from cli_kit import Cli
from grid_kit import file

GRID = ("--set", "tile.adc.bits=4,6", "--figure", "adc.conversion=1pJ,2pJ", "--arch", "mixed-precision", "--no-ratio")


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command train in this process: what starting others costs is tested elsewhere."""
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import contextmanager

    from archsim.studies.sweeps import sweep
    from archsim.studies.workers.pool import given

    @contextmanager
    def here(on: str, *, most: int):  # type: ignore[no-untyped-def]
        assert on == "processes"
        with ThreadPoolExecutor(1) as executor:
            yield given(executor)

    monkeypatch.setattr(sweep, "pool", here)


def test_a_dry_run_says_what_would_be_trained_and_how_long_and_trains_nothing(cli: Cli, tmp_path: Path) -> None:
    done = cli("sweep", file(tmp_path), *GRID, "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert "points     4: 2 trained, 2 priced from these" in done.out
    assert "trainings  2 of one chip and seed, 40 steps: mixed-precision 2" in done.out
    assert re.search(
        r"duration   some \d+ s on one core.*, by steps and tests of the first point, timed here", done.out
    )
    assert not (tmp_path / "reports").exists()


@pytest.mark.usefixtures("one_process")
def test_a_sweep_ends_with_its_best_points_and_its_table_and_goes_on(cli: Cli, tmp_path: Path) -> None:
    done = cli("sweep", file(tmp_path), *GRID)
    assert done.code == 0
    assert "Table: reports/sweep-tiny/sweep.csv (4 rows; archsim sweep show reports/sweep-tiny)" in done.out
    assert "training 2 of 2" in done.err
    frame = pd.read_csv(tmp_path / "reports/sweep-tiny/sweep.csv")
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
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(cli: Cli, words: tuple[str, ...], error: str) -> None:
    done = cli("sweep", *words, "--quiet")
    assert done.code == 2
    assert error in done.error


def test_a_killed_sweep_goes_on_with_the_same_command_and_has_the_same_table(cli: Cli, tmp_path: Path) -> None:
    path = file(tmp_path)
    grid = ("--set", "tile.adc.bits=4,5,6,7,8", "--arch", "mixed-precision", "--no-ratio", "--on", "processes:1", "-q")
    command = ["sweep", str(path), *grid, "--out"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen(
        [sys.executable, "-m", "archsim", *command, str(killed)], cwd=tmp_path, start_new_session=True
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and len(list((killed / "counts").rglob("[!.]*.json"))) < 2:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert (killed / "sweep.json").is_file()
    for folder in (killed, whole):
        assert cli(*command, folder).code == 0
    assert (killed / "sweep.csv").read_bytes() == (whole / "sweep.csv").read_bytes()
