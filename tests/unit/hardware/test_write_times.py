"""How long a write of many devices takes, row by row and all rows at once."""

from __future__ import annotations

import numpy as np

from archsim.hardware.updating import _kernels


def sparse(pulses: list[list[int]]) -> tuple[np.ndarray, np.ndarray, int]:
    flat = np.array(pulses).reshape(-1)
    index = np.flatnonzero(flat)
    return index, flat[index], len(pulses[0])


def test_row_by_row_each_group_takes_its_longest_trains() -> None:
    index, pulses, columns = sparse([[3, -1, 0, 2, 0], [0, 0, 0, 0, 0], [0, -4, -2, 1, 1]])
    # groups of two columns: row 0 up 3 + 2, down 1; row 2 down 4, then 2 beside up 1, then up 1
    assert _kernels.longest_trains(index, pulses, columns, 2) == (3 + 2 + 1 + 1, 1 + 4 + 2, 4, 4)
    assert _kernels.longest_trains(index, pulses, columns, 5) == (3 + 1, 1 + 4, 2, 4)


def test_all_rows_at_once_take_the_longest_trains_of_a_group_of_columns() -> None:
    index, pulses, columns = sparse([[3, -1, 0, 2, 0], [0, 0, 0, 0, 0], [0, -4, -2, 1, 1]])
    assert _kernels.longest_columns(index, pulses, columns, 5) == (3, 4, 2, 4)
    assert _kernels.longest_columns(index, pulses, columns, 2) == (3 + 2 + 1, 4 + 2, 4, 4)
