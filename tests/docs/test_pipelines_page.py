"""The page on batches that flow: its table is what an estimate says, within five in a hundred."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archsim.studies.estimate.estimate import estimate

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pipelines.md").read_text(encoding="utf-8")
ROWS = re.findall(
    r"^\| ([a-z0-9-]+) \| (\d+) us, ([\d.]+) uJ \| (\d+) us, ([\d.]+) uJ \| ([\d.]+) \|$", PAGE, re.MULTILINE
)
STILL, FLOWS = "mixed-precision-deep", "mixed-precision-pipelined"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_of_the_table_is_what_is_estimated(row: tuple[str, ...]) -> None:
    name, *told, faster = row
    scales = [f"{STILL}.tile.dac.{which}_scale=vector" for which in ("input", "error")]
    found = estimate(name, batch=16, archs=[STILL, FLOWS], settings=scales)["architectures"]
    each = [found[chip]["training"] for chip in (STILL, FLOWS)]
    times = [work["latency_per_sample_s"]["total"] for work in each]
    energies = [work["energy_per_sample_J"]["total"] for work in each]
    assert [float(told[0]) * 1e-6, float(told[2]) * 1e-6] == pytest.approx(times, rel=0.05)
    assert [float(told[1]) * 1e-6, float(told[3]) * 1e-6] == pytest.approx(energies, rel=0.05)
    assert float(faster) == pytest.approx(times[0] / times[1], rel=0.05)


def test_the_table_has_its_networks() -> None:
    assert [row[0] for row in ROWS] == ["lenet-mnist", "cnn-cifar10", "lstm-text", "gpt-text"]
