from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from layout_kit import faults

from archsim.accounting.bill import Line
from archsim.base.metrics import ACCURACY
from archsim.records.compare import Comparison, Panel
from archsim.records.differences import difference
from archsim.records.recorded import Recorded
from archsim.records.reprice import Side
from archsim.report import style
from archsim.report.compare import tables as page
from archsim.report.compare.charts import draw_parts, draw_waterfall

LATENCY = {"forward": 1e-6, "backward": 1e-6, "update": 2e-6, "refresh": 0.0, "total": 4e-6}
PARTS = {"tile": "ADC", "outer_product_unit": "chi memory", "bus": "bus"}


def line(component: str, action: str, amount: float, price: float, *, basis: str = "published") -> Line:
    return Line(
        phase="update", layer="fc1", component=component, action=action, key=f"{component}.{action}",
        function="arithmetic", part=PARTS.get(component, "arithmetic"), inside=True, amount=amount, unit="", figure=f"{action}.figure", price=price,
        energy_J=amount * price, basis=basis, source="book2020", reason="",
    )  # fmt: skip


def side(label: str, *lines: Line, chip: str = "mixed-precision", ends: tuple[float, float] | None = None) -> Side:
    return Side(
        label=label, run=Path("run"), architecture=chip, kind=chip, technology=label, sha256="a", steps=1,
        lines=lines, inside=("arithmetic",), latency_s=LATENCY, retimed=None, ends_J=ends, notes=(),
    )  # fmt: skip


def lines(factor: float = 1.0) -> list[Line]:
    return [
        line("tile", "adc.convert", 1000, 5e-12 * factor),
        line("outer_product_unit", "chi.read", 5000, 7e-12),
        line("bus", "transfer", 640, 1e-13 / factor, basis="assumed"),
    ]


def panel(title: str, *sides: Side) -> Panel:
    return Panel(title, sides, tuple(difference(sides[0], other) for other in sides[1:]))


def comparison(*panels: Panel) -> Comparison:
    chips = ("mixed-precision", "digital32")
    told = {name: {"test": 0.9, "samples": 2000} for name in chips}
    summary = {"metric": ACCURACY.content(0.1), "workload": "tiny_net", "dataset_origin": "toy", "steps": 1000, "seed": 7, "state": "finished",
               "architectures": told}  # fmt: skip
    content = {"workload": {"training": {"batch": 2}}}
    bare: Any = {name: SimpleNamespace(areas={"own": ()}) for name in chips}
    named: Any = (SimpleNamespace(name="own"),)
    run = Recorded(Path("run"), content, summary, named, bare)
    return Comparison(
        "technologies", (run,), panels, {"a": {("digital32", "mixed-precision"): 10.0}}, (), ("mind this",)
    )


@pytest.fixture
def found() -> Comparison:
    return comparison(panel("mixed-precision", side("a", *lines(), ends=(1e-8, 1e-6)), side("b", *lines(2.0))))


def test_chips_are_ranked_by_what_a_sample_takes(found: Comparison) -> None:
    sheet = page.standing(found)
    assert [row[:3] for row in sheet.rows] == [
        ("mixed-precision", "a", "20.03 nJ"), ("mixed-precision", "b", "22.52 nJ"),
    ]  # fmt: skip
    assert sheet.rows[0][4:] == ("90.00 %", "2,000", "-")


def test_tables_give_both_sides_difference_and_ratio(found: Comparison) -> None:
    sheets = {sheet.title.partition(",")[0]: sheet for sheet in page.sheets(found.panels[0])}
    by_part = {row[0]: row[1:] for row in sheets["Energy per step by part"].rows}
    assert by_part["ADC"] == ("5 nJ", "10 nJ", "+5 nJ", "2")
    assert by_part["chi memory"] == ("35 nJ", "35 nJ", "0 J", "1")
    assert sheets["Energy per step by component"].heads == ("component", "a", "b", "difference", "ratio")
    assert sheets["Energy per step by component"].rows[-1][0] == "total"
    assert "Time per step" not in sheets


def test_the_changes_name_figure_factor_and_basis_and_end_with_all(found: Comparison) -> None:
    sheet = page.sheets(found.panels[0])[-1]
    assert sheet.rows[0] == ("adc.convert.figure", "price x2", "adc.convert.figure: published", "+5 nJ", "+12.5 %")
    assert sheet.rows[-1][0] == "all"
    assert sheet.rows[-1][3] == "+4.968 nJ"


def test_small_changes_are_gathered_and_nothing_is_lost() -> None:
    many = [line("tile", f"x{k}", 1, (k + 1) * 1e-12) for k in range(page.MOST + 5)]
    twice = [line("tile", f"x{k}", 1, (k + 1) * 2e-12) for k in range(page.MOST + 5)]
    sheet = page.sheets(panel("chip", side("a", *many), side("b", *twice)), most=page.MOST)[-1]
    assert len(sheet.rows) == page.MOST + 2
    assert sheet.rows[-2][:4] == ("5 others", "-", "-", "+15 pJ")
    assert sheet.rows[-1][3] == "+120 pJ"


def test_files_hold_what_was_compared(found: Comparison, tmp_path: Path) -> None:
    written = page.write(found, tmp_path)
    assert [path.name for path in written] == ["compare.md", "compare.json", "compare.csv"]
    with (tmp_path / "compare.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    total = math.fsum(float(row["energy_per_step_J"]) for row in rows if row["side"] == "b")
    assert total == pytest.approx(found.panels[0].sides[1].energy(), rel=1e-14)
    assert {row["part"] for row in rows} == {"ADC", "chi memory", "bus"}
    content = json.loads((tmp_path / "compare.json").read_text())
    (one,) = content["panels"][0]["differences"]
    assert math.fsum(c["difference_J"] for c in one["changes"]) == pytest.approx(one["difference_J"], rel=1e-12)
    text = (tmp_path / "compare.md").read_text()
    assert "mind this" in text
    assert "update: outer product unit" in text
    assert "dE = (N_B - N_A) p_A + N_B (p_B - p_A)" in text


def test_charts_come_in_three_formats_and_stand_in_the_page(found: Comparison, tmp_path: Path) -> None:
    names = {path.name for path in page.write(found, tmp_path, charts=True)}
    assert {f"{name}.{suffix}" for name in ("waterfall", "parts") for suffix in ("png", "svg", "pdf")} <= names
    assert "![waterfall](waterfall.png)" in (tmp_path / "compare.md").read_text()


def test_the_waterfall_goes_from_one_total_to_the_other() -> None:
    found = comparison(panel("mixed-precision", side("a", *lines()), side("b", *lines(4.0))))
    (axes,) = draw_waterfall(found).axes
    bars = axes.patches
    each = found.panels[0].differences[0]
    assert bars[0].get_width() == pytest.approx(each.from_J * 1e9)
    assert bars[-1].get_width() == pytest.approx(each.to_J * 1e9)
    reached = bars[0].get_width() + math.fsum(bar.get_width() for bar in bars[1:-1])
    assert reached == pytest.approx(bars[-1].get_width())
    assert axes.get_xlabel() == "energy per step [nJ]"
    texts = [text.get_text() for text in axes.texts]
    assert texts[1] == "▲ +15 nJ"
    assert texts[2].startswith("▼ -")
    assert bars[2].get_hatch()
    assert not bars[1].get_hatch()


def test_a_waterfall_of_small_changes_says_that_its_axis_is_cut() -> None:
    found = comparison(panel("chip", side("a", *lines()), side("b", *lines(1.01))))
    (axes,) = draw_waterfall(found).axes
    assert "does not begin at 0" in axes.get_xlabel()
    assert axes.get_xlim()[0] > 0


def test_parts_of_unlike_sides_get_an_axis_each_and_ranges_a_log_axis() -> None:
    large = [line("mac_array", "weights.read", 200_000, 1e-11)]
    unlike = panel("both", side("a", *lines(), ends=(1e-8, 1e-6)), side("b", *large, chip="digital32"))
    axes = draw_parts(comparison(unlike)).axes
    assert [one.get_title().endswith(" (its own axis)") for one in axes[:2]] == [True] * 2
    assert axes[2].get_xscale() == "log"
    alike = panel("chip", side("a", *lines()), side("b", *lines(2.0)))
    assert len(draw_parts(comparison(alike)).axes) == 1


def test_a_panel_without_differences_is_one_line() -> None:
    same = comparison(panel("digital32", side("a", *lines()), side("b", *lines())))
    text = page.text(same)
    assert "  digital32: 40.06 nJ a step, the same on all sides." in text
    assert len(draw_waterfall(same).axes) == 1


def test_no_words_of_a_comparison_s_charts_overlap_however_long_the_names() -> None:
    long = "a-technology-with-a-name-as-long-as-they-come", "another-one-of-the-same-length-or-longer"
    ends = (1e-8, 1e-6)
    alike = panel("mixed-precision", side(long[0], *lines(), ends=ends), side(long[1], *lines(2.0), ends=ends))
    large = [line("mac_array", "weights.read", 200_000, 1e-11)]
    unlike = panel(
        "both", side(long[0], *lines(), ends=ends), side(long[1], *large, chip="digital32", ends=(1e-6, 1e-4))
    )
    with style.applied():
        for found in (comparison(alike), comparison(alike, unlike), comparison(alike, unlike, alike)):
            for draw in (draw_parts, draw_waterfall):
                figure = draw(found)
                assert faults(figure) == []
                assert figure.get_figwidth() <= 10
