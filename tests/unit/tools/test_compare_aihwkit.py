"""The script is run as its user would; aihwkit is not installed where these tests run, so stand-ins take its place."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SCRIPT = Path(__file__).parents[3] / "tools/compare_aihwkit.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False, env=dict(os.environ)
    )


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare_aihwkit", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["compare_aihwkit"] = module  # its dataclass looks there
    spec.loader.exec_module(module)
    return module


def test_without_aihwkit_one_line_says_what_is_needed() -> None:
    if importlib.util.find_spec("aihwkit"):
        pytest.skip("aihwkit is installed")
    done = run("--images", "200")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert "needs aihwkit (pip install aihwkit) and torch" in line


def test_archsims_half_runs_alone_beside_the_recorded_numbers() -> None:
    done = run("--archsim-only", "--images", "200", "150")
    assert done.returncode == 0, done.stderr
    for word in ("150 images", "200 images", "aihwkit 1.1.0, recorded", "log-softmax, NLL", "few rates were tried"):
        assert word in done.stdout
    assert done.stdout.count("  archsim  ") == 3


def test_recorded_numbers_stand_beside_the_same_numbers_of_images(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    script.show(script.RECORDED, [10_000, 60_000], "MNIST")
    shown = capsys.readouterr().out
    for word in ("10,000 images", "91.90 %", "94.70 %", "93.90 %", "91.00 %"):
        assert word in shown


def test_bad_options_are_refused_in_a_line() -> None:
    done = run("--archsim-only", "--images", "0")
    assert done.returncode == 2
    assert "have to be above 0" in done.stderr


def test_a_granularity_that_is_set_gives_one_pulse_a_crossing(script: ModuleType) -> None:
    # The preset as in aihwkit's source; the count of pulses is granularity x transfer_lr over its own step, rounded up.
    def made() -> SimpleNamespace:
        device = SimpleNamespace(dw_min=0.01, A_down=-2.235)
        cell = SimpleNamespace(refresh_every=1, unit_cell_devices=[device, device])
        return SimpleNamespace(device=SimpleNamespace(device=cell, granularity=0.0, transfer_lr=1.0))

    kit = SimpleNamespace(presets=SimpleNamespace(MixedPrecisionPCMPreset=made))
    compound = script.preset(kit, 0.096).device
    assert compound.device.refresh_every == 100
    assert compound.granularity == 0.096
    assert 0.9999 < compound.granularity * compound.transfer_lr / 0.03235 < 1
    shipped = script.preset(kit, None).device
    assert (shipped.granularity, shipped.transfer_lr) == (0.0, 1.0)
