"""`archsim report --paper` and `archsim verify`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from cli_kit import Cli

from archsim.base import files, registry
from archsim.runs.run import execute
from archsim.runs.spec import resolve


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, on mnist-5k whatever the user's data."""
    path = tmp_path_factory.mktemp("trained") / "run"
    execute(resolve("mlp-mnist", steps=40, techs=("bottom-up-14nm",), settings=("dataset=mnist-5k",)), path)
    return path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture
def one_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw one chart alone: what charts look like is asked elsewhere."""
    known = registry.names
    monkeypatch.setattr(registry, "names", lambda kind: ["latency"] if kind == "chart" else known(kind))


@pytest.mark.usefixtures("one_chart")
def test_a_paper_kit_is_written_into_the_run_or_where_it_is_said(cli: Cli, run: Path, tmp_path: Path) -> None:
    done = cli("report", run, "--paper")
    assert done.code == 0
    assert f"Paper kit: {run / 'paper'} (" in done.out
    names = {str(path.relative_to(run / "paper")) for path in (run / "paper").rglob("*") if path.is_file()}
    assert names >= {
        "main.tex", "methods.tex", "methods.md", "sources.bib", "README.txt", "figures/latency-column.pdf",
        "figures/latency-text.pdf", "tables/energy-bottom-up-14nm.tex", "tables/figures-bottom-up-14nm.tex",
    }  # fmt: skip
    assert not (run / "report").exists()
    quiet = cli("report", run, "--paper", "--out", tmp_path / "kit", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert (tmp_path / "kit/main.tex").is_file()


def test_a_paper_kit_and_a_page_are_asked_for_one_by_one(cli: Cli, run: Path) -> None:
    done = cli("report", run, "--paper", "--html")
    assert done.code == 2
    assert done.error.startswith("--paper: given together with --html")


def test_a_run_verifies(cli: Cli, run: Path) -> None:
    done = cli("verify", run)
    assert done.code == 0
    for words in ("activity.csv", "state-mixed-precision.npz", "Inputs: 5 of 5 files", "Equal, bit for bit"):
        assert words in done.out
    assert "digital32: 40 of 40 steps" in done.err


def test_a_run_that_was_changed_does_not_verify(cli: Cli, run: Path) -> None:
    content = json.loads((run / "summary.json").read_text())
    content["architectures"]["digital32"]["test"] *= 2
    (run / "summary.json").write_text(json.dumps(content))
    done = cli("verify", run, "--json")
    assert done.code == 1
    result = json.loads(done.out)
    assert not result["equal"]
    (item,) = [each for each in result["items"] if not each["equal"]]
    assert item == {
        "item": "summary.json", "equal": False, "difference": 0.5, "where": "architectures.digital32.test",
    }  # fmt: skip
    assert {each["state"] for each in result["inputs"]} == {"equal"}
    assert done.err == ""


def test_a_run_that_was_changed_is_told_in_words_with_the_versions_that_differ(
    cli: Cli, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.sha256
    monkeypatch.setattr(files, "sha256", lambda path: "0" * 64 if path.name == "mlp-mnist.yaml" else real(path))
    text = (run / "run.yaml").read_text()
    (run / "run.yaml").write_text(text.replace("numpy: ", "numpy: 0.0."))
    table = (run / "training.csv").read_text().splitlines()
    (run / "training.csv").write_text("\n".join(table[:-1]) + "\n")
    done = cli("verify", run)
    assert done.code == 1
    for words in (
        "NOT equal: 1 of 9 items differ. Kernels are compiled for the processor", "numpy: 0.0.",
        "mlp-mnist.yaml has changed since", "rows, now",
    ):  # fmt: skip
        assert words in done.out
    assert cli("verify", run, "--quiet").out == ""


def test_a_run_whose_inputs_are_missing_cannot_be_verified(cli: Cli, run: Path) -> None:
    text = (run / "run.yaml").read_text()
    (run / "run.yaml").write_text(text.replace("pcm-nandakumar2018.yaml: ", "pcm-nandakumar2018.yaml: x"))
    done = cli("verify", run)
    assert done.code == 2
    assert "pcm-nandakumar2018.yaml (changed)" in done.error


def test_what_is_no_run_is_refused_in_a_line(cli: Cli, tmp_path: Path) -> None:
    assert "expected a run directory" in cli("verify", tmp_path / "nowhere").error
    assert "expected an existing run directory" in cli("report", tmp_path / "nowhere", "--paper").error
