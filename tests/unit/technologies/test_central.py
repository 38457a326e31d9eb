"""Central values: the middle of the range, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.accounting.technology import list_technologies, read_technology
from archsim.technologies.central import off_centre, position


@pytest.mark.parametrize("name", list_technologies())
def test_a_shipped_value_is_the_middle_of_its_range_or_says_why_not(name: str) -> None:
    assert off_centre(read_technology(name)) == []


def test_no_shipped_figure_of_the_chips_stands_at_an_end_of_a_wide_range() -> None:
    for figure in read_technology("bottom-up-14nm").figures.values():
        place = position(figure)
        assert place is None or 0.1 < place < 0.9, figure.name


@pytest.mark.parametrize(
    ("value", "more", "notes"),
    [("3.2", "", 0), ("1", "", 1), ("10", "", 1), ("5", "", 1), ("1", "    central: measured\n", 0)],
)
def test_a_value_off_the_middle_without_a_reason_is_noted(tmp_path: Path, value: str, more: str, notes: int) -> None:
    (tmp_path / "mine.yaml").write_text(
        "schema: 1\nkind: technology\nname: mine\ntitle: one\nfigures:\n  adc:\n"
        f"    value: {value} pJ\n    range: [1 pJ, 10 pJ]\n    prices: [tile.adc.convert]\n"
        f"    basis: assumed\n    why: a test\n{more}"
    )
    found = off_centre(read_technology(str(tmp_path / "mine.yaml")))
    assert len(found) == notes
    for line in found:
        assert line.startswith("note: ")
        assert "figures.adc: lies at " in line
        assert "its middle is 3.16 pJ" in line
