"""`archsim device`: list, show by name, file and model, figures, fit."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from cli_kit import Cli

from archsim.devices.library import shipped_devices


def measurement(folder: Path, pulses: int = 400) -> Path:
    rng = np.random.default_rng(0)
    before, up = rng.uniform(1, 11, pulses), rng.random(pulses) < 0.5
    change = np.where(up, 0.5 - 0.04 * before, -0.1 - 0.03 * before) + 0.05 * rng.standard_normal(pulses)
    rows = [f"{g},{dg},{'up' if u else 'down'}" for g, dg, u in zip(before, change, up, strict=True)]
    path = folder / "measured.csv"
    path.write_text("conductance_uS,change_uS,direction\n" + "\n".join(rows) + "\n")
    return path


def test_list_names_every_shipped_device_with_its_model_and_epsilon(cli: Cli) -> None:
    lines = cli("device", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == shipped_devices()
    (pcm,) = [line for line in lines if line.startswith("pcm-nandakumar2018")]
    assert re.search(r" pcm +SET +epsilon 765\.9 nS ", pcm)


@pytest.mark.parametrize("words", [("pcm",), ("pcm-nandakumar2018",), ("show", "pcm")])
def test_a_device_is_shown_by_name_or_model_with_every_number_and_its_source(cli: Cli, words: tuple[str, ...]) -> None:
    shown = cli("device", *words)
    assert shown.code == 0
    for text in ("pcm-nandakumar2018: PCM after", "epsilon  765.9 nS", "bounds   100 nS to 12 uS", "slope -0.084",
                 "exponent 0.04", "published", "assumed", "nandakumar2018"):  # fmt: skip
        assert text in shown.out
    assert "written" not in shown.out


@pytest.mark.parametrize("name", shipped_devices())
def test_every_shipped_device_can_be_shown(cli: Cli, name: str) -> None:
    shown = cli("device", name)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"{name}: ")


def test_the_bounds_of_a_table_are_said_to_be_its_own(cli: Cli) -> None:
    assert "those of the table; no pulse leaves them" in cli("device", "table-example").out
    assert "those of the table" not in cli("device", "linear").out


@pytest.mark.long
def test_plot_writes_figures_to_reports_or_where_told(cli: Cli, tmp_path: Path) -> None:
    shown = cli("device", "pcm", "--plot", "--devices", "300")
    assert shown.code == 0
    folder = Path("reports/device-pcm-nandakumar2018")
    assert sorted(path.name for path in (tmp_path / folder).iterdir()) == [
        "distribution.png", "distribution.svg", "drift.png", "drift.svg", "pulses.png", "pulses.svg", "read-noise.png",
        "read-noise.svg",
    ]  # fmt: skip
    assert f"written: {folder / 'drift.svg'}" in shown.out
    assert re.search(r"drift exponent 0\.04, fitted to reads 0\.0\d+", shown.out)
    assert cli("device", "ideal", "--plot", "--out", "here", "--devices", "300").code == 0
    assert (tmp_path / "here" / "staircase.png").is_file()


def test_an_unknown_device_is_one_line_with_the_nearest_name(cli: Cli) -> None:
    shown = cli("device", "ecram")
    assert shown.code == 2
    assert shown.error.startswith("device: got 'ecram'; expected a file, or one of ")
    assert cli("device", "pcmm").error.endswith("Did you mean 'pcm'?")


def test_help_of_the_group_is_help(cli: Cli) -> None:
    shown = cli("device", "--help")
    assert shown.code == 0
    for word in ("list", "show", "fit", "device models"):
        assert word in shown.out.lower()


def test_fit_writes_a_device_that_can_be_shown(cli: Cli, tmp_path: Path) -> None:
    shown = cli("device", "fit", measurement(tmp_path), "--bins", "5", "--least", "9")
    assert (shown.code, shown.err) == (0, "")
    assert re.search(r"^up: \d+ pulses in 5 bins, \d+ or more each$", shown.out, flags=re.MULTILINE)
    assert "written: measured-device.yaml" in shown.out
    assert "written: measured-device.csv" in shown.out
    again = cli("device", "./measured-device.yaml")
    assert again.out.startswith("measured-device: Table fitted to measured.csv")
    assert re.search(r"model +table, up and down pulses", again.out)


def test_fit_does_not_write_over_a_file_unless_told(cli: Cli, tmp_path: Path) -> None:
    path = measurement(tmp_path)
    assert cli("device", "fit", path, "--out", "mine.yaml").code == 0
    refused = cli("device", "fit", path, "--out", "mine.yaml")
    assert refused.code == 2
    assert refused.error == "--out: got 'mine.yaml'; expected a file that does not exist, or --force"
    assert cli("device", "fit", path, "--out", "mine.yaml", "--force").code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "measured.csv: is empty"),
        ("conductance,change_uS,direction\n1,1,up\n", "measured.csv:1: conductance: has no unit in its name"),
        ("conductance_uS,change_uS,direction\n1,nan,up\n", "measured.csv:2: change_uS: got 'nan'; expected a finite number"),
        ("conductance_uS,change_uS,direction\n1,1,up\n", "measured.csv: direction: has 1 up pulses; expected at least 60"),
    ],
)  # fmt: skip
def test_a_measurement_that_cannot_be_fitted_is_one_line(cli: Cli, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "measured.csv").write_text(text)
    shown = cli("device", "fit", "measured.csv")
    assert shown.code == 2
    assert shown.error.startswith(words)
    assert [path.name for path in tmp_path.glob("measured*")] == ["measured.csv"]
