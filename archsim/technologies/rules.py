"""One scaling rule for a whole technology: figures computed again from the printed numbers they come from.

A scaled figure keeps the printed values with their nodes (`scaled` in the file), for arithmetic and memory alike. The
technology names the rule by which its values were computed (`scaling`); any other rule gives other values of the same
figures, by the same sums. What is native to the node, analog, of a device or a time has no `scaled` and stays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.accounting.figure_text import Printed, ScaledText, Term
from archsim.accounting.figures import Figure
from archsim.accounting.laws import over_capacity
from archsim.accounting.technology import Technology
from archsim.base import units
from archsim.base.errors import InputError, nearest
from archsim.base.files import display
from archsim.base.units import show
from archsim.technologies import nodes
from archsim.technologies.nodes import Corner, polynomials, read_node, tables
from archsim.technologies.writing import figure_content, origin_content

TABLES, POLYNOMIALS = nodes.RULES
OLDER, NEWER = f"{POLYNOMIALS}-older", f"{POLYNOMIALS}-newer"
RULES = (TABLES, POLYNOMIALS, OLDER, NEWER)
"""Names of the rules: the two of `nodes`, and the second from printed numbers of older or of newer nodes alone (those
of the node itself count as both). Where a figure has none of the kind, all its numbers are taken."""
CLOSE = 0.006
"""A stated value may differ so much from the computed one: it is rounded to three digits."""
TIMES = "times stay, for the tables print energies alone, and every rule takes the one delay polynomial there is"
"""Why no rule changes a time. Sources: horowitz2014, jouppi2021 tabulate energies, stillmaker2017 has delays, too. The
access of a memory is the one time that was scaled, from 22 nm; its older and newer number are ends of its range."""
_DIMENSIONS = {"J/bit": "J", "J/bit/m": "J/m", "W/bit": "W"}


@dataclass(frozen=True, slots=True)
class Computed:
    """What a rule makes of a figure: its value [the figure's unit], and its points (size [bit], value)."""

    value: float
    points: tuple[tuple[float, float], ...]


def check_rule(name: str, option: str = "--figure-rule") -> str:
    """Return the name of a rule.

    Raises
    ------
    InputError
        If there is none of that name; with the known ones and the nearest.
    """
    if name not in RULES:
        raise InputError(key=option, value=name, expected=f"one of {', '.join(RULES)}", hint=nearest(name, RULES))
    return name


def compute(figure: Figure, rule: str) -> Computed:
    """Return what a rule makes of a figure; a figure without `scaled` stays what it is.

    Raises
    ------
    InputError
        If a printed number, a node, a row or a size is not what it has to be; with the figure's file and line.
    """
    scaled = figure.origin.scaled
    if scaled is None:
        return Computed(figure.value, figure.points)
    try:
        if scaled.points:
            return _curve(figure, scaled, rule)
        return Computed(_sum(scaled.terms, scaled, rule, figure.unit), figure.points)
    except InputError as error:
        raise InputError(
            error.message, file=display(figure.file), line=figure.line, key=f"figures.{figure.name}.scaled",
            value=error.value, expected=error.expected, hint=error.hint,
        ) from error  # fmt: skip


def has_scaled(technology: Technology) -> bool:
    """Whether any figure of a technology says how it was scaled."""
    return any(figure.origin.scaled for figure in technology.figures.values())


def content(technology: Technology, rule: str) -> dict[str, Any]:
    """Return name -> mapping of every figure of a technology that a rule changes, as a file that extends it says it.

    Raises
    ------
    InputError
        If no figure of the technology says how it was scaled.
    """
    scaled = [figure for figure in technology.figures.values() if figure.origin.scaled]
    if not scaled:
        raise InputError(
            f"{technology.name} says of no figure how it was scaled", key="--figure-rule", value=rule,
            expected="a technology with `scaled`, such as bottom-up-14nm",
        )  # fmt: skip
    return {figure.name: _content(figure, compute(figure, rule), rule, technology) for figure in scaled}


def problems(technology: Technology) -> list[str]:
    """Return what is wrong with the scaled figures of a technology: a value that its own rule does not give."""
    scaled = [figure for figure in technology.figures.values() if figure.origin.scaled]
    if not scaled:
        return []
    where = display(technology.path)
    if technology.scaling is None:
        return [f"{where}: scaling: is missing; expected one of {', '.join(RULES)}, by which figures were scaled"]
    if technology.scaling not in RULES:
        return [f"{where}: scaling: got {technology.scaling!r}; expected one of {', '.join(RULES)}"]
    found = []
    for figure in scaled:
        computed = compute(figure, technology.scaling)
        pairs = [(figure.value, computed.value, "value"), *(
            (old, new, f"points[{index}]")
            for index, ((_, old), (_, new)) in enumerate(zip(figure.points, computed.points, strict=True))
        )]  # fmt: skip
        found += [
            f"{display(figure.file)}:{figure.line}: figures.{figure.name}.{what}: got {show(old, figure.unit, 4)}; "
            f"expected {show(new, figure.unit, 4)}, by {technology.scaling}"
            for old, new, what in pairs
            if not math.isclose(old, new, rel_tol=CLOSE)
        ]
    return found


def _curve(figure: Figure, scaled: ScaledText, rule: str) -> Computed:
    """Return a memory's points and what they make of the value at its reference capacity."""
    points = dict(figure.points)
    for each in scaled.points:
        size = units.parse(each.size, "bit")
        place = next((known for known in points if math.isclose(known, size, rel_tol=1e-9)), None)
        if place is None:
            raise InputError(key="points", value=each.size, expected="the capacity of one of the figure's points")
        points[place] = _sum(each.terms, scaled, rule, figure.unit, size)
    made = tuple(points.items())
    reference = figure.at["capacity"]
    first, _ = made[0]
    return Computed(made[0][1] * over_capacity(made, reference, first), made)


def _sum(terms: Sequence[Term], scaled: ScaledText, rule: str, unit: str, size: float | None = None) -> float:
    target = _corner(scaled.to, scaled.supply)
    return math.fsum(_term(term, target, rule, unit, size) for term in terms)


def _term(term: Term, target: Corner, rule: str, unit: str, size: float | None) -> float:
    """Return a term [unit]: its factor times the weighted geometric mean of its printed numbers, each scaled."""
    chosen = _chosen(term.printed, target, rule)
    logs = [
        each.weight * math.log(units.parse(each.value, _DIMENSIONS.get(unit, unit)) * factor)
        for each in chosen
        for factor in [_factor(term.row, _corner(each.node, each.supply), target, rule, size)]
    ]
    return term.times * math.exp(math.fsum(logs) / math.fsum(each.weight for each in chosen))


def _chosen(printed: Sequence[Printed], target: Corner, rule: str) -> Sequence[Printed]:
    if rule not in {OLDER, NEWER}:
        return printed
    sign = 1 if rule == OLDER else -1
    near = target.node * 1e-9
    found = [each for each in printed if sign * (read_node(each.node, "node") - target.node) >= -near]
    return found or printed


def _factor(row: str, source: Corner, target: Corner, rule: str, size: float | None) -> float:
    if row == "wire":
        return nodes.wire(source, target)
    if rule != TABLES:
        return polynomials().energy(source, target)
    if row != "memory":
        return tables().row(row, source.node, target.node)
    if size is None:
        raise InputError(key="row", value=row, expected="points with a size, for the factor depends on the capacity")
    return tables().memory(size, source.node, target.node)


def _corner(node: str, supply: str | None) -> Corner:
    return polynomials().corner(read_node(node, "node"), units.parse(supply, "V") if supply else None)


def _content(figure: Figure, computed: Computed, rule: str, technology: Technology) -> dict[str, Any]:
    low, high = min(figure.low, computed.value), max(figure.high, computed.value)
    numbers = figure_content(figure, value=computed.value, low=low, high=high, points=computed.points)
    origin = origin_content(figure.origin)
    own = f"; in {technology.name} {show(figure.value, figure.unit, 4)}, by {technology.scaling}: "
    return numbers | origin | {"derived_by": f"by {rule} from the numbers in `scaled`{own}{origin['derived_by']}"}


def table(technology: Technology) -> Mapping[str, Mapping[str, float]]:
    """Return figure -> rule -> value [the figure's unit] of every scaled figure, by every rule."""
    return {
        figure.name: {rule: compute(figure, rule).value for rule in RULES}
        for figure in technology.figures.values()
        if figure.origin.scaled
    }
