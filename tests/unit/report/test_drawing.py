"""Figures as files: each format shows what matplotlib's own canvas of that format shows, and is drawn once for all."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from matplotlib import image
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from archsim.report import style
from archsim.report.rendering import DPI, METADATA, contents

FORMATS = ("png", "svg", "pdf")
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
PLACES = re.compile(r"(?<!id=)\"([^\"]*[ML(][^\"]*)\"")


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with style.applied():
        yield


def figure(*, rasterized: bool = False) -> Figure:
    """Return a figure with one of each thing that charts draw."""
    made = style.figure(6.0, 2.5)
    first, second = made.subplots(1, 2)
    first.bar([1, 2, 3], [3, 2, 1], hatch="////", facecolor="white", edgecolor="black")
    first.annotate("words", (2, 2), xytext=(1, 1), arrowprops={"arrowstyle": "->"})
    line = first.plot([1, 3], [0, 3], "o-")[0]
    line.set_clip_path(Circle((0.5, 0.5), 0.4, transform=first.transAxes))
    second.fill_between([0, 1], [0, 1], [1, 2], alpha=0.3)
    second.plot([0.1, 0.5, 0.9], [1.5, 0.5, 1.2], ".", rasterized=rasterized)
    second.scatter([0.2, 0.8], [0.3, 0.2], s=[20, 80])
    return made


def test_a_png_has_the_pixels_of_its_own_canvas() -> None:
    stream, own = BytesIO(contents(figure(), ("png",))["png"]), BytesIO()
    drawn = figure()
    drawn.dpi = DPI
    FigureCanvasAgg(drawn).print_png(own, metadata=METADATA["png"])
    own.seek(0)
    np.testing.assert_array_equal(image.imread(stream), image.imread(own))


def test_an_svg_has_everything_where_its_own_canvas_has_it() -> None:
    own = BytesIO()
    drawn = figure()
    FigureCanvasSVG(drawn).print_svg(own, metadata=METADATA["svg"])
    found, wanted = (
        [float(number) for places in PLACES.findall(text) for number in NUMBER.findall(places)]
        for text in (contents(figure(), FORMATS)["svg"].decode(), own.getvalue().decode())
    )
    assert len(found) > 500
    np.testing.assert_allclose(found, wanted, atol=0.5)  # half a point: the layout rounds to pixels


def test_words_stand_at_the_same_height_in_a_pdf_as_in_an_svg() -> None:
    made = style.figure(3.0, 2.0)
    made.text(0.25, 0.75, "words")
    drawn = contents(made, FORMATS)
    [stream] = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", drawn["pdf"], re.DOTALL)[:1]
    x, y = re.findall(rb"1 0 0?-?0 1 ([\d.]+) ([\d.]+) cm", zlib.decompress(stream))[0]
    assert (float(x), float(y)) == pytest.approx((0.25 * 3 * 72, 0.75 * 2 * 72), abs=0.1)
    place = re.findall(r"translate\(([\d.]+) ([\d.]+)\)", drawn["svg"].decode())[0]
    assert [float(each) for each in place] == pytest.approx([0.25 * 3 * 72, 0.25 * 2 * 72], abs=0.1)


def test_what_is_drawn_in_pixels_lies_in_an_svg_as_one_image_where_its_points_are() -> None:
    vector, pixels = (contents(figure(rasterized=each), ("svg",))["svg"].decode() for each in (False, True))
    assert "<image" not in vector
    [tag] = re.findall(r"<image[^>]*transform=\"([^\"]*)\"[^>]*>", pixels, re.DOTALL)
    size = re.search(r"<image[^>]*?width=\"([\d.]+)\" height=\"([\d.]+)\"", pixels, re.DOTALL)
    assert tag
    assert size
    assert float(size[1]) == pytest.approx(0.8 / 1.1 * 180, rel=0.25)  # three points over 0.8 of the axis


def test_a_figure_is_drawn_once_for_all_formats_and_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    made, draws = figure(), []
    usual = Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: (draws.append(1), usual(self, renderer))[1])
    before = made.dpi, made.canvas
    drawn = contents(made, FORMATS)
    assert len(draws) == 1
    assert (made.dpi, made.canvas) == before
    assert {suffix: content[:4] for suffix, content in drawn.items()} == {
        "png": b"\x89PNG", "svg": b"<?xm", "pdf": b"%PDF",
    }  # fmt: skip
