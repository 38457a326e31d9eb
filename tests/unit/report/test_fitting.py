"""Tables on narrow terminals."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from archsim.report.sheet import Sheet, terminal

SHEET = Sheet(
    "Training, per sample",
    ("chip", "energy", "90 % interval", "forward", "backward", "update", "time", "what it was"),
    (
        ("mixed-precision-large", "16.77 mJ", "14.9 mJ to 24.6 mJ", "4.319 mJ", "6.465 mJ", "5.99 mJ", "53.57 ms",
         "one of the chips that this is about, with room for batches"),
        ("digital32-large", "108 mJ", "66.1 mJ to 167 mJ", "21.05 mJ", "22.92 mJ", "64 mJ", "24.18 ms", "-"),
    ),
)  # fmt: skip


def shown(width: int) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(terminal(SHEET))
    return stream.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_no_cell_is_cut_on_a_narrow_terminal(width: int) -> None:
    text = shown(width)
    lines = text.splitlines()
    assert "…" not in text
    assert max(map(len, lines)) <= width
    for row in SHEET.rows:
        for cell in row[:2] + row[3:7]:
            assert any(f" {cell} " in line for line in lines), cell
    assert all(word in text for word in SHEET.rows[0][-1].split())
    assert text.count(SHEET.title) == 1


def test_every_piece_begins_with_the_first_column_and_one_that_fits_is_whole() -> None:
    heads = [line for line in shown(80).splitlines() if " chip " in line]
    assert len(heads) == 2
    assert sum(" chip " in line for line in shown(200).splitlines()) == 1
