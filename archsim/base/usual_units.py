"""The usual units read without pint, which takes half a second to import and set up, to the very bits that pint gives.

A prefix and a symbol, perhaps over a count, bits or a length: "250 ns", "1.2 pJ/conversion", "67 fJ/bit/mm". Whatever
else a text says, and the few of these units whose last bit pint rounds otherwise, are pint's.
"""

from __future__ import annotations

import re
from functools import lru_cache

COUNTS = ("op", "MAC", "conversion", "word", "pulse", "lookup", "cycle", "line")
"""Counts of the field; all are plain numbers to the dimension check."""
_TEXT = re.compile(r"([-+]?(?:[0-9]{1,15}|[0-9]*\.[0-9]+|[0-9]+\.)(?:[eE][-+]?[0-9]{1,3})?) *([a-zA-Z^2/]+)")
_TOP = re.compile(r"([fpnumkMGT]?)(s|J|W|S|V|Hz|m)(\^2)?")
_EXPONENTS = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12}
_BITS = {"bit": 1, "kbit": 10**3, "byte": 8, "B": 8, "kB": 8 * 10**3, "MB": 8 * 10**6, "KiB": 2**13, "MiB": 2**23}
_WEIGHTS = {**dict.fromkeys(COUNTS, 1), **{name: bits for name, bits in _BITS.items() if not bits & (bits - 1)}}
_LENGTHS = {"m": 0, "mm": -3}
_RATES = {"": "", "1/s": "Hz", "1/J": "1/J", "1/s/m^2": "1/s/m^2"}  # units to ask for that no such text has but in Hz


def read(text: str) -> tuple[float, str] | None:
    """Return the value [SI] of a text such as "250 ns" and its dimension as an SI unit; None if it is not a usual one.

    Counts and bits are plain numbers: "4 pJ/bit" is 4e-12 of dimension "J", "1 KiB" 8192 of dimension "".
    """
    if not (found := _TEXT.fullmatch(text)) or not (unit := of(found[2])):
        return None
    number = float(found[1]) if not found[1].lstrip("+-").isdigit() else int(found[1])
    return number * unit[0], unit[1]


@lru_cache(maxsize=1024)
def of(unit: str) -> tuple[float, str] | None:
    """Return what one of a unit is in SI, and its dimension as an SI unit; None if it is not a usual one."""
    if unit in _RATES:
        return 1.0, _RATES[unit]
    top, *under = unit.split("/")
    if top in _BITS and not under:
        return float(_BITS[top]), ""
    if not (symbol := _TOP.fullmatch(top)) or (symbol[3] and symbol[2] not in "Vm"):
        return None
    exponent, dimension = _EXPONENTS[symbol[1]] * (2 if symbol[3] else 1), symbol[2] + (symbol[3] or "")
    if under and under[-1] in _LENGTHS and top in ("J", "pJ", "fJ"):
        exponent, dimension = exponent - _LENGTHS[under.pop()], "J/m"
    weight = _WEIGHTS.get(under[0]) if under else 1
    return (float(f"1e{exponent}") / weight, dimension) if weight and len(under) < 2 else None
