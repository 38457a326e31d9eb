"""Axes of charts of sweeps: which scale a quantity has, its ticks and its label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from archsim.records.sweeps.fronts import Array
from archsim.records.sweeps.sweep import Quantity
from archsim.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 3.0
"""Largest over smallest from which an axis is logarithmic."""


def logarithmic(values: Array) -> bool:
    """Return whether values are drawn on a log axis: all above 0, and far apart."""
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() > 0 and known.max() > WIDE * known.min())


def label(quantity: Quantity, *, log: bool = False) -> str:
    """Return what an axis of a quantity says: "accuracy [%], higher is better"."""
    unit = f" [{quantity.unit}]" if quantity.unit and not quantity.prefixed else ""
    better = "higher is better" if quantity.better == "high" else "lower is better"
    return f"{quantity.title}{unit}, {better}{' (log axis)' if log else ''}"


def set_axis(axes: Axes, quantity: Quantity, values: Array, *, axis: str) -> None:
    """Give an axis the scale, ticks and label of a quantity of which it shows these values [column x scale]."""
    log = logarithmic(values)
    if log:
        (axes.set_xscale if axis == "x" else axes.set_yscale)("log")
    (axes.set_xlabel if axis == "x" else axes.set_ylabel)(label(quantity, log=log))
    ticks(axes, quantity, axis=axis, log=log)


def ticks(axes: Axes, quantity: Quantity, *, axis: str, log: bool) -> None:
    """Write the ticks of an axis as its quantity is written."""
    if log:
        style.unit_ticks(axes, quantity.unit if quantity.prefixed else "", axis=axis)
    elif quantity.prefixed:
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        target = axes.xaxis if axis == "x" else axes.yaxis
        target.set_major_locator(MaxNLocator(5))
        target.set_major_formatter(FuncFormatter(lambda value, _: style.quantity(value, quantity.unit)))
