from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from cli_kit import Cli

from archsim.base.files import shipped


def copied(name: str, tmp_path: Path) -> Path:
    """Return a copy of a shipped case's folder; the known misses do not go with it."""
    folder = tmp_path / name
    shutil.copytree(shipped("tech_params") / "designs" / name, folder)
    return folder


def test_validate_prints_tables_and_writes_them_with_the_plot(cli: Cli, tmp_path: Path) -> None:
    done = cli("validate", "garofalo2022", "hermes-core2022", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert "958 Gop/s" in done.out
    assert "predictions of measured silicon by independent figures: median factor" in done.out
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"validate.md", "validate.csv", "validate.png", "validate.svg", "validate.pdf"}
    rows = list(csv.DictReader((tmp_path / "out" / "validate.csv").read_text().splitlines()))
    assert {row["case"] for row in rows} == {"garofalo2022", "hermes-core2022"}
    assert {"restated", "prediction", "arithmetic"} <= {row["kind"] for row in rows}
    text = (tmp_path / "out" / "validate.md").read_text()
    assert text.index("measured silicon") < text.index("| 958 Gop/s |")


def test_json_gives_every_check_with_its_error_and_class(cli: Cli) -> None:
    done = cli("validate", "garofalo2022", "--json")
    content = json.loads(done.out)
    (check,) = content["checks"]
    assert check["simulated"] / check["published"] - 1 == check["error"]
    assert content["verdict"]["classes"] == {"arithmetic": 1}


@pytest.mark.usefixtures("undrawn")
def test_a_miss_that_is_not_known_and_a_result_that_moved_end_with_exit_code_1(cli: Cli, tmp_path: Path) -> None:
    folder = copied("garofalo2022", tmp_path)
    text = (folder / "cluster.yaml").read_text()
    (folder / "cluster.yaml").write_text(text.replace("width: 128 bit", "width: 8 bit"))
    done = cli("validate", folder / "case.yaml", "--out", tmp_path / "out")
    assert done.code == 1
    assert "WRONG: garofalo2022.throughput has moved (962.9 Gop/s, arithmetic -> " in done.out
    assert "not among the known misses" in done.out
    assert "MISS" in done.out


@pytest.mark.usefixtures("undrawn")
def test_record_announces_a_move_once_and_the_next_run_is_quiet(cli: Cli, tmp_path: Path) -> None:
    folder = copied("garofalo2022", tmp_path)
    text = (folder / "cluster.yaml").read_text()
    (folder / "cluster.yaml").write_text(text.replace("arbitration_cycles: 1", "arbitration_cycles: 2"))
    assert cli("validate", folder / "case.yaml", "--out", tmp_path / "out").code == 1
    done = cli("validate", folder / "case.yaml", "--out", tmp_path / "out", "--record")
    assert done.code == 0
    assert "Moved: garofalo2022.throughput: 962.9 Gop/s, arithmetic -> " in done.out
    again = cli("validate", folder / "case.yaml", "--out", tmp_path / "out")
    assert again.code == 0
    assert "oved" not in again.out


def test_an_unknown_case_or_an_occupied_path_is_one_clear_error(cli: Cli, tmp_path: Path) -> None:
    assert "Did you mean 'isaac2016'" in cli("validate", "isac2016").error
    (tmp_path / "file").write_text("")
    assert "it is a file" in cli("validate", "isaac2016", "--out", tmp_path / "file").error


@pytest.mark.long
def test_the_case_that_trains_runs_on_the_data_at_hand(cli: Cli, tmp_path: Path) -> None:
    folder = copied("nandakumar2020", tmp_path)
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(text.replace("steps: 60000", "steps: 100"))
    done = cli("validate", folder / "case.yaml", "--out", tmp_path / "out")
    assert done.code == 1  # of another length than recorded, which is a move
    assert "nandakumar2020.mixed has moved (" in done.out
    assert "prediction after 60,000 steps -> " in done.out
    assert "2 predictions of simulated and calculated designs by independent figures" in done.out
