"""`archsim rules` as a user runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from cli_kit import Cli
from grid_kit import file

from archsim.studies.rules import asked, study
from archsim.studies.workers.pool import Pool, given

STUDY = ("--arch", "agad", "--arch", "digital32", "--device", "reram-array", "--device", "pcm-nandakumar2018", "--learning",
         "backpropagation", "--rates", "0.05,0.2", "--budget", 60, "--steps", 120, "--seeds", 2)  # fmt: skip


def test_a_dry_run_says_what_would_be_trained_and_what_is_not_possible_and_trains_nothing(
    cli: Cli, tmp_path: Path
) -> None:
    done = cli("rules", file(tmp_path), *STUDY, "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert "rules      2 combinations of update rule, device and learning rule; 1 not possible" in done.out
    assert "4 rates" not in done.out
    assert "search     of the learning rate, 2 rates of 30 steps for each, seed 0: 0.05, 0.2" in done.out
    assert "the test set is not looked at" in done.out
    assert "no         agad with pcm-nandakumar2018: weight.device: got 'pcm-nandakumar2018'" in done.out
    assert not (tmp_path / "reports").exists()


def test_help_names_the_rules_that_are_compared_by_default(cli: Cli) -> None:
    told = "".join(cli("rules", "--help").out.split())
    assert f"[default:({','.join(asked.RULES)})]" in told


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command train in this process: what starting others costs is tested elsewhere."""

    @contextmanager
    def here(on: str, *, most: int) -> Iterator[Pool]:
        assert (on, most) == ("processes", 4)
        with ThreadPoolExecutor(1) as executor:
            yield given(executor)

    monkeypatch.setattr(study, "pool", here)


@pytest.mark.usefixtures("one_process")
def test_a_study_ends_with_its_tables_and_its_page_and_goes_on(cli: Cli, tmp_path: Path) -> None:
    done = cli("rules", file(tmp_path), *STUDY)
    assert done.code == 0, done.err
    assert "training 8 of 8" in done.err
    assert "Page: reports/rules-tiny/report/rules.html" in done.out
    again = cli("rules", file(tmp_path), *STUDY, "--json", "--no-page")
    assert (again.code, again.err) == (0, "")  # nothing was left to do
    rows = json.loads(again.out)
    assert [row["state"] for row in rows] == ["done", "not possible", "done"]
    frame = pd.read_csv(tmp_path / "reports/rules-tiny/sweep.csv")
    assert rows[0]["energy_per_sample_J"] == frame["energy_per_sample_J"][0]

    page = (tmp_path / "reports/rules-tiny/report/rules.html").read_text(encoding="utf-8")
    for wanted in ("Which rule for which device", "What is not possible", "none of the trainings&#39; own"):
        assert wanted in page
    assert 'src="http' not in page
    shown = json.loads(cli("sweep", "show", "reports/rules-tiny", "--where", "accuracy > 0", "--json").out)
    assert [row["chip"] for row in shown] == ["agad", "digital32"]
    changed = cli("rules", file(tmp_path), *STUDY, "--target", "20%")
    assert changed.code == 2
    assert changed.error.startswith("--out: got 'reports/rules-tiny'; expected a new directory, but it has another")
    assert "target" in changed.error


@pytest.mark.long
def test_one_process_and_two_give_the_same_bits(cli: Cli, tmp_path: Path) -> None:
    for count in (1, 2):
        done = cli(
            "rules", file(tmp_path), *STUDY, "--out", count, "--on", f"processes:{count}", "--quiet", "--no-page"
        )
        assert (done.code, done.err) == (0, "")
    assert (tmp_path / "1/sweep.csv").read_bytes() == (tmp_path / "2/sweep.csv").read_bytes()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--arch", "tiki-tak"], "--arch: got 'tiki-tak'"), (["--device", "pcm"], "--device: got 'pcm'"),
        (["--learning", "hebb"], "--learning: got 'hebb'"), (["--rates", "0"], "--rates: got '0'"),
        (["--rates", "1e7"], "--rates: got '1e7'"), (["--steps", 10**20], "--steps: got 1"), (["--budget", 10**20], "--budget"),
        (["--set", "weight.device=ideal"], "--set: got 'weight.device'; expected --device, repeated"),
        (["--set", "network.learning=local-losses"], "--set: got 'network.learning'; expected --learning, repeated"),
        (["--target", "2"], "--target: got '2'"), (["--preset", "slow"], "--preset: got 'slow'"),
        (["--seeds", 0], "--seeds: got 0"), (["--seeds", 100_000_000], "--seeds: 100,000,000 of them; expected at most"),
        (["--tech", "nothing"], "technology: got 'nothing'"), (["--tech", "tiny.yaml"], "tiny.yaml:2: kind: got 'workload'"),
        (["--out", "tiny.yaml", "--dry-run"], "--out: got 'tiny.yaml'"), (["--on", "procs", "--dry-run"], "--on: got 'procs'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(cli: Cli, tmp_path: Path, words: list[object], error: str) -> None:
    done = cli("rules", file(tmp_path), "--arch", "digital32", *words)
    assert done.code == 2
    assert done.error.startswith(error)
