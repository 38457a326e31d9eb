"""`archsim hold` and `archsim endurance`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_kit import Cli

from archsim.runs.run import execute
from archsim.runs.spec import resolve


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, on mnist-5k whatever the user's data."""
    path = tmp_path_factory.mktemp("trained") / "run"
    execute(resolve("mlp-mnist", steps=60, techs=("bottom-up-14nm",), settings=("dataset=mnist-5k",)), path)
    return path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_hold_prints_accuracy_over_time_and_draws_it(cli: Cli, run: Path) -> None:
    done = cli("hold", run, "--for", "1 min", "--repeats", 1)
    assert done.code == 0
    for word in ("mean |G+ - G-|", "compensated", "1 min", "one drift exponent", "digital32: "):
        assert word in done.out
    assert "digital32: testing at the end of the training" in done.err
    assert {path.name for path in (run / "hold").iterdir()} == {"hold.csv", "hold.json", "hold.png", "hold.svg"}


@pytest.mark.usefixtures("undrawn")
def test_hold_prints_json_alone(cli: Cli, run: Path, tmp_path: Path) -> None:
    done = cli("hold", run, "--for", "3s", "--repeats", 1, "--json", "--out", tmp_path / "held")
    content = json.loads(done.out)
    assert [entry["time_s"] for entry in content["architectures"]["mixed-precision"]["times"]] == [0, 1, 3]
    assert done.err == ""
    assert (tmp_path / "held/hold.png").is_file()


@pytest.mark.usefixtures("undrawn")
def test_a_quiet_hold_prints_nothing(cli: Cli, run: Path) -> None:
    done = cli("hold", run, "--for", "1s", "--repeats", 1, "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.usefixtures("undrawn")
def test_endurance_prints_the_wear_and_draws_maps(cli: Cli, run: Path) -> None:
    done = cli("endurance", run)
    assert done.code == 0
    for word in ("SET", "RESET", "never pulsed", "1e+08 (assumed)", "the same device every time"):
        assert word in done.out
    names = {path.name for path in (run / "endurance").iterdir()}
    assert names >= {"endurance.csv", "endurance.json", "map-set-mixed-precision.png", "histogram-mixed-precision.svg"}
    given = json.loads(cli("endurance", run, "--limit", "1e6", "--json").out)["mixed-precision"]["pulses"]["set_pulses"]
    assert given["trainings_to_endurance"] == 1e6 / given["most"]


@pytest.mark.parametrize("command", ["hold", "endurance"])
def test_a_run_of_an_earlier_version_is_told_to_be_done_again(cli: Cli, run: Path, command: str) -> None:
    for file in run.glob("state-*.npz"):
        file.unlink()
    done = cli(command, run)
    assert done.code == 2
    assert "holds no trained state of a chip" in done.error
    assert "do the run again with this version" in done.error


@pytest.mark.parametrize("command", ["hold", "endurance"])
def test_what_is_no_run_is_refused_in_a_line(cli: Cli, tmp_path: Path, command: str) -> None:
    assert "run directory" in cli(command, tmp_path / "nowhere").error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("30", "--for: got '30', a number without a unit"),
        ("5 J", "--for: got '5 J'"),
        ("200d", "--for: got '200 days'"),
    ],
)
def test_a_duration_is_a_time_with_its_unit(cli: Cli, run: Path, text: str, message: str) -> None:
    assert message in cli("hold", run, "--for", text).error


@pytest.mark.parametrize("command", ["hold", "endurance"])
def test_the_lost_state_of_one_chip_is_named(cli: Cli, run: Path, command: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "state-mixed-precision.npz").unlink()
    done = cli(command, copy)
    assert done.code == 2
    assert "state-mixed-precision.npz: is missing; expected the trained state of mixed-precision" in done.error
