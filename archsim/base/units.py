"""Text with a unit to SI floats and back; seconds to whole picoseconds.

Inside archsim every quantity is a float in SI units (conductance in siemens, energy in joules); the clock alone counts
whole picoseconds. Files and options carry text with a unit. A number without a unit is an error.
"""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from typing import Any

from archsim.base import usual_units
from archsim.base.errors import InputError, ModelError

PS_PER_S = 10**12
_EXAMPLES = {
    "s": "250 ns", "J": "1.2 pJ", "W": "3 mW", "S": "8 uS", "V": "0.2 V", "V^2": "0.04 V^2", "m": "2 mm", "Hz": "1 GHz",
    "bit": "1 MiB", "m^2": "40 um^2", "J/bit": "4 pJ/bit", "J/bit/m": "67 fJ/bit/mm", "W/bit": "0.3 uW/KiB",
    "m^2/bit": "0.12 um^2/bit",
}  # fmt: skip
_AREAS = ((0, ""), (-6, "m"), (-12, "u"), (-18, "n"))
_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


# One number, then a unit without numbers of its own but for powers: pint alone reads sums, and "1,5 ns" as 15 ns.
_QUANTITY = re.compile(
    r"\s*[-+]?(?:\d+\.?\d*|\.\d+|nan|inf)(?:[eE][-+]?\d+)?\s*(?:[^\W\d_%](?:[^\W\d_]|_|[ %*/()]|\^-?\d|\*\*-?\d)*)?\s*"
)


@cache
def _registry() -> Any:
    import pint  # 0.5 s with its registry: only for units that are not usual

    registry: Any = pint.UnitRegistry()
    for count in usual_units.COUNTS:
        registry.define(f"{count} = [] = {count}")
    return registry


def like(unit: str) -> str:
    """Return what a quantity in a unit looks like, for errors and schemas."""
    example = _EXAMPLES.get(unit)
    return f"a quantity in {unit or '1'}" + (f' with its unit, such as "{example}"' if example else " with its unit")


def parse(text: object, unit: str) -> float:
    """Turn text such as "250 ns" into a float in the SI unit `unit`.

    Parameters
    ----------
    text : str
        Number and unit. Counts (`op`, `MAC`, `conversion`, `word`, `pulse`, `lookup`, `cycle`) may appear and weigh 1.
    unit : str
        The SI unit wanted, for example "s", "J", "W/bit", or "" for a plain number.

    Raises
    ------
    InputError
        If the text has no unit, an unknown unit, the wrong dimension, or is not finite.
    """
    if isinstance(text, bool) or not isinstance(text, str):
        why = f"got {text!r}, a number without a unit" if isinstance(text, int | float) else f"got {text!r}"
        raise InputError(f"{why}; expected {like(unit)}", value=text)
    found = _read(text, unit)
    if isinstance(found, str):
        raise InputError(found, value=text)
    return found


def parse_or_none(text: str, unit: str) -> float | None:
    """Return what `parse` returns, or None where it refuses: for who asks of many texts whether they are quantities."""
    found = _read(text, unit)
    return None if isinstance(found, str) else found


@lru_cache(maxsize=8192)
def _read(text: str, unit: str) -> float | str:
    """Return the value of a quantity, or what is wrong with it; the same few texts are read over and over."""
    if "TODO:" in text:
        return f"is still a placeholder; expected {like(unit)}"
    if not _QUANTITY.fullmatch(text):
        return f"got {text!r}, which cannot be read; expected {like(unit)}"
    if text.isascii() and text.isdecimal() and len(text) < 16:
        return float(text) if not unit else f"got {text!r}, a number without a unit; expected {like(unit)}"
    if (usual := usual_units.read(text)) and (wanted := usual_units.of(unit)) and wanted[0] == 1:
        value, dimension = usual
        if dimension and dimension != wanted[1]:
            return f"got {text!r}, which is no quantity in {unit}; expected {like(unit)}"
        if dimension == wanted[1]:
            return value if math.isfinite(value) else f"got {text!r}, which is not finite; expected {like(unit)}"
    return _read_by_pint(text, unit)


def _read_by_pint(text: str, unit: str) -> float | str:
    registry = _registry()
    import pint

    try:
        quantity = registry.Quantity(text)
        value = float(quantity.to(unit or "dimensionless").magnitude)
    except pint.UndefinedUnitError:
        return f"got {text!r}, whose unit is unknown; expected {like(unit)}"
    except pint.DimensionalityError:
        bare = quantity.units == registry.dimensionless
        why = "a number without a unit" if bare else f"which is no quantity in {unit or '1'}"
        return f"got {text!r}, {why}; expected {like(unit)}"
    except Exception:  # noqa: BLE001  pint raises many kinds over odd text
        return f"got {text!r}, which cannot be read; expected {like(unit)}"
    return value if math.isfinite(value) else f"got {text!r}, which is not finite; expected {like(unit)}"


@lru_cache(maxsize=1024)
def known(text: str) -> bool:
    """Whether a text such as "uS" names a unit, of any dimension."""
    if text and usual_units.of(text):
        return True
    try:
        return bool(text) and not text[0].isdigit() and bool(_registry().parse_units(text))
    except Exception:  # noqa: BLE001  pint raises many kinds over odd text
        return False


def show(value: float, unit: str, digits: int = 4) -> str:
    """Return a float in SI as short text with an engineering prefix: show(2.5e-7, "s") is "250 ns"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    if unit in ("m^2", "m^2/bit"):  # 0.02 mm^2, not 20000 um^2
        exponent, prefix = next((a for a in _AREAS if abs(value) >= 10.0 ** (a[0] - 2)), _AREAS[-1])
        return f"{float(f'{value / 10.0**exponent:.{digits}g}'):.{max(digits, 6)}g} {prefix}{unit}"
    if "^" in unit.partition("/")[0]:  # a prefix before a power would be raised to it: 1 mV^2 is 1e-6 V^2
        return f"{value:.{digits}g} {unit}"
    exponent = min(max(3 * math.floor(math.log10(abs(value)) / 3), -18), 12)
    mantissa = float(f"{value / 10.0**exponent:.{digits}g}")
    if abs(mantissa) >= 1000 and exponent < 12:
        mantissa, exponent = mantissa / 1000, exponent + 3
    return f"{mantissa:.{max(digits, 4)}g} {_PREFIXES[exponent]}{unit}"


def picoseconds(seconds: float, what: str = "duration") -> int:
    """Round a duration to whole picoseconds, once, when a chip is built.

    Raises
    ------
    ModelError
        If rounding moves the duration by more than 0.1 %, up or down.
    """
    exact = seconds * PS_PER_S
    whole = round(exact)
    if abs(whole - exact) > 1e-3 * abs(exact):
        raise ModelError(f"{what}: {show(seconds, 's')} is not a whole number of picoseconds to within 0.1 %")
    return whole
