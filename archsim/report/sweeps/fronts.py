"""The front of a sweep in two quantities: what no other design beats, what they beat, and the knee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.records.sweeps.fronts import Array
from archsim.records.sweeps.sweep import Quantity
from archsim.report import style
from archsim.report.sweeps.scales import set_axis
from archsim.report.sweeps.view import Series, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MANY = 2000
"""Designs from which dots are drawn in pixels, for the size of the files."""
BARS = 200
"""Designs up to which those that are beaten have error bars."""


def draw_front(view: View) -> Figure:
    """Return the designs in two quantities: beaten ones pale, the front joined, bars for the spread over seeds."""
    figure = style.figure(7.2, 5.2)
    axes = figure.subplots()
    x, y = (_shown(view, each) for each in (view.x, view.y))
    for each in view.series:
        _dots(axes, view, each, x, y)
    _line(axes, x, y, view.front, color="black", linewidth=1.4, label="front: no other design is better")
    for each in view.series if len(view.series) > 1 else ():
        own = view.front_of(each.rows & view.within)
        if not (own & view.front).any() and own.sum() > 1:
            _line(
                axes, x, y, own, color=each.colour, linewidth=1.0, linestyle="--", label=f"front of {each.label} alone"
            )
    if view.knee is not None:
        place = x[view.knee], y[view.knee]
        axes.plot(
            *place, "o", markersize=13, markerfacecolor="none", markeredgecolor=style.PATH, markeredgewidth=1.6,
            zorder=5, label=f"knee: {described(view, view.knee)}",
        )  # fmt: skip
    set_axis(axes, view.x, x, axis="x")
    set_axis(axes, view.y, y, axis="y")
    beaten, beyond = int((view.within & ~view.front).sum()), int((~view.within).sum())
    if beyond:
        axes.plot(
            x[~view.within], y[~view.within], "x", color=style.REFERENCE, markersize=4, zorder=1,
            rasterized=len(view.rows) > MANY, label="breaks a constraint",
        )  # fmt: skip
    crossed = f", {beyond} beyond the constraints (crosses)" if beyond else ""
    spread = "; bars: standard deviation over seeds" if _has_spread(view) else ""
    pale = f", {beaten} beaten (pale)" if beaten else ""
    style.heading(axes, f"{view.front.sum()} on the front{pale}{crossed}{spread}", room=6.0, size=8)
    style.legend(figure, style.key_of(axes), 2)
    style.title(figure, f"{view.y.title[0].upper()}{view.y.title[1:]} against {view.x.title}: {view.sweep.name}")
    return figure


def described(view: View, row: int) -> str:
    """Return a design with its parameters, and y and x: "tile.adc.bits 6; accuracy 95.2 %, energy 2.9 nJ"."""
    values = (f"{each.title} {each.text(float(view.rows[each.name].iloc[row]))}" for each in (view.y, view.x))
    return style.drawn(f"{view.named(row)}; {', '.join(values)}")


def _shown(view: View, quantity: Quantity) -> Array:
    return np.asarray(quantity.scale * view.rows[quantity.name].to_numpy(float))


def _has_spread(view: View) -> bool:
    return any((view.rows.get(each.spread, np.zeros(1)) > 0).any() for each in (view.x, view.y))


def _dots(axes: Axes, view: View, series: Series, x: Array, y: Array) -> None:
    """Draw a chip's designs, those on the front over the others, each with its bars."""
    raster = len(view.rows) > MANY
    look: Any = {"marker": series.marker, "linestyle": "none", "color": series.colour, "markeredgewidth": 0}
    for on, size, alpha, layer in ((False, 4, 0.28, 2), (True, 6.5, 1.0, 4)):
        chosen = series.rows & view.within & (view.front == on)
        if not chosen.any():
            continue
        if on or len(view.rows) <= BARS:
            spread = [_spread(view, each, chosen) for each in (view.x, view.y)]
            axes.errorbar(
                x[chosen], y[chosen], xerr=spread[0], yerr=spread[1], fmt="none", ecolor=series.colour,
                elinewidth=0.8, alpha=alpha, zorder=layer,
            )  # fmt: skip
        axes.plot(
            x[chosen], y[chosen], markersize=size, alpha=alpha, zorder=layer, rasterized=raster and not on, **look
        )
    axes.plot([], [], markersize=6.5, label=series.label, **look)


def _spread(view: View, quantity: Quantity, chosen: Array) -> Array | None:
    """Return the standard deviations of designs, or None where none is known."""
    if quantity.spread not in view.rows:
        return None
    found = np.nan_to_num(view.rows[quantity.spread].to_numpy(float)[chosen])
    return quantity.scale * found if found.any() else None


def _line(axes: Axes, x: Array, y: Array, mask: Array, **look: Any) -> None:
    """Join the designs of a front in the order of x."""
    at, up = x[mask], y[mask]
    order = np.lexsort((up, at))
    axes.plot(at[order], up[order], zorder=3, **look)
