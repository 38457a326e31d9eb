"""The page on baselines: it names every digital architecture, and its table is what its tool prints."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from archsim.base.files import shipped_names
from archsim.chips import architecture as architectures

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "baselines.md").read_text(encoding="utf-8")


def numbers(line: str) -> list[float]:
    return [float(cell) for cell in line.strip("| ").split(" | ")[2:] if cell != "-"]


def test_every_digital_architecture_is_named() -> None:
    digital = [
        name
        for name in shipped_names("architectures")
        if architectures.parse(architectures.document(name)).chip == "digital32"
    ]
    assert len(digital) >= 7
    assert [name for name in digital if f"`{name}`" not in PAGE] == []


def test_a_row_of_the_table_is_what_the_tool_prints() -> None:
    """Within 15 %: activity is assumed anew where more trainings are known."""
    spec = importlib.util.spec_from_file_location("baselines", ROOT / "tools" / "baselines.py")
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    [printed] = [line for line in PAGE.splitlines() if line.startswith("| lenet-mnist, 16 ")]
    assert numbers(tool.row("lenet-mnist")) == pytest.approx(numbers(printed), rel=0.15)
