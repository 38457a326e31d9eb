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


def test_trains_and_devices_are_aihwkits_in_distribution(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four numbers a device, 48 a train, within five standard errors (with what aihwkit's own noise leaves between runs)."""
    assert script.main(["--archsim-only"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(script.PRESETS) + len(script.TRAINS)


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
