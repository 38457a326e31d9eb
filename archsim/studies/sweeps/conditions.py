"""Conditions on the points of a sweep: two terms of names and numbers, compared. Nothing of Python is evaluated.

tile.dac.bits >= tile.adc.bits
tile.rows * tile.columns <= 65536
accuracy >= 97 %
energy * time < 2 pJ*s
arch != in-array

Both sides, and both parts of a sum, are of one dimension; a number has a unit where the name beside it has one.
"""

from __future__ import annotations

import math
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from archsim.base.errors import InputError, nearest
from archsim.studies.sweeps.measures import PLAIN, Dimension, Kind, number, whole

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, "!=": operator.ne, "==": operator.eq, ">": operator.gt, "<": operator.lt,
    "=": operator.eq,
}  # fmt: skip
_MEANS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
_WORD = re.compile(r"[\w.+-]+")
_LIKE = '"NAME >= VALUE", such as "tile.dac.bits >= tile.adc.bits" or "tile.rows * tile.columns <= 65536"'

Value = float | str
_Term = Callable[[Mapping[str, Any]], Value | None]
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
        If it is no comparison, a name is unknown, with the nearest, or its sides are measured in different units.
    """
    option = place(text, option)
    sides = re.split(r"(>=|<=|!=|==|>|<|=)", text)
    if len(sides) != 3:
        raise InputError(key=option, value=text, expected=_LIKE)
    asked: list[str] = []
    readers = [_Reader(side, names, asked, option, text) for side in (sides[0], sides[2])]
    left, right = (each.whole() for each in readers)
    if not asked:
        raise InputError(
            "asks for no name", key=option, value=text, expected=f"one of {', '.join(sorted(names))}",
            hint=nearest(sides[0].strip(), names),
        )  # fmt: skip
    readers[0].alike(left, right)
    return Condition(text.strip(), tuple(dict.fromkeys(asked)), left.term, right.term, sides[1])


def hold(conditions: Sequence[Condition], values: Mapping[str, Any]) -> bool:
    """Return whether all conditions hold."""
    return all(each.holds(values) for each in conditions)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a side: how it is computed, what it is called, and what it is measured in.

    Parameters
    ----------
    term : callable
    text : str
        As it was written.
    kind : Kind
    constant : float, optional
        Of a number without a unit, or what is computed of such.
    """

    term: _Term
    text: str
    kind: Kind
    constant: float | None = None


class _Reader:
    """Reads one side: sums of products of names, numbers with or without unit, and brackets."""

    def __init__(self, text: str, names: Mapping[str, Kind], asked: list[str], option: str, whole: str) -> None:
        self._rest, self._asked, self._option, self._whole = text.strip(), asked, option, whole
        self._kinds, self._names = names, sorted(names, key=len, reverse=True)

    def whole(self) -> _Part:
        found = self._sum()
        if self._rest:
            raise self._error(f"cannot read {self._rest!r}")
        return found

    def alike(self, one: _Part, other: _Part) -> None:
        """Refuse two parts that are to be compared or added, and are measured in different units."""
        for named, told in ((one, other), (other, one)):
            kind, value = named.kind, told.constant
            if value is not None and named.constant is None and kind.dimension is not None:
                if (kind.bare and value <= kind.most) or value == 0:
                    return
                message = f"compares {named.text} with {told.text}, a number without a unit"
                raise self._error(message, expected=f"{kind.wanted}, for {named.text}")
        first, second = one.kind.dimension, other.kind.dimension
        if first is None or second is None or first == second:
            return
        known, odd = (other, one) if other.kind.wanted and not one.kind.wanted else (one, other)
        raise self._error(
            f"compares {one.text} with {other.text}, which is of another unit",
            expected=f"{known.kind.wanted or 'one unit on both sides'}, in place of {odd.text}",
        )

    def _error(self, message: str, hint: str | None = None, *, expected: str = _LIKE) -> InputError:
        return InputError(f"{message}, in {self._whole!r}", key=self._option, value=self._whole, expected=expected,
                          hint=hint)  # fmt: skip

    def _sum(self) -> _Part:
        return self._joined("+-", self._product)

    def _product(self) -> _Part:
        return self._joined("*/", self._one)

    def _joined(self, signs: str, inner: Callable[[], _Part]) -> _Part:
        found = inner()
        while self._rest and self._rest[0] in signs:
            sign, self._rest = self._rest[0], self._rest[1:].lstrip()
            found = self._both(sign, found, inner())
        return found

    def _both(self, sign: str, left: _Part, right: _Part) -> _Part:
        def term(values: Mapping[str, Any]) -> Value | None:
            a, b = left.term(values), right.term(values)
            if a is None or b is None:
                return None
            if isinstance(a, str) or isinstance(b, str):
                raise self._error(f"{a if isinstance(a, str) else b!r} is no number")
            return None if sign == "/" and b == 0 else _MEANS[sign](a, b)

        plain = left.constant is not None and right.constant is not None
        value = term({}) if plain else None
        constant = value if isinstance(value, float) else None
        text = f"{left.text} {sign} {right.text}"
        if sign in "+-":
            self.alike(left, right)
            return _Part(term, text, left.kind if left.constant is None else right.kind, constant)
        dimension = _times(left.kind.dimension, right.kind.dimension, 1 if sign == "*" else -1)
        bare = left.kind.bare and right.kind.bare
        return _Part(term, text, Kind(dimension, _same(left, right, sign), bare), constant)

    def _one(self) -> _Part:
        if self._rest.startswith("("):
            self._rest = self._rest[1:].lstrip()
            found = self._sum()
            if not self._rest.startswith(")"):
                raise self._error("a bracket is not closed")
            self._rest = self._rest[1:].lstrip()
            return replace(found, text=f"({found.text})")
        for name in self._names:
            after = self._rest[len(name) :]
            if self._rest.startswith(name) and not re.match(r"[\w.]", after):
                self._rest = after.lstrip()
                self._asked.append(name)
                return _Part(partial(_named, name), name, self._kinds[name])
        return self._constant()

    def _constant(self) -> _Part:
        sign = -1.0 if self._rest.startswith("-") else 1.0
        rest = self._rest[1:].lstrip() if sign < 0 else self._rest
        if found := number(rest):
            told, self._rest = found[0], found[1].lstrip()
            if match := re.match(r"[A-Za-zµμ%][\w^*/%]*", self._rest):
                raise self._error(
                    f"knows no unit {match[0]!r}", expected='one such as "uJ", "ns", "mm2", "pJ*s" or "%"'
                )
            value = sign * told.value
            text = f"{'-' if sign < 0 else ''}{rest[: len(rest) - len(found[1])].strip()}"
            return _Part(lambda _: value, text, Kind(told.dimension), None if told.unit else value)
        if match := _WORD.match(self._rest):
            if "." in match[0] or (self._names and nearest(match[0], self._names)):
                known = ", ".join(sorted(self._names))
                raise self._error(f"unknown name {match[0]!r} (known: {known})", nearest(match[0], self._names))
            self._rest = self._rest[match.end() :].lstrip()
            return _Part(lambda _: match[0], match[0], Kind())
        raise self._error("something is missing")


def _times(one: Dimension | None, other: Dimension | None, sign: int) -> Dimension | None:
    """Return the dimension of a product, or of a quotient (-1)."""
    if one is None or other is None:
        return None
    powers = Counter(dict(one))
    for symbol, power in other:
        powers[symbol] += sign * power
    return tuple(sorted((symbol, power) for symbol, power in powers.items() if power))


def _same(left: _Part, right: _Part, sign: str) -> str:
    """Return what a product is measured in, in words: what its one part with a unit is."""
    if right.kind.dimension == PLAIN:
        return left.kind.wanted
    return right.kind.wanted if left.kind.dimension == PLAIN and sign == "*" else ""


def _named(name: str, values: Mapping[str, Any]) -> Value | None:
    return _value(values.get(name))


def _value(value: Any) -> Value | None:
    """Return a value as a number where it is one."""
    if value is None or isinstance(value, str):
        found = None if value is None else whole(value)
        return value if found is None else found.value
    return float(value)
