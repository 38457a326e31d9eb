"""The page of a study of rules, whatever came of it."""

from __future__ import annotations

import pytest
from rules_kit import DIRECT, failed, refused, result, results

from archsim.report.rules import charts, page
from archsim.studies.rules.combine import NO_DEVICE
from archsim.studies.rules.results import Results

GOOD, CHEAP = (0.95, 0.96, 0.94), (1e-6, 1.1e-6, 0.9e-6)
DIGITAL = result("digital32", GOOD, (1e-3,) * 3, device=NO_DEVICE)


@pytest.mark.parametrize(
    ("found", "pictures"),
    [
        (results(result("agad", GOOD, CHEAP, worn=1e-9), result("agad", GOOD, CHEAP, learning=DIRECT), DIGITAL,
                 refused("agad", "pcm2"), failed("in-array")), ["front", "parts", "wear"]),
        (results(result("agad", (0.1, 0.1, 0.1)), target=None), ["front", "wear"]),
        (results(DIGITAL), ["front"]),
        (results(result("agad", GOOD[:1], CHEAP[:1]), seeds=1), ["front", "parts", "wear"]),
        (results(failed("agad"), target=None), []),
        (results(target=None), []),
    ],
    ids=["all", "nothing learns", "no devices", "one seed", "all failed", "nothing yet"],
)  # fmt: skip
def test_there_is_a_page_whatever_came_of_a_study(found: Results, pictures: list[str]) -> None:
    made = page.page(found)
    assert made.figures == pictures
    for name in pictures:
        charts.FIGURES[name][0](found, narrow=True)
    text = made.html({name: {"wide": "", "narrow": ""} for name in pictures})
    assert "nan" not in text.partition("<body>")[2]
    assert made.markdown().startswith("# Update rules, devices and learning rules: mlp-mnist")


def test_a_rule_has_one_colour_in_all_pictures_and_the_digital_chip_its_own() -> None:
    found = results(result("agad", GOOD), result("in-array", GOOD), DIGITAL, refused("agad", "pcm2"))
    colours = charts._colours(found)
    assert len(set(colours.values())) == 3
    assert list(colours) == ["agad", "in-array", "digital32"]


def test_the_front_joins_what_no_other_surpasses_in_both() -> None:
    cheap, good, beaten = (result(name, tests, energy_J=energy) for name, tests, energy in (
        ("a", (0.8, 0.8, 0.8), 1e-8), ("b", (0.9, 0.9, 0.9), 1e-7), ("c", (0.7, 0.7, 0.7), 5e-8)
    ))  # fmt: skip
    figure = charts.front(results(cheap, beaten, good))
    [line] = [each for each in figure.axes[0].get_lines() if each.get_color() == "black"]
    assert list(line.get_xdata()) == pytest.approx([1e-8, 1e-7])


def test_shares_of_parts_sum_to_the_whole() -> None:
    figure = charts.parts(results(result("agad", GOOD, CHEAP), DIGITAL))
    widths: dict[float, float] = {}
    for bar in figure.axes[1].patches:
        widths[bar.get_y()] = widths.get(bar.get_y(), 0.0) + bar.get_width()
    assert list(widths.values()) == pytest.approx([100.0, 100.0])
