"""The bill: ledger amounts x figures. The only place where an amount becomes a joule.

Every row is priced by exactly one figure; every line keeps amount, figure, price and source, so a joule can be traced.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from archsim.accounting.ledger import FUNCTIONS, Entry, Row
from archsim.accounting.technology import Technology, unit_price
from archsim.base.errors import InputError, ModelError, nearest
from archsim.base.files import display

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one entry.

    Parameters
    ----------
    entry : Entry
    figure : name of the figure, or None where nothing prices the entry
    price : float [J per unit of the entry's amount]
    basis, source : basis of the figure, its keys of references.bib joined by ", "
    reason : why the price is zero: covered by another figure, or the figure's own reason; otherwise empty
    """

    entry: Entry
    figure: str | None
    price: float
    basis: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill: a row of the ledger with its price.

    `amount` is in `unit` ("" is a plain count), `price` in J per `unit`, `energy_J` their product. `inside` says
    whether the action's function lies inside the boundary of the account; a line outside may have no figure and then
    costs 0. `part` is the part of the chip that the action belongs to.
    """

    phase: str
    layer: str
    component: str
    action: str
    key: str
    function: str
    part: str
    inside: bool
    amount: float
    unit: str
    figure: str | None
    price: float
    energy_J: float  # noqa: N815  the column's name, with its unit
    basis: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Bill:
    """The lines of one run, priced by one technology."""

    lines: tuple[Line, ...]

    def total(
        self,
        *,
        phase: str | Collection[str] | None = None,
        layer: str | Collection[str] | None = None,
        component: str | Collection[str] | None = None,
        function: str | Collection[str] | None = None,
        inside: bool | None = True,
    ) -> float:
        """Return the energy [J] of the lines that match, correctly rounded.

        Parameters
        ----------
        phase, layer, component, function : str or collection of str
            One value or several; None for all. `signal.STEP_PHASES` are the phases of a training step.
        inside : bool
            True for the lines inside the boundary, False for those outside, None for both.
        """
        wanted = {
            name: {value} if isinstance(value, str) else set(value)
            for name, value in (("phase", phase), ("layer", layer), ("component", component), ("function", function))
            if value is not None
        }
        return math.fsum(
            line.energy_J
            for line in self.lines
            if (inside is None or line.inside == inside)
            and all(getattr(line, name) in values for name, values in wanted.items())
        )

    def by(self, *columns: str, inside: bool | None = True) -> dict[Any, float]:
        """Return the energy [J] summed over all but the named columns.

        Parameters
        ----------
        columns : names of columns of `Line`
        inside : bool
            As for `total`.

        Returns
        -------
        dict
            Value of the column (a tuple of values for several columns) -> energy, in the order of the lines. Since
            every price is linear in its figure, `by("figure")` times factors is the bill of other figures.

        Raises
        ------
        InputError
            If a column is unknown.
        """
        known = [field.name for field in fields(Line)]
        for column in columns:
            if column not in known:
                raise InputError(key="column", value=column, expected=", ".join(known), hint=nearest(column, known))
        groups: dict[Any, list[float]] = {}
        for line in self.lines:
            if inside is None or line.inside == inside:
                values = tuple(getattr(line, column) for column in columns)
                groups.setdefault(values[0] if len(values) == 1 else values, []).append(line.energy_J)
        return {values: math.fsum(energies) for values, energies in groups.items()}

    def table(self) -> pd.DataFrame:
        """Return the lines as a table, one row a line; `price` becomes `price_J_per_unit`, a missing figure ""."""
        import pandas as pd

        names = [field.name for field in fields(Line)]
        rows = [[getattr(line, name) for name in names] for line in self.lines]
        table = pd.DataFrame(rows, columns=pd.Index(names)).rename(columns={"price": "price_J_per_unit"})
        table["figure"] = table["figure"].fillna("")
        return table


def price(
    rows: Iterable[Row],
    entries: Iterable[Entry],
    technology: Technology,
    inside: Iterable[str],
    factors: Mapping[str, float] | None = None,
) -> Bill:
    """Price a ledger.

    Parameters
    ----------
    rows : the ledger's rows
    entries : the actions of the chip with their sizes
    technology : Technology
    inside : names of `ledger.FUNCTIONS` inside the boundary of the account
    factors : figure name -> factor on its value, for sensitivity studies; 1 where not given

    Returns
    -------
    Bill
        One line a row. Lines outside the boundary are priced where a figure exists, and are in no total by default.

    Raises
    ------
    ModelError
        If a row inside the boundary has no figure, or belongs to no entry; names the row and how often it ran, and all
        other actions without a figure.
    InputError
        If `inside` names an unknown function, or a figure does not fit an entry's unit or size.
    """
    boundary = _functions(inside)
    priced = prices(entries, technology, factors)
    booked = list(rows)
    _check_figures(booked, priced, technology, boundary)
    return Bill(tuple(_line(row, priced, boundary) for row in booked))


def prices(
    entries: Iterable[Entry], technology: Technology, factors: Mapping[str, float] | None = None
) -> dict[tuple[str, str], Price]:
    """Return the unit price of every entry, by (component, action).

    Parameters
    ----------
    entries, technology, factors : as for `price`

    Raises
    ------
    InputError
        If a figure does not fit an entry, or a factor is negative or names no figure.
    ModelError
        If two entries of one component and action ask for different prices.
    """
    scale = _factors(technology, factors or {})
    found: dict[tuple[str, str], Price] = {}
    for entry in entries:
        name = (entry.component, entry.key.partition(".")[2])
        priced = _price(entry, technology, scale)
        other = found.setdefault(name, priced)
        if (other.entry.key, other.price) != (entry.key, priced.price):
            raise ModelError(f"{entry.component}: two units share this name but not the price of {entry.key!r}")
    return found


def price_ends(entries: Iterable[Entry], technology: Technology) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the unit price [J per unit] of every entry with its figure at the low and at the high end of its range.

    Parameters and errors as for `prices`.
    """
    entries = list(entries)
    low, high = (
        prices(entries, replace(technology, figures={
            name: replace(figure, value=getattr(figure, end)) for name, figure in technology.figures.items()
        }))
        for end in ("low", "high")
    )  # fmt: skip
    return {name: (low[name].price, high[name].price) for name in low}


def _price(entry: Entry, technology: Technology, scale: Mapping[str, float]) -> Price:
    figure = technology.figure_for(entry.key)
    if figure is None:
        return Price(entry, None, 0.0, "", "", "no figure prices it")
    basis, source = figure.origin.basis, figure.origin.named
    if entry.key in technology.covering:
        return Price(entry, figure.name, 0.0, basis, source, f"contained in {figure.name}")
    reason = "" if figure.value else (figure.origin.why or "")
    return Price(entry, figure.name, unit_price(figure, entry) * scale.get(figure.name, 1.0), basis, source, reason)


def _check_figures(
    rows: Iterable[Row], priced: Mapping[tuple[str, str], Price], technology: Technology, boundary: Collection[str]
) -> None:
    """Refuse rows inside the boundary that no figure prices, the first with how often it ran, all by name."""
    lacking: dict[str, Row] = {}
    for row in rows:
        found = priced.get((row.component, row.action))
        if found is not None and found.figure is None and found.entry.action.function in boundary:
            lacking.setdefault(found.entry.key, row)
    if lacking:
        (key, row), *others = lacking.items()
        unit = priced[row.component, row.action].entry.action.unit
        hint = nearest(key, technology.pricing)
        raise ModelError(
            f"{display(technology.path)}: no figure prices {key!r}, which ran {row.amount:g} {unit or 'times'} "
            f"({_where(row)})" + (f". {hint}" if hint and not others else "")
            + (f"; nor does one price {', '.join(other for other, _ in others)}" if others else "")
        )  # fmt: skip


def _where(row: Row) -> str:
    return f"phase {row.phase}, layer {row.layer}, component {row.component}, action {row.action}"


def _line(row: Row, priced: Mapping[tuple[str, str], Price], boundary: Collection[str]) -> Line:
    found = priced.get((row.component, row.action))
    if found is None:
        known = [f"{component} {action}" for component, action in priced]
        hint = nearest(f"{row.component} {row.action}", known)
        told = f"ledger row ({_where(row)}): no entry of the chip declares it"
        raise ModelError(told + (f". {hint}" if hint else ""))
    entry = found.entry
    inside = entry.action.function in boundary
    return Line(
        phase=row.phase, layer=row.layer, component=row.component, action=row.action, key=entry.key,
        function=entry.action.function, part=entry.action.part, inside=inside, amount=row.amount,
        unit=entry.action.unit, figure=found.figure, price=found.price,
        energy_J=row.amount * found.price, basis=found.basis, source=found.source,
        reason=found.reason,
    )  # fmt: skip


def _functions(inside: Iterable[str]) -> frozenset[str]:
    names = frozenset(inside)
    for name in sorted(names):
        if name not in FUNCTIONS:
            raise InputError(
                key="inside", value=name, expected=f"one of {', '.join(FUNCTIONS)}", hint=nearest(name, FUNCTIONS)
            )
    return names


def _factors(technology: Technology, factors: Mapping[str, float]) -> Mapping[str, float]:
    for name, factor in factors.items():
        if name not in technology.figures:
            known = technology.figures
            raise InputError(key="factors", value=name, expected="the name of a figure", hint=nearest(name, known))
        if not (math.isfinite(factor) and factor >= 0):
            raise InputError(key=f"factors.{name}", value=factor, expected="a finite factor, not negative")
    return factors
