"""Whether the central values of a technology are central: in the middle of their ranges, or with a reason why not."""

from __future__ import annotations

import math

from archsim.accounting.figures import AreaFigure, Figure, Time
from archsim.accounting.technology import Technology
from archsim.base.files import display
from archsim.base.units import show

MIDDLE = (0.4, 0.6)
"""Part of the range, on a log axis, in which a value counts as its middle: a rounding either way."""


def position(item: Figure | AreaFigure | Time) -> float | None:
    """Return where a value lies in its range on a log axis, from 0 to 1; None where the range has no width there."""
    if not 0 < item.low < item.high:
        return None
    return math.log(item.value / item.low) / math.log(item.high / item.low)


def off_centre(technology: Technology) -> list[str]:
    """Return a note for each value off the middle of its range without a reason under `central`.

    Calibrated values, which were moved on purpose, and values that keep the range of another technology are left out.
    """
    notes = []
    for section in ("times", "figures", "areas"):
        for item in getattr(technology, section).values():
            place = position(item)
            moved = item.origin.basis == "calibrated" or (item.inherited and "range" in item.inherited.keys)
            if place is None or moved or item.origin.central or MIDDLE[0] <= place <= MIDDLE[1]:
                continue
            middle = show(math.sqrt(item.low * item.high), getattr(item, "unit", "s"), 3)
            notes.append(
                f"note: {display(item.file)}:{item.line}: {section}.{item.name}: lies at {100 * place:.0f} % of its "
                f"range on a log axis; its middle is {middle}. Say under `central` why it is not that"
            )
    return notes
