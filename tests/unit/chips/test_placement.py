"""Placement: bands, grids, and what does not fit."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.errors import DoesNotFitError
from archsim.chips.fitting.demands import require
from archsim.chips.fitting.placement import bands, place, tiles_demand

exact = settings(max_examples=100, deadline=None, derandomize=True)


@exact
@given(lines=st.integers(1, 3000), most=st.integers(1, 600))
def test_bands_cover_every_line_once_in_order_and_are_about_equal(lines: int, most: int) -> None:
    found = bands(lines, most)
    assert found[0].start == 0
    assert found[-1].stop == lines
    assert all(a.stop == b.start for a, b in pairwise(found))
    sizes = [band.size for band in found]
    assert 1 <= min(sizes) <= max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(found) == (lines + most - 1) // most


@exact
@given(
    shapes=st.lists(st.tuples(st.integers(1, 900), st.integers(1, 400)), min_size=1, max_size=4),
    rows=st.integers(1, 300), columns=st.integers(1, 300),
)  # fmt: skip
def test_a_network_fits_exactly_as_many_tiles_as_it_demands_and_not_one_less(
    shapes: list[tuple[int, int]], rows: int, columns: int
) -> None:
    layers = {f"layer{k}": shape for k, shape in enumerate(shapes)}
    demand = sum(-(-r // rows) * -(-c // columns) for r, c in shapes)
    grids = place(layers, rows=rows, columns=columns)
    require({"a": [tiles_demand(layers, rows=rows, columns=columns, available=demand)]})
    assert sum(grid.tiles for grid in grids.values()) == demand
    for name, (r, c) in layers.items():
        covered = sum(row.size * column.size for row in grids[name].rows for column in grids[name].columns)
        assert covered == r * c
    with pytest.raises(DoesNotFitError) as caught:
        require({"a": [tiles_demand(layers, rows=rows, columns=columns, available=demand - 1)]})
    text = str(caught.value)
    assert f"needs {demand} tiles of {rows}x{columns}" in text
    assert f"the chip has {demand - 1}: 1 short" in text
    assert text.endswith(f"--set tile.count={demand} makes it fit")
    assert caught.value.exit_code == 3
