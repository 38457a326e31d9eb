"""One style for all charts: colours by component, sizes, units on axes, reproducible files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from archsim.base.units import show

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, safe for colour-blind readers; the same colour for the same part of a chip everywhere.
PARTS = {
    "chi memory": "#009E73", "weight memory": "#E69F00", "signal memory": "#F0E442", "arithmetic": "#0072B2",
    "ADC": "#D55E00", "DAC and cells": "#CC79A7", "programming": "#000000", "bus": "#56B4E9",
    "control and clock": "#999999",
}  # fmt: skip
# Colours from Tol's palettes for whole chips: none of these is the colour of a part.
CHIPS = {"mixed-precision": "#332288", "digital32": "#882255"}
_FURTHER_CHIPS = ("#117733", "#999933", "#44AA99", "#661100")
_MARKERS = "osD^v"
OTHER = "#dddddd"
SMALL = 0.01
"""Parts below this fraction of a chip's step are drawn together as "other"; the tables show them apart."""
HATCH = "////"
SETTINGS: Any = {
    "font.size": 9, "axes.titlesize": 10, "axes.labelsize": 9, "legend.fontsize": 8, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.color": "#e5e5e5",
    "svg.hashsalt": "archsim", "pdf.fonttype": 42, "hatch.linewidth": 0.5,
}  # fmt: skip


@contextmanager
def applied() -> Iterator[None]:
    """Apply the style for the time of drawing and saving; nothing global changes."""
    from matplotlib import rc_context

    with rc_context(SETTINGS):
        yield


def figure(width: float, height: float) -> Figure:
    """Return a figure of so many inches, with its own layout and no window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def part_colour(name: str) -> str:
    """Return the colour of a part of a chip."""
    return PARTS.get(name, OTHER)


def chip_colour(name: str, position: int) -> str:
    """Return the colour of a chip; unknown ones by their position."""
    return CHIPS.get(name, _FURTHER_CHIPS[position % len(_FURTHER_CHIPS)])


def marker(position: int) -> str:
    """Return the marker of the chip at a position, so that chips differ in more than colour."""
    return _MARKERS[position % len(_MARKERS)]


def key_to(parts: Iterable[str], *, assumed: bool) -> dict[str, Artist]:
    """Return legend entries, name -> patch, in the palette's order: the parts given, "other", the hatch if used."""
    from matplotlib.patches import Patch

    wanted = set(parts)
    key: dict[str, Artist] = {part: Patch(facecolor=part_colour(part)) for part in (*PARTS, "other") if part in wanted}
    if assumed:
        key["figure assumed"] = Patch(facecolor="white", edgecolor="#555555", hatch=HATCH)
    return key


def label(name: str) -> str:
    """Return a component's name as prose."""
    return name.replace("_", " ")


def count(value: float, unit: str) -> str:
    """Return an amount for reading: 4,983 or 356.9 bit*s."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text if unit == "1" else f"{text} {unit}"


def price(value: float, unit: str) -> str:
    """Return a price for reading: 5.12 pJ a piece, 69 fJ/bit, 40 mJ/(S*s)."""
    return show(value, "J") + ("" if unit == "1" else f"/({unit})" if "*" in unit else f"/{unit}")


def scaled(values: list[float], unit: str) -> tuple[float, str]:
    """Return the divisor and the prefixed unit in which the largest value reads as 1 to 999."""
    top = max((abs(value) for value in values), default=0.0)
    if top == 0:
        return 1.0, unit
    prefixed = show(top, unit).split(" ", 1)[1]
    return top / float(show(top, unit, digits=17).split(" ", 1)[0]), prefixed


def unit_ticks(axes: Axes, unit: str, *, axis: str = "y") -> None:
    """Write the ticks of a log axis as quantities, 10 nJ, 1 uJ; without a unit as counts, 10,000."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    target = axes.yaxis if axis == "y" else axes.xaxis
    target.set_major_formatter(FuncFormatter(lambda value, _: show(value, unit, digits=3) if unit else f"{value:,.0f}"))
    target.set_minor_formatter(NullFormatter())
