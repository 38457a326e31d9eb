"""Conditions on the points of a sweep: two terms of names and numbers, compared. Nothing of Python is evaluated.

tile.dac.bits >= tile.adc.bits
tile.rows * tile.columns <= 65536
accuracy >= 97 %
arch != in-array
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.base.errors import InputError, nearest
from archsim.studies.sweeps.values import quantity

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, "!=": operator.ne, "==": operator.eq, ">": operator.gt, "<": operator.lt,
    "=": operator.eq,
}  # fmt: skip
_MEANS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:\s*[A-Za-zµ%][\w/^µ]*)?%?")
_WORD = re.compile(r"[\w.+-]+")
_LIKE = '"NAME >= VALUE", such as "tile.dac.bits >= tile.adc.bits" or "tile.rows * tile.columns <= 65536"'

Value = float | str
_Term = Callable[[Mapping[str, Any]], Value | None]
_TINY = 1e-12
"""The least excess of what does not hold: of equal sides that must differ."""


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
    _left: _Term
    _right: _Term
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
            if self._sign in ("==", "=", "!="):
                return self._sign == "!="
            raise self.error(f"compares {left!r} with {right!r}")
        if isinstance(left, str) and self._sign not in ("==", "=", "!="):
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
        return InputError(message, key=f"condition {self.text!r}", expected=_LIKE)


def read(text: str, names: Collection[str], *, option: str = "conditions") -> Condition:
    """Return the condition that a text says.

    Parameters
    ----------
    text : str
    names : of what may be asked for
    option : what gave it, for the error

    Raises
    ------
    InputError
        If it is no comparison, or a name is unknown; with the nearest.
    """
    sides = re.split(r"(>=|<=|!=|==|>|<|=)", text)
    if len(sides) != 3:
        raise InputError(key=option, value=text, expected=_LIKE)
    asked: list[str] = []
    left, right = (_Reader(side, names, asked, option, text).whole() for side in (sides[0], sides[2]))
    if not asked:
        raise InputError(
            "asks for no name", key=option, value=text, expected=f"one of {', '.join(sorted(names))}",
            hint=nearest(sides[0].strip(), names),
        )  # fmt: skip
    return Condition(text.strip(), tuple(dict.fromkeys(asked)), left, right, sides[1])


def hold(conditions: Sequence[Condition], values: Mapping[str, Any]) -> bool:
    """Return whether all conditions hold."""
    return all(each.holds(values) for each in conditions)


class _Reader:
    """Reads one side: sums of products of names, numbers with or without unit, and brackets."""

    def __init__(self, text: str, names: Collection[str], asked: list[str], option: str, whole: str) -> None:
        self._rest, self._asked, self._option, self._whole = text.strip(), asked, option, whole
        self._names = sorted(names, key=len, reverse=True)

    def whole(self) -> _Term:
        found = self._sum()
        if self._rest:
            raise self._error(f"cannot read {self._rest!r}")
        return found

    def _error(self, message: str, hint: str | None = None) -> InputError:
        return InputError(message, key=self._option, value=self._whole, expected=_LIKE, hint=hint)

    def _sum(self) -> _Term:
        return self._joined("+-", self._product)

    def _product(self) -> _Term:
        return self._joined("*/", self._one)

    def _joined(self, signs: str, inner: Callable[[], _Term]) -> _Term:
        found = inner()
        while self._rest and self._rest[0] in signs:
            sign, self._rest = self._rest[0], self._rest[1:].lstrip()
            found = self._both(sign, found, inner())
        return found

    def _both(self, sign: str, left: _Term, right: _Term) -> _Term:
        def term(values: Mapping[str, Any]) -> Value | None:
            a, b = left(values), right(values)
            if a is None or b is None:
                return None
            if isinstance(a, str) or isinstance(b, str):
                raise self._error(f"{a if isinstance(a, str) else b!r} is no number")
            return None if sign == "/" and b == 0 else _MEANS[sign](a, b)

        return term

    def _one(self) -> _Term:
        if self._rest.startswith("("):
            self._rest = self._rest[1:].lstrip()
            found = self._sum()
            if not self._rest.startswith(")"):
                raise self._error("a bracket is not closed")
            self._rest = self._rest[1:].lstrip()
            return found
        for name in self._names:
            after = self._rest[len(name) :]
            if self._rest.startswith(name) and not re.match(r"[\w.]", after):
                self._rest = after.lstrip()
                self._asked.append(name)
                return lambda values: _value(values.get(name))
        return self._constant()

    def _constant(self) -> _Term:
        sign = -1.0 if self._rest.startswith("-") else 1.0
        rest = self._rest[1:].lstrip() if sign < 0 else self._rest
        if (match := _NUMBER.match(rest)) and (number := quantity(match[0].strip())) is not None:
            self._rest = rest[match.end() :].lstrip()
            return lambda _: sign * number
        if match := _WORD.match(self._rest):
            if "." in match[0] or (self._names and nearest(match[0], self._names)):
                known = ", ".join(sorted(self._names))
                raise self._error(f"unknown name {match[0]!r} (known: {known})", nearest(match[0], self._names))
            self._rest = self._rest[match.end() :].lstrip()
            return lambda _: match[0]
        raise self._error("something is missing")


def _value(value: Any) -> Value | None:
    """Return a value as a number where it is one."""
    if value is None or isinstance(value, str):
        number = None if value is None else quantity(value)
        return value if number is None else number
    return float(value)
