"""The chart of `archsim validate`: words that do not overlap, classes that can be told from each other."""

from __future__ import annotations

from layout_kit import faults

from archsim.report import style
from archsim.report.studies.validate import scatter
from archsim.studies.validation.validate import Result

KINDS = {
    "energy": 1e-6, "energy_per_mac": 1e-12, "latency": 1e-4, "throughput": 4e13, "efficiency": 6e11, "density": 5e17,
    "area": 9e-5, "power": 65.0, "ratio": 172.0, "accuracy": 0.98,
}  # fmt: skip
CLASSES = ("prediction", "calibration", "sum")


def check(case: str, quantity: str, factor: float, kind: str) -> Result:
    published = KINDS[quantity]
    return Result(
        case=case, name=quantity, what="of it", quantity=quantity, text="1", published=published,
        simulated=published * factor, shown="1", kind=kind, why="", figures="own", evidence="measured", band=2.0,
        source="book2020", where="p. 1",
    )  # fmt: skip


def results() -> list[Result]:
    cases = [f"a-design-of-{year}" for year in range(2012, 2024)]
    return [
        check(case, quantity, 1.0 + 0.2 * k + 0.05 * n, CLASSES[(k + n) % 3])
        for k, case in enumerate(cases) for n, quantity in enumerate(KINDS)
    ]  # fmt: skip


def test_no_words_overlap_with_one_case_or_twelve() -> None:
    with style.applied():
        assert faults(scatter(results()[:4])) == []
        assert faults(scatter(results())) == []


def test_classes_differ_in_colour_and_filling_and_each_check_has_a_place_of_its_own() -> None:
    with style.applied():
        figure = scatter(results())
    handles = {text.get_text(): handle for text, handle in
               zip(figure.legends[0].get_texts(), figure.legends[0].legend_handles, strict=True)}  # fmt: skip
    entries = ("prediction", "arithmetic, sum", "restated, calibration")
    looks = {(str(handles[entry].get_color()), str(handles[entry].get_markerfacecolor())) for entry in entries}  # type: ignore[union-attr]
    assert len(looks) == 3
    assert [look for look in looks if look[0] == look[1]] == [(style.SERIES[0], style.SERIES[0])]
    below = figure.axes[-1]
    places = [float(line.get_xdata()[0]) for line in below.lines if len(line.get_xdata()) == 1]  # type: ignore[index,arg-type]
    assert len(set(places)) == len(results())
    assert [axes.get_title() for axes in figure.axes[:8]] == [
        "energy", "time", "throughput", "efficiency [Top/s/W]", "density [Top/s/mm²]", "area [mm²]", "power", "ratio, accuracy",
    ]  # fmt: skip
    for axes, quantity, scale in zip(
        figure.axes[3:6], ("efficiency", "density", "area"), (1e-12, 1e-18, 1e6), strict=True
    ):
        drawn = {float(line.get_xdata()[0]) for line in axes.lines if len(line.get_xdata()) == 1}  # type: ignore[index,arg-type]
        assert drawn == {r.published * scale for r in results() if r.quantity == quantity}
