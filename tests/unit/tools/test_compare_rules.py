"""The script against what aihwkit gave, kept in docs/aihwkit-rules.json; aihwkit is not installed where tests run."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "tools/compare_rules.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare_rules", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.long
def test_all_is_aihwkits_in_distribution(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Four numbers a device, 48 a train, 96 a transfer, within five standard errors (with what aihwkit's noise leaves)."""
    assert script.main(["--archsim-only"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(script.PRESETS) + len(script.TRAINS) + len(script.TRANSFERS)


def test_trains_devices_and_transfers_are_aihwkits_in_distribution(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transfers on exact devices, of 60 matrices where the record has 400; standard errors are those of 60 and 60."""
    monkeypatch.setattr(script, "MATRICES", 60)
    mine = script.ours([name for name in script.TRANSFERS if name.endswith("exact")])
    kept = json.loads(script.RECORD.read_text())["cases"]
    found = script.compared(mine, {name: kept[name] for name in mine})
    assert set(found) >= {*script.TRAINS, *script.PRESETS, "agad, exact"}
    assert max(found.values()) < 5, found


def test_a_step_that_is_twice_too_large_would_be_found(script: ModuleType) -> None:
    kept = json.loads(script.RECORD.read_text())["cases"]
    assert max(script.compared(kept, kept).values()) == 0
    for name, numbers in kept.items():
        assert script.compared(kept, {**kept, name: [2 * each for each in numbers]})[name] > 5


def test_without_aihwkit_it_says_what_it_needs(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> None:
        raise ImportError("No module named 'aihwkit'")

    assert script.main([], their=missing) == 2
    assert "needs aihwkit 1.2 and torch" in capsys.readouterr().err
