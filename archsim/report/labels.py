"""Words in charts that fit: how wide a text is, and where it is broken so that it fits.

Places of labels follow from widths measured before anything is drawn, so a long name changes a layout and never leaves
it. Widths are in points, as sizes of letters are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

_BREAKS = re.compile(r"\d[\d.,]* [a-zA-Zµ%²]{1,4}(?:[*/^][a-zA-Zµ²\d]{1,3})*\b|[^\s\-/_,;]+[\-/_,;]*|[\-/_,;]+|\s+")
"""Pieces of a text between which a line may end: after a space, a hyphen, a slash, but not between number and unit."""
SPARE = 1.04
"""What is kept free of a line, for bold letters and rounding."""


def width(text: str, size: float) -> float:
    """Return how wide a text is [pt] in letters of a size [pt]; of several lines the widest."""
    return max(sum(map(_letter, line)) for line in text.split("\n")) * size * SPARE


@lru_cache(maxsize=4096)
def _letter(letter: str) -> float:
    """Return how wide a letter is, as a part of its size; that some stand closer to others is left out."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    return float(text_to_path.get_text_width_height_descent(2 * letter, FontProperties(size=1), ismath=False)[0]) / 2


def fold(text: str, size: float, room: float) -> str:
    """Return a text in lines no wider than `room` [pt]; a piece that is wider by itself is broken between letters."""
    lines = [""]
    for piece in _BREAKS.findall(text):
        if width(lines[-1] + piece.rstrip(), size) <= room:
            lines[-1] += piece
            continue
        if lines[-1].strip():
            lines.append("")
        for letter in piece.lstrip():
            if lines[-1] and width(lines[-1] + letter, size) > room:
                lines.append("")
            lines[-1] += letter
    return "\n".join(line.strip() for line in lines if line.strip())


def size(texts: Sequence[str], most: float, room: float, *, least: float = 5.0) -> float:
    """Return the size [pt], at most `most`, in which none of some texts is wider than `room` [pt]."""
    widest = max((width(text, most) for text in texts), default=0.0)
    return most if widest <= room else max(most * room / widest, least)


def columns(texts: Sequence[str], size: float, room: float, most: int) -> int:
    """Return in how many columns, at most, a legend of these entries is no wider than `room` [pt]."""
    if not texts:
        return 1
    handle = 5.2 * size  # matplotlib's mark, and its spaces before, behind and between columns
    for across in range(min(most, len(texts)), 1, -1):
        down, longer = divmod(len(texts), across)  # the first columns have one entry more
        ends = [down * k + min(k, longer) for k in range(across + 1)]
        widest = (max(width(text, size) for text in texts[low:high]) for low, high in pairwise(ends))
        if sum(each + handle for each in widest) <= room:
            return across
    return 1
