"""One style for all charts: colours by component, sizes, units on axes, reproducible files."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archsim.base import registry
from archsim.base.errors import SystemFault
from archsim.base.units import show
from archsim.report import labels

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, safe for colour-blind readers; the same colour for the same part of a chip everywhere.
PARTS = {
    "chi memory": "#009E73", "transfer buffer": "#00594C", "weight memory": "#E69F00", "signal memory": "#F0E442",
    "arithmetic": "#0072B2", "ADC": "#D55E00", "DAC and cells": "#CC79A7", "programming": "#000000", "bus": "#56B4E9",
    "control and clock": "#999999", "off-chip memory": "#7F4F24",
}  # fmt: skip
# Colours from Tol's palettes for whole chips: none of these is the colour of a part.
CHIPS = {"mixed-precision": "#332288", "digital32": "#882255"}
_FURTHER_CHIPS = ("#117733", "#999933", "#44AA99", "#661100", "#CC6677", "#AA4499")
_MARKERS = "osD^vPX"
OTHER = "#dddddd"
SMALL = 0.01
"""Parts below this fraction of a chip's step are drawn together as "other"; the tables show them apart."""
HATCH = "////"
RANGE: Any = {"color": "black", "linewidth": 1.0}
"""How a range is drawn: a thin line between its ends."""
PAPER: Any = {"color": "#CC3311", "linewidth": 1.5}
"""How a published value is drawn with a bar: a line across it."""
PATH = "#EE3377"
"""The critical path of a time line."""
PHASES = {"forward": "#4477AA", "backward": "#66CCEE", "update": "#CCBB44", "refresh": "#AA3377"}
"""Colours of the phases, from Tol's bright palette."""
UNEVEN, BETWEEN = "#fdf3f4", "#e5e5e5"
"""The ground of a panel that is not to scale; lines between groups, as those of a grid."""
UP, DOWN = "#BB5566", "#004488"
"""What costs more and what costs less, from Tol's high-contrast palette; a sign says it too."""
FAINT, REFERENCE = "#888888", "#555555"
"""Greys of what stands in the background, and of lines that are no data."""
SERIES = ("#0077BB", "#EE7733", "#009988")
"""Colours of what is neither a part nor a chip, such as a model and what it is held against; from Tol's palettes."""
RULES = ("#332288", "#117733", "#88CCEE", "#CC6677", "#AA4499", "#999933", "#661100", "#44AA99", "#DDCC77")
"""Of update rules in their order, from Tol's muted palette; the digital chip has its own colour."""
ORDERED = ("#e69f00", "#5ec962", "#21918c", "#3b528b", "#440154")
"""From light to dark, for few to many: in order for every reader."""
SETTINGS: Any = {
    "font.size": 9, "axes.titlesize": 10, "axes.labelsize": 9, "legend.fontsize": 8, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.color": BETWEEN,
    "svg.hashsalt": "archsim", "pdf.fonttype": 42, "hatch.linewidth": 0.5, "text.hinting": "none",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """Where figures are to be printed: the width they fill [in], and the size of their text [pt]."""

    width: float
    font: float = 8.0

    @property
    def settings(self) -> Any:
        """What the page changes in `SETTINGS`."""
        sizes = ("font.size", "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize")
        return {**dict.fromkeys(sizes, self.font), "legend.fontsize": self.font - 0.5, "axes.linewidth": 0.6}


COLUMN, TEXT = Page(3.5), Page(7.16)
"""One column and both columns of a two-column journal."""
_NARROW = 5.0
_page: ContextVar[Page | None] = ContextVar("page", default=None)


def charts(run: Any) -> dict[str, Figure]:
    """Return every chart of a run that was read back, by name, but for those that have nothing to draw in it.

    What a plug-in cannot draw is told and left out.
    """
    drawn = registry.each("chart", lambda draw: _figure(draw(run)))
    return {name: figure for name, figure in drawn.items() if figure is not None}


def _figure(drawn: Any) -> Figure | None:
    from matplotlib.figure import Figure

    if drawn is not None and not isinstance(drawn, Figure):
        raise TypeError(f"draw(run) gave {type(drawn).__name__}, no figure")
    return drawn


@contextmanager
def _uncollected() -> Iterator[None]:
    """Pause the search for cyclic garbage, which goes through all of a figure's parts again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


_PROGRAM = {"backend", "backend_fallback", "interactive", "toolbar", "timezone", "webagg.address"}
"""Settings of matplotlib that belong to the program, not to a drawing."""


@contextmanager
def applied(page: Page | None = None) -> Iterator[None]:
    """Apply the style for the time of drawing and saving, for a page if one is given; nothing stays changed.

    Raises
    ------
    SystemFault
        If matplotlib cannot be loaded for the user's matplotlibrc, which it reads first.
    """
    try:
        from matplotlib import rc_context, rcParamsDefault
    except UnicodeDecodeError:
        raise SystemFault("matplotlib cannot read the user's matplotlibrc, which is no text in UTF-8") from None

    token = _page.set(page)
    plain = {key: value for key, value in rcParamsDefault.items() if key not in _PROGRAM}
    try:
        with _uncollected(), rc_context(plain | SETTINGS | (page.settings if page else {})):
            yield
    finally:
        _page.reset(token)


def narrow() -> bool:
    """Whether charts are drawn for one column of a page: panels above each other, short labels."""
    page = _page.get()
    return page is not None and page.width < _NARROW


def figure(width: float, height: float, *, column: float | None = None) -> Figure:
    """Return a figure of so many inches, with its own layout and no window system.

    Parameters
    ----------
    width, height : float [in]
        On a page the width is the page's.
    column : float [in]
        Height in one column of a page.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    page = _page.get()
    if page:
        height = column if column and narrow() else height * page.font / SETTINGS["font.size"]
        width = page.width
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def title(figure: Figure, text: str) -> None:
    """Give a figure its title, in as many lines as its width asks for.

    On a page it is left to the caption, which finds it as the figure's label.
    """
    figure.set_label(text)
    if _page.get() is None:
        size = 1.2 * SETTINGS["font.size"]
        figure.suptitle(labels.fold(text, size, 72 * figure.get_figwidth() - 8).replace("$", r"\$"), fontsize=size)


def heading(axes: Axes, text: str, *, room: float, size: float | None = None, left: bool = True) -> None:
    """Give a panel its title, in lines no wider than `room` [in]."""
    points = size or _letters("axes.titlesize")
    axes.set_title(labels.fold(text, points, 72 * room), loc="left" if left else "center", fontsize=points)


def legend(figure: Figure, key: Mapping[str, Artist], columns: int = 5, *, heading: str | None = None) -> None:
    """Set a legend below the panels, if there is anything to explain, in so many columns as fit, at most `columns`."""
    if not key:
        return
    size, room = _letters("legend.fontsize"), 72 * figure.get_figwidth() - 8
    texts = [labels.fold(text, size, room - 4 * size) for text in key]
    across = labels.columns(texts, size, room, min(2, columns) if narrow() else columns)
    figure.legend(
        key.values(), texts, loc="outside lower center", ncols=across, frameon=False,
        title=labels.fold(heading, size, room) if heading else None, title_fontsize=size,
    )  # fmt: skip


def key_of(axes: Axes) -> dict[str, Artist]:
    """Return legend entries, name -> what is drawn, of all that was drawn with a name."""
    handles, names = axes.get_legend_handles_labels()
    return dict(zip(names, handles, strict=True))


def _letters(of: str) -> float:
    """Return the size [pt] of the letters of titles or legends, as it is now."""
    page = _page.get()
    return float((page.settings if page else SETTINGS)[of])


def note() -> float:
    """Return the size [pt] of words inside a chart."""
    page = _page.get()
    return 7.5 if page is None else page.font - 1


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
        key |= key_to_assumed()
    return key


def key_to_assumed() -> dict[str, Artist]:
    """Return the legend's entry for what rests on an assumed figure."""
    from matplotlib.patches import Patch

    return {"figure assumed": Patch(facecolor="white", edgecolor=REFERENCE, hatch=HATCH)}


def range_handle() -> Artist:
    """Return what stands for a range in a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], marker="|", markersize=5, **RANGE)


def label(name: str) -> str:
    """Return a component's name as prose."""
    return name.replace("_", " ")


def count(value: float, unit: str) -> str:
    """Return an amount for reading: 4,983 or 356.9 bit*s."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text if unit == "1" else f"{text} {unit}"


def of_batch(summary: Mapping[str, Any]) -> str:
    """Return how many samples a step takes, for a title or an axis; nothing where it takes one."""
    return f" of {summary['batch']} samples" if summary["batch"] > 1 else ""


def quantity(value: float, unit: str, digits: int = 4) -> str:
    """Return a float in SI as `base.units.show` does, as drawings have it."""
    return drawn(show(value, unit, digits))


def drawn(text: str) -> str:
    """Return quantities in a text as drawings have them, "1 µm²", where the terminal has "1 um^2"."""
    return text.replace(" u", " µ").replace("m^2", "m²")


def price(value: float, unit: str, *, written: Callable[[float, str], str] = show) -> str:
    """Return a price for reading: 5.12 pJ a piece, 69 fJ/bit, 40 mJ/(S*s); `written` writes the energy."""
    return written(value, "J") + ("" if unit == "1" else f"/({unit})" if "*" in unit else f"/{unit}")


def scaled(values: list[float], unit: str) -> tuple[float, str]:
    """Return the divisor and the prefixed unit in which the largest value reads as 1 to 999."""
    top = max((abs(value) for value in values), default=0.0)
    if top == 0:
        return 1.0, unit
    prefixed = quantity(top, unit).split(" ", 1)[1]
    return top / float(show(top, unit, digits=17).split(" ", 1)[0]), prefixed


def inches(axes: Axes, *, up: bool = False) -> float:
    """Return how wide, or how high, the figure of a panel is [in]."""
    size = axes.figure.get_figure(root=True) if hasattr(axes.figure, "get_figure") else axes.figure
    width, height = size.get_size_inches()  # type: ignore[union-attr]
    return float(height if up else width)


def log_end(begin: float, value: float, part: float) -> float:
    """Return where a log axis from `begin` must end for words that begin at `value` and take that part of the axis."""
    return float(begin * (max(value, begin) / begin) ** (1 / (1 - min(part, 0.8))))


def _plain(value: float) -> str:
    return f"{value:,.0f}" if 1 <= value < 1e9 else f"{value:g}"


def unit_ticks(axes: Axes, unit: str, *, axis: str = "y") -> None:
    """Write the ticks of a log axis as quantities, 10 nJ, 1 µJ; without a unit as numbers, 0.01, 10,000 or 1e+16.

    An axis of less than two decades, as it is when this is called, is marked at 2 and 5 times powers of ten too.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    target = axes.yaxis if axis == "y" else axes.xaxis
    low, high = sorted(axes.get_ylim() if axis == "y" else axes.get_xlim())
    if target.get_scale() == "log" and high < 100 * low:
        target.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    elif target.get_scale() == "log" and high > 1e3 * low:
        target.set_minor_locator(NullLocator())
    target.set_major_formatter(FuncFormatter(lambda value, _: quantity(value, unit, 3) if unit else _plain(value)))
    target.set_minor_formatter(NullFormatter())
