"""Runs that are small, interrupted, empty or damaged: a chart or one line, never a traceback."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from archsim.accounting.bill import Bill
from archsim.base import registry
from archsim.base.errors import InputError
from archsim.base.units import show
from archsim.records.recorded import CoursePoint, Recorded, RecordedChip, read
from archsim.report import latex, make, style, tables

CHARTS = [name for name in registry.names("chart") if name != "samples"]  # which only a generator's run has
Change = Callable[[Path], None]
Odd = Callable[[Recorded], Recorded]


def on_table(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Change:
    def apply(run: Path) -> None:
        change(pd.read_csv(run / name)).to_csv(run / name, index=False)

    return apply


def on_summary(change: Callable[[dict[str, Any]], object]) -> Change:
    def apply(run: Path) -> None:
        content = json.loads((run / "summary.json").read_text())
        change(content)
        (run / "summary.json").write_text(json.dumps(content))

    return apply


def with_course(change: Callable[[CoursePoint], CoursePoint | None]) -> Odd:
    """Change the points of every training; None leaves one out."""

    def odd(run: Recorded) -> Recorded:
        return with_chips(run, lambda chip: replace(
            chip, course=tuple(point for each in chip.course if (point := change(each)) is not None)
        ))  # fmt: skip

    return odd


def with_chips(run: Recorded, change: Callable[[RecordedChip], RecordedChip]) -> Recorded:
    return replace(run, chips={name: change(chip) for name, chip in run.chips.items()})


def with_summary(run: Recorded, change: Callable[[dict[str, Any]], object]) -> Recorded:
    content = copy.deepcopy(dict(run.summary))
    change(content)
    return replace(run, summary=content)


def free_of_charge(run: Recorded) -> Recorded:
    def zero(content: dict[str, Any]) -> None:
        for chip in content["architectures"].values():
            for quantity in ("energy_per_step_J", "latency_per_step_s"):
                chip[quantity] = dict.fromkeys(chip[quantity], 0.0)
        for technology in content["technologies"]:
            technology["ratio"] = {"energy": None, "latency": None}
            for values in technology["energy_per_step_J"].values():
                values.update(dict.fromkeys(values, 0.0))
        content["ratio"] = {"energy": None, "latency": None}

    return with_summary(with_chips(run, lambda chip: replace(chip, bills={
        name: Bill(tuple(replace(line, price=0.0, energy_J=0.0) for line in bill.lines))
        for name, bill in chip.bills.items()
    })), zero)  # fmt: skip


def without_areas(run: Recorded) -> Recorded:
    unknown = dict.fromkeys(("price_m2", "area_m2", "low_m2", "high_m2", "figure"))
    return with_summary(
        with_chips(run, lambda chip: replace(chip, areas={
            name: tuple(replace(line, **unknown, basis="") for line in lines) for name, lines in chip.areas.items()
        })),
        lambda summary: [chip.update(area_m2=None) for chip in summary["architectures"].values()],
    )  # fmt: skip


ODD: dict[str, Odd] = {
    "as it is": lambda run: run,
    "untrained": with_course(lambda point: point if point.step == 0 else None),
    "one point": with_course(lambda point: point if point.step == 1 else None),
    "no point": with_course(lambda _: None),
    "never evaluated": with_course(lambda point: replace(point, test=None)),
    "accuracy unknown": lambda run: with_summary(
        run, lambda summary: summary["architectures"]["digital32"].update(test=math.nan)
    ),
    "all correct": with_course(lambda point: replace(point, test=1.0)),
    "free of charge": free_of_charge,
    "no area known": without_areas,
    "one technology": lambda run: replace(
        with_summary(run, lambda summary: summary["technologies"].pop()), named=run.named[:1]
    ),
}


def drawn_of(odd: str, chart: str) -> bool:
    """Whether what is odd can be seen in a chart: of courses and accuracies in one alone."""
    return chart == "metric" or odd in ("as it is", "no area known")


@pytest.mark.parametrize(
    ("odd", "chart"),
    [
        pytest.param(odd, chart, marks=() if drawn_of(odd, chart) else pytest.mark.long)
        for odd in ODD for chart in CHARTS
    ],
)  # fmt: skip
def test_every_chart_is_drawn_of_odd_runs(tiny: Path, odd: str, chart: str) -> None:
    with style.applied():
        registry.load("chart", chart)(ODD[odd](read(tiny))).canvas.draw()


@pytest.mark.parametrize("odd", ODD)
def test_every_table_is_made_of_odd_runs(tiny: Path, odd: str) -> None:
    run = ODD[odd](read(tiny))
    text = tables.markdown(run, CHARTS) + latex.latex(run)
    assert "nan" not in text.replace("nandakumar", "")
    assert tables.comparison_text(run.summary)


@pytest.mark.long
def test_a_report_is_the_same_bytes_twice_and_leaves_the_settings_of_matplotlib_alone(tiny: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    first = [path.read_bytes() for path in make(tiny)]
    assert [path.read_bytes() for path in make(tiny)] == first
    assert all(len(content) > 500 for content in first)
    assert dict(mpl.rcParams) == before
    assert sorted(path.name for path in (tiny / "report").iterdir()) == sorted(
        [f"{chart}.{suffix}" for chart in CHARTS for suffix in ("png", "svg", "pdf")] + ["report.md", "report.tex"]
    )


def drawn(tiny: Path, chart: str) -> Figure:
    with style.applied():
        figure: Figure = registry.load("chart", chart)(read(tiny))
        figure.canvas.draw()
    return figure


def test_the_drawn_bars_of_each_phase_add_up_to_the_summary(tiny: Path) -> None:
    figure = drawn(tiny, "energy")
    for axes, chip, unit in zip(figure.axes, ("mixed-precision", "digital32"), (1e-9, 1e-6), strict=False):
        stated = read(tiny).summary["architectures"][chip]["energy_per_step_J"]
        assert sum(bar.get_width() for bar in axes.patches) * unit == pytest.approx(stated["total"], rel=1e-9)


def test_small_parts_are_drawn_as_other_and_assumed_figures_hatched(tiny: Path) -> None:
    figure = drawn(tiny, "energy")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["chi memory", "weight memory", "ADC", "other", "figure assumed", "range of all figures"]
    hatched = [bar for bar in figure.axes[0].patches if bar.get_hatch() and bar.get_width()]
    assert [round(bar.get_width()) for bar in hatched] == [80]


def test_the_bars_of_the_areas_add_up_to_the_summary_and_say_what_is_missing(tiny: Path) -> None:
    axes = drawn(tiny, "area").axes[0]
    chips = read(tiny).summary["architectures"]
    for place, chip in enumerate(chips):
        widths = [bar.get_width() for bar in axes.patches if round(bar.get_y() + bar.get_height() / 2) == place]
        assert sum(widths) * 1e-6 == pytest.approx(chips[chip]["area_m2"]["total"]["value"], rel=1e-12)
    first, second = (text.get_text() for text in axes.texts)
    assert first.startswith("at least 1 mm²")
    assert first.endswith("(0.5 to 2); no figure for programmer.driver")
    assert second == "1.1 mm² (0.55 to 2.2)"


def test_no_writing_beside_the_areas_leaves_the_picture(tiny: Path) -> None:
    figure = drawn(tiny, "area")
    width = figure.canvas.get_width_height()[0]
    assert all(text.get_window_extent().x1 <= width for axes in figure.axes for text in axes.texts)


def test_no_colour_of_a_chip_is_one_of_a_part() -> None:
    chips = {style.chip_colour(name, k) for k, name in enumerate(["mixed-precision", "digital32", "a", "b", "c", "d"])}
    assert not chips & {colour.upper() for colour in (*style.PARTS.values(), style.OTHER)}


@pytest.mark.parametrize("chart", CHARTS)
def test_every_chart_names_the_technology_by_which_it_is_drawn(tiny: Path, chart: str) -> None:
    figure = drawn(tiny, chart)
    assert "first-tech" in "".join([figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)])


def test_no_writing_in_the_largest_contributions_leaves_the_picture(tiny: Path) -> None:
    figure = drawn(tiny, "contributions")
    width = figure.canvas.get_width_height()[0]
    for axes in figure.axes:
        assert all(text.get_window_extent().x1 <= width for text in axes.texts)


def test_tables_state_the_numbers_of_the_summary_for_every_technology(tiny: Path) -> None:
    run = read(tiny)
    for technology, sheet in zip(run.summary["technologies"], tables.energy(run.summary), strict=True):
        assert technology["name"] in sheet.title
        total = dict(zip(sheet.heads, sheet.rows[-1], strict=True))
        for chip, values in technology["energy_per_step_J"].items():
            assert total[chip] == show(values["total"], "J")
        assert total["digital32 / mixed-precision"] == f"{technology['ratio']['energy']:.1f}"
    titles = [sheet.title for sheet in tables.contributors(run)]
    assert titles == [
        f"Largest contributors, {chip}, {name}" for name in run.technologies for chip in run.architectures
    ]


def test_a_contributor_is_amount_times_price(tiny: Path) -> None:
    first, second = (tables.contributors(read(tiny))[k].rows for k in (0, 2))
    assert first[0] == ("outer_product_unit: chi.write", "10,000", "8 pJ", "80 nJ", "93.5 %",
                        "outer_product_unit.figure", "assumed", "-")  # fmt: skip
    assert second[0][2:5] == ("16 pJ", "160 nJ", "93.5 %")
    assert ("bus: transfer", "640 bit", "100 fJ/bit", "64 pJ") in [row[:4] for row in first]


def test_the_table_of_areas_says_which_total_is_a_lower_bound(tiny: Path) -> None:
    (sheet,) = tables.area(read(tiny).summary)
    rows = {row[0]: row[1:] for row in sheet.rows}
    assert sheet.title.startswith("Area, first-tech")
    assert rows["outer product unit"] == ("0.8 mm^2", "80.0 %", "0.4 to 1.6 mm^2", "-", "-", "-")
    assert rows["total"] == (">= 1 mm^2", "100.0 %", "0.5 to 2 mm^2", "1.1 mm^2", "100.0 %", "0.55 to 2.2 mm^2")
    assert rows["without a figure"] == ("programmer.driver", "-", "-", "-", "-", "-")


def test_an_area_of_a_part_is_amount_times_figure(tiny: Path) -> None:
    first, second = tables.area_parts(read(tiny))
    assert first.rows[1] == ("outer_product_unit: chi", "8,000,000 bit", "0.1 um^2/bit", "0.8 mm^2",
                             "0.4 mm^2 to 1.6 mm^2", "chi.figure", "derived", "book2020")  # fmt: skip
    assert first.rows[2] == ("programmer: driver", "1", "-", "-", "-", "-", "-", "-")
    assert second.rows[1][-2:] == ("assumed", "-")


def test_counts_set_programming_beside_the_paper(tiny: Path) -> None:
    rows = {row[1]: row[2] for row in tables.counts(read(tiny).summary).rows if row[0] == "mixed-precision"}
    assert rows["weights programmed per step (paper: fewer than 1 in 1,000)"] == "1 in 50,000"
    assert rows["pairs programmed per step (paper: fewer than 199)"] == "4.000"


def test_latex_of_a_run_escapes_names_and_breaks_long_cells(tiny: Path) -> None:
    text = latex.latex(read(tiny))
    assert r"toy \& made up" in text
    assert r"tiny\_net" in text
    assert r"second\_tech" in text
    assert r"p{0.25\textwidth}" in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda run: (run / "summary.json").write_text('{\n"a": '), r"summary\.json:2: is not valid JSON"),
        (lambda run: (run / "summary.json").write_bytes(b"\xff\xfe"), r"summary\.json: is not UTF-8 text"),
        (lambda run: (run / "summary.json").write_text("[]"), r"summary\.json: holds no mapping"),
        (on_summary(lambda s: s.pop("ratio")), r"summary\.json: ratio: .*expected Field required"),
        (on_summary(lambda s: s["architectures"]["digital32"].pop("steps")), r"digital32\.steps: .*expected Field required"),
        (lambda run: (run / "run.yaml").write_text("a: [1"), r"run\.yaml:2: is not valid YAML"),
        (lambda run: (run / "run.yaml").unlink(), r"a run directory, but it has no run\.yaml"),
        (on_table("energy.csv", lambda t: t.assign(amount="many")), r"energy\.csv: amount: got 'many'; expected a number"),
        (on_table("area.csv", lambda t: t.assign(high_m2="large")), r"area\.csv: high_m2: got 'large'; expected a number"),
        (on_table("energy.csv", lambda t: t.assign(inside_boundary="yes")), r"inside_boundary: .* True or False"),
        (on_table("training.csv", lambda t: t.drop(columns="energy_J_first-tech")), r"lacks the column energy_J_first"),
    ],
)  # fmt: skip
def test_damage_is_told_in_one_line_with_the_file(tiny: Path, change: Change, told: str) -> None:
    change(tiny)
    with pytest.raises(InputError, match=told) as caught:
        make(tiny)
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value)
    assert not (tiny / "report").exists()


def test_a_run_that_is_not_done_says_so(tiny: Path) -> None:
    (tiny / "run.yaml").write_text("state: running\n")
    (tiny / "summary.json").unlink()
    with pytest.raises(InputError, match="state is 'running': it has no results yet"):
        make(tiny)


def test_no_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected an existing run directory"):
        make(tmp_path / "nowhere")
