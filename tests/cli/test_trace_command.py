"""`archsim trace`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_kit import Cli

from archsim.runs.run import execute
from archsim.runs.spec import resolve

PICTURES = {
    f"timeline-{chip}.{suffix}" for chip in ("mixed-precision", "digital32") for suffix in ("png", "svg", "pdf")
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, on mnist-5k whatever the user's data."""
    path = tmp_path_factory.mktemp("trained") / "run"
    settings = ("dataset=mnist-5k", "tile.adc.tiles_per_bank=2")
    execute(resolve("mlp-mnist", steps=40, techs=("bottom-up-14nm",), settings=settings), path)
    return path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.mark.usefixtures("undrawn")
def test_a_trace_is_written_beside_the_table_and_the_pictures(cli: Cli, run: Path) -> None:
    before = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    done = cli("trace", run, "--steps", 2, "--vcd", "step.vcd")
    assert done.code == 0
    for word in ("mixed-precision, step 39: ", "digital32, step 40: ", "Critical path of step 40", "waited 64 ns",
                 "outer_product_unit fc1: accumulate", "1 ns shown is 1 ps"):  # fmt: skip
        assert word in done.out
    assert "digital32: training up to step 38, then recording 2" in done.err
    names = {path.name for path in (run / "trace").iterdir()}
    assert names == PICTURES | {"step.pftrace", "timeline.csv", "timeline.json"}
    assert Path("step.vcd").read_text().startswith("$comment run run, mlp-mnist")
    assert {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()} == before


@pytest.mark.long
def test_the_report_shows_the_recorded_step_of_this_very_run(
    cli: Cli, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archsim.base.registry.names", lambda _kind: [])  # no other charts, for speed
    page, head = run / "report/report.md", run / "trace/timeline.json"
    assert cli("report", run).code == 0
    assert "timeline" not in page.read_text()
    cli("trace", run, "--steps", 1, "--arch", "digital32", "--quiet")
    assert cli("report", run).code == 0
    assert "![timeline-digital32](timeline-digital32.png)" in page.read_text()
    assert {path.name for path in (run / "report").iterdir()} >= {name for name in PICTURES if "digital32" in name}
    head.write_text(json.dumps({**json.loads(head.read_text()), "identity": "of another run"}))
    assert cli("report", run).code == 0
    assert "timeline" not in page.read_text()


def test_one_chip_as_json(cli: Cli, run: Path, tmp_path: Path) -> None:
    done = cli("trace", run, "--steps", 1, "--skip", 5, "--arch", "digital32", "--out", tmp_path / "x", "--json")
    (step,) = json.loads(done.out)["architectures"]["digital32"]["steps"]
    assert step["step"] == 6
    assert sum(step["critical_ps"].values()) == step["end_ps"] - step["begin_ps"]
    assert (done.err, (tmp_path / "x").is_file()) == ("", True)


@pytest.mark.parametrize("option", ["--out", "--vcd"])
def test_a_file_that_is_no_trace_stays_unless_forced(cli: Cli, run: Path, option: str) -> None:
    mine = run.parent / "mine.txt"
    mine.write_text("mine")
    done = cli("trace", run, "--steps", 1, option, mine)
    assert done.code == 2
    assert f"{option}: got" in done.error
    assert "a trace that archsim wrote. --force replaces it" in done.error
    assert mine.read_text() == "mine"
    assert cli("trace", run, "--steps", 1, "--arch", "digital32", option, mine, "--force", "--quiet").code == 0
    assert b"archsim trace" in mine.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--steps", 41), "--steps: got 41; expected 1 to 40"), (("--arch", "analog"), "--arch: got 'analog'")],
)
def test_what_the_run_does_not_have_is_refused_in_a_line(
    cli: Cli, run: Path, options: tuple[object, ...], message: str
) -> None:
    done = cli("trace", run, *options)
    assert done.code == 2
    assert message in done.error
    assert not (run / "trace").exists()


def test_what_is_no_run_is_refused_in_a_line(cli: Cli, tmp_path: Path) -> None:
    assert "expected a run directory" in cli("trace", tmp_path / "nowhere").error
    assert not (tmp_path / "nowhere").exists()
