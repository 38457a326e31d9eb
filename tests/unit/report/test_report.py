"""Charts and tables of a small real run, and of what is left of an interrupted one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from page_kit import of_one_chip

from archsim.base import registry
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.records.recorded import Recorded, read
from archsim.report import latex, make, style, tables
from archsim.runs.run import execute
from archsim.runs.spec import resolve


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    assert execute(resolve("mlp-mnist", steps=400), out) is not None
    return out


@pytest.fixture
def data(run: Path) -> Recorded:
    return read(run)


@pytest.mark.parametrize("name", registry.names("chart"))
def test_every_chart_labels_its_axes_with_units(data: Recorded, name: str) -> None:
    figure = registry.load("chart", name)(data)
    if figure is None:  # samples, of a network that makes none
        return
    labels = [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel()) if text]
    assert labels
    words = ("[", "log axis", "images")
    assert all(any(word in label for word in words) for label in labels), labels


@pytest.mark.parametrize("name", registry.names("chart"))
def test_no_label_leaves_the_picture(data: Recorded, name: str) -> None:
    with style.applied():
        figure = registry.load("chart", name)(data)
        if figure is None:
            return
        figure.canvas.draw()
        width, height = figure.canvas.get_width_height()
        for legend in [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]:
            box = legend.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= width
            assert box.y0 >= 0
            assert box.y1 <= height


def test_a_report_has_every_chart_in_three_formats_and_both_kinds_of_tables(run: Path, tmp_path: Path) -> None:
    written = make(run, tmp_path)
    names = {path.name for path in written}
    charts = {
        f"{chart}.{suffix}"
        for chart in registry.names("chart")
        if chart != "samples"
        for suffix in ("png", "svg", "pdf")
    }
    assert names == charts | {"report.md", "report.tex", "intervals.json"}
    assert all(path.stat().st_size > 500 for path in written if path.suffix != ".json")


def test_the_bars_add_up_to_the_summary(data: Recorded) -> None:
    for chip in data.architectures:
        stated = data.summary["architectures"][chip]["energy_per_step_J"]
        lines = data.contributions(chip)
        assert sum(line.energy for line in lines) == pytest.approx(stated["total"], rel=1e-12)
        for phase in STEP_PHASES:
            assert sum(line.energy for line in lines if line.phase == phase) == pytest.approx(stated[phase], rel=1e-12)
        assert sum(line.energy for line in data.largest(chip, 1000)) == pytest.approx(stated["total"], rel=1e-12)


def test_every_part_that_occurs_has_a_colour_of_its_own(data: Recorded) -> None:
    parts = {line.part for chip in data.architectures for line in data.contributions(chip)}
    assert parts <= set(style.PARTS)
    assert len(set(style.PARTS.values())) == len(style.PARTS)


def test_the_table_against_the_paper_states_relative_errors(data: Recorded) -> None:
    assert tables.against_paper(data.summary) == []  # nothing was published of mnist-5k
    told: dict[str, Any] = {"source": "x", "energy_per_sample_J": {}, "energy_ratio": None, "test_accuracy": {}}
    assert tables.against_paper(data.summary | {"published": told}) == []  # nor of its chips: no table without rows
    told = {"source": "x", "energy_per_sample_J": {}, "energy_ratio": 172.0, "test_accuracy": {"digital32": 0.9}}
    (sheet,) = tables.against_paper(data.summary | {"published": told})
    row = next(r for r in sheet.rows if r[0] == "energy ratio")
    ratio = data.summary["technologies"][0]["ratio"]["energy"]
    assert row[1:] == ("bottom-up-14nm", "172", f"{ratio:.1f}", f"{100 * (ratio / 172 - 1):+.1f} %")


def test_both_technologies_are_in_the_tables(data: Recorded) -> None:
    text = tables.markdown(data, [])
    for technology in data.summary["technologies"]:
        assert f"## Energy per training step, {technology['name']}" in text
    assert "mnist-5k, 4,000" in text
    assert "| host link | outside |" in text


def test_latex_escapes_what_latex_would_read(data: Recorded) -> None:
    assert latex.escape("50 % of a_b & {c}") == r"50 \% of a\_b \& \{c\}"
    text = latex.latex(data)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == len(tables.from_run(data))
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert all("%" not in line.replace(r"\%", "") for line in body)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("chip", ["mixed-precision", "digital32"])
def test_a_run_of_one_chip_alone_is_reported_without_a_ratio(run: Path, tmp_path: Path, chip: str) -> None:
    part = tmp_path / "part"
    shutil.copytree(run, part)
    of_one_chip(part, chip)
    assert make(part)
    assert tables.comparison_text(read(part).summary)


def _remove(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_text("")


@pytest.mark.parametrize("damage", [_remove, _empty])
@pytest.mark.parametrize("name", ["summary.json", "energy.csv", "training.csv"])
def test_a_damaged_run_directory_is_named(run: Path, tmp_path: Path, name: str, damage: object) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    damage(copy / name)  # type: ignore[operator]
    with pytest.raises(InputError, match=str(copy)):
        make(copy)


def test_a_missing_column_is_named(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    pd.read_csv(copy / "energy.csv").drop(columns="basis").to_csv(copy / "energy.csv", index=False)
    with pytest.raises(InputError, match="energy.csv: lacks the column basis"):
        make(copy)
