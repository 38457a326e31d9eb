"""What a search may propose: ordered levels, words, and ranges of numbers, each by the key that it sets."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.base.errors import InputError
from archsim.studies.sweeps import values
from archsim.studies.sweeps.study import ARCH, TECH, Named, called

DIGITS = 4
"""Significant digits of a number that is drawn from a range: two designs that differ by less are one."""
MOST_LISTED = 100_000
"""Designs up to which a space is gone through as a whole."""
_RANGE = re.compile(rf"\s*{values.END}\s*\.\.\s*{values.END}\s*(?::\s*(lin|log)\s*)?")
Drawn = int | float | str
"""What a sampler draws of a parameter: the place of a level, a number of a range, a word."""


@dataclass(frozen=True)
class Parameter:
    """One thing that a search may choose.

    Parameters
    ----------
    key : str
    kind : "set", "figure", "tech" or "arch"
    levels : tuple of str
        Its values as texts; of a range its two ends.
    ordered : bool
        Whether levels are numbers, in rising order.
    ends : (float, float), optional
        Of a range, in `unit`.
    log : bool
        Whether a range is even in the logarithm.
    whole : bool
        Whether a range is one of whole numbers.
    unit : str
        Of a range, as it was given.
    """

    key: str
    kind: str
    levels: tuple[str, ...]
    ordered: bool = False
    ends: tuple[float, float] | None = None
    log: bool = False
    whole: bool = False
    unit: str = ""

    def text(self, drawn: Drawn) -> str:
        """Return the value of what a sampler has drawn, as a text."""
        if self.ends is not None:
            low, high = self.ends
            if self.whole:
                return str(round(float(drawn)))
            number = min(max(float(f"{float(drawn):.{DIGITS}g}"), low), high)
            return f"{number:.12g} {self.unit}".strip()
        return self.levels[int(drawn)] if self.ordered else str(drawn)

    def drawn(self, text: str) -> Drawn:
        """Return what a sampler would have drawn for one of the levels."""
        return self.levels.index(text) if self.ordered else text

    def named(self) -> str:
        """Return what it may be, in words."""
        if self.ends is not None:
            return f"{self.levels[0]}..{self.levels[1]}{' (log)' if self.log else ''}"
        few = len(self.levels) <= _FEW
        return ", ".join(self.levels if few else (*self.levels[:2], "...", self.levels[-1]))


_FEW, _MANY = 6, 64


@dataclass(frozen=True)
class Space:
    """All that a search may choose, and what is the same in every design.

    Parameters
    ----------
    parameters : tuple of Parameter
    sets, figures : key -> the one value
    """

    parameters: tuple[Parameter, ...]
    sets: Mapping[str, str]
    figures: Mapping[str, str]

    @property
    def size(self) -> int | None:
        """Designs that there are; None where a range makes them endless."""
        if any(each.ends is not None for each in self.parameters):
            return None
        return math.prod(len(each.levels) for each in self.parameters)

    def all(self) -> Iterator[dict[str, str]]:
        """Yield every design of a space without ranges, the last parameter the quickest."""
        for texts in itertools.product(*(each.levels for each in self.parameters)):
            yield dict(zip((each.key for each in self.parameters), texts, strict=True))

    def beside(self, values: Mapping[str, str]) -> Iterator[dict[str, str]]:
        """Yield the designs that differ in one parameter: by one level, or in a word."""
        for each in self.parameters:
            at = each.levels.index(values[each.key])
            near = (at - 1, at + 1) if each.ordered else range(len(each.levels))
            yield from ({**values, each.key: each.levels[k]} for k in near if 0 <= k < len(each.levels) and k != at)

    def first(self) -> dict[str, str]:
        """Return the design of the first level of everything."""
        return {each.key: each.levels[0] for each in self.parameters}

    def ends(self) -> Iterator[dict[str, str]]:
        """Yield designs in which each level stands once, beside the first of all others; of many levels the ends."""
        yield self.first()
        for each in self.parameters:
            levels = each.levels[1:] if len(each.levels) <= _MANY or not each.ordered else each.levels[-1:]
            yield from ({**self.first(), each.key: level} for level in levels)

    def content(self) -> list[dict[str, Any]]:
        """Return what it is, as JSON has it."""
        return [{"key": each.key, "levels": list(each.levels), "range": each.ends is not None, "log": each.log}
                for each in self.parameters]  # fmt: skip

    def texts(self, kind: str) -> dict[str, list[str]]:
        """Return key -> values of settings or of figures, as a sweep takes them."""
        fixed = {"set": self.sets, "figure": self.figures}.get(kind, {})
        found = {key: [text] for key, text in fixed.items()}
        return found | {each.key: list(each.levels) for each in self.parameters if each.kind == kind}


def space(
    settings: Sequence[str] | Mapping[str, Any], figures: Sequence[str] | Mapping[str, Any], *,
    techs: Sequence[str] = (), archs: Sequence[Named] = (),
) -> Space:  # fmt: skip
    """Return the space that options declare.

    Parameters
    ----------
    settings, figures : "KEY=VALUES" texts, or key -> values
        A list of numbers, or of words; whole numbers "4..10"; a range of a sweep, "1..2:lin:5"; and ranges without
        end: "0.1..0.5", "0.5pJ..5pJ:log".
    techs, archs : more than one of each are words to choose from

    Raises
    ------
    InputError
        If one cannot be read, or there is nothing to choose.
    """
    parameters: list[Parameter] = []
    fixed: dict[str, dict[str, str]] = {"set": {}, "figure": {}}
    for kind, given in (("set", settings), ("figure", figures)):
        for key, told in pairs(given, f"--{kind}").items():
            found = _parameter(key, kind, told)
            if len(found.levels) > 1:
                parameters.append(found)
            else:
                fixed[kind][key] = found.levels[0]
    for key, words in ((TECH, tuple(techs)), (ARCH, tuple(called(each) for each in archs))):
        if len(words) > 1:
            parameters.append(Parameter(key, key, words))
    if not parameters:
        raise InputError(
            "nothing to choose from", key="--set",
            expected='values to search through, such as "tile.adc.bits=4..10" or "tile.rows=64,128,256"',
        )  # fmt: skip
    keys = [each.key for each in parameters]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise InputError(f"given twice: {twice}", key="--figure", expected="each key once")
    return Space(tuple(parameters), fixed["set"], fixed["figure"])


def pairs(given: Sequence[str] | Mapping[str, Any], option: str) -> dict[str, Any]:
    """Return key -> values as they were given."""
    if isinstance(given, Mapping):
        return {str(key): told for key, told in given.items()}
    found: dict[str, Any] = {}
    for text in given:
        key, equals, told = (part.strip() for part in text.partition("="))
        if not (key and equals and told):
            raise InputError(key=option, value=text, expected='"KEY=VALUES", such as "tile.adc.bits=4..10"')
        if key in found:
            raise InputError(f"given twice: {key}", key=option, value=text, expected="each key once")
        found[key] = told
    return found


def _parameter(key: str, kind: str, told: Any) -> Parameter:
    option = f"--{kind} {key}"
    if isinstance(told, str) and (match := _RANGE.fullmatch(told)) and (found := _range(key, kind, told, match)):
        return found
    texts = values.listed(told, key=option)
    numbers = values.scale(texts).values
    if all(isinstance(each, int | float) for each in numbers):
        order = sorted(range(len(texts)), key=lambda k: float(numbers[k]))
        return Parameter(key, kind, tuple(texts[k] for k in order), ordered=True)
    return Parameter(key, kind, tuple(texts))


def _range(key: str, kind: str, text: str, match: re.Match[str]) -> Parameter | None:
    """Return a range of numbers; None of whole numbers one after the other, which are levels."""
    first, unit, last, other, how = match.groups()
    option = f"--{kind} {key}"
    low, high, unit = values.in_one_unit((first, unit), (last, other), key=option, value=text)
    if not unit and how is None and low.is_integer() and high.is_integer():
        return None
    whole = not unit and first.isdecimal() and last.isdecimal()
    if not low < high:
        raise InputError("no value lies in it", key=option, value=text, expected="the smaller end first")
    if how == "log" and low <= 0:
        raise InputError(key=option, value=text, expected="ends above 0, for the range is even in the logarithm")
    levels = tuple(f"{end:.12g} {unit}".strip() for end in (low, high))
    return Parameter(key, kind, levels, ends=(low, high), log=how == "log", whole=whole, unit=unit)
