from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Cli
from explain_kit import small_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of both chips."""
    return small_run(tmp_path_factory.mktemp("finished") / "run")


@pytest.mark.usefixtures("undrawn")
def test_explain_prints_the_short_form_and_writes_the_page_into_the_run(cli: Cli, finished: Path) -> None:
    done = cli("explain", finished, "--no-reruns", "--samples", 1000)
    assert (done.code, done.err) == (0, "")
    for word in ("Energy ratio", "median", "1,000 draws", "measure first"):
        assert word in done.out
    assert (finished / "explain" / "explain.html").is_file()


@pytest.mark.long
def test_json_is_all_that_stands_on_standard_output(cli: Cli, finished: Path, tmp_path: Path) -> None:
    options = ("--no-reruns", "--json", "--samples", 500, "--distribution", "log-uniform", "--out", tmp_path / "out")
    done = cli("explain", finished, "--tech", "digital-7nm", *options)
    content = json.loads(done.out)
    assert done.err == ""
    assert content["technology"]["name"] == "digital-7nm"
    assert (content["figures"]["distribution"], content["figures"]["samples"]) == ("log-uniform", 500)
    assert content["reruns"] is None


@pytest.mark.usefixtures("undrawn")
def test_a_run_of_one_chip_is_explained_by_its_energy(cli: Cli, tmp_path: Path) -> None:
    cli("run", "mlp-mnist", "--steps", 20, "--arch", "digital32", "--out", "alone", "--quiet")
    done = cli("explain", "alone", "--no-reruns", "--samples", 500)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Energy per step ")
    assert (tmp_path / "alone" / "explain" / "tornado.png").is_file()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--tech", "somewhere"), "--tech: got 'somewhere'; expected one this run was priced by: bottom-up-14nm"),
        (("--distribution", "normal"), "--distribution: got 'normal'; expected one of log-triangular, log-uniform"),
        (
            ("--arch", "digital23"),
            "--arch: got 'digital23'; expected one of the run's chips: mixed-precision, digital32",
        ),
        (("--samples", "3"), "--samples: got 3; expected 100 or more"),
        (("--steps", "0"), "--steps: got 0"),
        (("--out", "file"), "--out: got 'file'; expected a directory"),
    ],
)
def test_bad_options_are_refused_in_one_line(cli: Cli, finished: Path, options: tuple[str, str], text: str) -> None:
    Path("file").write_text("in the way", encoding="utf-8")
    done = cli("explain", finished, *options)
    assert (done.code, done.out) == (2, "")
    assert text in done.err
    assert done.err.count("\n") == 1


def test_a_directory_that_is_no_run_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = cli("explain", "empty", "--no-reruns")
    assert done.code == 2
    assert "run.yaml" in done.err
