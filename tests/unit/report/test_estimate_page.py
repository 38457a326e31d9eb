"""The bars of an estimate's page are the energies that its tables say, and their words fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from layout_kit import faults

from archsim.report import style
from archsim.report.studies.estimate_page import draw_parts, draw_placement, matrices, places

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


def placed(*matrices: dict[str, Any]) -> dict[str, Any]:
    """Return of an estimate how matrices lie on chips of ten tiles of 4 x 4."""
    lies = {"rows": 4, "columns": 4, "tiles_of_a_chip": 10, "matrices": matrices}
    tiles = {each["matrix"]: each["groups"] * len(each["rows"]) * len(each["columns"]) for each in matrices}
    chip = {"placement": lies, "tiles": tiles, "chips": -(-sum(tiles.values()) // 10)}
    return {"architectures": {"digital32": {"placement": None}, "mixed-precision": chip}}


SMALL = {"matrix": "conv", "rows": [3], "columns": [2], "groups": 2}
WIDE = {"matrix": "fc", "rows": [4, 4], "columns": [4, 4, 2], "groups": 1}


def test_each_matrix_has_its_number_in_its_first_tile_and_in_the_table() -> None:
    made = placed(SMALL, WIDE, {**SMALL, "matrix": "last", "groups": 3})
    assert matrices(made).title == "Tiles by matrix, mixed-precision"
    assert matrices(made).rows == (
        ("1", "conv", "2 of 3 x 2", "2", "38 %"),
        ("2", "fc", "8 x 10", "6", "83 %"),
        ("3", "last", "3 of 3 x 2", "3", "38 %"),
    )
    [axes] = draw_placement(made).axes
    at = {text.get_text(): int(text.get_position()[0]) for text in axes.texts}
    assert at == {"chip 1: 10 tiles": 0, "1": 0, "2": 2, "3": 0, "chip 2: 10 tiles": 0}, "the last begins on a new chip"


def test_what_a_network_takes_of_chips_is_said() -> None:
    assert places(placed(WIDE)) == [
        "mixed-precision: 6 of the 10 tiles of 4x4 of one chip, 83 % of their cells in use."
    ]
    [two] = places(placed(WIDE, {**WIDE, "matrix": "last"}))
    assert two == "mixed-precision: 12 tiles of 4x4 on 2 chips of 10, 83 % of their cells in use."
