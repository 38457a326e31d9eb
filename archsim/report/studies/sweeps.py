"""The table of a sweep for reading: rows chosen and sorted, and columns with their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from archsim.base.errors import InputError, nearest
from archsim.records.sweeps.sweep import CHIP, DEFINITION, FIXED, TECHNOLOGY, Quantity, Sweep
from archsim.studies.sweeps.conditions import Condition, hold
from archsim.studies.sweeps.conditions import read as read_condition
from archsim.studies.sweeps.measures import NUMBER, WORDS, Kind, of_axis, of_quantity, of_texts, of_unit

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

SHORT = {
    "energy_per_sample_J": "energy", "latency_per_sample_s": "time", "edp_per_sample_Js": "EDP", "ops_per_J": "TOPS/W",
    "energy_ratio": "ratio",
}  # fmt: skip
"""Quantities of a sample -> what stands above them."""
_SAID = {"state": ("done", "failed", "stopped"), "how": ("trained", "retimed", "priced", "estimated")}
"""Columns of words -> what a sweep says there."""
LONGEST = 60
"""Letters of a reason in a table."""
WIDEST = 1000
"""Letters of a line where no terminal has fewer: a table takes what its cells take, and none is broken."""


def chosen(
    sweep: Sweep, conditions: Sequence[str] = (), *, sort: str | None = None, best: int | None = None,
    to_read: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Return the rows of a sweep that fulfil all conditions, sorted; those without numbers last.

    Parameters
    ----------
    sweep : Sweep
    conditions : such as "accuracy >= 97 %" or "tile.rows <= 256", over columns and quantities
    sort : a quantity, the best first, or a column; by default the first quantity if `best` is given
    best : int, optional
        So many rows, of those that have numbers.
    to_read : bool
        Of the best, have a chip that no parameter changes but once, as pictures have it.

    Raises
    ------
    InputError
        If a name is unknown, or a condition cannot be read.
    """
    if best is not None and best < 1:
        raise InputError(key="--best", value=best, expected="a whole number from 1 on")
    rows = sweep.frame
    if conditions:
        names, kinds = _names(sweep), _kinds(sweep)
        told = [read_condition(text, kinds, option="--where") for text in conditions]
        rows = rows.loc[[_holds(told, names, row) for row in rows.to_dict("records")]]
    if best is not None:
        rows = rows[rows["state"] == "done"]
        rows = once(sweep, rows) if to_read and len(rows) else rows
    if sort is None and best is not None:
        sort = sweep.quantities[0].name
    if sort is not None:
        quantity = _quantity(sweep, sort)
        column = quantity.name if quantity else _column(sweep, sort, "--sort")
        rows = rows.sort_values(column, ascending=not (quantity and quantity.better == "high"), kind="stable")
    if best is not None:
        rows = rows.head(best)
    return rows


def once(sweep: Sweep, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with one of each chip and technology whose quantities are alike in all of its designs."""
    import pandas as pd

    columns = [axis.column for axis in sweep.axes if axis.column not in (CHIP, TECHNOLOGY)]
    quantities = [each.name for each in sweep.quantities]
    groups = list(rows.groupby([CHIP, TECHNOLOGY], sort=False))
    kept = []
    for _, own in groups:
        alike = len(groups) > 1 and len(own) > 1 and (own[quantities].nunique(dropna=False) == 1).all()
        # a copy whose cells may all be missing: of whole numbers too
        kept.append(own.head(1).astype(dict.fromkeys(columns, object)).assign(**_missing(columns)) if alike else own)
    return pd.concat(kept).sort_index().infer_objects().reset_index(drop=True)


def _missing(columns: Sequence[str]) -> dict[str, Any]:
    return dict.fromkeys(columns, np.nan)


def broken(sweep: Sweep, rows: pd.DataFrame) -> list[list[str]]:
    """Return the constraints of a search that each row breaks, as they were given; of a sweep there are none.

    What is not known fulfils nothing.
    """
    asked = sweep.definition.get("search")
    texts = asked.get("subject_to") if isinstance(asked, dict) else None
    if not isinstance(texts, list) or not texts:
        return [[] for _ in range(len(rows))]
    fixed = {str(key): str(value) for key, value in (sweep.definition.get("settings") or {}).items()}
    names, kinds = _names(sweep), {key: of_texts([value]) for key, value in fixed.items()} | _kinds(sweep)
    told = [read_condition(str(text), kinds, option=str(sweep.path / DEFINITION)) for text in texts]
    return [
        [
            each.text
            for each in told
            if not each.holds({**fixed, **{name: row[column] for name, column in names.items()}})
        ]
        for row in rows.to_dict("records")
    ]


def _names(sweep: Sweep) -> dict[str, str]:
    """Return every name that a condition may ask for -> its column."""
    found = {str(column): str(column) for column in sweep.frame.columns}
    for axis in sweep.axes:
        found[axis.key] = axis.column
    for each in sweep.quantities:
        found |= dict.fromkeys(each.words, each.name)
    return found


def _kinds(sweep: Sweep) -> dict[str, Kind]:
    """Return every name that a condition may ask for -> what it is measured in."""
    found = {str(column): WORDS for column in sweep.frame.columns}
    for column in [each for each in (*_SAID, CHIP, TECHNOLOGY) if each in found]:
        told = [str(each) for each in sweep.frame[column].dropna().unique()]
        found[column] = of_texts(dict.fromkeys([*_SAID.get(column, ()), *told]))
    found |= {part: of_unit("J", bare=True) for part in sweep.parts.values()} | {"seeds": NUMBER}
    for axis in sweep.axes:
        found |= {word: of_axis(axis, word) for word in (axis.key, axis.column)}
    for each in sweep.quantities:
        found |= {word: of_quantity(each, word) for word in each.words}
        found[each.spread] = of_quantity(each, each.name)
    return found


def _holds(conditions: Sequence[Condition], names: Mapping[str, str], row: Mapping[Any, Any]) -> bool:
    asked = {name for each in conditions for name in each.names}
    return hold(conditions, {name: row[names[name]] for name in asked})


def _quantity(sweep: Sweep, name: str) -> Quantity | None:
    return next((each for each in sweep.quantities if name in each.words), None)


def _column(sweep: Sweep, name: str, option: str) -> str:
    """Return the column of that name, or of an axis or quantity of it."""
    names = _names(sweep)
    if name not in names:
        known = ", ".join(map(str, sweep.frame.columns))
        raise InputError(key=option, value=name, expected=f"one of {known}", hint=nearest(name, names))
    return names[name]


def named(sweep: Sweep, told: str | None) -> list[str]:
    """Return the columns to be shown: those told, or axes and quantities, with states where not all is done.

    Raises
    ------
    InputError
        If one is unknown.
    """
    if told is not None:
        return [_column(sweep, name.strip(), "--columns") for name in told.split(",")]
    frame = sweep.frame
    whole = bool((frame["state"] == "done").all())
    axes = [axis.column for axis in sweep.axes]
    more = [CHIP, *([TECHNOLOGY] if frame[TECHNOLOGY].nunique() > 1 else [])]
    own = [each.name for each in sweep.quantities if frame[each.name].notna().any()]
    return list(dict.fromkeys([*axes, *more, *([] if whole else ["state", "reason"]), "how", *own]))


def table(sweep: Sweep, rows: pd.DataFrame, names: Sequence[str]) -> Table:
    """Return rows as a table, numbers with their units."""
    from rich.table import Table

    found = Table(box=None, pad_edge=False, header_style="bold")
    quantities = {each.name: each for each in sweep.quantities}
    axes = {axis.column: axis for axis in sweep.axes}
    for name in names:
        quantity, axis = quantities.get(name), axes.get(name)
        title = SHORT.get(name, quantity.title) if quantity else axis.key if axis else name
        words = name in (CHIP, TECHNOLOGY, *FIXED)
        found.add_column(title, justify="left" if words else "right", overflow="fold")
    for row in rows.to_dict("records"):
        cells = []
        for name in names:
            value, quantity = row[name], quantities.get(name)
            if value is None or value != value:  # noqa: PLR0124  NaN: an empty cell
                cells.append("")
            elif quantity:
                deviation = row.get(quantity.spread)
                spread = f" ({quantity.text(deviation, 2)})" if deviation and deviation == deviation else ""  # noqa: PLR0124
                cells.append(quantity.text(value) + spread)
            elif name in axes:
                cells.append(axes[name].text(value))
            else:
                cells.append(f"{value:.4g}" if isinstance(value, float) else str(value)[:LONGEST])
        found.add_row(*cells)
    return found
