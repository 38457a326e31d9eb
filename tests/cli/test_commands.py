from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
import yaml
from cli_kit import Cli

from archsim.base.errors import EXIT_CODES

COMMAND = [sys.executable, "-c", "from archsim.cli import main; main()"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of both chips, made by the real command in a process of its own."""
    folder = tmp_path_factory.mktemp("finished")
    env = {**os.environ, "XDG_CACHE_HOME": str(folder)}
    env.pop("ARCHSIM_DATA", None)
    done = subprocess.run(
        [*COMMAND, "run", "mlp-mnist", "--steps", "300", "--out", "run", "--quiet"],
        cwd=folder, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder / "run"


def test_help_teaches_every_command_and_the_exit_codes(cli: Cli) -> None:
    shown = cli("--help")
    assert shown.code == 0
    for word in ("reproduce", "run", "report", "tech", "workloads", "data"):
        assert word in shown.out
    flat = " ".join(shown.out.split())
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in flat


def test_what_does_not_fit_is_one_line_with_its_own_exit_code_and_leaves_nothing(cli: Cli, tmp_path: Path) -> None:
    refused = cli("run", "mlp-mnist", "--set", "tile.count=3", "--set", "digital_unit.buffer_words=9", "--out", "run")
    assert refused.code == 3
    room = "; so do --arch mixed-precision-deep --arch digital32-deep"
    assert refused.error.endswith(f"--set tile.count=5 --set digital_unit.buffer_words=1555 make it fit{room}")
    assert not (tmp_path / "run").exists()


def test_a_quiet_run_writes_the_whole_directory(finished: Path) -> None:
    assert {path.name for path in finished.iterdir()} == {
        "inputs",
        "run.yaml", "summary.json", "activity.csv", "energy.csv", "area.csv", "training.csv",
        "activity-course.csv", "state-mixed-precision.npz", "state-digital32.npz",
    }  # fmt: skip
    run = yaml.safe_load((finished / "run.yaml").read_text())
    assert run["state"] == "finished"
    assert run["dataset"]["name"] == "mnist-5k"
    assert "read_noise" in run["nonidealities_on"]["mixed-precision"]


def test_summary_follows_its_published_schema(finished: Path) -> None:
    from archsim.runs.summary import json_schema

    summary = json.loads((finished / "summary.json").read_text())
    jsonschema.validate(summary, json_schema())
    assert summary["ratio"]["energy"] > 1
    assert summary["steps"] == 300


def test_report_draws_from_the_directory_alone(cli: Cli, finished: Path, tmp_path: Path) -> None:
    done = cli("report", finished, "--out", tmp_path / "out")
    assert done.code == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"report.md", "report.tex", "energy.png", "energy.svg", "energy.pdf", "latency.png", "metric.png"} <= names


def test_json_is_all_that_stands_on_standard_output(cli: Cli) -> None:
    done = cli("run", "mlp-mnist", "--steps", 20, "--json", "--arch", "digital32", "--tech", "bottom-up-14nm")
    summary = json.loads(done.out)
    assert list(summary["architectures"]) == ["digital32"]
    assert summary["ratio"] == {"energy": None, "latency": None}
    assert done.err == ""


def test_a_run_says_what_it_uses_before_it_starts(cli: Cli) -> None:
    done = cli("run", "mlp-mnist", "--steps", 20, "--set", "nonidealities.drift=false", "--tech", "bottom-up-14nm")
    assert done.code == 0
    assert "mnist-5k, 4,000 + 1,000 of MNIST's training images" in done.out
    assert "MNIST was not found in" in done.out
    assert "off: drift" in done.out
    assert "inside: weight storage" in done.out
    assert "reports/mlp-mnist-seed1" in done.out.replace("\n", "")


def test_the_default_directory_is_a_new_one_each_time(cli: Cli, tmp_path: Path) -> None:
    for _ in range(2):
        assert cli("run", "mlp-mnist", "--steps", 10, "--quiet", "--arch", "digital32").code == 0
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == ["mlp-mnist-seed1", "mlp-mnist-seed1-2"]


def test_the_same_seed_gives_the_same_files_again(cli: Cli, tmp_path: Path) -> None:
    for out in ("a", "b"):
        assert cli("run", "mlp-mnist", "--steps", 120, "--seed", 7, "--out", out, "--quiet").code == 0
    for name in ("activity.csv", "energy.csv", "training.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_several_seeds_run_side_by_side_as_they_would_alone(cli: Cli, tmp_path: Path) -> None:
    common = ("run", "mlp-mnist", "--steps", 60, "--quiet", "--arch", "mixed-precision", "--tech", "bottom-up-14nm")
    assert cli(*common, "--seed", 3, "--seeds", 2, "--out", "both").code == 0
    assert cli(*common, "--seed", 4, "--out", "alone").code == 0
    for name in ("activity.csv", "training.csv"):
        assert (tmp_path / "both/seed-4" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
    statistics = json.loads((tmp_path / "both/seeds.json").read_text())
    assert statistics["seeds"] == [3, 4]


def test_lists_and_shows(cli: Cli) -> None:
    assert "bottom-up-14nm" in cli("tech", "list").out
    assert "sram.read" in cli("tech", "show", "bottom-up-14nm").out
    assert "mlp-mnist" in cli("workloads", "list").out
    assert "units: 250" in cli("workloads", "show", "mlp-mnist").out
    assert "digital32" in cli("archs", "list").out
    assert "skip_zero_inputs" in cli("archs", "show", "digital32").out
    assert "mnist-5k" in cli("data", "list").out


def test_every_shipped_technology_passes_lint(cli: Cli) -> None:
    done = cli("tech", "lint")
    assert done.code == 0, done.out


@pytest.mark.parametrize("name", ["--help", "run --help", "report --help", "tech --help", "data fetch --help"])
def test_each_help_page_opens(cli: Cli, name: str) -> None:
    done = cli(*name.split())
    assert done.code == 0
    assert "Usage" in done.out


def test_ctrl_c_keeps_the_partial_run_and_marks_it(tmp_path: Path) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    env.pop("ARCHSIM_DATA", None)
    process = subprocess.Popen(
        [*COMMAND, "run", "mlp-mnist", "--steps", "2000000", "--out", "run"],
        cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (tmp_path / "run/run.yaml").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; the partial run is kept in run" in err
    assert "Traceback" not in err
    assert yaml.safe_load((tmp_path / "run/run.yaml").read_text())["state"] == "partial"
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert summary["state"] == "partial"
    assert 0 < summary["steps"] < 2_000_000


def test_areas_are_shown_and_a_part_without_one_is_a_note_of_lint(cli: Cli) -> None:
    shown = cli("tech", "show", "bottom-up-14nm")
    assert shown.code == 0
    assert "area of tile.adc" in " ".join(shown.out.split())
    linted = cli("tech", "lint", "bottom-up-14nm")
    assert linted.code == 0
    assert "bottom-up-14nm.yaml: no figure gives the area of 'programmer.driver'" in linted.out
