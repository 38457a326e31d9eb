"""Figures of a device: which are drawn, what they hold, where they go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layout_kit import faults

from archsim.base.errors import InputError
from archsim.devices.library import device_file
from archsim.report import style
from archsim.report.studies.device import draw, make
from archsim.studies.device import DeviceStudy, study


def of(name: str) -> DeviceStudy:
    return study(device_file(name), devices=500)


def test_figures_are_written_as_png_and_svg_and_nothing_else(tmp_path: Path) -> None:
    written = make(of("pcm-nandakumar2018"), tmp_path / "new" / "folder")
    names = ["pulses", "distribution", "drift", "read-noise"]
    assert written == [tmp_path / "new" / "folder" / f"{name}.{kind}" for name in names for kind in ("png", "svg")]
    assert sorted(written) == sorted((tmp_path / "new" / "folder").iterdir())
    assert all(path.stat().st_size > 5000 for path in written)


@pytest.mark.long
def test_the_same_study_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (make(of("linear"), tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("ideal", {"pulses", "distribution", "staircase"}), ("agasi-neurosim", {"pulses", "distribution", "staircase"}),
        ("pcm-nandakumar2018", {"pulses", "distribution", "drift", "read-noise"}),
    ],
)  # fmt: skip
def test_only_effects_that_the_device_has_are_drawn(name: str, figures: set[str]) -> None:
    with style.applied():
        assert set(draw(of(name))) == figures


def test_axes_say_what_they_show_with_units_in_reach_of_the_device() -> None:
    with style.applied():
        figures = draw(of("agasi-neurosim"))
    left, right = figures["pulses"].axes
    assert left.get_ylabel() == "mean conductance [nS]"
    assert right.get_ylabel() == "standard deviation of the conductance [nS]"
    assert "[nS]" in figures["distribution"].axes[0].get_xlabel()
    assert "log axis" in figures["distribution"].axes[0].get_ylabel()


def test_points_of_the_published_model_are_drawn_where_the_device_file_has_them() -> None:
    done = of("pcm-nandakumar2018")
    with style.applied():
        lines = draw(done)["pulses"].axes[0].lines
    assert [line.get_label() for line in lines] == [
        "model, bound 12 µS", "model, bound 20 µS", "published model, sampled elsewhere, bound 20 µS",
    ]  # fmt: skip
    assert done.published is not None
    assert np.asarray(lines[2].get_ydata()) == pytest.approx(done.published.mean * 1e6)


def test_a_distribution_holds_every_device() -> None:
    """Each histogram's area is 1, devices that stand at a bound included."""
    done = of("pcm-nandakumar2018")
    with style.applied():
        stairs = draw(done)["distribution"].axes[0].patches
    assert len(stairs) == len(done.samples)
    for step in stairs:
        values, edges, _ = step.get_data()  # type: ignore[attr-defined]
        assert (values * np.diff(edges)).sum() == pytest.approx(1)


def test_a_file_is_no_folder_for_figures(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="--out: got .*; expected a directory, but it is a file"):
        make(of("ideal"), tmp_path / "taken")


@pytest.mark.parametrize("name", ["ideal", "pcm-nandakumar2018", "agasi-neurosim"])
def test_no_words_of_a_device_s_figures_overlap(name: str) -> None:
    with style.applied():
        for figure in draw(of(name)).values():
            assert faults(figure) == []


def test_measured_points_are_drawn_over_the_model_with_their_mean_and_spread() -> None:
    measured = [(1, 1.0e-6), (1, 2.0e-6), (2, 3.0e-6), (2, 5.0e-6), (30, 9.0e-6)]
    with style.applied():
        figure = draw(of("pcm-nandakumar2018"), measured)["pulses"]
        assert faults(figure) == []
    left, right = ({str(line.get_label()): line for line in axes.lines} for axes in figure.axes)
    points = left["measured, 5 points"]
    assert list(zip(points.get_xdata(), points.get_ydata(), strict=True)) == [
        (n, pytest.approx(g * 1e6)) for n, g in measured
    ]
    assert list(left["mean of those measured"].get_ydata()) == pytest.approx([1.5, 4.0])
    assert list(right["their standard deviation"].get_ydata()) == pytest.approx([0.5**0.5, 2**0.5])
    assert figure.axes[0].get_xlim()[1] >= 30
