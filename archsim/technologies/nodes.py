"""Factors between technology nodes by two published rules; the numbers stand in tech_params/scaling.

Knows no figure of a technology and no action: `scaling` applies the factors.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from archsim.base.errors import InputError, nearest
from archsim.base.files import shipped
from archsim.base.yamlfile import FileRecord, Record, quantity, read, validate

RULES = ("table-interpolation", "stillmaker-baas")
"""Names of the rules; the first is the usual one, since the second is known to promise too much below 45 nm."""

Node = Annotated[float, quantity("m")]
Volt = Annotated[float, quantity("V")]
Joule = Annotated[float, quantity("J")]


class _NodeFile(Record):
    node: Node
    supply: Volt
    energy: Annotated[list[FiniteFloat], Field(min_length=3, max_length=3)]
    delay: Annotated[list[FiniteFloat], Field(min_length=4, max_length=4)]


class _SupplyFile(Record):
    basis: Literal["assumed"]
    why: str
    band: Volt


class _PolynomialFile(FileRecord):
    kind: Literal["scaling"]
    name: Literal["stillmaker-baas"]
    source: str
    where: str
    supply: _SupplyFile
    nodes: list[_NodeFile]
    areas: dict[Node, dict[Node, FiniteFloat]]


class _TableFile(FileRecord):
    kind: Literal["scaling"]
    name: Literal["table-interpolation"]
    source: list[str]
    where: str
    nodes: tuple[Node, Node]
    rows: dict[str, tuple[Joule, Joule]]
    memory: list[tuple[Annotated[float, quantity("bit")], Joule, Joule]]


@dataclass(frozen=True, slots=True)
class Corner:
    """A technology node and its supply.

    Parameters
    ----------
    node : float [m]
    volt : float [V]
    """

    node: float
    volt: float

    def __str__(self) -> str:
        return f"{node_text(self.node)} at {self.volt:g} V"


def node_text(node: float) -> str:
    """Return a node [m] as it is written: "14 nm"."""
    return f"{node * 1e9:g} nm"


def read_node(text: str, option: str) -> float:
    """Return a node [m] written as "14 nm" or "14nm".

    Raises
    ------
    InputError
        If it is not written so.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*nm\s*", text)
    if not match:
        raise InputError(key=option, value=text, expected='one node, such as "7nm"')
    return float(match.group(1)) * 1e-9


class Polynomials:
    """Stillmaker and Baas: energy, delay and area of logic between 7 and 180 nm."""

    def __init__(self) -> None:
        document = read(shipped("tech_params") / "scaling" / "stillmaker-baas.yaml")
        self.file = validate(document, _PolynomialFile)
        self._nodes = sorted(self.file.nodes, key=lambda each: each.node)

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of references.bib."""
        return (self.file.source,)

    def corner(self, node: float, volt: float | None = None) -> Corner:
        """Return a node [m] with its supply [V], the usual one if none is given.

        Raises
        ------
        InputError
            If the node lies outside the table, or the voltage far from the node's usual one.
        """
        low, high = self._nodes[0].node, self._nodes[-1].node
        span = f"{node_text(low)} to {node_text(high)}, the table of Stillmaker and Baas"
        if not _within(node, low, high):
            raise InputError(key="node", value=node_text(node), expected=span)
        usual = _interpolate([(each.node, each.supply) for each in self._nodes], node)
        band = self.file.supply.band
        if volt is not None and abs(volt - usual) > band * (1 + 1e-9):
            expected = f"within {band:g} V of {usual:g} V, the usual supply at {node_text(node)}"
            raise InputError(key="voltage", value=f"{volt:g} V", expected=expected)
        return Corner(node, usual if volt is None else volt)

    def energy(self, source: Corner, target: Corner) -> float:
        """Return the factor of the energy of an operation."""
        return self._value("energy", target) / self._value("energy", source)

    def delay(self, source: Corner, target: Corner) -> float:
        """Return the factor of the delay."""
        return self._value("delay", target) / self._value("delay", source)

    def area(self, source: float, target: float) -> float:
        """Return the factor of the area, from node [m] to node [m].

        Between nodes of the table the factor to a listed node is interpolated linearly in the node; where neither node
        is listed, over 14 nm.
        """
        listed = self.file.areas
        here, there = (next((each for each in listed if _close(each, node)), None) for node in (source, target))
        if there is not None:
            return _interpolate(sorted((each, row[there]) for each, row in listed.items()), source)
        if here is not None:
            return 1.0 / self.area(target, source)
        return self.area(source, 14e-9) / self.area(target, 14e-9)

    def _value(self, name: str, corner: Corner) -> float:
        points = [(each.node, _polynomial(getattr(each, name), corner.volt)) for each in self._nodes]
        return _interpolate(points, corner.node)


class Tables:
    """Log-log interpolation between the published tables for 45 nm and 7 nm."""

    def __init__(self) -> None:
        self.file = validate(read(shipped("tech_params") / "scaling" / "table-interpolation.yaml"), _TableFile)

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of references.bib."""
        return tuple(self.file.source)

    def covers(self, *nodes: float) -> bool:
        """Whether all the nodes [m] lie between those of the tables."""
        old, new = self.file.nodes
        return all(_within(node, new, old) for node in nodes)

    def check(self, *nodes: float) -> None:
        """Refuse nodes [m] outside the tables.

        Raises
        ------
        InputError
            If one is; with the rule that reaches further.
        """
        old, new = self.file.nodes
        for node in nodes:
            if not self.covers(node):
                raise InputError(
                    key="node", value=node_text(node),
                    expected=f"{node_text(new)} to {node_text(old)}, the published tables of table-interpolation",
                    hint="The rule stillmaker-baas reaches up to 180 nm" if node > old else None,
                )  # fmt: skip

    def row(self, name: str, source: float, target: float) -> float:
        """Return the factor of an operation's energy from node [m] to node [m]."""
        if name not in self.file.rows:
            known = self.file.rows
            raise InputError(key="row", value=name, expected=f"one of {', '.join(known)}", hint=nearest(name, known))
        old, new = self.file.rows[name]
        return self._power(old / new, source, target)

    def memory(self, capacity_bit: float, source: float, target: float) -> float:
        """Return the factor of the energy of an access to a memory of a capacity [bit]."""
        ratios = [(math.log(size), math.log(old / new)) for size, old, new in self.file.memory]
        here = min(max(math.log(capacity_bit), ratios[0][0]), ratios[-1][0])
        return self._power(math.exp(_interpolate(ratios, here)), source, target)

    def _power(self, ratio: float, source: float, target: float) -> float:
        self.check(source, target)
        old, new = self.file.nodes
        return float(ratio ** (math.log(target / source) / math.log(old / new)))


@cache
def polynomials() -> Polynomials:
    """Return Stillmaker and Baas's rule, read once."""
    return Polynomials()


@cache
def tables() -> Tables:
    """Return the rule of the two tables, read once."""
    return Tables()


def wire(source: Corner, target: Corner) -> float:
    """Return the factor of a wire's energy per length: the capacitance per length stays, energy follows V^2."""
    return (target.volt / source.volt) ** 2


def span(factors: Mapping[str, float]) -> tuple[float, float]:
    """Return the least and the largest of the rules' factors."""
    return min(factors.values()), max(factors.values())


def _polynomial(coefficients: Sequence[float], x: float) -> float:
    value = 0.0
    for coefficient in coefficients:
        value = value * x + coefficient
    return value


def _interpolate(points: Sequence[tuple[float, float]], x: float) -> float:
    """Interpolate linearly; exact at the points, the last piece beyond rounding at the ends."""
    for place, value in points:
        if _close(place, x):
            return value
    upper = min(max(bisect_left([place for place, _ in points], x), 1), len(points) - 1)
    (x0, y0), (x1, y1) = list(pairwise(points))[upper - 1]
    return y0 + (x - x0) / (x1 - x0) * (y1 - y0)


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9)


def _within(value: float, low: float, high: float) -> bool:
    return low * (1 - 1e-9) <= value <= high * (1 + 1e-9)
