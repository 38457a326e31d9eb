from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_kit import Cli

from archsim.api import run as do_run
from archsim.base.errors import EXIT_CODES

TECHNOLOGIES = ("bottom-up-14nm", "digital-7nm")
SLOW = """\
schema: 1
kind: technology
name: slow
title: bottom-up-14nm with a digital cycle of 2 ns
extends: bottom-up-14nm
times:
  digital.cycle: {value: 2 ns, basis: assumed, why: to test with}
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two finished runs, with errors of 3 and of 8 bits."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ARCHSIM_DATA", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(folder))
        do_run("mlp-mnist", out=folder / "three", steps=100, techs=TECHNOLOGIES)
        do_run(
            "mlp-mnist", out=folder / "eight", steps=100, techs=TECHNOLOGIES, settings=("outer_product.error_bits=8",)
        )
    return folder / "three", folder / "eight"


def test_technologies_of_a_run_are_compared_chip_by_chip(cli: Cli, runs: tuple[Path, Path]) -> None:
    done = cli("compare", runs[0], "--tech", "bottom-up-14nm", "--tech", "digital-7nm")
    assert (done.code, done.err) == (0, "")
    for word in ("sram.read", "price x0.6788", "mixed-precision", "digital32", "energy ratio"):
        assert word in done.out
    assert {path.name for path in (runs[0] / "compare").iterdir()} == {"compare.md", "compare.json", "compare.csv"}


def test_json_has_the_totals_of_the_summary(cli: Cli, runs: tuple[Path, Path], tmp_path: Path) -> None:
    content = json.loads(cli("compare", runs[0], "--json", "--out", tmp_path).out)
    assert content["compares"] == "technologies"
    summary = json.loads((runs[0] / "summary.json").read_text())
    for panel in content["panels"]:
        for technology, side in zip(summary["technologies"], panel["sides"], strict=True):
            expected = technology["energy_per_step_J"][panel["title"]]["total"]
            assert side["energy_per_step_J"]["total"] == pytest.approx(expected, rel=1e-14)
    (ratio,) = content["energy_ratios"]["bottom-up-14nm"]
    assert (ratio["over"], ratio["under"]) == ("digital32", "mixed-precision")
    assert ratio["ratio"] == pytest.approx(summary["ratio"]["energy"], rel=1e-12)


@pytest.fixture(scope="module")
def other(runs: tuple[Path, Path]) -> Path:
    """A run of another chip beside the same digital one, in batches of 4."""
    folder = runs[0].parent
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ARCHSIM_DATA", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(folder))
        (folder / "mine.yaml").write_text("extends: mixed-precision\ntitle: My chip\nouter_product: {error_bits: 4}\n")
        do_run("mlp-mnist", out=folder / "other", steps=100, archs=(str(folder / "mine.yaml"), "digital32"),
               settings=("training.batch=4", "digital_unit.buffer_words=8192"))  # fmt: skip
    return folder / "other"


def test_more_than_two_runs_are_ranked_in_one_table(cli: Cli, runs: tuple[Path, Path], tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(runs[0], again)
    done = cli("compare", *runs, again, "--out", tmp_path / "c")
    assert done.code == 0
    head = done.out.index("Chips by energy a sample")
    assert head < done.out.index("Energy per step by phase")
    table = done.out[head:].partition("Energy per step by phase")[0]
    assert [line.split()[0] for line in table.splitlines() if " mm^2" in line] == ["mixed-precision"] * 3 + [
        "digital32"
    ] * 3
    assert "test accuracy" in table
    assert table.count(" mm^2") == 6


def test_runs_of_unlike_jobs_say_so_first_and_pair_what_is_left(
    cli: Cli, runs: tuple[Path, Path], other: Path, tmp_path: Path
) -> None:
    done = cli("compare", runs[0], other, "--out", tmp_path)
    assert done.code == 0
    assert done.out.lstrip().startswith("These runs are not of one job; they differ in batch (1; 4).")
    assert "mixed-precision and mine" in done.out
    assert "mine" in done.out[: done.out.index("Energy per step by phase")]


def test_two_runs_are_compared_by_amounts(cli: Cli, runs: tuple[Path, Path], tmp_path: Path) -> None:
    done = cli("compare", *runs, "--out", tmp_path)
    assert done.code == 0
    assert "outer_product_unit: chi.read" in done.out
    assert "the same on all sides" in done.out  # the 32-bit chip, which the setting does not change
    content = json.loads((tmp_path / "compare.json").read_text())
    mixed = content["panels"][0]["differences"][0]
    assert (mixed["from"], mixed["to"]) == ("three", "eight")
    assert mixed["ratio"] > 1


def test_a_run_by_an_own_technology_lends_it_to_the_other_run(
    cli: Cli, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    mine = tmp_path / "there" / "mine.yaml"
    mine.write_text(SLOW.replace("name: slow", "name: mine").replace("2 ns", "1 ns"))
    assert cli("run", "mlp-mnist", "--steps", 20, "--tech", mine, "--out", "own", "-q").code == 0
    mine.unlink()
    done = cli("compare", "own", runs[0], "--json")
    assert done.code == 0
    content = json.loads(done.out)
    assert {side["technology"]["name"] for panel in content["panels"] for side in panel["sides"]} == {"mine"}


def test_two_chips_of_a_run_are_compared_under_one_technology(
    cli: Cli, runs: tuple[Path, Path], tmp_path: Path
) -> None:
    done = cli("compare", runs[0], "--arch", "mixed-precision", "--arch", "digital32", "--json", "--out", tmp_path)
    content = json.loads(done.out)
    (panel,) = content["panels"]
    assert [side["label"] for side in panel["sides"]] == ["mixed-precision", "digital32"]
    assert {side["technology"]["name"] for side in panel["sides"]} == {"bottom-up-14nm"}


def test_a_technology_of_other_times_is_re_timed_and_said(cli: Cli, runs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "slow.yaml").write_text(SLOW)
    common = ("compare", runs[0], "--tech", "bottom-up-14nm", "--tech", "slow.yaml", "--arch", "digital32")
    refused = cli(*common, "--no-retime", "--out", tmp_path / "out")
    assert (refused.code, refused.error.partition(";")[0]) == (2, "--tech: slow has other times than the run")
    done = cli(*common, "--retime-steps", 30, "--out", tmp_path / "out")
    assert done.code == 0
    assert "re-timing digital32" in done.err
    flat = " ".join(done.out.split())
    assert "the first 30 of 100 steps were run again with both times" in flat
    assert "drift follows the clock" in flat
    content = json.loads((tmp_path / "out/compare.json").read_text())
    assert [side["retimed_steps"] for side in content["panels"][0]["sides"]] == [None, 30]
    assert len(list((tmp_path / "out/points").glob("*.json"))) == 2


@pytest.mark.long
def test_charts_are_drawn_when_asked(cli: Cli, runs: tuple[Path, Path], tmp_path: Path) -> None:
    assert cli("compare", runs[0], "--charts", "--quiet", "--out", tmp_path).out == ""
    names = {path.name for path in tmp_path.iterdir()}
    assert {"waterfall.png", "waterfall.svg", "waterfall.pdf", "parts.png"} <= names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--arch", "digital3"), "Did you mean 'digital32'?"),
        (("--arch", "digital32", "--tech", "bottom-up-14nm"), "nothing to compare with"),
        (("--tech", "bottom-up"), "Did you mean 'bottom-up-14nm'?"),
        (("--retime-steps", 0), "a whole number from 1 on"),
        (
            ("--tech", "bottom-up-14nm", "--tech", "bottom-up-14nm"),
            "--tech: got 'bottom-up-14nm'; expected each name once",
        ),
        (("--arch", "digital32", "--arch", "digital32"), "--arch: got 'digital32'; expected each name once"),
        (("third", "fourth"), "third'; expected an existing run directory"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(
    cli: Cli, runs: tuple[Path, Path], arguments: tuple[str, ...], said: str
) -> None:
    done = cli("compare", runs[0], *arguments)
    assert done.code == 2
    assert EXIT_CODES[done.code].startswith("bad input")
    assert said in done.error


def test_a_folder_that_is_no_run_is_refused(cli: Cli, tmp_path: Path) -> None:
    assert "existing run directory" in cli("compare", "nowhere").error
    assert "has no run.yaml" in cli("compare", tmp_path).error


def test_recorded_prices_load_no_simulation_charts_or_units(runs: tuple[Path, Path], tmp_path: Path) -> None:
    script = (
        "import sys; from archsim.cli import app; "
        f"app(['compare', {str(runs[0])!r}, '--quiet', '--out', {str(tmp_path)!r}], standalone_mode=False); "
        "print([name for name in ('numba', 'pandas', 'pint', 'matplotlib', 'simpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
