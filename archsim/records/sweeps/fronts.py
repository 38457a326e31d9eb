"""Which designs of a sweep no other beats, and where along them a better one begins to cost much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.records.sweeps.sweep import Quantity

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[Any]]
KNEE = (
    "The knee is the design of the front that lies furthest on the better side of the straight line between the "
    "front's two ends, both quantities as logarithms and scaled to run from 0 to 1 along the front."
)
"""The rule of `knee`, in words."""


def front(frame: pd.DataFrame, quantities: Sequence[Quantity]) -> Array:
    """Return which rows no other row dominates: is as good in every quantity, and better in one.

    Parameters
    ----------
    frame : pandas.DataFrame, (rows,)
        Has a column of each quantity.
    quantities : sequence of Quantity, at least one

    Returns
    -------
    bool array, (rows,)
        Exact, without tolerance. Rows that are alike in all quantities stand or fall together; a row with a missing
        quantity is not on the front, and dominates nothing.
    """
    values = frame[[each.name for each in quantities]].to_numpy(float)
    signs = np.where([each.better == "low" for each in quantities], 1.0, -1.0)
    known = np.isfinite(values).all(axis=1)
    mask = np.zeros(len(values), bool)
    if known.any():
        different, place = np.unique(values[known] * signs, axis=0, return_inverse=True)
        mask[known] = _undominated(different)[place.reshape(-1)]
    return mask


def _undominated(rows: Array) -> Array:
    """Return which of some rows, all different and in lexicographic order, none dominates; low is better.

    What dominates a row stands before it.
    """
    if rows.shape[1] == 1:
        return np.asarray(np.arange(len(rows)) == 0)
    if rows.shape[1] == 2:
        best = np.minimum.accumulate(rows[:, 1])
        return np.concatenate(([True], rows[1:, 1] < best[:-1]))
    kept = np.ones(len(rows), bool)
    for k in range(len(rows)):
        if kept[k]:
            kept[k + 1 :] &= (rows[k + 1 :] < rows[k]).any(axis=1)
    return kept


def knee(frame: pd.DataFrame, x: Quantity, y: Quantity) -> int | None:
    """Return the place of the knee of a front of two quantities, by the rule in `KNEE`; None if it has none.

    Parameters
    ----------
    frame : pandas.DataFrame, (rows,)
        Rows of the front alone. Quantities that are not above 0 throughout are taken as they are.
    x, y : Quantity
    """
    if len(frame) < 3:
        return None
    first, second = (_along(frame[each.name].to_numpy(float), each) for each in (x, y))
    if not (np.ptp(first) and np.ptp(second)):
        return None
    beyond = 1 - first - second  # from the chord between (0, 1) and (1, 0), times the square root of 2
    place = int(np.argmax(beyond))
    return place if beyond[place] > _ON_THE_CHORD else None


_ON_THE_CHORD = 1e-9


def _along(values: Array, quantity: Quantity) -> Array:
    """Return the values from 0, the best of them, to 1."""
    told = np.log(values) if (values > 0).all() else values
    told = told if quantity.better == "low" else -told
    return np.asarray((told - told.min()) / (np.ptp(told) or 1.0))
