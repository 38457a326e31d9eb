"""The two sides of a condition: sums and products of names, of numbers with or without unit, and words.

Nothing of Python is evaluated.
"""

from __future__ import annotations

import math
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from archsim.base.errors import InputError, nearest
from archsim.studies.sweeps.measures import PLAIN, Dimension, Kind, Measured, number, spelled, whole

EQUAL = ("==", "=", "!=")
"""Signs that words may stand beside."""
LIKE = '"NAME >= VALUE", such as "tile.dac.bits >= tile.adc.bits" or "tile.rows * tile.columns <= 65536"'
_MEANS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip
_WORD = re.compile(r"[\w.+-]+")
_DEEPEST = 50
"""Brackets in brackets."""

Value = float | str
Term = Callable[[Mapping[str, Any]], Value | None]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a side: how it is computed, what it is called, and what it is measured in.

    Parameters
    ----------
    term : callable
    text : str
        As it was written.
    kind : Kind
    same : str
        What it stands for, whatever it is called; of constants nothing.
    constant : float, optional
        Of a number without a unit, or what is computed of such.
    word : str, optional
        Of a word that is no name.
    """

    term: Term
    text: str
    kind: Kind
    same: str = ""
    constant: float | None = None
    word: str | None = None

    @property
    def worded(self) -> bool:
        """Whether it is known to be no number."""
        return self.word is not None or bool(self.kind.texts)


class Reader:
    """Reads one side: sums of products of names, numbers with or without unit, and brackets."""

    def __init__(self, text: str, names: Mapping[str, Kind], asked: list[str], option: str, said: str) -> None:
        self._rest, self._asked, self._option, self._said = text.strip(), asked, option, said
        self._kinds, self._names = names, sorted(names, key=len, reverse=True)
        texts = {text for kind in names.values() for text in kind.texts if whole(text) is None}
        self._texts, self._depth = sorted(texts, key=len, reverse=True), 0

    def whole(self) -> Part:
        """Return the side."""
        found = self._sum()
        if self._rest.startswith(")"):
            raise self._error("a bracket is closed that was not opened")
        if self._rest:
            raise self._error(f"cannot read {self._rest!r}")
        return found

    def worded(self, part: Part, other: Part, sign: str) -> Part:
        """Return one side; a word on it as the values of the other side have it.

        Refuses what compares a thing with itself, words by size, a word with numbers, or one that there is not.
        """
        if part.same and part.same == other.same:
            raise self._error(f"compares {part.text} with itself", expected="two things that can differ")
        if sign not in EQUAL and part.kind.texts:
            raise self._error(
                f"{part.text} is one of words ({', '.join(part.kind.texts)}), which have no order", expected="== or !="
            )
        if part.word is not None and other.kind.dimension is not None:
            raise self._error(f"{part.word!r} is no number", nearest(part.word, self._names))
        told = part.text if part.word is None else part.word
        if not other.kind.texts or part.same or told in other.kind.texts:
            return part
        known = next((each for each in other.kind.texts if each.lower() == told.lower()), None)
        hint = nearest(told, other.kind.texts)
        if known is None and sign == "!=" and not hint:  # such as of a file, beside a preset with fewer values
            return part
        if known is None:
            raise self._error(
                f"{other.text} is never {told}", hint,
                expected=f"one of {', '.join(other.kind.texts)}",
            )  # fmt: skip
        return _constant_word(known)

    def alike(self, one: Part, other: Part) -> None:
        """Refuse two parts that are to be compared or added, and are measured in different units."""
        for named, told in ((one, other), (other, one)):
            kind, value = named.kind, told.constant
            if value is not None and named.constant is None and kind.dimension is not None:
                if (kind.bare and value <= kind.most) or value == 0:
                    return
                message = f"compares {named.text} with {told.text}, a number without a unit"
                wanted = kind.wanted or f"a quantity in {spelled(kind.dimension)}"
                raise self._error(message, expected=f"{wanted}, for {named.text}")
        first, second = one.kind.dimension, other.kind.dimension
        if first is None or second is None or first == second:
            return
        known, odd = (other, one) if other.kind.wanted and not one.kind.wanted else (one, other)
        raise self._error(
            f"compares {one.text} with {other.text}, which is of another unit",
            expected=f"{known.kind.wanted or 'one unit on both sides'}, in place of {odd.text}",
        )

    def _error(self, message: str, hint: str | None = None, *, expected: str = LIKE) -> InputError:
        return InputError(f"{message}, in {self._said!r}", key=self._option, value=self._said, expected=expected,
                          hint=hint)  # fmt: skip

    def _sum(self) -> Part:
        return self._joined("+-", self._product)

    def _product(self) -> Part:
        return self._joined("*/", self._one)

    def _joined(self, signs: str, inner: Callable[[], Part]) -> Part:
        found = inner()
        while self._rest and self._rest[0] in signs:
            sign, self._rest = self._rest[0], self._rest[1:].lstrip()
            found = self._both(sign, found, inner())
        return found

    def _both(self, sign: str, left: Part, right: Part) -> Part:
        for each in (left, right):
            if each.worded:
                raise self._error(f"{each.text} is no number")
        if sign == "/" and right.constant == 0:
            raise self._error("divides by 0")

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
        same = f"({left.same or left.text} {sign} {right.same or right.text})" if left.same or right.same else ""
        if sign in "+-":
            self.alike(left, right)
            return Part(term, text, left.kind if left.constant is None else right.kind, same, constant)
        dimension = _times(left.kind.dimension, right.kind.dimension, 1 if sign == "*" else -1)
        bare = dimension == PLAIN or (left.kind.bare and right.kind.bare)
        return Part(term, text, Kind(dimension, _same(left, right, sign), bare), same, constant)

    def _one(self) -> Part:
        if self._rest.startswith("("):
            return self._bracket()
        if self._rest[:1] in ("+", "-"):
            sign, self._rest = self._rest[0], self._rest[1:].lstrip()
            return self._negative(self._one()) if sign == "-" else self._one()
        for name in self._names:
            if self._begins(name):
                self._rest = self._rest[len(name) :].lstrip()
                self._asked.append(name)
                kind = self._kinds[name]
                return Part(partial(_named, name), name, kind, kind.of or name)
        return self._constant()

    def _begins(self, text: str, more: str = r"[\w.]") -> bool:
        return self._rest.startswith(text) and not re.match(more, self._rest[len(text) :])

    def _bracket(self) -> Part:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error("brackets in brackets", expected=f"at most {_DEEPEST}")
        self._rest = self._rest[1:].lstrip()
        found = self._sum()
        if not self._rest.startswith(")"):
            raise self._error("a bracket is not closed")
        self._rest = self._rest[1:].lstrip()
        self._depth -= 1
        return replace(found, text=f"({found.text})")

    def _negative(self, part: Part) -> Part:
        if part.worded:
            raise self._error(f"{part.text} is no number")

        def term(values: Mapping[str, Any]) -> Value | None:
            value = part.term(values)
            if isinstance(value, str):
                raise self._error(f"{value!r} is no number")
            return None if value is None else -value

        same = part.same and f"-{part.same}"
        return replace(part, term=term, text=f"-{part.text}", same=same,
                       constant=None if part.constant is None else -part.constant)  # fmt: skip

    def _constant(self) -> Part:
        for text in self._texts:
            if self._begins(text, more=r"[\w.+/-]"):
                self._rest = self._rest[len(text) :].lstrip()
                return _constant_word(text)
        if self._rest[:1] in ('"', "'") and (quoted := re.match(r"""(["'])(.*?)\1\s*""", self._rest)):
            self._rest = self._rest[quoted.end() :]
            return _constant_word(quoted[2])
        if found := number(self._rest):
            return self._number(*found)
        if match := _WORD.match(self._rest):
            texts = [text for kind in self._kinds.values() for text in kind.texts]
            if not nearest(match[0], texts) and ("." in match[0] or nearest(match[0], self._names)):
                known = ", ".join(sorted(self._names))
                raise self._error(f"unknown name {match[0]!r} (known: {known})", nearest(match[0], self._names))
            self._rest = self._rest[match.end() :].lstrip()
            return _constant_word(match[0])
        raise self._error("something is missing")

    def _number(self, told: Measured, rest: str) -> Part:
        text, self._rest = self._rest[: len(self._rest) - len(rest)].strip(), rest.lstrip()
        if match := re.match(r"[A-Za-zµμ%][\w^*/%²³]*", self._rest):
            raise self._error(f"knows no unit {match[0]!r}", expected='one such as "uJ", "ns", "mm2", "pJ*s" or "%"')
        if not math.isfinite(told.value):
            raise self._error(f"{text} is too large", expected="a number that a float can be")
        return Part(
            lambda _: told.value, text, Kind(told.dimension), constant=None if told.unit else told.value
        )  # fmt: skip


def _constant_word(text: str) -> Part:
    return Part(lambda _: text, text, Kind(), word=text)


def _times(one: Dimension | None, other: Dimension | None, sign: int) -> Dimension | None:
    """Return the dimension of a product, or of a quotient (-1)."""
    if one is None or other is None:
        return None
    powers = Counter(dict(one))
    for symbol, power in other:
        powers[symbol] += sign * power
    return tuple(sorted((symbol, power) for symbol, power in powers.items() if power))


def _same(left: Part, right: Part, sign: str) -> str:
    """Return what a product is measured in, in words: what its one part with a unit is."""
    if right.kind.dimension == PLAIN:
        return left.kind.wanted
    return right.kind.wanted if left.kind.dimension == PLAIN and sign == "*" else ""


def _named(name: str, values: Mapping[str, Any]) -> Value | None:
    return _value(values.get(name))


def _value(value: Any) -> Value | None:
    """Return a value as a number where it is one; a table read by pandas has true and false of its own."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str):
        found = None if value is None else whole(value)
        return value if found is None else found.value
    return float(value)
