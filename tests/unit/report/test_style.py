"""One style for all charts: units and log axes said, colours of the style alone, ranges drawn, assumed figures hatched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import archsim.report
from archsim.accounting.circuits import CHIP_PARTS
from archsim.base import registry
from archsim.records.recorded import read
from archsim.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CHARTS = [name for name in registry.names("chart") if name != "samples"]  # which only a generator's run has
PAGES = {"screen": None, "column": style.COLUMN, "text": style.TEXT}
COUNTS = ("images", "pulses", "devices", "bits")
FOLDER = Path(archsim.report.__file__).parent


_DRAWN: dict[tuple[str, str], Figure] = {}


def drawn(run: Path, chart: str, page: str = "screen") -> Figure:
    """Draw a chart of the small run, once a session: its content is the same in every test."""
    if (chart, page) not in _DRAWN:
        with style.applied(PAGES[page]):
            figure: Figure = registry.load("chart", chart)(read(run))
            figure.canvas.draw()
        _DRAWN[chart, page] = figure
    return _DRAWN[chart, page]


def scales(axes: Axes) -> Iterator[tuple[str, str]]:
    """Yield scale and label of both axes; an axis shared with one that has a label has its."""
    for scale, labels in (
        (axes.get_xscale(), [other.get_xlabel() for other in axes.get_shared_x_axes().get_siblings(axes)]),
        (axes.get_yscale(), [other.get_ylabel() for other in axes.get_shared_y_axes().get_siblings(axes)]),
    ):
        yield scale, next(filter(None, labels), "")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("chart", CHARTS)
def test_every_axis_says_its_unit_and_whether_it_is_logarithmic(tiny: Path, chart: str, page: str) -> None:
    figure = drawn(tiny, chart, page)
    labels = [label for axes in figure.axes for _, label in scales(axes) if label]
    assert labels
    for axes in figure.axes:
        for scale, label in scales(axes):
            assert ("log" in label) == (scale == "log"), (label, scale)
            if label and "log axis" not in label:  # a log axis writes its ticks as quantities
                assert re.search(r"\[.+\]", label) or any(word in label for word in COUNTS), label


@pytest.mark.parametrize("page", ["column", "text"])
@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_for_a_page_has_its_width_and_nothing_leaves_it(tiny: Path, chart: str, page: str) -> None:
    figure = drawn(tiny, chart, page)
    wanted = PAGES[page]
    assert wanted is not None
    assert figure.get_size_inches()[0] == wanted.width
    right, top = figure.canvas.get_width_height()
    boxes = [text.get_window_extent() for axes in figure.axes for text in axes.texts if text.get_text()]
    boxes += [legend.get_window_extent() for legend in figure.legends]
    ticks = [tick for axes in figure.axes for tick in axes.get_yticklabels() if tick.get_text()]
    assert min(tick.get_window_extent().x0 for tick in ticks) >= -1
    for box in boxes:
        assert box.x0 >= -1
        assert box.x1 <= right + 1
        assert box.y0 >= -1
        assert box.y1 <= top + 1
    assert not figure.get_suptitle()
    assert "first-tech" in str(figure.get_label())  # for the caption


@pytest.mark.parametrize("page", ["column", "text"])
@pytest.mark.parametrize("chart", CHARTS)
def test_no_text_on_a_page_is_smaller_than_a_point_below_its_size(tiny: Path, chart: str, page: str) -> None:
    from matplotlib.text import Text

    figure = drawn(tiny, chart, page)
    sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}  # type: ignore[attr-defined]
    assert min(sizes) >= style.COLUMN.font - 1
    assert max(sizes) <= style.COLUMN.font


def test_colours_stand_in_the_style_alone() -> None:
    files = [file for file in FOLDER.rglob("*.py") if file.name != "style.py"]
    assert len(files) > 15
    own = {
        file.name: found for file in files if (found := re.findall(r"[\"']#[0-9A-Fa-f]{3,8}[\"']", file.read_text()))
    }
    assert own == {}


def test_a_colour_stands_for_one_thing() -> None:
    parts, chips = (
        set(style.PARTS.values()),
        {style.chip_colour(name, k) for k, name in enumerate([*style.CHIPS, *"abcd"])},
    )
    single = {style.PAPER["color"], style.PATH, style.UP, style.DOWN, style.FAINT, style.REFERENCE}
    given = (parts, chips, style.SERIES, style.PHASES.values(), single)
    groups = [{colour.upper() for colour in group} for group in given]
    assert len(single) == 6
    assert sum(map(len, groups)) == len(set().union(*groups))


@pytest.mark.parametrize("chart", ["energy", "contributions", "area"])
def test_a_part_has_its_colour_in_every_chart(tiny: Path, chart: str) -> None:
    from matplotlib.colors import to_hex

    allowed = {colour.lower() for colour in (*style.PARTS.values(), *style.CHIPS.values(), style.OTHER)}
    figure = drawn(tiny, chart)
    colours = {to_hex(bar.get_facecolor()) for axes in figure.axes for bar in axes.patches}
    assert colours
    assert colours <= allowed
    for patch, text in zip(figure.legends[0].get_patches(), figure.legends[0].get_texts(), strict=False):
        if text.get_text() in style.PARTS:
            assert to_hex(patch.get_facecolor()) == style.PARTS[text.get_text()].lower()


def test_totals_are_drawn_with_the_range_that_all_figures_leave(tiny: Path) -> None:
    run, axes = read(tiny), drawn(tiny, "energy").axes[-1]
    lines = [list(line.get_xdata()) for line in axes.lines if len(set(line.get_ydata())) == 1]  # type: ignore[call-overload]
    wanted = [list(run.ends(chip)) for chip in run.architectures]
    assert lines == wanted
    for chip, (low, high) in zip(run.architectures, wanted, strict=True):
        assert low == pytest.approx(run.total(chip) / 2)
        assert high == pytest.approx(run.total(chip) * 4)


def test_contributors_are_drawn_with_the_range_of_their_figure_as_far_as_the_axis_goes(tiny: Path) -> None:
    axes = drawn(tiny, "contributions").axes[1]
    end = axes.get_xlim()[1]
    first, *_ = [line for line in axes.lines if len(line.get_xdata()) == 2][::-1]  # type: ignore[arg-type]
    assert first.get_xdata()[0] == pytest.approx(axes.patches[-1].get_width() / 2)  # type: ignore[index,attr-defined]
    assert first.get_xdata()[1] == pytest.approx(0.99 * end)  # type: ignore[index]
    ends = {line.get_marker() for line in axes.lines if line.get_xdata()[0] == first.get_xdata()[1]}  # type: ignore[index]
    assert ends == {">"}


@pytest.mark.parametrize("chart", ["energy", "contributions", "area"])
def test_assumed_figures_are_hatched_and_the_legend_says_so(tiny: Path, chart: str) -> None:
    figure = drawn(tiny, chart)
    assert any(bar.get_hatch() for axes in figure.axes for bar in axes.patches)
    assert "figure assumed" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_page_is_forgotten_when_drawing_ends_even_in_an_error() -> None:
    def fail() -> None:
        with style.applied(style.COLUMN):
            assert style.narrow()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not style.narrow()
    assert tuple(style.figure(4.0, 3.0).get_size_inches()) == (4.0, 3.0)


def test_every_part_that_a_unit_can_declare_has_a_colour() -> None:
    assert {*CHIP_PARTS} == {*style.PARTS, "other"}
