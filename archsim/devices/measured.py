"""Measured pulses: conductance before, change, direction, read from a CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.base import csvtext
from archsim.base.arrays import I64
from archsim.base.csvfile import F64, Column, Table, Want, no_unit, read_table
from archsim.base.errors import InputError
from archsim.base.files import display

UP = ("up", "set", "potentiation", "potentiate", "ltp")
DOWN = ("down", "reset", "depression", "depress", "ltd")
"""Words for the direction of a pulse."""
_ONE_WAY = "no column direction: every pulse is taken for SET"
_NEEDS = [("conductance", "change"), ("conductance", "pulse")]


@dataclass(frozen=True, slots=True)
class Pulses:
    """Pulses of a measurement.

    Parameters
    ----------
    before, change : float64 arrays [S], (pulses,)
        Conductance before the pulse, and how much the pulse changed it.
    up : bool array, (pulses,)
        Whether it was a pulse upwards.
    file : Path, optional
        Where they were read from, for errors.
    device : int64 array, (pulses,), optional
        Number of the device that got the pulse, from 0; None if the file does not tell.
    notes : str
        What the reader took for granted, to be said to the user.
    """

    before: F64
    change: F64
    up: NDArray[np.bool_]
    file: Path | None = None
    device: I64 | None = None
    notes: tuple[str, ...] = ()


def read_pulses(path: Path, *, unit: str | None = None) -> Pulses:
    """Read measured pulses from a CSV file, in one of three forms; units stand in the names of the columns.

    A pulse a row: conductance (before it), change, direction, perhaps device. A reading a row: device, perhaps cycle,
    pulse, conductance (after that pulse), direction (of that pulse); the first reading of a device is its start. Or a
    ramp of one device a column, readings after one SET pulse each. Without a direction every pulse is taken for SET.

    Parameters
    ----------
    path : CSV file
    unit : str, optional
        Unit of the conductances where their columns state none.

    Raises
    ------
    InputError
        With file, line and column, for missing columns and units, and values that are no number or no direction.
    """
    option = {"given": unit, "option": "--unit"}
    wants = {
        "conductance": Want(("conductance",), "S", **option), "change": Want(("change",), "S", **option),
        "direction": Want(("direction",)), "device": Want(("device",)), "cycle": Want(("cycle",), ""),
        "pulse": Want(("pulse",), ""),
    }  # fmt: skip
    table = read_table(path, wants, _NEEDS, what="a CSV file of pulses")
    if table.has("change"):
        up, notes = _directions(table, np.ones(len(table.rows), bool))
        device = _numbered(table.text("device")) if table.has("device") else None
        return Pulses(_positive(table), table.quantity("change"), up, path, device, notes)
    if table.has("pulse"):
        return _train(table)
    if table.columns or not all(csvtext.is_number(cell) for cell in table.rows[0] if cell.strip()):
        have = f"has the columns {', '.join(names)}" if (names := table.names()) else "has no column of pulses"
        table.error(
            None, have, expected="conductance (uS), change (uS), direction, or device, pulse, conductance (uS), "
            "direction, or a ramp of numbers a column",
        )  # fmt: skip
    if all(csvtext.is_number(name) for name in table.header if name):
        table.error(None, "has numbers alone", expected='a row of names above them, such as "ramp1 (uS)"')
    return _ramps(table, unit)


def _numbered(names: list[str]) -> I64:
    """Return the number of each name, from 0, in the order of the names."""
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)


def _train(table: Table) -> Pulses:
    """Turn readings in the order of their pulses into changes from each to the next."""
    conductance = _positive(table)
    names = table.text("device") if table.has("device") else ["the device"] * len(table.rows)
    device, pulse = _numbered(names), table.whole("pulse")
    cycle = table.whole("cycle") if table.has("cycle") else np.zeros(pulse.size, np.int64)
    order = np.lexsort((pulse, cycle, device))
    same = np.diff(device[order]) == 0
    new = same & (np.diff(cycle[order]) != 0)
    fresh = new & (pulse[order][1:] == 0)  # a reading before the first pulse of a cycle: no pulse led to it
    gap = np.diff(pulse[order])
    wrong = order[1:][same & ~new & (gap != 1)]
    if wrong.size:
        first = wrong[0]
        restarted = pulse[first] == np.min(pulse[device == device[first]]) and not table.has("cycle")
        table.error(
            "pulse", f"is {pulse[first]} for device {names[first]!r}, which does not follow its reading before",
            line=table.lines[first], expected="a reading after every pulse, pulses numbered one by one",
            hint="A column cycle tells pulses of one number apart." if restarted else None,
        )  # fmt: skip
    wrong = order[1:][new & ~fresh & (pulse[order][1:] != 1)]
    for first in wrong[:1]:
        table.error("pulse", f"begins with {pulse[first]} in cycle {cycle[first]} of device {names[first]!r}",
                    line=table.lines[first], expected="0, the reading before the first pulse, or 1")  # fmt: skip
    given = same & ~fresh
    following, before = order[1:][given], conductance[order[:-1][given]]
    needed = np.zeros(pulse.size, bool)
    needed[following] = True
    up, notes = _directions(table, needed)
    change = conductance[following] - before
    if goes_on := int((new & ~fresh).sum()):
        against = (change > 0) != up[following]
        _check_cycles(table, int(against[(new & ~fresh)[given]].sum()), goes_on)
        notes += (f"{goes_on} cycles have no reading of pulse 0: each goes on from the last reading of the one before",)
    return Pulses(before, change, up[following], table.path, device[following], notes)


def _check_cycles(table: Table, against: int, cycles: int) -> None:
    """Refuse cycles that cannot have gone on from each other, for the device was brought back in between."""
    if 2 * against > cycles:
        table.error(
            "cycle", f"{against} of {cycles} cycles begin with a change against the direction of their pulse",
            expected="pulse 0 in each cycle, the reading before its first pulse, where devices were RESET in between",
        )  # fmt: skip


def _ramps(table: Table, unit: str | None) -> Pulses:
    """Turn columns of readings, a device each, into changes upwards; a column may end before the others."""
    before, change, device = [], [], []
    for place, header in enumerate(table.header):
        name, stated = _ramp_name(header)
        column = Column(place, header, stated, Want((name or f"ramp{place + 1}",), "S", unit, "--unit"))
        readings = np.array(list(_readings(table, column)))
        for bad in np.flatnonzero(readings <= 0):
            table.error(header, line=table.lines[bad], value=f"{readings[bad]:g} S", expected="a positive conductance")
        before.append(readings[:-1])
        change.append(np.diff(readings))
        device.append(np.full(max(readings.size - 1, 0), place, np.int64))
    note = f"each of the {len(table.header)} columns is taken for one device, each row for a reading after one pulse"
    joined = np.concatenate(before)
    if not joined.size:
        raise InputError("has one reading a device", file=display(table.path), expected="a reading after every pulse")
    up = np.ones(joined.size, bool)
    return Pulses(joined, np.concatenate(change), up, table.path, np.concatenate(device), (note, _ONE_WAY))


def _ramp_name(header: str) -> tuple[str, str | None]:
    """Return name and unit of a column of readings."""
    name, unit = csvtext.named(header)
    if unit is None:
        head, last = csvtext.suffixed(header)
        if last and csvtext.is_factor(last, "S"):
            return head, last
    return name, unit


def _readings(table: Table, column: Column) -> Iterator[float]:
    """Yield the readings of a column up to its first empty cell, which has to be followed by empty ones."""
    scale, ended = table.scale(column), False
    for row, line in zip(table.rows, table.lines, strict=True):
        if not row[column.place].strip():
            ended = True
            continue
        if ended:
            table.error(column.header, "goes on after an empty cell", line=line, expected="a reading in every row")
        try:
            yield table.value(column, row[column.place], scale)
        except ValueError as error:
            table.error(column.header, str(error), line=None if str(error) == no_unit(column) else line)


def _positive(table: Table) -> F64:
    conductance = table.quantity("conductance")
    for bad in np.flatnonzero(conductance <= 0):
        table.error("conductance", line=table.lines[bad], value=f"{conductance[bad]:g} S",
                    expected="a positive conductance")  # fmt: skip
    return conductance


def _directions(table: Table, needed: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Return whether each row's pulse went up, and what to say of it; rows not `needed` may say anything."""
    if not table.has("direction"):
        return np.ones(needed.size, bool), (_ONE_WAY,)
    words = table.text("direction")
    known = {**dict.fromkeys(UP, True), **dict.fromkeys(DOWN, False)}
    for word, line, wanted in zip(words, table.lines, needed, strict=True):
        if wanted and word not in known:
            expected = "up or down, SET or RESET, potentiation or depression"
            table.error("direction", line=line, value=word, expected=expected)
    return np.array([known.get(word, False) for word in words]), ()


def course(pulses: Pulses) -> list[tuple[int, float]]:
    """Return number of SET pulses since its first reading, and conductance [S], of each device while it only goes up.

    Empty where the file does not tell devices apart, or a pulse does not begin where the one before it ended.
    """
    if pulses.device is None:
        return []
    after, found = pulses.before + pulses.change, []
    for number in range(int(pulses.device.max()) + 1):
        index = np.flatnonzero(pulses.device == number)
        if not index.size or not pulses.up[index[0]]:
            continue
        goes_on = pulses.up[index[1:]] & np.isclose(pulses.before[index[1:]], after[index[:-1]], rtol=1e-9, atol=0)
        length = 1 + (int(np.argmin(goes_on)) if not goes_on.all() else goes_on.size)
        found.append((0, float(pulses.before[index[0]])))
        found += [(k + 1, float(after[each])) for k, each in enumerate(index[:length])]
    return found
