"""Numbers with units as conditions have them, and what the names that are compared are measured in.

A unit is a prefix and a symbol, with a power perhaps, and products and quotients of these: "pJ", "mm2", "mm^2", "pJ*s",
"TOPS/W". Counts and bits are plain numbers: "4 pJ/bit" is 4e-12 J. "%" stands alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from archsim.base import usual_units
from archsim.base.units import like
from archsim.records.sweeps.sweep import Axis, Quantity

Dimension = tuple[tuple[str, int], ...]
"""Symbol -> power, in the order of the symbols; of plain numbers nothing."""
PLAIN: Dimension = ()
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_UNIT = re.compile(r"\s*(%|[A-Za-zµμ]+(?:\^?[1-9]|[²³])?(?:[*/][A-Za-zµμ]+(?:\^?[1-9]|[²³])?)*)")
_ATOM = re.compile(r"([A-Za-z]*?)(OPS|Hz|J|s|W|S|V|A|m)(?:\^?([1-9]))?")
_PREFIXES = {
    "a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15,
}  # fmt: skip
_PLAINER = str.maketrans({"µ": "u", "μ": "u", "²": "2", "³": "3"})
_MADE_OF = {"W": {"J": 1, "s": -1}, "Hz": {"s": -1}, "OPS": {"s": -1}}
"""Symbols that are others' quotients; operations are a count."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number as it was written: its value in SI, what it is of, and whether a unit stood there."""

    value: float
    dimension: Dimension
    unit: str


@lru_cache(maxsize=1024)
def unit(text: str) -> tuple[float, Dimension] | None:
    """Return what one of a unit is in SI, and its dimension; None if it is none."""
    if text == "%":
        return 0.01, PLAIN
    value, powers = 1.0, Counter[str]()
    for sign, part in re.findall(r"([*/]?)([^*/]+)", text.translate(_PLAINER)):
        found = _atom(part)
        if found is None:
            return None
        factor, symbols = found
        value = value / factor if sign == "/" else value * factor
        for symbol, power in symbols.items():
            powers[symbol] += -power if sign == "/" else power
    return value, tuple(sorted((symbol, power) for symbol, power in powers.items() if power))


def _atom(text: str) -> tuple[float, dict[str, int]] | None:
    if text in usual_units.COUNTS:
        return 1.0, {}
    if (usual := usual_units.of(text)) and usual[1] == "":  # bits
        return usual[0], {}
    match = _ATOM.fullmatch(text)
    if match is None or match[1] not in _PREFIXES or (match[1] == "c" and match[2] != "m"):
        return None
    power = int(match[3] or 1)
    factor = float(f"1e{_PREFIXES[match[1]] * power}")
    return factor, {symbol: each * power for symbol, each in _MADE_OF.get(match[2], {match[2]: 1}).items()}


def number(text: str) -> tuple[Measured, str] | None:
    """Return the number at the beginning of a text, with its unit, and the rest; None if there is none.

    What stands after the number and is no unit is left in the rest: "1 pJ*tile.rows" is 1 pJ and "*tile.rows".
    """
    if (digits := _NUMBER.match(text)) is None:
        return None
    rest = text[digits.end() :]
    if match := _UNIT.match(rest):
        for name in _shorter(match[1]):
            after = rest[match.start(1) + len(name) :]
            if (found := unit(name)) and not re.match(r"[\w.]", after):
                return Measured(_value(digits[0], name, found[0]), found[1], name), after
    return Measured(float(digits[0]), PLAIN, ""), rest


def _shorter(name: str) -> Iterable[str]:
    """Yield a unit's text, and what is left of it without its last parts."""
    while name:
        yield name
        name = name[: max(name.rfind("*"), name.rfind("/"), 0)]


def _value(digits: str, name: str, factor: float) -> float:
    """Return the value to the bits that other readers of quantities have."""
    if name == "%":
        return float(digits) / 100
    usual = usual_units.read(f"{digits} {name}")
    return float(digits) * factor if usual is None else float(usual[0])


def whole(text: str) -> Measured | None:
    """Return a text that is a number, with or without a unit, and nothing else; None if it is none."""
    told = text.strip()
    sign = -1.0 if told.startswith("-") else 1.0
    found = number(told.lstrip("+-") if told[:1] in ("+", "-") else told)
    if found is None or found[1].strip():
        return None
    return Measured(sign * found[0].value, found[0].dimension, found[0].unit)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a name that is compared is measured in.

    Parameters
    ----------
    dimension : of its values; None of words, and where it is not known
    wanted : str
        In words, for errors: 'a quantity in J with its unit, such as "1.2 pJ"'.
    bare : bool
        Whether a number without a unit is taken: of plain numbers, and where the name says the unit.
    most : float
        What no number without a unit may be above: of a share 1, for 97 is meant as 97 %.
    of : str
        What the name stands for, where several stand for one thing.
    texts : tuple of str
        The values of words, where they are known.
    """

    dimension: Dimension | None = None
    wanted: str = ""
    bare: bool = True
    most: float = float("inf")
    of: str = ""
    texts: tuple[str, ...] = ()


WORDS = Kind()
NUMBER = Kind(PLAIN, "a plain number")


def of_unit(name: str, *, bare: bool = False) -> Kind:
    """Return what is measured in an SI unit; `bare`: as `Kind`."""
    found = unit(name) if name else (1.0, PLAIN)
    if found is None or found[1] == PLAIN:
        return NUMBER if found else WORDS
    return Kind(found[1], like(name), bare)


def of_texts(texts: Iterable[str]) -> Kind:
    """Return what the values of a parameter are measured in, as they were written; `WORDS` where unlike."""
    texts = tuple(texts)
    found = [whole(text) for text in texts]
    kinds = {each.dimension for each in found if each}
    if not all(found) or len(kinds) != 1:
        return Kind(texts=texts)
    if (dimension := kinds.pop()) == PLAIN:
        return NUMBER
    first = next(each.unit for each in found if each)
    return Kind(dimension, f'a quantity with its unit, such as "1 {first}"', bare=False)


def of_quantity(quantity: Quantity, word: str) -> Kind:
    """Return what a quantity is measured in, asked for by a word; its column's name says the unit."""
    if quantity.unit == "%":
        return Kind(PLAIN, 'a per cent, such as "97 %", or a part of 1', most=1.0, of=quantity.name)
    found = unit(quantity.unit) if quantity.unit else None
    if found is None:
        return replace(NUMBER, of=quantity.name)
    wanted = like(quantity.unit) if quantity.prefixed else f'a quantity in {quantity.unit}, such as "1 {quantity.unit}"'
    return Kind(found[1], wanted, bare=word == quantity.name, of=quantity.name)


def of_axis(axis: Axis, word: str) -> Kind:
    """Return what an axis of a table is measured in, asked for by its key or its column, which says the unit."""
    if axis.unit:
        return replace(of_unit(axis.unit, bare=word == axis.column), of=axis.key)
    numbers = axis.values and all(isinstance(each, int | float) and not isinstance(each, bool) for each in axis.values)
    return replace(NUMBER if numbers else of_texts(map(str, axis.values)), of=axis.key)


def spelled(dimension: Dimension) -> str:
    """Return a dimension as its unit is written: "J*s", "1/J"."""
    above, below = (
        [symbol if abs(power) == 1 else f"{symbol}{abs(power)}" for symbol, power in dimension if power * sign > 0]
        for sign in (1, -1)
    )
    return "/".join(["*".join(above) or "1", *below])
