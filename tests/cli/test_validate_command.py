from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from cli_kit import Cli

from archsim.base.files import shipped


def test_validate_prints_a_table_and_writes_it_with_its_plot(cli: Cli, tmp_path: Path) -> None:
    done = cli("validate", "garofalo2022", "hermes-chip2023", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert "958 Gop/s" in done.out
    assert "All within their bands." in done.out
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"validate.md", "validate.csv", "validate.png", "validate.svg", "validate.pdf"}
    rows = list(csv.DictReader((tmp_path / "out" / "validate.csv").read_text().splitlines()))
    assert {row["case"] for row in rows} == {"garofalo2022", "hermes-chip2023"}
    assert "calibration" in {row["basis"] for row in rows}
    assert "| 958 Gop/s |" in (tmp_path / "out" / "validate.md").read_text()


def test_json_gives_every_check_with_its_error(cli: Cli) -> None:
    done = cli("validate", "garofalo2022", "--json")
    content = json.loads(done.out)
    (check,) = content["checks"]
    assert check["simulated"] / check["published"] - 1 == check["error"]
    assert content["verdict"]["predictions"] == 1


def test_a_check_that_leaves_its_band_ends_with_exit_code_1(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "garofalo2022"
    shutil.copytree(shipped("tech_params") / "designs" / "garofalo2022", folder)
    text = (folder / "cluster.yaml").read_text()
    (folder / "cluster.yaml").write_text(text.replace("width: 128 bit", "width: 8 bit"))
    done = cli("validate", folder / "case.yaml", "--out", tmp_path / "out")
    assert done.code == 1
    assert "Outside their bands: garofalo2022.throughput" in done.out
    assert "LEFT" in done.out


def test_an_unknown_case_or_an_occupied_path_is_one_clear_error(cli: Cli, tmp_path: Path) -> None:
    assert "Did you mean 'isaac2016'" in cli("validate", "isac2016").error
    (tmp_path / "file").write_text("")
    assert "it is a file" in cli("validate", "isaac2016", "--out", tmp_path / "file").error


@pytest.mark.long
def test_the_case_that_trains_runs_on_the_data_at_hand(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "nandakumar2020"
    shutil.copytree(shipped("tech_params") / "designs" / "nandakumar2020", folder)
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(
        text.replace("steps: 60000", "steps: 100")
        .replace("band: 2", "band: 50")
        .replace("band: 5", "band: 50")
        .replace("band: 4", "band: 50")
    )
    done = cli("validate", folder / "case.yaml", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert "3 predictions" in done.out
