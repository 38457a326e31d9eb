"""The page on rules: its numbers are those of the tables that were recorded beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from docs_kit import DOCS, run_page

from archsim.base.units import parse
from archsim.chips import architecture

PAGE = (DOCS / "rules.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"<!-- rules: (\S+) -->\n(.*?)<!-- end: \1 -->", PAGE, re.DOTALL))
RECORDED = [name for name, text in PARTS.items() if "### " in text]


def rows(name: str, title: str) -> list[list[str]]:
    """Return the cells of a table of a study, without its head."""
    text = PARTS[name].partition(f"### {title}")[2].partition("\n### ")[0]
    table = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def quantity(cell: str, unit: str) -> float:
    """Return the mean of a cell such as "3.4 nJ (120 pJ)"."""
    return parse(cell.partition(" (")[0], unit)


def test_the_page_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(DOCS / "rules.md")


def test_the_perceptron_is_told_of() -> None:
    assert "mlp-mnist" in RECORDED


@pytest.mark.parametrize("name", RECORDED)
def test_every_row_has_the_numbers_of_the_recorded_table(name: str) -> None:
    frame = pd.read_csv(DOCS / f"rules-{name}.csv")
    done = frame[frame["state"] == "done"]
    told = rows(name, "What each combination reaches and costs")
    assert len(told) == len(done) > 3
    for cells, (_, row) in zip(told, done.iterrows(), strict=True):
        assert cells[0] == row["chip"]
        energy, time, to_target = (quantity(cells[k], unit) if cells[k][0].isdigit() else None
                                   for k, unit in ((5, "J"), (6, "s"), (7, "J")))  # fmt: skip
        assert energy == pytest.approx(row["energy_per_sample_J"], rel=0.01)
        assert time == pytest.approx(row["latency_per_sample_s"], rel=0.01)
        if to_target is None:
            assert pd.isna(row["energy_to_target_J"])
        else:
            assert to_target == pytest.approx(row["energy_to_target_J"], rel=0.01)
        assert float(cells[4].split()[0]) == pytest.approx(
            100 * row["test"] if "%" in cells[4] else row["test"], abs=0.01
        )


@pytest.mark.parametrize("name", RECORDED)
def test_a_hybrid_cell_that_was_never_passed_on_is_said_to_be(name: str) -> None:
    frame = pd.read_csv(DOCS / f"rules-{name}.csv")
    mine = frame[(frame["chip"] == "hybrid") & (frame["state"] == "done")]
    every = architecture.parse(architecture.document("hybrid")).pairs.every  # type: ignore[attr-defined]
    short = bool((mine["samples"] < every).any())
    assert (f"to pairs every {every:,} samples" in PARTS[name]) is short


@pytest.mark.parametrize("name", RECORDED)
def test_pictures_of_the_page_are_there(name: str) -> None:
    shown = re.findall(r"!\[[^\]]+\]\((\S+)\)", PARTS[name])
    assert len(shown) >= 2
    assert all((DOCS / each).is_file() for each in shown)
