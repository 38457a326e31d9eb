"""What each parameter does to each quantity: shares of variance, means at its levels, and a map of two of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.base.errors import InputError, nearest
from archsim.base.units import parse
from archsim.records.sweeps.effects import MAINS, METHODS, Effects, Factor
from archsim.records.sweeps.fronts import Array
from archsim.records.sweeps.sweep import CHIP, Axis, Quantity
from archsim.report import labels, style
from archsim.report.sweeps.scales import label, logarithmic, ticks
from archsim.report.sweeps.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROWS = 12
"""Parameters and pairs that a chart of shares shows; the others stand together."""
SMALL = 0.005
"""Share that it takes in some quantity to be one of them."""
LETTERS = 10
"""Levels up to which a map's cells have their values written in them."""
OTHERS, REST, MORE = "all others", "three together, and unexplained", "pairs and more together, and unexplained"
Told = list[tuple[Quantity, Effects]]


def told(view: View, chip: str) -> Told:
    """Return the quantities whose effects on a chip are known."""
    found = [(each, view.effects(chip, each)) for each in view.shown]
    return [(each, own) for each, own in found if own is not None]


def shares(found: Told) -> list[tuple[str, list[float]]]:
    """Return a row a parameter or pair with its share in each quantity, the largest first, others together, the rest.

    Every column sums to 1.
    """
    names = sorted(
        {each for _, own in found for each in own.shares},
        key=lambda each: -max(own.shares.get(each, 0) for _, own in found),
    )
    rows = [(" × ".join(each), [own.shares.get(each, 0.0) for _, own in found]) for each in names]
    large = [each for each in rows if max(each[1]) >= SMALL][:ROWS]
    kept, left = list(large), [each for each in rows if each not in large]
    if left:
        kept.append((OTHERS, [sum(own[k] for _, own in left) for k in range(len(found))]))
    alone = any(own.method == MAINS for _, own in found)
    return [*kept, (MORE if alone else REST, [own.rest for _, own in found])]


def methods(found: Told) -> str:
    """Return how the shares were found, in words."""
    return "; ".join(METHODS[each] for each in dict.fromkeys(own.method for _, own in found))


def draw_shares(view: View, chip: str) -> Figure:
    """Return a panel a quantity: the share of its variance that each parameter, and each pair, makes on a chip."""
    found = told(view, chip)
    rows = shares(found)
    figure = style.figure(max(7.2, 2.0 * len(found) + 2.6), 0.27 * len(rows) + 1.7)
    grid = figure.subplots(1, len(found), sharey=True, squeeze=False)
    places = -np.arange(len(rows))
    for k, ((quantity, _), axes) in enumerate(zip(found, grid.flat, strict=True)):
        for place, (name, own) in zip(places, rows, strict=True):
            kind = 2 if name in (REST, MORE, OTHERS) else 1 if " × " in name else 0
            axes.barh(place, 100 * own[k], color=(*style.SERIES[:2], style.FAINT)[kind], height=0.7)
            axes.annotate(
                f"{100 * own[k]:.0f}", (100 * own[k], place), xytext=(3, 0), textcoords="offset points", va="center",
                fontsize=style.note(),
            )  # fmt: skip
        axes.set_xlim(0, 118)
        axes.set_xticks([0, 50, 100])
        axes.set_xlabel("share of variance [%]", fontsize=8)
        axes.grid(axis="y", visible=False)
        style.heading(axes, quantity.title, room=1.7, size=8.5, left=False)
    grid[0, 0].set_yticks(places, [labels.fold(name, 8, 150) for name, _ in rows], fontsize=8)
    style.title(figure, f"What each parameter and pair makes of the variance on {chip}: {view.sweep.name}")
    return figure


def draw_levels(view: View, chip: str) -> Figure:
    """Return a panel a parameter and quantity: the mean of all of a chip's designs at each level."""
    found = told(view, chip)
    names = list(found[0][1].means)
    figure = style.figure(max(7.2, 1.9 * len(names) + 1.4), 1.75 * len(found) + 0.8)
    grid = figure.subplots(len(found), len(names), sharex="col", sharey="row", squeeze=False)
    for row, (quantity, own) in enumerate(found):
        means = [quantity.scale * mean for name in names for _, mean in own.means[name]]
        log = logarithmic(np.array(means))
        for column, name in enumerate(names):
            axes, levels = grid[row, column], own.means[name]
            axes.plot(
                range(len(levels)), [quantity.scale * mean for _, mean in levels], "o-", markersize=4, linewidth=1.2,
                color=style.SERIES[0],
            )  # fmt: skip
            axes.margins(x=0.15)
            if row == len(found) - 1:
                room = 72 * 1.5 / len(levels)
                texts = [labels.fold(style.drawn(text), 7, max(room, 24)) for text, _ in levels]
                axes.set_xticks(range(len(levels)), texts, fontsize=labels.size(texts, 7, max(room, 24)))
                axes.set_xlabel(labels.fold(name, 8, 130), fontsize=8)
        first = grid[row, 0]
        if log:
            first.set_yscale("log")
        first.set_ylabel(labels.fold(label(quantity, log=log), 7.5, 110), fontsize=7.5)
        ticks(first, quantity, axis="y", log=log)
        first.tick_params(axis="y", labelsize=7.5)
    style.title(figure, f"Mean over all other parameters, on {chip}: {view.sweep.name}")
    return figure


def largest(view: View, chip: str, held: Collection[str] = ()) -> tuple[Axis, Axis] | None:
    """Return the two parameters, of those not held, that make most of the variances of y and x; None of fewer."""
    found = [own for each in (view.y, view.x) if (own := view.effects(chip, each))]
    free = [name for name in found[0].means if name not in held] if found else []
    if len(free) < 2:
        return None
    first, second = sorted(free, key=lambda name: -sum(own.total(name) for own in found))[:2]
    return _axis(view, first), _axis(view, second)


def _axis(view: View, key: str) -> Axis:
    return next(axis for axis in view.axes if axis.key == key)


def pair(
    view: View, chip: str, keys: Sequence[str] | None, held: Collection[str] = ()
) -> tuple[Axis, Axis] | None:  # fmt: skip
    """Return the two parameters asked for, or those with the largest effects that are not held fixed.

    Raises
    ------
    InputError
        If they are not two parameters that vary, or one is held fixed.
    """
    if keys is None:
        found = largest(view, chip, held)
        if held and found is None and largest(view, chip) is not None:
            raise InputError(key="--fix", value=", ".join(held), expected="two parameters left for the map")
        return found
    if len(set(keys)) != 2:
        raise InputError(key="--map", value=",".join(keys), expected="two parameters of the sweep, A,B")
    first, second = (view.sweep.axis(key, option="--map") for key in keys)
    for axis in (first, second):
        if axis.key in held:
            raise InputError(f"{axis.key} is an axis of the map", key="--fix", expected="another one than these")
        if view.of(chip)[axis.column].nunique() < 2 or axis.column == CHIP:
            raise InputError(
                key="--map", value=axis.key, expected=f"a parameter that varies over the designs of {chip}"
            )
    return first, second


def held(view: View, fixed: Mapping[str, object]) -> dict[str, Any]:
    """Return what a map holds fixed as the columns have it: "1.6 pJ" of a price as 1.6e-12.

    Raises
    ------
    InputError
        If a key is no axis, or no design has the value.
    """
    found = {}
    for key, given in fixed.items():
        axis = view.sweep.axis(key, option="--fix")
        levels = view.sweep.levels(axis)
        value = _read(key, given, axis.unit) if isinstance(given, str) and axis.unit else given
        alike = [each for each in levels if each == value or axis.text(each) == str(given) or _close(each, value)]
        if not alike:
            texts = [axis.text(each) for each in levels]
            raise InputError(
                key=f"--fix {key}", value=given, expected=f"one of {', '.join(texts[:MOST])}",
                hint=nearest(str(given), texts),
            )  # fmt: skip
        found[axis.key] = alike[0]
    return found


MOST = 20
"""Values that an error lists."""


def _read(key: str, given: str, unit: str) -> float:
    try:
        return parse(given, unit)
    except InputError as error:
        raise InputError(error.message, key=f"--fix {key}") from error


def _close(one: object, other: object) -> bool:
    """Whether two numbers are the same but for rounding."""
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (one, other))
    return numbers and math.isclose(one, other, rel_tol=1e-9)  # type: ignore[arg-type]


def draw_map(view: View, chip: str, across: Axis, up: Axis, *, fixed: Mapping[str, Any] | None = None) -> Figure:
    """Return a map of x and one of y over two parameters, means over the others or at fixed values of them.

    Parameters
    ----------
    view : View
    chip : str
    across, up : Axis
    fixed : key of another parameter -> its value, as the column has it

    Raises
    ------
    InputError
        If no design has the fixed values.
    """
    rows = view.of(chip)
    for key, value in (fixed or {}).items():
        rows = rows[rows[view.sweep.axis(key, option="--fix").column] == value]
    if rows.empty:
        said = ", ".join(f"{key}={view.sweep.axis(key).text(value)}" for key, value in (fixed or {}).items())
        raise InputError(key="--fix", value=said, expected="values that some design has together")
    columns, lines = (view.factor(axis, rows) for axis in (across, up))
    beside = [labels.fold(text, 7.5, 72 * _LEVEL) for text in lines.levels]
    room = 3.6 - max(labels.width(text, 7.5) for text in beside) / 72 - _BESIDE
    shown = [each for each in (view.y, view.x) if rows[each.name].nunique() > 1] or [view.y]
    figure = style.figure(max(7.2, 3.6 * len(shown)), min(0.42 * len(lines.levels), 4.2) + 2.1)
    grid = figure.subplots(1, len(shown), squeeze=False)
    for axes, quantity in zip(grid.flat, shown, strict=True):
        _cells(axes, quantity, _means(rows[quantity.name].to_numpy(float), lines, columns), room)
        axes.set_xlabel(across.key)
        axes.set_ylabel(up.key)
        _marks(axes, columns.levels, beside, room)
        style.heading(axes, label(quantity), room=3.0, size=8.5, left=False)
    counts = _counts(lines, columns)
    if counts.min() < counts.max():
        least = counts[counts > 0].min()
        many = f"{least}" if least == counts.max() else f"{least} to {counts.max()}"
        empty = ", one with - has none" if not counts.min() else ""
        said = f"A cell is the mean of {many} designs{empty}: not all cells have the same others."
        figure.supxlabel(said if counts.max() > 1 else "A cell with - has no design.", fontsize=8)
    others = [axis.key for axis in view.axes if axis not in (across, up) and axis.column != CHIP]
    over = _over(view, others, fixed or {}) or ("each design" if counts.max() == 1 else "means of classes")
    style.title(figure, f"{up.key} and {across.key} on {chip}, {over}: {view.sweep.name}")
    return figure


def _over(view: View, others: Sequence[str], fixed: Mapping[str, Any]) -> str:
    """Return what was done with the other parameters, in words; nothing where there is none."""
    held = [f"{key} {view.sweep.axis(key).text(value)}" for key, value in fixed.items()]
    free = [key for key in others if key not in fixed]
    said = [f"mean over {', '.join(free)}"] if free else []
    return "; ".join([*said, *([f"at {', '.join(held)}"] if held else [])])


def _counts(lines: Factor, columns: Factor) -> Array:
    """Return how many designs each cell has, (lines, columns)."""
    shape = len(lines.levels), len(columns.levels)
    place = np.ravel_multi_index((lines.codes, columns.codes), shape)
    return np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)


def _means(values: Array, lines: Factor, columns: Factor) -> Array:
    """Return the mean of the values of each cell, (lines, columns); NaN without any."""
    counts = _counts(lines, columns)
    place = np.ravel_multi_index((lines.codes, columns.codes), counts.shape)
    sums = np.bincount(place, values, minlength=counts.size).reshape(counts.shape)
    return np.asarray(np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0))


_BESIDE, _LEVEL = 1.35, 0.9
"""What the title and the scale beside a map take, and a line of a level's name [in]."""


def _cells(axes: Axes, quantity: Quantity, table: Array, room: float) -> None:
    """Draw a table, as wide as `room` [in], as cells from light, the lowest, to dark; grey where there is no design."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
    from matplotlib.ticker import FuncFormatter, LogLocator

    known = table[np.isfinite(table)]
    log = logarithmic(known)
    norm = (LogNorm if log else Normalize)(known.min(), known.max() if known.max() > known.min() else None)
    colours = LinearSegmentedColormap.from_list("ordered", style.ORDERED)
    axes.set_facecolor(style.OTHER)
    drawn = axes.pcolormesh(np.ma.masked_invalid(table), cmap=colours, norm=norm, edgecolors="white", linewidth=0.6)
    bar = axes.figure.colorbar(drawn, ax=axes, fraction=0.06, pad=0.02)
    if bar.solids is not None:
        bar.solids.set_rasterized(True)  # 256 shapes otherwise
    if log and known.max() < _SHORT * known.min():
        bar.ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.drawn(quantity.text(value, 3))))
    bar.ax.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
    bar.ax.tick_params(labelsize=7)
    axes.grid(visible=False)
    if max(table.shape) > LETTERS:
        return
    texts = {at: style.drawn(quantity.text(value, 3)) for at, value in np.ndenumerate(table)}
    size = labels.size(list(texts.values()), 7.5, 72 * room / table.shape[1], least=3.5)
    for (row, column), text in texts.items():
        dark = np.isfinite(table[row, column]) and _light(colours(norm(table[row, column]))) < 0.5
        axes.text(
            column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=size, color="white" if dark else "black"
        )


_SHORT = 100.0
"""Largest over smallest up to which a log scale is marked at 2 and 5 times powers of ten too."""


def _light(colour: tuple[float, float, float, float]) -> float:
    """Return how light a colour is, 0 to 1: the mean of its channels, green twice, for the eye takes it for lighter."""
    return (colour[0] + 2 * colour[1] + colour[2]) / 4


def _marks(axes: Axes, columns: Sequence[str], lines: Sequence[str], room: float) -> None:
    """Write the levels beside the cells, as many as have room."""
    for texts, most, put in ((columns, 9, axes.set_xticks), (lines, 14, axes.set_yticks)):
        step = -(-len(texts) // most)
        kept = [style.drawn(text) for text in texts[::step]]
        size = 7.5
        if put == axes.set_xticks:
            width = 72 * room / len(kept)
            kept = [labels.fold(text, 7, width) for text in kept]
            size = labels.size(kept, size, width)
        put([k + 0.5 for k in range(0, len(texts), step)], kept, fontsize=size)
