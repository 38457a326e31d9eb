"""The page of an estimate: where energy goes, what bounds it, where the network lies, and what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import files
from archsim.base.units import show
from archsim.report import style
from archsim.report.sections import Section, SectionPage
from archsim.report.sheet import NONE, Sheet
from archsim.report.studies import estimate as tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = "estimate.html"
STEP = "A training step and an inference"
ACROSS = 48
"""Tiles in a row of the picture."""
HEAD = 1.4
"""Rows of tiles that the head of a chip takes."""
_ROW = 0.34
"""Height of a bar [in]."""


def write(content: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write estimate.html with its figures, estimate.md and estimate.json into a folder and return the files."""
    written = tables.write(content, folder)
    made = page(content)
    drawings = made.drawings(folder, {name: partial(draw, content) for name, draw in FIGURES.items()})
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
        parts.append(Section("Where the network lies", places(content), "placement", [matrices(content)]))
    return SectionPage(
        title=content["title"], under=tables.subtitle(content),
        highlights=[(f"{content['baseline']} / {name}, training", f"x{ratio['training']:.3g}{_between(content, name)}")
                    for name, ratio in content["ratios"].items()],
        parts=parts,
        captions={"parts": "Energy of a sample in training, by part of the chip.",
                  "placement": "Tiles of the first architecture that has some, chip by chip, in the order of the "
                             "network, a colour a matrix, numbered as below; pale where empty."},
        footer="Made by archsim estimate: counts are expected, not observed.",
    )  # fmt: skip


def _between(content: Mapping[str, Any], name: str) -> str:
    """Return the interval of a chip's ratio in training, if it has one."""
    found = content["ratio_intervals"].get(name)
    return f" ({found['low']:.3g} to {found['high']:.3g})" if found else ""


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
        of_a_chip, size = lies["tiles_of_a_chip"], f"tiles of {lies['rows']}x{lies['columns']}"
        where = (
            f"{tiles:,} of the {of_a_chip:,} {size} of one chip" if chip["chips"] == 1
            else f"{tiles:,} {size} on {chip['chips']} chips of {of_a_chip:,}"
        )  # fmt: skip
        found.append(f"{name}: {where}, {100 * used / (tiles * cells):.0f} % of their cells in use.{more}")
    return found


def matrices(content: Mapping[str, Any]) -> Sheet:
    """Return the matrices of the picture by their numbers: size, tiles, cells in use."""
    name, lies = _drawn(content)
    cells = lies["rows"] * lies["columns"]
    rows = []
    for k, matrix in enumerate(lies["matrices"], 1):
        high, wide, groups = sum(matrix["rows"]), sum(matrix["columns"]), matrix["groups"]
        tiles = groups * len(matrix["rows"]) * len(matrix["columns"])
        size = f"{high:,} x {wide:,}" if groups == 1 else f"{groups:,} of {high:,} x {wide:,}"
        share = groups * high * wide / (tiles * cells)
        rows.append((str(k), matrix["matrix"], size, f"{tiles:,}", f"{100 * share:.0f} %"))
    return Sheet(
        f"Tiles by matrix, {name}", ("number", "matrix", "rows x columns", "tiles", "cells in use"), tuple(rows)
    )


def _drawn(content: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the first architecture that has tiles, and how the network lies there: the one that is drawn."""
    chips = content["architectures"].items()
    return next((name, each["placement"]) for name, each in chips if each["placement"])


# --- figures ----------------------------------------------------------------------------------------------------------
def draw_parts(content: Mapping[str, Any], *, narrow: bool = False) -> Figure:
    """Return a stacked bar a chip: energy of a sample in training by part, and the total behind it."""
    chips = content["architectures"]
    figure = style.figure(3.6 if narrow else 7.4, (2.2 if narrow else 1.5) + _ROW * len(chips))
    axes = figure.subplots()
    largest = max(chip["training"]["energy_per_sample_J"]["total"] for chip in chips.values())
    divisor, unit = style.scaled([largest], "J")
    seen: dict[str, None] = {}
    for row, (name, chip) in enumerate(chips.items()):
        left, by_part = 0.0, chip["training"]["by_part_J"]
        for part in sorted(by_part, key=(*style.PARTS, "other").index):
            width = by_part[part] / content["batch"] / divisor
            if width > 0:
                axes.barh(row, width, left=left, color=style.part_colour(part), height=0.5, linewidth=0)
                seen[part] = None
            left += width
        axes.text(0, row - 0.3, name, va="bottom", ha="left", fontsize=style.note())
        axes.annotate(
            style.quantity(left * divisor, "J", 3), (left, row), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=style.note(),
        )  # fmt: skip
    axes.set_ylim(len(chips) - 0.6, -0.85)
    axes.set_xlim(0, (1.35 if narrow else 1.16) * largest / divisor)
    axes.set_yticks([])
    axes.set_xlabel(f"energy of a sample in training [{unit}]")
    style.legend(figure, style.key_to(seen, assumed=False), columns=2 if narrow else 5)
    return figure


def draw_placement(content: Mapping[str, Any], *, narrow: bool = False) -> Figure:
    """Return the tiles of each chip of the first architecture that has tiles, chip below chip, matrices numbered."""
    from matplotlib.collections import PatchCollection

    (_, lies), across = _drawn(content), ACROSS // 2 if narrow else ACROSS
    tiles, chips, rows = _tiles(lies, across)
    width = 3.6 if narrow else 7.4
    figure = style.figure(width, rows * width / across)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.01, 0.0, 0.98, 1.0))
    axes.add_collection(PatchCollection([tile[0] for tile in tiles], facecolor=style.BETWEEN, linewidth=0))
    axes.add_collection(
        PatchCollection([tile[1] for tile in tiles], facecolors=[tile[2] for tile in tiles], linewidth=0)
    )  # fmt: skip
    for text, row in chips:
        axes.text(0, row, text, va="bottom", ha="left", fontsize=style.note())
    before = 0
    for square, _, _, number in tiles:
        if number != before:
            axes.text(square.get_x() + 0.45, square.get_y() + 0.47, str(number), va="center", ha="center", fontsize=4.5)
        before = number
    axes.set_xlim(-0.1, across + 0.1)
    axes.set_ylim(rows, 0)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return figure


def _tiles(lies: Mapping[str, Any], across: int) -> tuple[list[Any], list[tuple[str, float]], float]:
    """Return a square a tile, the part that holds weights, its colour, its matrix; the chips' heads; rows in all.

    Chips are filled as the network goes: a matrix that is too large for the rest of one begins on the next.
    """
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    colours, most = colormaps["tab20"].colors, lies["tiles_of_a_chip"]  # type: ignore[attr-defined]
    found: list[Any] = []
    heads: list[tuple[str, float]] = []
    begin, place = 0.0, most
    for k, matrix in enumerate(lies["matrices"]):
        parts = [(h, w) for _ in range(matrix["groups"]) for h in matrix["rows"] for w in matrix["columns"]]
        if len(parts) > most - place and place < most:
            place = most
        for height, breadth in parts:
            if place == most:
                begin = (found[-1][0].get_y() + 1 if found else 0.0) + HEAD
                heads.append((f"chip {len(heads) + 1}: {most:,} tiles", begin - 0.2))
                place = 0
            x, y = place % across + 0.05, begin + place // across
            filled = Rectangle((x, y), 0.9 * breadth / lies["columns"], 0.9 * height / lies["rows"])
            found.append((Rectangle((x, y), 0.9, 0.9), filled, colours[k % len(colours)], k + 1))
            place += 1
    return found, heads, found[-1][0].get_y() + 1.2


FIGURES = {"parts": draw_parts, "placement": draw_placement}
"""Name -> what draws it, wide or narrow."""
