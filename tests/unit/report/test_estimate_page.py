"""The bars of an estimate's page are the energies that its tables say, and their words fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from layout_kit import faults

from archsim.report import style
from archsim.report.studies.estimate_page import draw_parts

BATCH = 64


@pytest.fixture(autouse=True)
def _style() -> Iterator[None]:
    with style.applied():
        yield


def content(**totals: float) -> dict[str, Any]:
    """Return of an estimate what the bars show; totals a sample [J], half signal memory, a third ADC, a sixth others."""
    parts = {"other": 1 / 6, "signal memory": 1 / 2, "ADC": 1 / 3, "bus": 0.0}
    chips = {
        name: {"training": {
            "energy_per_sample_J": {"total": total},
            "by_part_J": {part: BATCH * total * share for part, share in parts.items()},
        }}
        for name, total in totals.items()
    }  # fmt: skip
    return {"batch": BATCH, "architectures": chips}


def test_bars_have_the_length_of_a_sample_s_energy_in_the_axis_s_unit() -> None:
    [axes] = draw_parts(content(one=13.53e-3, two=49.32e-3)).axes
    assert axes.get_xlabel() == "energy of a sample in training [mJ]"
    ends: dict[float, float] = {}
    for bar in axes.patches:
        row = bar.get_y() + bar.get_height() / 2  # type: ignore[attr-defined]
        ends[row] = max(ends.get(row, 0.0), bar.get_x() + bar.get_width())  # type: ignore[attr-defined]
    assert ends == {0.0: pytest.approx(13.53), 1.0: pytest.approx(49.32)}
    widths = [bar.get_width() for bar in axes.patches[:3]]  # type: ignore[attr-defined]
    assert widths == pytest.approx([13.53 / 2, 13.53 / 3, 13.53 / 6])  # in the order of the palette
    assert {text.get_text() for text in axes.texts} == {"one", "two", "13.5 mJ", "49.3 mJ"}


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_no_words_lie_over_each_other(narrow: bool, count: int) -> None:
    made = content(**{f"mixed-precision-deep-vector-{k}": 1e-9 * (k + 1) for k in range(count)})
    assert faults(draw_parts(made, narrow=narrow)) == []
