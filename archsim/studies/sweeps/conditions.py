"""Conditions on the points of a sweep: two terms of names and numbers, compared. Nothing of Python is evaluated.

tile.dac.bits >= tile.adc.bits
tile.rows * tile.columns <= 65536
accuracy >= 97 %
energy * time < 2 pJ*s
arch != in-array

Both sides, and both parts of a sum, are of one dimension; a number has a unit where the name beside it has one. Words
are equal or not, and one that is compared is one of the values that there are; quotes may stand around it.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.base.errors import InputError, nearest
from archsim.studies.sweeps.measures import Kind
from archsim.studies.sweeps.terms import EQUAL, LIKE, Reader, Term

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, "!=": operator.ne, "==": operator.eq, ">": operator.gt, "<": operator.lt,
    "=": operator.eq,
}  # fmt: skip
_SPELLED = {"≥": ">=", "≤": "<=", "≠": "!="}
_MEANT = {"=>": ">=", "=<": "<=", "<>": "!=", "===": "==", "!": "!=", "!==": "!="}
_SIGN = re.compile(r"([<>=!≥≤≠]+)")
_LONGEST = 1000
"""Letters of a condition."""
_TINY = 1e-12
"""The least excess of what does not hold: of equal sides that must differ."""


class Placed(str):
    """The text of a condition that stands in a file; `at` is where, as errors have it."""

    __slots__ = ("at",)
    at: str

    @classmethod
    def of(cls, text: str, at: str) -> Placed:
        """Return a text that knows where it stands."""
        found = cls(text)
        found.at = at
        return found


def place(text: str, option: str) -> str:
    """Return what gave a condition: its place in a file, or the option."""
    return text.at if isinstance(text, Placed) else option


@dataclass(frozen=True)
class Condition:
    """A comparison that holds or not for a point.

    Parameters
    ----------
    text : str
    names : tuple of str
        What it asks for.
    """

    text: str
    names: tuple[str, ...]
    _left: Term
    _right: Term
    _sign: str

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether it holds; it does not where a value is missing.

        Raises
        ------
        InputError
            If a number is compared with a text.
        """
        left, right = self._left(values), self._right(values)
        if left is None or right is None or left != left or right != right:  # noqa: PLR0124  NaN: not known
            return False
        if isinstance(left, str) != isinstance(right, str):
            if self._sign in EQUAL:
                return self._sign == "!="
            raise self.error(f"compares {left!r} with {right!r}")
        if isinstance(left, str) and self._sign not in EQUAL:
            raise self.error(f"{left!r} is no number")
        return bool(_SIGNS[self._sign](left, right))

    def excess(self, values: Mapping[str, Any], unknown: float = math.inf) -> float:
        """Return by how much it is missed, as a share of the larger side; 0 where it holds.

        Parameters
        ----------
        values : name -> value
        unknown : what is returned where a value is missing, or texts differ

        Raises
        ------
        InputError
            If a number is compared with a text.
        """
        if self.holds(values):
            return 0.0
        left, right = self._left(values), self._right(values)
        if not isinstance(left, float) or not isinstance(right, float) or left != left or right != right:  # noqa: PLR0124
            return unknown
        return max(abs(left - right) / max(abs(left), abs(right), _TINY), _TINY)

    def error(self, message: str) -> InputError:
        """Return an error that names the condition."""
        return InputError(message, key=f"condition {self.text!r}", expected=LIKE)


def read(text: str, names: Mapping[str, Kind], *, option: str = "conditions") -> Condition:
    """Return the condition that a text says.

    Parameters
    ----------
    text : str
    names : name that may be asked for -> what it is measured in
    option : what gave it, for the error, if it is not `Placed`

    Raises
    ------
    InputError
        If it is no comparison, or one of a thing with itself; if a name or a word is unknown, with the nearest; if its
        sides are measured in different units.
    """
    option = place(text, option)
    left, sign, right = _sides(text, option)
    asked: list[str] = []
    readers = [Reader(side, names, asked, option, text) for side in (left, right)]
    one, other = (each.whole() for each in readers)
    if not asked:
        raise InputError(
            "asks for no name", key=option, value=text, expected=f"one of {', '.join(sorted(names))}",
            hint=nearest(left.strip(), names),
        )  # fmt: skip
    one, other = readers[0].worded(one, other, sign), readers[0].worded(other, one, sign)
    readers[0].alike(one, other)
    return Condition(text.strip(), tuple(dict.fromkeys(asked)), one.term, other.term, sign)


def _sides(text: str, option: str) -> tuple[str, str, str]:
    """Return both sides of a comparison, and the sign between."""
    if len(text) > _LONGEST:
        raise InputError(f"{len(text):,} letters", key=option, expected=f"a condition of at most {_LONGEST:,}")
    sides = _SIGN.split(text)
    if len(sides) > 3:
        raise InputError("compares more than once", key=option, value=text,
                         expected="one comparison each; of several, all hold")  # fmt: skip
    if len(sides) < 3:
        raise InputError(key=option, value=text, expected=LIKE)
    left, sign, right = sides
    sign = _SPELLED.get(sign, sign)
    if sign not in _SIGNS:
        raise InputError(
            f"knows no comparison {sign!r}", key=option, value=text, expected=f"one of {', '.join(_SIGNS)}",
            hint=f"Did you mean {_MEANT[sign]!r}?" if sign in _MEANT else None,
        )  # fmt: skip
    return left, sign, right


def hold(conditions: Sequence[Condition], values: Mapping[str, Any]) -> bool:
    """Return whether all conditions hold."""
    return all(each.holds(values) for each in conditions)
