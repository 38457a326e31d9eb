"""Numba kernels of placement: what is due in which tile."""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel()
def sort_to_tiles(index, pulses, edges, inside, sorted_, ends, first):
    """Write flat positions inside tiles into `inside` and pulses into `sorted_`, tile after tile, each as they came.

    index : flat positions in the layer, (n,) int64; pulses : (n,) int64; edges : where bands of rows and of columns
    begin, the ends included; ends : (tiles + 1,) int64, zeros, receives where each tile's part begins and the last
    ends; first : (tiles,) int64, receives where the first of each tile stood in `index`.
    """
    rows, columns = edges
    width, across = columns[-1], columns.size - 1
    tile = np.empty(index.size, np.int64)
    for k in range(index.size):
        i, j = index[k] // width, index[k] % width
        r, c = np.searchsorted(rows, i, "right") - 1, np.searchsorted(columns, j, "right") - 1
        tile[k] = r * across + c
        if ends[tile[k] + 1] == 0:
            first[tile[k]] = k
        ends[tile[k] + 1] += 1
    for t in range(1, ends.size):
        ends[t] += ends[t - 1]
    begun = ends[:-1].copy()
    for k in range(index.size):
        i, j = index[k] // width, index[k] % width
        r, c = tile[k] // across, tile[k] % across
        to = begun[tile[k]]
        inside[to] = (i - rows[r]) * (columns[c + 1] - columns[c]) + j - columns[c]
        sorted_[to] = pulses[k]
        begun[tile[k]] = to + 1
