"""Cost laws: how a figure's value at its reference size becomes the price at the size a chip has.

A closed set. Every law is a multiplier of the figure's value, so a price is linear in the figure: its range and any
factor of a sensitivity study scale the bill exactly. A law refuses a size outside the span for which its source holds.
Knows neither files nor ledgers. Scaling between technology nodes is no law: it is done in the technology file, where
`derived_by` shows it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archsim.base.errors import InputError, ModelError, nearest

Points = Sequence[tuple[float, float]]
Multiplier = Callable[[Mapping[str, float], Points, Mapping[str, float]], float]

SIZE_UNITS: dict[str, str] = {
    "bits": "", "a_bits": "", "b_bits": "", "lanes": "", "capacity_bit": "bit", "word_bit": "bit", "length_m": "m",
}  # fmt: skip
"""Size that a law may ask a chip for -> its SI unit ("" is a plain count)."""
PRICE_UNITS: dict[str, str] = {"": "J", "bit": "J/bit", "S*s": "V^2", "bit*s": "W/bit", "s": "W"}
"""Unit of an action's amount -> unit of the price that turns it into joules."""


@dataclass(frozen=True, slots=True)
class Law:
    """A cost law.

    Parameters
    ----------
    name : str
    sizes : mapping
        Size the chip must give -> lowest and highest value for which the law holds (in the unit of `SIZE_UNITS`).
    at : mapping
        Key of the figure's `at` -> the size it is the reference for. Empty if the value needs no reference.
    units : mapping
        Unit of a figure that the law accepts -> unit of the price it makes of it.
    tabulated : bool
        Whether the figure must give `points`.
    multiplier : callable
        (at, points, sizes) -> dimensionless factor, or metres for `wire`.
    """

    name: str
    sizes: Mapping[str, tuple[float, float]]
    at: Mapping[str, str]
    units: Mapping[str, str]
    tabulated: bool
    multiplier: Multiplier

    def price(
        self,
        value: float,
        *,
        at: Mapping[str, float],
        points: Points,
        sizes: Mapping[str, float],
        what: str = "a figure",
    ) -> float:
        """Return the unit price in SI for the sizes of one entry.

        Parameters
        ----------
        value : float
            The figure's value [its SI unit], which holds at the sizes `at`.
        at : mapping
            Reference sizes by the names of `Law.at`, in SI.
        points : sequence of (size, value)
            Only for the laws of a memory: capacity [bit], energy [J] or leakage [W/bit].
        sizes : mapping
            The sizes of the entry, by the names of `SIZE_UNITS`; others than the law's own are ignored.
        what : str
            Name of what is being priced, for the error.

        Raises
        ------
        ModelError
            If the entry does not give a size that the law needs.
        InputError
            If a size lies outside the law's range or outside the points.
        """
        for size, (low, high) in self.sizes.items():
            if size not in sizes:
                given = ", ".join(sizes) or "none"
                raise ModelError(f"{what}: law {self.name} needs the size {size!r}; the chip gives {given}")
            _inside(sizes[size], low, high, f"{what}: law {self.name}", size)
        try:
            return value * self.multiplier(at, points, sizes)
        except InputError as error:
            raise InputError(f"{what}: {error}") from error

    def check(self, at: Mapping[str, float], points: Points) -> None:
        """Check a figure's reference sizes and points.

        Raises
        ------
        InputError
            If a reference size lies outside the law's range, or the points are missing, unwanted, unordered or do not
            span the reference.
        """
        for key, size in self.at.items():
            low, high = self.sizes[size]
            _inside(at[key], low, high, f"law {self.name}", key)
        if not self.tabulated:
            if points:
                raise InputError(f"law {self.name} takes no points", key="points")
            return
        if len(points) < 2:
            raise InputError(f"law {self.name} needs at least two points", key="points")
        ordered = all(a < b for (a, _), (b, _) in pairwise(points))
        if not ordered or any(number <= 0 for pair in points for number in pair):
            raise InputError("points are not positive and in order of size", key="points")
        self.multiplier(at, points, {size: at[key] for key, size in self.at.items()})


LAWS: dict[str, Law] = {}
"""Name of a law -> the law."""


def law(name: str) -> Law:
    """Return the law of that name.

    Raises
    ------
    InputError
        If there is none; with the known names and the nearest.
    """
    if name not in LAWS:
        raise InputError(key="law", value=name, expected=f"one of {', '.join(LAWS)}", hint=nearest(name, LAWS))
    return LAWS[name]


def _inside(value: float, low: float, high: float, what: str, size: str) -> None:
    if not low <= value <= high:
        unit = SIZE_UNITS.get(size) or ("bit" if size in ("capacity", "word") else "")
        raise InputError(f"{what} holds for {size} from {low:g} to {high:g} {unit}".rstrip() + f", not for {value:g}")


def _register(
    name: str,
    *,
    sizes: Mapping[str, tuple[float, float]],
    at: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    tabulated: bool = False,
) -> Callable[[Multiplier], Multiplier]:
    def keep(multiplier: Multiplier) -> Multiplier:
        LAWS[name] = Law(name, sizes, at or {}, units or {"J": "J"}, tabulated, multiplier)
        return multiplier

    return keep


@_register("constant", sizes={}, units={unit: unit for unit in PRICE_UNITS.values()})
def constant(at: Mapping[str, float], points: Points, sizes: Mapping[str, float]) -> float:  # noqa: ARG001
    """Return 1: the price is the figure, whatever the size.

    Formula: price = value. Source: none needed. Range: all sizes.
    """
    return 1.0


@_register("per-bit", sizes={"bits": (1, 64)}, at={"bits": "bits"})
def per_bit(at: Mapping[str, float], points: Points, sizes: Mapping[str, float]) -> float:  # noqa: ARG001
    """Return the ratio of word widths: one equal cell per bit (ripple-carry adder, register, pulse counter).

    Formula: price = value bits / at.bits.
    Source: Horowitz, ISSCC 2014 (bib key horowitz2014): integer adds of 8, 16, 32 bit at 45 nm cost 0.03, 0.05, 0.1 pJ.
    Range: 1 to 64 bit. The printed figures lie within 25 % of the line through the 32-bit one.
    """
    return sizes["bits"] / at["bits"]


@_register("bit-product", sizes={"a_bits": (1, 64), "b_bits": (1, 64)}, at={"a_bits": "a_bits", "b_bits": "b_bits"})
def bit_product(at: Mapping[str, float], points: Points, sizes: Mapping[str, float]) -> float:  # noqa: ARG001
    """Return the ratio of partial products of an array multiplier.

    Formula: price = value (a_bits b_bits) / (at.a_bits at.b_bits).
    Source: Horowitz, ISSCC 2014 (bib key horowitz2014): 8 x 8 and 32 x 32 bit at 45 nm cost 0.2 and 3.1 pJ, a factor of
    15.5 where the law says 16. Range: 1 to 64 bit each.
    """
    return sizes["a_bits"] * sizes["b_bits"] / (at["a_bits"] * at["b_bits"])


@_register("per-2^bits", sizes={"bits": (3, 12)}, at={"bits": "bits"})
def per_two_to_the_bits(at: Mapping[str, float], points: Points, sizes: Mapping[str, float]) -> float:  # noqa: ARG001
    """Return the ratio of level counts: a converter of constant Walden figure of merit.

    Formula: price = value 2^(bits - at.bits).
    Source: the Walden figure of merit P / (2^ENOB fs) as tabulated in Murmann's survey (bib key murmann2025).
    Range: 3 to 12 bit; above, thermal noise makes the energy grow as 4^bits.
    """
    return float(2.0 ** (sizes["bits"] - at["bits"]))


@_register("per-lane", sizes={"lanes": (1, math.inf)}, at={"lanes": "lanes"})
def per_lane(at: Mapping[str, float], points: Points, sizes: Mapping[str, float]) -> float:  # noqa: ARG001
    """Return the ratio of lanes: every lane of a busy unit has registers, and its branch of the clock.

    Formula: price = value lanes / at.lanes.
    Source: none; a lane is taken as a copy of the unit's one-lane datapath, which is how the areas of logic count it.
    Range: one lane and more; the clock's trunk, which grows slower, is part of the share and not told apart.
    """
    return sizes["lanes"] / at["lanes"]


@_register(
    "sram-capacity",
    sizes={"capacity_bit": (1, math.inf), "word_bit": (8, 128)},
    at={"capacity": "capacity_bit", "word": "word_bit"},
    tabulated=True,
)
def sram_capacity(at: Mapping[str, float], points: Points, sizes: Mapping[str, float]) -> float:
    """Return how a word's access energy grows with the capacity of its bank and with its width, from tabulated points.

    Formula: price = value E(capacity) / E(at.capacity) word_bit / at.word, with E interpolated in log E over log size.
    The energy of a bit does not depend on the width of the word. A bank is a memory of its own: what carries a word to
    a bank further away is wire and belongs to the bus.
    Source: the points' own, in the technology file; the power law between them follows the line lengths of a memory.
    Range: capacities of a bank within the points' span, ends included: nothing is said beyond. Words of 8 to 128 bit (a
    factor of four around the 32-bit port of the points: decoder and control do not scale with the word).
    """
    return over_capacity(points, sizes["capacity_bit"], at["capacity"]) * sizes["word_bit"] / at["word"]


@_register(
    "capacity", sizes={"capacity_bit": (1, math.inf)}, at={"capacity": "capacity_bit"}, units={"W/bit": "W/bit"},
    tabulated=True,
)  # fmt: skip
def capacity(at: Mapping[str, float], points: Points, sizes: Mapping[str, float]) -> float:
    """Return how the leakage of a bit depends on the capacity of its bank: a small one has more periphery a bit.

    Formula: price = value P(capacity) / P(at.capacity), with P interpolated in log P over log size.
    Source: the points' own, in the technology file. Range: capacities of a bank within the points' span.
    """
    return over_capacity(points, sizes["capacity_bit"], at["capacity"])


@_register("wire", sizes={"length_m": (0, 0.1)}, units={"J/bit/m": "J/bit"})
def wire(at: Mapping[str, float], points: Points, sizes: Mapping[str, float]) -> float:  # noqa: ARG001
    """Return the length of a repeated wire in metres.

    Formula: price = value length_m.
    Source: constant capacitance per length of repeated on-chip wire, as in Keckler et al., IEEE Micro 2011 (bib key
    keckler2011). Range: 0 to 100 mm, on a chip.
    """
    return sizes["length_m"]


def over_capacity(points: Points, size: float, reference: float) -> float:
    """Return what a memory's points give at a capacity [bit] over what they give at another.

    The logarithm of the value is linear in that of the capacity between points; nothing is said beyond them.

    Raises
    ------
    InputError
        If one of the two lies outside the points.
    """
    return _loglog(points, size) / _loglog(points, reference)


def _loglog(points: Points, size: float) -> float:
    """Interpolate linearly in the logarithms of size and value."""
    sizes = [point for point, _ in points]
    slack = 1e-9  # an end given in other units may differ by rounding
    if not sizes[0] * (1 - slack) <= size <= sizes[-1] * (1 + slack):
        raise InputError(f"the points span {sizes[0]:g} to {sizes[-1]:g} bit, not {size:g}")
    upper = min(max(bisect_left(sizes, size), 1), len(points) - 1)
    (x0, y0), (x1, y1) = points[upper - 1], points[upper]
    share = math.log(size / x0) / math.log(x1 / x0)
    return y0 * math.exp(share * math.log(y1 / y0))


def bits_text(size: float) -> str:
    """Return a number of bits as text: in MiB or KiB if it is a whole number of them."""
    for unit, one in (("MiB", 8 * 2**20), ("KiB", 8 * 2**10)):
        if size >= one and size % one == 0:
            return f"{size / one:.0f} {unit}"
    return f"{size:.0f} bit"


def size_value(key: str, size: float) -> str | int:
    """Return a reference size as a file has it: text for a memory, a whole number for a count."""
    return bits_text(size) if key in ("capacity", "word") else int(size)
