"""The values of an axis as the command line gives them: lists, and ranges of numbers and of quantities."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archsim.base import usual_units
from archsim.base.errors import InputError

MOST = 100_000
"""Values that an axis may have."""
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
END = rf"({_NUMBER})\s*([A-Za-zµ%][\w/^*%µ]*)?"
"""A number and its unit, if it has one: two groups of a regular expression."""
_RANGE = re.compile(rf"\s*{END}\s*\.\.\s*{END}\s*(?::\s*(lin|log|step)\s*:\s*({_NUMBER})\s*)?")
_LIKE = 'a list "4,6,8", whole numbers "4..8", "128..512:step:128", "1..2:lin:5" or "0.5pJ..5pJ:log:5"'
_OPENING, _CLOSING, _QUOTES = "[{(", "]})", "\"'"


def split(text: str) -> list[str]:
    """Return the parts of a text between commas that stand in no bracket and no quotes, stripped.

    So `[1,2],[3,4]` is two values, and `"a,b"` one.
    """
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in _QUOTES:
            quote = letter
        depth += (letter in _OPENING) - (letter in _CLOSING) if not quote else 0
        if letter == "," and not quote and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def read(text: str, *, key: str) -> tuple[str, ...]:
    """Return the values that a text names, in its order, each as a text: a list whose parts are values or ranges.

    Parameters
    ----------
    text : str
        "4,6,8", "4..8", "0.5pJ..5pJ:log:5", "[1,2]".
    key : str
        What it is given for, for the error: "--set tile.adc.bits".

    Raises
    ------
    InputError
        If a range cannot be read, there is no value, one is given twice, or there are too many.
    """
    found: list[str] = []
    for part in split(text):
        if not part:
            raise InputError("an empty value", key=key, value=text, expected=_LIKE)
        found += _ranged(part, key) if ".." in part and part[0] not in _QUOTES + _OPENING else [part]
        if len(found) > MOST:
            raise InputError(key=key, value=text, expected=f"at most {MOST:,} values")
    check_once(found, found, key=key)
    return tuple(found)


def check_once(texts: Sequence[str], values: Sequence[object], *, key: str) -> None:
    """Refuse values of which two are the same: "1pJ" and "1000 fJ".

    Parameters
    ----------
    texts : as they were given
    values : what each of them is
    key : what they are given for, for the error

    Raises
    ------
    InputError
        If one is given twice; names both.
    """
    seen: dict[object, str] = {}
    for text, value in zip(texts, values, strict=True):
        if value in seen:
            also = "" if seen[value] == text else f", as {seen[value]!r} before"
            raise InputError(f"{text!r} is given twice{also}", key=key, expected="each value once")
        seen[value] = text


def listed(values: Sequence[object] | object, *, key: str) -> tuple[str, ...]:
    """Return the values of an axis as a file or a program gives them: a list of values, or a text as `read` takes it.

    What is no text is written as YAML has it: true, 4, [1, 2].

    Raises
    ------
    InputError
        As `read`; for an empty list.
    """
    if isinstance(values, str):
        return read(values, key=key)
    if not isinstance(values, list | tuple):
        return (json.dumps(values),)
    if not values:
        raise InputError("an empty grid: no value", key=key, expected=_LIKE)
    return tuple(each if isinstance(each, str) else json.dumps(each) for each in values)


def _ranged(text: str, key: str) -> list[str]:
    """Return the values of one range as texts."""
    match = _RANGE.fullmatch(text)
    if not match:
        if re.match(rf"\s*{_NUMBER}", text):
            raise InputError("no range that can be read", key=key, value=text, expected=_LIKE)
        return [text]  # such as ../device.yaml
    first, unit, last, other, how, told = match.groups()
    if not all(map(math.isfinite, map(float, (first, last, told or "0")))):
        raise InputError("a number that is too large", key=key, value=text, expected=_LIKE)
    ends = f"{first} {unit or other or ''}".strip(), f"{last} {other or unit or ''}".strip()
    a, b, shown = in_one_unit((first, unit), (last, other), key=key, value=text)
    if how is None:
        if not (a.is_integer() and b.is_integer()) or shown:
            raise InputError(
                key=key, value=text, expected=f"{text}:lin:5 or {text}:log:5, for these are no whole numbers"
            )
        how, told = "step", "1"
    if a > b:
        raise InputError("no value lies in it", key=key, value=text, expected="the smaller end first")
    if not math.isfinite(b - a) or (how == "log" and a > 0 and not math.isfinite(b / a)):
        raise InputError("its ends are too far apart", key=key, value=text, expected="a range that floats can count")
    numbers = list(_numbers(a, b, how, float(told), key, text))
    made = [f"{number:.12g} {shown}".strip() for number in numbers]
    if made and numbers[0] == a:
        made[0] = ends[0]
    if len(made) > 1 and numbers[-1] == b:
        made[-1] = ends[1]
    return made


def in_one_unit(
    low: tuple[str, str | None], high: tuple[str, str | None], *, key: str, value: str
) -> tuple[float, float, str]:  # fmt: skip
    """Return both ends of a range in one unit, and that unit: theirs if they have the same, else the SI one.

    Parameters
    ----------
    low, high : (number, unit) as they stand; one that has no unit has the other's
    key, value : what the range is given for, and it, for the error

    Raises
    ------
    InputError
        If the units are not of one kind.
    """
    units = low[1] or high[1] or "", high[1] or low[1] or ""
    if units[0] == units[1]:
        return float(low[0]), float(high[0]), units[0]
    first, last = (usual_units.read(f"{end[0]} {unit}") for end, unit in zip((low, high), units, strict=True))
    if first is None or last is None or first[1] != last[1] or not first[1]:
        raise InputError("two units that are not of one kind", key=key, value=value, expected="one unit at both ends")
    return first[0], last[0], first[1]


def _numbers(a: float, b: float, how: str, told: float, key: str, text: str) -> Iterator[float]:
    if how == "step":
        if told <= 0:
            raise InputError(key=key, value=text, expected="a step above 0")
        count = math.floor((b - a) / told * (1 + 1e-12) + 1e-9) + 1
        _few(count, key, text)
        yield from (a + k * told for k in range(count))
        return
    if told != int(told) or told < 2:
        raise InputError(key=key, value=text, expected="a whole number of values, from 2 on, after the last colon")
    if how == "log" and min(a, b) <= 0:
        raise InputError(key=key, value=text, expected="ends above 0, for the values lie evenly in the logarithm")
    count = int(told)
    _few(count, key, text)
    for k in range(count):
        share = k / (count - 1)
        yield b if k == count - 1 else a * (b / a) ** share if how == "log" else a + (b - a) * share


def _few(count: int, key: str, text: str) -> None:
    if count > MOST:
        raise InputError(f"{count:,.7g} values", key=key, value=text, expected=f"at most {MOST:,}")


@dataclass(frozen=True, slots=True)
class Scale:
    """How the values of an axis stand in a table: as numbers in a unit, or as the texts they are.

    `unit` is an SI unit, "" for plain numbers and for texts.
    """

    unit: str
    values: tuple[float | int | str, ...]


def scale(texts: Sequence[str]) -> Scale:
    """Return the values of an axis as a table has them: quantities of one kind in SI, numbers, or else texts."""
    found = [usual_units.read(" ".join(each.split())) for each in texts]
    units = {each[1] for each in found if each is not None}
    if all(found) and len(units) == 1 and "" not in units:
        return Scale(units.pop(), tuple(each[0] for each in found if each is not None))
    if all(re.fullmatch(r"[-+]?\d+", each) for each in texts):
        return Scale("", tuple(int(each) for each in texts))
    if all(re.fullmatch(_NUMBER, each) for each in texts):
        return Scale("", tuple(float(each) for each in texts))
    return Scale("", tuple(texts))
