"""The page on baselines: it names every digital architecture, and its table is what its tool prints."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml

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


@pytest.mark.parametrize(
    ("row", "case", "check"),
    [("RaPiD, 8-bit", "rapid2022", "peak"), ("RaPiD, ResNet", "rapid2022", "mean"), ("TPU v4", "tpu-v4", "peak"),
     ("A100", "a100", "peak")],
)  # fmt: skip
def test_a_published_chip_is_told_as_it_was_recorded(row: str, case: str, check: str) -> None:
    [line] = [each for each in PAGE.splitlines() if each.startswith(f"| {row}")]
    folder = ROOT / "tech_params" / "designs" / case
    said, published = (
        yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8")) for name in ("results", "case")
    )
    ours = float(said["results"][check]["value"].split()[0])
    theirs = float(str(published["published"][check]["value"]).split()[0])
    cells = [cell.split()[0].rstrip(":,") for cell in line.strip("| ").split(" | ")[1:]]
    assert [float(each) for each in cells] == pytest.approx([theirs, ours, max(ours / theirs, theirs / ours)], rel=0.01)


def test_a_row_of_the_table_is_what_the_tool_prints() -> None:
    """Within 15 %: activity is assumed anew where more trainings are known."""
    spec = importlib.util.spec_from_file_location("baselines", ROOT / "tools" / "baselines.py")
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    [printed] = [line for line in PAGE.splitlines() if line.startswith("| lenet-mnist, 16 ")]
    assert numbers(tool.row("lenet-mnist")) == pytest.approx(numbers(printed), rel=0.15)
