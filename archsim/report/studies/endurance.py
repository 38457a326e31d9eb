"""What `archsim endurance` shows: a map of the pulses a tile, a histogram over devices, against the endurance."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.report import drawing, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.table import Table

    from archsim.studies.endurance import Wear, Worn

SUFFIXES = ("png", "svg")
MOST_TILES = 32
"""Tiles of one map; of more, those with the most pulses are drawn."""
_ACROSS = 5
_REACH = 10.0
"""The axis of the histogram goes on to so many times the most pulses; an endurance beyond is an arrow at its edge."""
_LINES = tuple(zip(style.SERIES, ("-", "--", ":"), strict=True))


def label(kind: str) -> str:
    """Return a kind of pulse as a reader would say it: SET, RESET, down."""
    word = kind.removesuffix("_pulses")
    return word.upper() if word in {"set", "reset"} else word


def never(wear: Wear) -> str:
    """Return the share of devices that got no pulse; all of them only if it is all."""
    text = f"{100 * wear.untouched:.2f} %"
    return "over 99.99 %" if text == "100.00 %" and wear.untouched < 1 else text


def write(worn: Worn, folder: Path) -> list[Path]:
    """Draw maps and histogram of a chip (PNG, SVG) into a folder and return the files."""
    drawn = {f"map-{wear.kind.removesuffix('_pulses')}": wear for wear in worn.wear}
    written = []
    with style.applied():
        for stem, wear in drawn.items():
            if wear.total:
                written += drawing.save(draw_map(worn, wear), folder, f"{stem}-{worn.architecture}", SUFFIXES)
            else:  # of an earlier call, perhaps
                for suffix in SUFFIXES:
                    (folder / f"{stem}-{worn.architecture}.{suffix}").unlink(missing_ok=True)
        written += drawing.save(draw_histogram(worn), folder, f"histogram-{worn.architecture}", SUFFIXES)
    return written


def draw_map(worn: Worn, wear: Wear) -> Figure:
    """Return a panel a tile: pulses of a weight, all its devices together, on one log scale of colour; none is grey."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    tiles = sorted(worn.tiles, key=lambda tile: -int(tile.counts[wear.kind].sum()))[:MOST_TILES]
    tiles = [tile for tile in worn.tiles if tile in tiles]
    across = min(len(tiles), _ACROSS)
    down = -(-len(tiles) // across)
    figure = style.figure(1.2 + 2.0 * across, 1.1 + 2.3 * down)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    maps = [tile.counts[wear.kind].sum(axis=0) for tile in tiles]
    top = max(int(each.max()) for each in maps)
    shades = colormaps["viridis"].with_extremes(bad=style.OTHER)
    norm = LogNorm(1, max(top, 2))
    for axes, tile, pulses in zip(panels, tiles, maps, strict=False):
        image = axes.imshow(
            np.ma.masked_equal(pulses, 0), cmap=shades, norm=norm, aspect="auto", interpolation="nearest"
        )
        style.heading(axes, f"{tile.name}: {int(pulses.sum()):,}", room=1.7, size=8, left=False)
        axes.tick_params(labelsize=7)
        axes.grid(visible=False)
    for axes in panels[len(tiles) :]:
        axes.set_axis_off()
    figure.supxlabel("column of the tile", fontsize=9)
    figure.supylabel("row of the tile", fontsize=9)
    of = "a pair" if len(worn.tiles[0].sides) > 1 else "a device"
    bar = figure.colorbar(image, ax=list(panels), label=f"{label(wear.kind)} pulses of {of} (log; grey: 0)")
    bar.set_ticks([each for k in range(10) for each in (10**k, 2 * 10**k, 5 * 10**k) if each <= norm.vmax])
    style.unit_ticks(bar.ax, "")
    most = "" if len(tiles) == len(worn.tiles) else f", {len(tiles)} tiles of {len(worn.tiles)}"
    sizes = "" if len({each.shape for each in maps}) == 1 else "; tiles of unlike size are drawn as large as each other"
    style.title(figure, f"{label(wear.kind)} pulses over {worn.steps:,} steps, {worn.architecture}{most}{sizes}")
    return figure


def draw_histogram(worn: Worn) -> Figure:
    """Return how many devices got how many pulses, both axes log, with the stated endurance as a line."""
    figure = style.figure(7.6, 4.2)
    axes = figure.subplots()
    for (colour, line), wear in zip(_LINES, worn.wear, strict=False):
        if wear.total:
            counts = worn.counts(wear.kind)
            edges = _edges(wear.most)
            found, _ = np.histogram(counts[counts > 0], edges)
            name = f"{label(wear.kind)}: most {wear.most:,}, {never(wear)} of devices never pulsed"
            axes.stairs(found, edges, color=colour, linestyle=line, linewidth=1.4, label=name)
        else:
            axes.plot([], [], color=colour, linestyle=line, label=f"{label(wear.kind)}: none in this training")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7)
    axes.set_xlim(0.9, _REACH * max(*(wear.most for wear in worn.wear), 1))
    _limits(axes, worn)
    style.unit_ticks(axes, "")
    style.unit_ticks(axes, "", axis="x")
    axes.set_xlabel("pulses of a device over the training (log axis, each bin twice as wide as the one before)")
    axes.set_ylabel("devices (log axis)")
    style.legend(figure, style.key_of(axes), 1)
    style.title(figure, f"Pulses over {worn.steps:,} steps, {worn.devices:,} devices, {worn.architecture}")
    return figure


def _limits(axes: Axes, worn: Worn) -> None:
    limits = {wear.limit.pulses: wear.limit for wear in worn.wear if wear.limit}
    for line, limit in enumerate(limits.values()):
        kinds = " and ".join(label(w.kind) for w in worn.wear if w.limit and w.limit.pulses == limit.pulses)
        inside = limit.pulses <= axes.get_xlim()[1]
        if inside:
            axes.axvline(limit.pulses, color=style.REFERENCE, linewidth=0.9, linestyle="-.")
        axes.annotate(
            f"endurance, {kinds}: {limit.pulses:.2g} ({limit.basis}){'' if inside else ', beyond this axis →'} ",
            (limit.pulses if inside else axes.get_xlim()[1], 0.98 - 0.07 * line), xycoords=("data", "axes fraction"),
            ha="right", va="top", fontsize=8, color=style.REFERENCE,
        )  # fmt: skip


def _edges(most: int) -> np.ndarray[Any, Any]:
    """Return edges between whole numbers, each bin twice as wide as the one before: 1, 2 to 3, 4 to 7 ..."""
    return 2.0 ** np.arange(math.floor(math.log2(most)) + 2) - 0.5


def text(worn: Worn) -> list[Table | str]:
    """Return the table of wear, and sentences that say what the extrapolation assumes."""
    from rich.table import Table

    table = Table("pulses", title=f"{worn.architecture}: {worn.devices:,} devices, {worn.steps:,} steps")
    for heading in ("in all", "mean a device", "never pulsed", "most", "endurance", "trainings to it"):
        table.add_column(heading, justify="right")
    table.add_column("the device with the most")
    for wear in worn.wear:
        table.add_row(
            label(wear.kind), f"{wear.total:,}", f"{wear.mean:.4g}", never(wear), f"{wear.most:,}",
            f"{wear.limit.pulses:.2g} ({wear.limit.basis})" if wear.limit else "not stated",
            f"{wear.trainings:,.0f}" if wear.trainings else "-", wear.hottest or "-",
        )  # fmt: skip
    limits = {f"{w.limit.pulses:.2g} pulses, {w.limit.basis}: {w.limit.origin}" for w in worn.wear if w.limit}
    lines = [f"  Endurance: {line.rstrip('.')}." for line in sorted(limits)]
    if any(wear.trainings for wear in worn.wear):
        lines.append(
            "  Trainings: as many as this one until the device with the most pulses reaches the endurance, if it is "
            "the same device every time; SET and RESET are held against it one by one."
        )
    else:
        lines.append("  Nothing to extrapolate; --limit states an endurance.")
    return [table, *lines]
