"""The page on estimates: its examples run as printed, and what it says of time and memory is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from docs_kit import carried_out

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "estimates.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ archsim (.*?)(?: *#.*)?$", PAGE, flags=re.MULTILINE)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("command", [each for each in COMMANDS if "--activity" not in each])
def test_the_commands_run_as_printed(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = carried_out(f"archsim {command}")
    assert "Training, per sample" in done
    if "--out" in command:
        folder = tmp_path / command.partition("--out ")[2]
        assert {"estimate.html", "estimate.json", "estimate.md", "placement.png"} <= {p.name for p in folder.iterdir()}


def test_the_python_example_runs_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  the page's own
    assert capsys.readouterr().out.count(" uJ, ") == len(names["found"]["architectures"]) == 2
