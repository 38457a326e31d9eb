"""The page of an estimate: where energy goes, what bounds it, where the network lies, and what was assumed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import files
from archsim.base.units import show
from archsim.report import style
from archsim.report.sections import Section, SectionPage, drawn
from archsim.report.sheet import NONE, Sheet
from archsim.report.studies import estimate as tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE = "estimate.html"
STEP = "A training step and an inference"
ACROSS = 48
"""Tiles in a row of the picture."""
_ROW = 0.34
"""Height of a bar [in]."""


def write(content: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write estimate.html with its figures, estimate.md and estimate.json into a folder and return the files."""
    written = tables.write(content, folder)
    made = page(content)
    with style.applied():
        drawings = {name: drawn(partial(FIGURES[name], content), folder / name) for name in made.figures}
    files.write_text(folder / PAGE, made.html(drawings))
    return [folder / PAGE, *written]


def page(content: Mapping[str, Any]) -> SectionPage:
    """Return all that stands on the page."""
    parts = [
        Section(
            "A training step and an inference", tables.notes(content), "parts", tables.sheets(content, details=False)
        ),
        Section("What bounds it", bounds(content), None, [freed(content)]),
    ]
    if any(chip["placement"] for chip in content["architectures"].values()):
        parts.append(Section("Where the network lies", places(content), "placement", []))
    return SectionPage(
        title=content["title"], under=tables.subtitle(content),
        highlights=[(f"{content['baseline']} / {name}, training", f"x{ratio['training']:.3g}")
                    for name, ratio in content["ratios"].items()],
        parts=parts,
        captions={"parts": "Energy of a sample in training, by part of the chip.",
                  "placement": "Tiles of each chip in the order of the network, a colour a matrix; pale where empty."},
        footer="Made by archsim estimate: counts are expected, not observed.",
    )  # fmt: skip


def freed(content: Mapping[str, Any]) -> Sheet:
    """Return what each part of each chip could save at most: the energy and the ratio if it were free."""
    chips, base = content["architectures"], content["baseline"]
    over = chips[base]["training"]["energy_per_sample_J"]["total"] if base in chips else None
    rows = []
    for name, chip in chips.items():
        work = chip["training"]
        total = work["energy_per_sample_J"]["total"]
        for part, joules in sorted(work["by_part_J"].items(), key=lambda item: -item[1]):
            left = total - joules / content["batch"]
            if joules > 0.005 * total * content["batch"]:
                ratio = f"{over / left:.3g}" if over and name != base and left > 0 else NONE
                rows.append((name, part, f"{100 * (1 - left / total):.1f} %", show(left, "J"), ratio))
    return Sheet(
        "If a part took nothing", ("chip", "part", "saves", "energy left, a sample", "ratio then"), tuple(rows)
    )


def bounds(content: Mapping[str, Any]) -> list[str]:
    """Return what the figures say of each chip with tiles: digital gradient, analog products, what is left."""
    found = []
    for name, chip in content["architectures"].items():
        if not chip["tiles"]:
            continue
        work, ratio = chip["training"], content["ratios"].get(name)
        total = work["energy_per_step_J"]["total"]
        analog = sum(work["by_part_J"].get(part, 0.0) for part in ("ADC", "DAC and cells"))
        writing = work["by_part_J"].get("programming", 0.0)
        update = work["energy_per_step_J"]["update"]
        terms = content["macs_per_sample"] * content["batch"]
        found.append(
            f"{name}: a step takes {terms:.3g} terms of outer products in digital, as many as its forward pass takes "
            f"multiply-accumulates; the update takes {100 * update / total:.0f} % of the energy, writing devices "
            f"{100 * writing / total:.1f} %."
        )
        left = total - analog
        best = ""
        if ratio and left > 0:
            best = f", and the ratio be {ratio['training'] * total / left:.3g} instead of {ratio['training']:.3g}"
        found.append(
            f"{name}: products in tiles (converters, drivers and cells) take {100 * analog / total:.1f} %. Were they "
            f"free, a sample would still take {show(left / content['batch'], 'J')}{best}: no analog array saves more."
        )
        largest = sorted(work["by_part_J"].items(), key=lambda item: -item[1])[:2]
        named = " and ".join(f"{part} ({100 * joules / total:.0f} %)" for part, joules in largest)
        found.append(f"{name}: what would have to change for more is {named}.")
    return found


def places(content: Mapping[str, Any]) -> list[str]:
    """Return how many tiles, chips and cells each chip with tiles takes."""
    found = []
    for name, chip in content["architectures"].items():
        if not (lies := chip["placement"]):
            continue
        cells = lies["rows"] * lies["columns"]
        used = sum(sum(m["rows"]) * sum(m["columns"]) * m["groups"] for m in lies["matrices"])
        tiles = sum(chip["tiles"].values())
        twins = sum(m["groups"] > 1 for m in lies["matrices"])
        more = f" {twins} matrices lie there more than once." if twins else ""
        found.append(
            f"{name}: {tiles:,} tiles of {lies['rows']}x{lies['columns']}, {lies['tiles_of_a_chip']:,} on each of "
            f"{chip['chips']}, "
            f"{100 * used / (tiles * cells):.0f} % of their cells in use.{more}"
        )
    return found


# --- figures ----------------------------------------------------------------------------------------------------------
def draw_parts(content: Mapping[str, Any], *, narrow: bool = False) -> Figure:
    """Return a stacked bar a chip: energy of a sample in training by part."""
    chips = content["architectures"]
    figure = style.figure(3.6 if narrow else 7.4, 1.5 + _ROW * len(chips))
    axes = figure.add_axes((0.02, 0.42, 0.96, 0.38))
    largest = max(chip["training"]["energy_per_sample_J"]["total"] for chip in chips.values())
    factor, unit = style.scaled([largest], "J")
    seen: dict[str, None] = {}
    for row, (name, chip) in enumerate(chips.items()):
        left = 0.0
        for part, joules in chip["training"]["by_part_J"].items():
            width = joules / content["batch"] * factor
            if width > 0:
                axes.barh(row, width, left=left, color=style.part_colour(part), height=0.5, linewidth=0)
                seen[part] = None
            left += width
        axes.text(0, row - 0.42, name, va="bottom", ha="left", fontsize=style.note())
    axes.set_ylim(len(chips) - 0.4, -0.75)
    axes.set_yticks([])
    axes.set_xlabel(f"energy of a sample in training [{unit}]")
    style.legend(figure, style.key_to(seen, assumed=False), columns=2 if narrow else 5)
    return figure


def draw_placement(content: Mapping[str, Any], *, narrow: bool = False) -> Figure:
    """Return the tiles of each chip of the first architecture that has tiles."""
    chip = next(each for each in content["architectures"].values() if each["placement"])
    lies = chip["placement"]
    across, total = ACROSS // 2 if narrow else ACROSS, sum(chip["tiles"].values())
    rows = -(-total // across)
    width = 3.6 if narrow else 7.4
    figure = style.figure(width, 0.5 + rows * width / across)
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98 * (1 - 0.25 / (0.5 + rows * width / across))))
    _tiles(axes, lies, across)
    axes.set_xlim(-0.1, across + 0.1)
    axes.set_ylim(rows + 0.1, -0.1)
    axes.set_aspect("equal")
    axes.set_axis_off()
    named = f"{total:,} tiles, {len(lies['matrices'])} matrices"
    figure.text(0.01, 0.99, named, va="top", ha="left", fontsize=style.note())
    return figure


def _tiles(axes: Axes, lies: Mapping[str, Any], across: int) -> None:
    """Draw a square a tile, pale, and the part of it that holds weights in the matrix's colour."""
    from matplotlib import colormaps
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    colours, squares, filled, paint = colormaps["tab20"].colors, [], [], []  # type: ignore[attr-defined]
    place = 0
    for k, matrix in enumerate(lies["matrices"]):
        for _ in range(matrix["groups"]):
            for height in matrix["rows"]:
                for breadth in matrix["columns"]:
                    x, y = place % across, place // across
                    squares.append(Rectangle((x + 0.05, y + 0.05), 0.9, 0.9))
                    w, h = 0.9 * breadth / lies["columns"], 0.9 * height / lies["rows"]
                    filled.append(Rectangle((x + 0.05, y + 0.05), w, h))
                    paint.append(colours[k % len(colours)])
                    place += 1
    axes.add_collection(PatchCollection(squares, facecolor="#eeeeee", linewidth=0))
    axes.add_collection(PatchCollection(filled, facecolors=paint, linewidth=0))
    for edge in range(lies["tiles_of_a_chip"], math.ceil(place), lies["tiles_of_a_chip"]):
        axes.plot([edge % across, edge % across], [edge // across, edge // across + 1], color="black", linewidth=1.5)


FIGURES = {"parts": draw_parts, "placement": draw_placement}
"""Name -> what draws it, wide or narrow."""
