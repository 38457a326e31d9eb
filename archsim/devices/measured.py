"""Measured pulses: conductance before, change, direction, read from a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archsim.devices.sheet import F64, Sheet, read_sheet


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
    """

    before: F64
    change: F64
    up: NDArray[np.bool_]
    file: Path | None = None


def read_pulses(path: Path) -> Pulses:
    """Read measured pulses from a CSV file, in one of two forms; units stand in the names of the columns.

    Either a pulse a row: conductance_uS (before it), change_uS, direction (up or down). Or a reading a row: device,
    pulse, conductance_uS (after that pulse), direction (of that pulse); the first reading of a device is its start.

    Raises
    ------
    InputError
        With file, line and column, for missing columns and units, and values that are no number or no direction.
    """
    sheet = read_sheet(path)
    if sheet.has("change"):
        direction = _directions(sheet, np.ones(len(sheet.rows), bool))
        return Pulses(_positive(sheet), sheet.quantity("change", "S"), direction, path)
    if not sheet.has("pulse"):
        sheet.error(
            None, f"has the columns {', '.join(sheet.header)}",
            expected="conductance_uS, change_uS, direction, or device, pulse, conductance_uS, direction",
        )  # fmt: skip
    return _train(sheet)


def _train(sheet: Sheet) -> Pulses:
    """Turn readings in the order of their pulses into changes from each to the next."""
    device, pulse, conductance = np.array(sheet.text("device")), sheet.whole("pulse"), _positive(sheet)
    order = np.lexsort((pulse, device))
    same = device[order][1:] == device[order][:-1]
    following = order[1:][same]
    gap = np.diff(pulse[order])[same]
    for wrong in following[gap != 1]:
        sheet.error(
            "pulse", f"is {pulse[wrong]} for device {str(device[wrong])!r}, which does not follow its reading before",
            line=sheet.lines[wrong], expected="a reading after every pulse, pulses numbered one by one",
        )  # fmt: skip
    needed = np.zeros(pulse.size, bool)
    needed[following] = True
    up = _directions(sheet, needed)
    before = conductance[order[:-1][same]]
    return Pulses(before, conductance[following] - before, up[following], sheet.path)


def _positive(sheet: Sheet) -> F64:
    conductance = sheet.quantity("conductance", "S")
    for value, line in zip(conductance, sheet.lines, strict=True):
        if value <= 0:
            sheet.error("conductance", line=line, value=f"{value:g} S", expected="a positive conductance")
    return conductance


def _directions(sheet: Sheet, needed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether each row's pulse went up; rows that are not `needed` may say anything."""
    words = sheet.text("direction")
    for word, line, wanted in zip(words, sheet.lines, needed, strict=True):
        if wanted and word not in {"up", "down"}:
            sheet.error("direction", line=line, value=word, expected="up or down")
    return np.array([word == "up" for word in words])
