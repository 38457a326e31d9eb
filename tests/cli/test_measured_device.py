"""A measured device from its CSV file to the paper kit: fit, run, hold, endurance, report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from cli_kit import Cli, Outcome

SETTINGS = ("--set", "dataset=mnist-5k", "--tech", "bottom-up-14nm", "--arch", "mixed-precision")


def measured(folder: Path, devices: int = 8, spread: float = 0.2, up_only: bool = False) -> Path:
    """Readings of devices that go up and down between 0.1 and 17 uS, 40 pulses a way, three times each."""
    rng, rows = np.random.default_rng(0), []
    for device in range(devices):
        own, g, pulse = 1 + spread * rng.standard_normal(), 0.3, 0
        rows.append(f"d{device},0,{g},up")
        for way in ["up"] if up_only else ["up", "down"] * 3:
            for _ in range(40):
                pulse += 1
                step = own * (0.9 - 0.045 * g if way == "up" else -0.1 - 0.05 * g)
                g = min(max(g + step + 0.15 * rng.standard_normal(), 0.1), 17.0)
                rows.append(f"d{device},{pulse},{g:.6f},{way}")
    path = folder / "pulses.csv"
    path.write_text("device,pulse,Conductance (uS),direction\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def fitted(cli: Cli, tmp_path: Path) -> Outcome:
    """What `device fit` said; gst.yaml lies in the folder."""
    measured(tmp_path)
    return cli("device", "fit", "pulses.csv", "--out", "gst.yaml")


@pytest.mark.usefixtures("undrawn")
def test_a_fitted_device_goes_all_the_way_to_the_paper_kit(cli: Cli, tmp_path: Path, fitted: Outcome) -> None:
    assert fitted.code == 0, fitted.err
    assert "between devices: a standard deviation of 0." in fitted.out
    assert "spread: {devices: 0." in (tmp_path / "gst.yaml").read_text()
    ran = cli("run", "mlp-mnist", "--steps", 60, *SETTINGS, "--set", "weight.device=gst.yaml", "--out", "g")
    assert ran.code == 0, ran.err
    for words in (
        "note         mixed-precision: weight.unit is 8 uS, 0.4",
        "--set weight.unit=1",
        "--set refresh.saturated=1",
    ):
        assert ran.out.count(words) == 1
    assert len(yaml.safe_load((tmp_path / "g/run.yaml").read_text())["notes"]) == 2
    assert "not in this device: pulse_memory, read_noise, drift\n" in ran.out
    assert "pulse_memory" not in ran.out.partition("non-idealities on: ")[2].partition(";")[0]
    told = yaml.safe_load((tmp_path / "g/run.yaml").read_text())["nonidealities_on"]["mixed-precision"]
    assert (
        told
        == json.loads((tmp_path / "g/summary.json").read_text())["architectures"]["mixed-precision"]["nonidealities"]
    )
    (tmp_path / "pulses.csv").unlink()  # the fit has read it; nothing after it needs it
    held = cli("hold", "g", "--for", "30d", "--repeats", 3)
    assert held.code == 0, held.err
    assert "do not drift" in held.out
    worn = cli("endurance", "g", "--limit", "1e6")
    assert worn.code == 0, worn.err
    pulses = json.loads((tmp_path / "g/endurance/endurance.json").read_text())["architectures"]["mixed-precision"][
        "pulses"
    ]
    assert pulses["set_pulses"]["total"] > 0
    assert cli("report", "g", "-q").code == 0
    kit = cli("report", "g", "--paper")
    assert kit.code == 0, kit.err
    methods = (tmp_path / "g/paper/methods.md").read_text()
    assert "off: none; not in this device: pulse memory, read noise, drift." in methods
    assert "not in the device of mixed-precision" in (tmp_path / "g/report/report.md").read_text()
    assert "device model gst (own measurement, pulses.csv)" in methods
    table = (tmp_path / "g/paper/tables/device-gst.tex").read_text()
    assert "measured & pulses.csv" in table
    assert "pulses.csv" not in (tmp_path / "g/paper/sources.bib").read_text()
    page = cli("report", "g", "--html", "-q")
    assert page.code == 0, page.err


def test_what_the_fit_took_for_granted_is_said(cli: Cli, tmp_path: Path) -> None:
    path = measured(tmp_path, up_only=True)
    path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()) + "\n")
    done = cli("device", "fit", "pulses.csv", "--out", "gst.yaml")
    assert done.code == 0, done.err
    assert "note: no column direction: every pulse is taken for SET" in done.out
    shown = cli("device", "gst.yaml")
    assert "measured" in shown.out
    assert "pulses.csv: sha256 " in shown.out


def test_the_figures_of_a_fit_hold_the_measured_points(cli: Cli, tmp_path: Path) -> None:
    measured(tmp_path, devices=4)
    done = cli("device", "fit", "pulses.csv", "--out", "gst.yaml", "--plot", "figures")
    assert done.code == 0, done.err
    assert "no spread fitted, which takes a column device with 5 devices" in done.out
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {
        f"{name}.{kind}" for name in ("fit", "pulses", "distribution", "staircase") for kind in ("png", "svg")
    }
    assert "measured, 84 points" in (tmp_path / "figures/pulses.svg").read_text()
    assert "960 measured pulses" in (tmp_path / "figures/fit.svg").read_text()
