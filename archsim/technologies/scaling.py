"""Scale a technology to another node: a new file in which every figure says by which rule, or why not.

Digital figures take a rule's factor; the other rule's factor widens their range, so that the difference of the two is
shown. Wires keep their capacitance per length. Analog blocks, devices, leakage and links stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from archsim.accounting.figure_text import Origin
from archsim.accounting.figures import AreaFigure, Figure, Time
from archsim.accounting.technology import Technology
from archsim.base.errors import InputError, nearest
from archsim.base.files import display, write_text
from archsim.base.units import show
from archsim.technologies import nodes
from archsim.technologies.declared import WHY_NOT, Declared, circuit
from archsim.technologies.nodes import RULES, Corner, node_text, polynomials, read_node, tables
from archsim.technologies.writing import (
    DIGITS,
    area_content,
    dump,
    figure_content,
    head,
    origin_content,
    parent,
    place,
    time_content,
)  # fmt: skip

ONE_CAPACITY = 32 * 1024 * 8.0
"""Capacity [bit] whose row stands for a memory figure that does not depend on capacity: the middle of the table."""
_SOURCES: dict[str, Callable[[], tuple[str, ...]]] = {
    "stillmaker-baas": lambda: polynomials().sources,
    "table-interpolation": lambda: tables().sources,
    "wire": lambda: ("keckler2011",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where a technology is scaled, and how.

    Parameters
    ----------
    source, target : Corner
    rule : one of `nodes.RULES`, for the central value
    declared : what the units of chips say of actions, parts and times
    times : whether clocks and accesses of memory are scaled by the delay
    keep : names of figures and areas left as they are
    """

    source: Corner
    target: Corner
    rule: str
    declared: Declared
    times: bool = False
    keep: Collection[str] = ()

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True, slots=True)
class Scaled:
    """What became of one figure, time or area.

    Parameters
    ----------
    section, name : str
    circuit : kind of circuit, or "kept"
    before, after : text with unit
    factor : float
        Of the value; 1 where it was not scaled.
    factors : mapping
        Rule -> factor, of all published rules that apply.
    low, high : text with unit, of the new range
    why_not : reason, where it was not scaled
    """

    section: str
    name: str
    circuit: str
    before: str
    after: str
    factor: float
    factors: dict[str, float]
    low: str
    high: str
    why_not: str


def move(
    technology: Technology,
    node: str,
    *,
    declared: Declared,
    rule: str = RULES[0],
    source_node: str | None = None,
    volt: float | None = None,
    source_volt: float | None = None,
    times: bool = False,
    keep: Collection[str] = (),
) -> Move:
    """Return a checked move of a technology to a node.

    Parameters
    ----------
    technology : Technology
    node : target, such as "7nm"
    declared : what the units of chips say of actions, parts and times
    rule : one of `nodes.RULES`
    source_node : the technology's own node, where the file does not say one alone
    volt, source_volt : float [V]
        Supplies; the usual ones of the nodes if not given.
    times, keep : as for `Move`

    Raises
    ------
    InputError
        If a rule, a node, a voltage or a name is unknown or outside its table.
    """
    if rule not in RULES:
        raise InputError(key="--rule", value=rule, expected=f"one of {', '.join(RULES)}", hint=nearest(rule, RULES))
    try:
        start = read_node(source_node or technology.node, "--from-node" if source_node else "node")
    except InputError as error:
        file = None if source_node else display(technology.path)
        hint = None if source_node else "--from-node says it instead"
        raise InputError(file=file, key=error.key, value=error.value, expected=error.expected, hint=hint) from error
    known = [*technology.figures, *technology.areas]
    for name in keep:
        if name not in known:
            raise InputError(key="--keep", value=name, expected="a figure or an area", hint=nearest(name, known))
    end = read_node(node, "--node")
    if rule == "table-interpolation":
        tables().check(start, end)
    table = polynomials()
    return Move(table.corner(start, source_volt), table.corner(end, volt), rule, declared, times, tuple(keep))


def scale(technology: Technology, how: Move, out: Path) -> list[Scaled]:
    """Write a technology scaled to another node, and return what became of each figure.

    Parameters
    ----------
    technology : Technology
    how : Move
    out : file to write; it extends the technology

    Raises
    ------
    InputError
        If nothing says what kind of circuit a figure is.
    """
    done: list[Scaled] = []
    content = head(
        out.stem, f"{technology.title}; scaled to {node_text(how.target.node)} by {how.rule}",
        node_text(how.target.node), parent(technology, out),
    )  # fmt: skip
    content["times"] = {time.name: _time(time, how, done) for time in technology.times.values()}
    content["figures"] = {figure.name: _figure(figure, how, done) for figure in technology.figures.values()}
    content["areas"] = {area.name: _area(area, how, done) for area in technology.areas.values()}
    write_text(out, _comment(technology, how) + dump(content))
    return done


def _comment(technology: Technology, how: Move) -> str:
    both = tables().covers(how.source.node, how.target.node)
    other = "covers both rules" if both else "knows one rule only: the nodes lie outside the tables for 45 and 7 nm"
    clock = (
        "scaled by the delay of Stillmaker and Baas, and the clock with it"
        if how.times
        else "not scaled: a clock is a decision of a design"
    )
    return (
        f"# {technology.name} scaled, {how}, by {how.rule}. Written by `archsim tech scale`.\n"
        f"# Every figure says how it was scaled, or that it was not; the range of a scaled one {other}.\n"
        f"# Times: {clock}.\n"
    )


def _figure(figure: Figure, how: Move, done: list[Scaled]) -> dict[str, Any]:
    kind, why = _kind(figure, how, "figures")
    show_price = partial(show, unit=figure.unit, digits=4)
    if why or not figure.value:
        why = why or "zero stays zero"
        done.append(_stays(figure, "figures", kind, show_price, why))
        return figure_content(figure) | _kept_origin(figure.origin, how, why)
    actions = figure.prices or figure.covers
    factors = _energy_factors(kind, figure, actions, how)
    factor = factors[how.rule]
    least, most = nodes.span(factors)
    value, low, high = figure.value * factor, figure.low * least, figure.high * most
    points = tuple((size, price * _energy_factors(kind, figure, actions, how, size)[how.rule])
                   for size, price in figure.points)  # fmt: skip
    done.append(Scaled("figures", figure.name, kind, show_price(figure.value), show_price(value), factor, factors,
                       show_price(low), show_price(high), ""))  # fmt: skip
    content = figure_content(figure, value=value, low=low, high=high, points=points)
    rules = ("wire",) if kind == "wire" else tuple(factors)
    return content | _scaled_origin(figure, _words(kind, actions, how, factors), rules, how,
                                    show(figure.value, figure.unit, DIGITS))  # fmt: skip


def _energy_factors(
    kind: str, figure: Figure, actions: Collection[str], how: Move, capacity: float | None = None
) -> dict[str, float]:
    """Return rule -> factor of an energy, for every published rule that applies."""
    if kind == "wire":
        return dict.fromkeys(RULES, nodes.wire(how.source, how.target))
    found = {"stillmaker-baas": polynomials().energy(how.source, how.target)}
    ends = how.source.node, how.target.node
    if tables().covers(*ends):
        if kind == "memory":
            size = capacity or figure.at.get("capacity", ONE_CAPACITY)
            found["table-interpolation"] = tables().memory(size, *ends)
        else:
            found["table-interpolation"] = tables().row(how.declared.row(actions)[0], *ends)
    return found


def _area(area: AreaFigure, how: Move, done: list[Scaled]) -> dict[str, Any]:
    kind, why = _kind(area, how, "areas")
    show_area = partial(show, unit=area.unit, digits=4)
    if why or not area.value:
        why = why or "zero stays zero"
        done.append(_stays(area, "areas", kind, show_area, why))
        return area_content(area) | _kept_origin(area.origin, how, why)
    factor = polynomials().area(how.source.node, how.target.node)
    factors = {"stillmaker-baas": factor}
    done.append(Scaled("areas", area.name, kind, show_area(area.value), show_area(area.value * factor), factor, factors,
                       show_area(area.low * factor), show_area(area.high * factor), ""))  # fmt: skip
    words = f"x {factor:.4g}, the area table of Stillmaker and Baas"
    if not _listed(how):
        words += ", interpolated in the node"
    return area_content(area, factor) | _scaled_origin(area, words, factors, how, show(area.value, area.unit, DIGITS))


def _time(time: Time, how: Move, done: list[Scaled]) -> dict[str, Any]:
    show_time = partial(show, unit="s", digits=4)
    if not how.times:
        why = "a clock is a decision of a design; --times scales it by the delay"
        done.append(_stays(time, "times", "time", show_time, why))
        return time_content(time) | _kept_origin(time.origin, how, why)
    kind = circuit([time.name], how.declared.times, f"times.{time.name}")
    if kind in WHY_NOT or not time.value:
        done.append(_stays(time, "times", kind, show_time, WHY_NOT.get(kind, "zero stays zero")))
        return time_content(time) | _kept_origin(time.origin, how, WHY_NOT.get(kind, "zero stays zero"))
    factor = polynomials().delay(how.source, how.target)
    factors = {"stillmaker-baas": factor}
    done.append(Scaled("times", time.name, kind, show_time(time.value), show_time(time.value * factor), factor, factors,
                       show_time(time.low * factor), show_time(time.high * factor), ""))  # fmt: skip
    words = f"x {factor:.4g}, the delay polynomial of Stillmaker and Baas, {how}, in whole picoseconds"
    return time_content(time, factor) | _scaled_origin(time, words, factors, how, show(time.value, "s", DIGITS))


def _kind(item: Figure | AreaFigure, how: Move, section: str) -> tuple[str, str]:
    """Return the kind of circuit and, if it is not scaled, why."""
    if item.name in how.keep:
        return "kept", "kept as it is by --keep"
    known = how.declared.actions if section == "figures" else how.declared.parts
    kind = circuit(item.prices + item.covers, known, f"{section} {item.name}")
    return kind, WHY_NOT.get(kind, "")


def _stays(item: Figure | AreaFigure | Time, section: str, kind: str, text: Callable[[float], str], why: str) -> Scaled:
    value = text(item.value)
    return Scaled(section, item.name, kind, value, value, 1.0, {}, text(item.low), text(item.high), why)


def _words(kind: str, actions: Collection[str], how: Move, factors: dict[str, float]) -> str:
    """Return how an energy was scaled, and what the other rule would have given."""
    if kind == "wire":
        return (f"x {factors[how.rule]:.4g}, the square of {how.target.volt:g}/{how.source.volt:g} V: capacitance per "
                "length stays, energy follows the voltage squared, by either rule")  # fmt: skip
    row, own = how.declared.row(actions)
    row = "the 64-bit access of a memory of its capacity" if kind == "memory" else f"the row {row}"
    proxy = "" if own or kind == "memory" else (
        ", the smallest datapath, for want of a row of its own")  # fmt: skip
    texts = {
        "table-interpolation": f"the log-log interpolation of the published tables for 45 nm and 7 nm, {row}{proxy}",
        "stillmaker-baas": f"the energy polynomials of Stillmaker and Baas, {how}",
    }
    words = f"x {factors[how.rule]:.4g}, {texts[how.rule]}"
    others = [f"{texts[rule]}, would give x {factor:.4g}" for rule, factor in factors.items() if rule != how.rule]
    return "; ".join([words, *others, "the range covers both" if others else "the other rule does not reach there"])


def _listed(how: Move) -> bool:
    places = list(polynomials().file.areas)
    return all(any(abs(node / each - 1) < 1e-9 for each in places) for node in (how.source.node, how.target.node))


def _kept_origin(origin: Origin, how: Move, why: str) -> dict[str, Any]:
    """Return the origin of what was not scaled, with a note that says so."""
    content = origin_content(origin)
    note = f"not scaled to {node_text(how.target.node)}: {why}"
    return content | {"note": f"{content['note']}; {note}" if "note" in content else note}


def _scaled_origin(
    item: Figure | AreaFigure | Time, words: str, rules: Collection[str], how: Move, before: str
) -> dict[str, Any]:
    """Return the origin of what was scaled: its chain of sources, the rule and the factor."""
    origin = item.origin
    keys = dict.fromkeys([*origin.sources, *(key for rule in rules for key in _SOURCES[rule]())])
    chain = f"; there by: {origin.derived_by}" if origin.derived_by else ""
    content: dict[str, Any] = {
        "basis": "derived",
        "source": list(keys),
        "where": origin.where or f"nowhere published: assumed, {origin.why}",
        "derived_by": f"{place(item)}, {before} at {node_text(how.source.node)}, {words}{chain}",
        "original": {"value": before, "where": place(item)},
    }
    if origin.node:
        content["node"] = origin.node
    if origin.note:
        content["note"] = origin.note
    if origin.calibrated:  # a calibrated figure stays recognisable as one
        content |= {"basis": "calibrated", "calibrated": origin.calibrated.model_dump()}
    return content
