"""A picture of a network: its nodes in order, what flows between them, and what each takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archsim.base.errors import InputError
from archsim.report import drawing, labels, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archsim.studies.anatomy import Anatomy, NodeRow

_ROW = 0.29
"""Height of a row [in]."""
_BOX = (1.55, 3.05)
"""Where the boxes of nodes begin, and how wide they are [in]."""
_COLUMNS = {"shape": 5.55, "MACs": 6.75, "weights": 7.7, "tiles": 8.35}
"""Where the columns end [in]."""
_WIDTH = 8.6
_FILL = 0.78
"""Of a row, that is box."""
_SIZE = 8.0


def plot(found: Anatomy, title: str, file: Path) -> Path:
    """Draw a network into a file, PNG, SVG or PDF by its name; return it.

    Raises
    ------
    InputError
        If the name ends otherwise.
    """
    suffix = file.suffix.removeprefix(".")
    if suffix not in drawing.FORMATS:
        expected = f"a file that ends in .{', .'.join(drawing.FORMATS)}"
        raise InputError(key="--plot", value=str(file), expected=expected)
    with style.applied():
        drawing.save(draw(found, title), file.parent, file.stem, (suffix,))
    return file


def draw(found: Anatomy, title: str) -> Figure:
    """Return the nodes from top to bottom: box, shape of what is written, multiply-accumulates, weights, tiles."""
    from matplotlib.figure import Figure

    read = sorted({each for node in found.nodes for each in node.reads if each < 0}, reverse=True)
    feeds = [found.feeds[-1 - each] for each in read]
    places = {each: k for k, each in enumerate(read)} | {k: len(feeds) + k for k in range(len(found.nodes))}
    height = (len(feeds) + len(found.nodes) + 2.4) * _ROW
    figure = Figure(figsize=(_WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(height / _ROW - 2.3, -2.3)  # rows downwards
    axes.text(0.15, -1.6, labels.fold(title, 10, 72 * (_WIDTH - 0.4)).split("\n")[0], fontsize=10, weight="bold")
    _heads(axes, found)
    for k, (name, shape) in enumerate(feeds):
        _box(axes, k, f"{name} (fed)", style.FAINT)
        _cells(axes, k, {"shape": _times(shape)})
    previous = ""
    for k, node in enumerate(found.nodes):
        _node(axes, places[k], node, first=node.layer != previous)
        previous = node.layer
    _folds(axes, found, places)
    _edges(axes, found, places)
    return figure


def _heads(axes: Axes, found: Anatomy) -> None:
    axes.text(0.15, -0.85, "layer", fontsize=_SIZE, color=style.FAINT, va="center")
    for name, end in _COLUMNS.items():
        if name == "tiles" and found.architecture is None:
            continue
        axes.text(end, -0.85, name, fontsize=_SIZE, color=style.FAINT, ha="right", va="center")


def _node(axes: Axes, place: int, node: NodeRow, *, first: bool) -> None:
    if first:
        size = labels.size([node.layer], _SIZE, 72 * (_BOX[0] - 0.35 - _LANE * _LANES))
        axes.text(0.15, place, node.layer, fontsize=size, va="center", weight="bold")
    _box(axes, place, node.what, style.PARTS["DAC and cells"] if node.matrix else style.PHASES["backward"])
    cells = {"shape": _times(node.shape)}
    if node.matrix:
        cells |= {"MACs": f"{node.macs:,}", "weights": f"{node.weights:,}"}
        cells |= {"tiles": str(node.tiles)} if node.tiles else {}
    _cells(axes, place, cells)


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _box(axes: Axes, place: int, text: str, colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    left, wide = _BOX
    axes.add_patch(
        FancyBboxPatch(
            (left, place - _FILL / 2), wide, _FILL, boxstyle="round,pad=0,rounding_size=0.06", facecolor=colour,
            alpha=0.25, edgecolor="none", mutation_aspect=1 / _ROW,
        )
    )  # fmt: skip
    size = labels.size([text], _SIZE, 72 * (wide - 0.12))
    axes.text(left + wide / 2, place, text, fontsize=size, ha="center", va="center")


def _cells(axes: Axes, place: int, cells: dict[str, str]) -> None:
    for name, text in cells.items():
        axes.text(_COLUMNS[name], place, text, fontsize=_SIZE, ha="right", va="center")


def _folds(axes: Axes, found: Anatomy, places: dict[int, int]) -> None:
    """Draw a frame about each step that is repeated, with how often."""
    from matplotlib.patches import Rectangle

    for first, last in found.folds:
        top, bottom = places[first] - 0.5, places[last] + 0.5
        axes.add_patch(
            Rectangle((_BOX[0] - 0.16, top), _COLUMNS["tiles"] + 0.1 - _BOX[0] + 0.16, bottom - top, fill=False,
                      edgecolor=style.REFERENCE, linewidth=0.9, linestyle=(0, (4, 2)))
        )  # fmt: skip
        axes.text(
            0.15, (top + bottom) / 2 + 0.4, f"× {found.nodes[first].times} steps", fontsize=_SIZE, va="center",
            color=style.REFERENCE,
        )  # fmt: skip


def _edges(axes: Axes, found: Anatomy, places: dict[int, int]) -> None:
    """Draw who reads what: from box to box, at the left past others, dashed from one repetition to the next."""
    lane = 0
    for k, node in enumerate(found.nodes):
        for read in node.reads:
            below, above = places[k], places[read]
            if read >= k:
                _bow(axes, above, below, lane, dashed=True)
            elif below - above == 1:
                axes.annotate(
                    "", (_BOX[0] + _BOX[1] / 2, below - _FILL / 2), (_BOX[0] + _BOX[1] / 2, above + _FILL / 2),
                    arrowprops={"arrowstyle": "-|>", "linewidth": 0.8, "color": "black", "shrinkA": 0, "shrinkB": 0,
                                "mutation_scale": 5},
                )  # fmt: skip
                continue
            else:
                _bow(axes, above, below, lane, dashed=False)
            lane = (lane + 1) % _LANES


_LANES = 5
_LANE = 0.075
"""How many lines run beside each other at the left of the boxes, and how far apart they are [in]."""


def _bow(axes: Axes, above: int, below: int, lane: int, *, dashed: bool) -> None:
    left = _BOX[0]
    out = left - 0.2 - _LANE * lane
    begin, end = above + 0.18, below - 0.18
    look = {"linewidth": 0.8, "color": style.REFERENCE if dashed else "black"}
    axes.plot([left, out, out, left - 0.04], [begin, begin, end, end], linestyle="--" if dashed else "-", **look)  # type: ignore[arg-type]
    axes.annotate(
        "", (left, end), (left - 0.07, end),
        arrowprops={"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "mutation_scale": 5, **look},
    )  # fmt: skip
