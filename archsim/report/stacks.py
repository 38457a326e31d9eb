"""Stacked bars by part of a chip, as all charts draw them: one order, one colour a part, assumed figures hatched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archsim.records.lines import Contribution
from archsim.report import style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


@dataclass
class Drawn:
    """What charts have drawn so far, for their legend.

    Parameters
    ----------
    parts : set of str
        With "other" for the small ones.
    assumed : bool
        Whether an assumed figure is among them.
    """

    parts: set[str] = field(default_factory=set)
    assumed: bool = False

    @property
    def key(self) -> dict[str, Artist]:
        """The legend's entries."""
        return style.key_to(self.parts, assumed=self.assumed)


def large(lines: Iterable[Contribution]) -> set[str]:
    """Return the parts that are drawn by name: those above `style.SMALL` of all the energy."""
    energies: dict[str, list[float]] = {}
    for line in lines:
        energies.setdefault(line.part, []).append(line.energy)
    total = math.fsum(energy for each in energies.values() for energy in each)
    return {part for part, each in energies.items() if part in style.PARTS and math.fsum(each) > style.SMALL * total}


def stack(
    axes: Axes, bars: Sequence[tuple[float, Sequence[Contribution]]], named: set[str], divisor: float, drawn: Drawn, *,
    width: float = 0.7, sideways: bool = False,
) -> NDArray[np.float64]:  # fmt: skip
    """Draw bars, stacked by part, and add what was drawn to `drawn`.

    Parameters
    ----------
    axes : Axes
    bars : sequence of (place, lines)
        Where each bar stands, and what it is made of.
    named : set of str
        Parts drawn by name; the others are drawn together.
    divisor : float [J]
        What one unit of the axis is.
    drawn : Drawn
    width : float
    sideways : bool
        Bars go to the right, not up.

    Returns
    -------
    array of float
        Where each bar ends, in units of the axis.
    """
    places = np.array([place for place, _ in bars])
    ends = np.zeros(len(bars))
    for part in (*(name for name in style.PARTS if name in named), "other"):
        for assumed in (False, True):
            lengths = np.array([
                math.fsum(
                    line.energy for line in lines
                    if (line.part if line.part in named else "other") == part and (line.basis == "assumed") == assumed
                ) / divisor
                for _, lines in bars
            ])  # fmt: skip
            if not lengths.any():
                continue
            look: Any = {
                "color": style.part_colour(part), "edgecolor": "white", "linewidth": 0.4,
                "hatch": style.HATCH if assumed else None,
            }  # fmt: skip
            if sideways:
                axes.barh(places, lengths, width, left=ends, **look)
            else:
                axes.bar(places, lengths, width, bottom=ends, **look)
            ends += lengths
            drawn.parts.add(part)
            drawn.assumed |= assumed
    return ends
