"""No words of a chart lie over each other or leave it: 1 to 6 chips, long names, short runs, on screen and on paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from layout_kit import faults
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import archsim
from archsim.base import registry
from archsim.records.recorded import Recorded, read
from archsim.report import labels, style
from archsim.report.studies import hold
from archsim.runs import rundir
from archsim.runs.run import train_all
from archsim.runs.spec import resolve

SHIPPED = Path(archsim.__file__).parent / "chips" / "architectures"
LONG = ("a-chip-with-a-name-as-long-as-they-come", "another_chip_whose_name_has_no_hyphens", "mixed-precision-again")
NUMBERS = (1, 2, 4, 6)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Recorded]:
    """Runs of ten steps, of some numbers of chips."""
    folder = tmp_path_factory.mktemp("chips")
    shipped = (SHIPPED / "mixed-precision.yaml").read_text(encoding="utf-8")
    own = [folder / f"{name}.yaml" for name in LONG]
    for file in own:
        file.write_text(shipped.replace("name: mixed-precision", f"name: {file.stem}", 1), encoding="utf-8")
    chips = [str(own[0]), "digital32", "in-array", str(own[1]), "mixed-precision", str(own[2])]
    spec = resolve("mlp-mnist", steps=10, archs=chips, techs=("bottom-up-14nm",))
    trained, made = train_all(spec), {}
    for number in NUMBERS:
        part = replace(spec, architectures=spec.architectures[:number])
        run = folder / f"run-{number}"
        run.mkdir()
        rundir.finish(run, part, trained[:number], 1.0)
        made[number] = read(run)
    return made


PAGES = {"screen": None, "column": style.COLUMN, "text": style.TEXT}
ALWAYS = {("screen", 1), ("screen", 6), ("column", 4), ("text", 2)}
"""What the default suite draws; the other pages and numbers are drawn with the long tests."""


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(name, number, marks=() if (name, number) in ALWAYS else pytest.mark.long)
        for name in PAGES
        for number in NUMBERS
    ],
)
def test_words_of_a_run_s_charts_neither_overlap_nor_leave_them(
    runs: dict[int, Recorded], name: str, number: int
) -> None:
    page = PAGES[name]
    with style.applied(page):
        for chart in registry.names("chart"):
            figure = registry.load("chart", chart)(runs[number])
            if figure is None:  # samples, of a network that makes none
                continue
            assert faults(figure) == [], chart
            assert figure.get_figwidth() <= (page.width if page else 10.0)


def test_the_kit_finds_words_that_overlap_and_words_that_leave() -> None:
    figure = Figure(figsize=(2, 1))
    FigureCanvasAgg(figure)
    figure.text(0.5, 0.5, "one")
    assert faults(figure) == []
    figure.text(0.52, 0.5, "two")
    figure.text(0.9, 0.1, "much too long")
    assert [fault.split(" ")[0] for fault in faults(figure)] == ["'much", "'one'"]


def test_a_long_title_is_folded_between_words_and_never_between_number_and_unit() -> None:
    with style.applied():
        figure = style.figure(4.0, 2.0)
        style.title(figure, "scikit-learn digits (1,797 images of 8x8) resampled to 28x28, with $ and more $, 229.8 nJ")
        assert faults(figure) == []
    folded = labels.fold("a-chip-with-a-long-name: 229.8 nJ", 9.0, 120.0)
    assert folded.split("\n")[-1] == "229.8 nJ"
    assert all(labels.width(line, 9.0) <= 120 for line in folded.split("\n"))
    for quantity in ("1.232 mm²", "2.604 pJ*s", "8.356 TOPS/W"):
        lines = labels.fold(f"a-chip-with-a-long-name: {quantity}", 9.0, 120.0).split("\n")
        assert lines[-1] == quantity
    assert style.drawn("area 3.2 um^2, time 4 us") == "area 3.2 µm², time 4 µs"
    assert labels.fold("x" * 60, 9.0, 100.0).replace("\n", "") == "x" * 60


def test_a_legend_of_many_long_entries_stays_in_its_figure() -> None:
    with style.applied():
        figure = style.figure(5.0, 3.0)
        axes = figure.subplots()
        for k in range(7):
            axes.plot([0, 1], [0, k], label=f"{LONG[k % 3]}, at the end {k}.00 %")
        style.legend(figure, style.key_of(axes))
        assert faults(figure) == []


def held(accuracy: float, *, drifts: bool) -> dict[str, object]:
    found = {"test": accuracy, "lowest": accuracy - 0.001, "highest": accuracy + 0.001}
    times = [{"time_s": time, "plain": found, "compensated": found} for time in (0.0, 1.0, 3600.0, 86400.0)]
    return {"drifts": drifts, "times": times}


def test_a_chip_far_above_leaves_the_height_of_the_retention_chart_to_those_that_drift() -> None:
    chips = {"a": held(0.50, drifts=True), "digital32": held(0.98, drifts=False), LONG[0]: held(0.9, drifts=True)}
    with style.applied():
        figure = hold.draw(
            {
                "architectures": chips,
                "metric": {"name": "accuracy", "higher_is_better": True, "share": True, "chance": 0.1},
                "duration_s": 86400.0,
                "workload": "w",
                "dataset": "d",
                "repeats": 3,
            }
        )
        assert faults(figure) == []
    first, second = figure.axes
    assert first.get_ylim() == pytest.approx((49.75, 50.25))
    assert second.get_ylim() == pytest.approx((89.75, 90.25))
    assert any("above this axis" in text.get_text() for text in figure.legends[0].get_texts())


def test_a_hundred_percent_stands_only_where_it_is_all() -> None:
    from archsim.report.studies.endurance import never

    assert never(SimpleNamespace(untouched=0.9996)) == "99.96 %"  # type: ignore[arg-type]
    assert never(SimpleNamespace(untouched=0.999999)) == "over 99.99 %"  # type: ignore[arg-type]
    assert never(SimpleNamespace(untouched=1.0)) == "100.00 %"  # type: ignore[arg-type]
