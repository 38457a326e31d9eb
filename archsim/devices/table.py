"""A measured device: mean and standard deviation of the change over conductance, from a CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from archsim.base.arrays import I64
from archsim.base.csvfile import F64, Want, read_table
from archsim.base.errors import ModelError
from archsim.base.provenance import Provenance
from archsim.base.streams import Normals
from archsim.base.yamlfile import Document, validate
from archsim.devices import _kernels
from archsim.devices.base import DeviceArray, Switches
from archsim.devices.laws import TABLE, Law, Side
from archsim.devices.pcm import NotNegative
from archsim.devices.stepped import Stepped, SteppedFile, check_inside

_WANTS = {
    "direction": Want(("direction",)), "conductance": Want(("conductance",), "S"), "mean": Want(("mean",), "S"),
    "std": Want(("std",), "S"),
}  # fmt: skip


class TableOf(Provenance):
    """The CSV file, beside the device file: columns direction (up, down), conductance, mean and std, units in names."""

    file: str


class TableSpread(Provenance):
    """Standard deviation of a device's own factor of the mean step, as in the other stepped devices."""

    devices: NotNegative


class TableFile(SteppedFile):
    """Schema of a table device's file. Its bounds are those of the table; without `spread` its devices are alike."""

    model: Literal["table"]
    table: TableOf
    spread: TableSpread | None = None


@dataclass(frozen=True, slots=True)
class MeanChange:
    """Change of the conductance by one pulse in one direction, all [S]: mean and std at knots, rising."""

    knots: F64
    mean: F64
    std: F64


class Table(Stepped):
    """Device that changes as a table says, linear between its rows, and never leaves the table.

    The bounds are the conductances that the tables of both directions cover: where a pulse would lead out of them, it
    ends at the bound. Without rows for down pulses the device has none. Epsilon is the mean up step at the conductance
    that both devices of a pair share before the first step. A table knows no past: what depends on earlier pulses, as
    in PCM, it holds only on average over the pulses measured. Its devices differ from each other only by a factor of
    the mean step, if the file has a `spread`.
    """

    FILE = TableFile

    def __init__(self, file: TableFile, switches: Switches, changes: dict[str, MeanChange]) -> None:
        self.file, self.changes = file, changes
        self.bidirectional = "down" in changes
        super().__init__(
            file, switches, max(float(c.knots[0]) for c in changes.values()),
            min(float(c.knots[-1]) for c in changes.values()),
        )  # fmt: skip
        up = changes["up"]
        self.epsilon = float(np.interp(self.common, up.knots, up.mean))
        self.depends_on_state = any(
            (change.mean != (self.epsilon if name == "up" else -self.epsilon)).any() for name, change in changes.items()
        )
        spread = file.spread.devices if file.spread else 0.0
        self.random = spread > 0 or any((change.std > 0).any() for change in changes.values())
        self._devices = spread if switches.programming_noise else 0.0
        self._given: dict[str, tuple[F64, F64, F64]] = {}
        for direction, change in changes.items():
            same = self.epsilon if direction == "up" else -self.epsilon
            mean = change.mean if switches.state_dependence else np.full_like(change.mean, same)
            std = change.std if switches.programming_noise else np.zeros_like(change.std)
            self._given[direction] = (change.knots, mean, std)
        rising, falling = (
            Side(knots=told[0], mean=told[1], std=told[2])
            for told in (self._given["up"], self._given.get("down", (up.knots[:0],) * 3))
        )
        self.law = Law(TABLE, rising, falling, 0.0, 0.0, self._devices, lognormal=False, low=self.low, high=self.high)

    @classmethod
    def from_document(cls, document: Document, switches: Switches) -> Self:
        """Read the table that the file names and return the device.

        Raises
        ------
        InputError
            If the CSV file is missing or cannot be used, or the file's conductances lie outside its table.
        """
        file = validate(document, TableFile)
        changes = read_changes(table_path(document))
        device = cls(file, switches, changes)
        if device.low >= device.high:
            raise document.error(("table", "file"), "up and down have no range in common", expected="one range of both")
        for key, value in (("start.common", device.common), ("after_reset.mean", file.after_reset.mean)):
            try:
                check_inside(key, value, device.low, device.high)
            except ValueError as error:
                raise document.error(tuple(key.split(".")), str(error)) from None
        if device.epsilon <= 0:
            raise document.error(
                ("start", "common"), f"an up pulse changes {device.common:g} S by {device.epsilon:g} S on average",
                expected="a conductance that up pulses raise",
            )  # fmt: skip
        return device

    @staticmethod
    def files(document: Document) -> list[Path]:
        """Return the files beside the device file that decide the device's numbers."""
        return [table_path(document)]

    def down_pulses(
        self, devices: DeviceArray, index: I64, pulses: I64, total: int, now_ps: int, normals: Normals
    ) -> None:
        """Apply blind down pulses in place, if the table has any."""
        if not self.bidirectional:
            raise ModelError(f"{self.file.name} has no down pulses in its table; it can only be RESET")
        super().down_pulses(devices, index, pulses, total, now_ps, normals)

    def _give(
        self, devices: DeviceArray, index: I64, pulses: I64, *, total: int, now_ps: int, normals: Normals, up: bool
    ) -> None:
        direction, count = ("up", devices.set_pulses) if up else ("down", devices.down_pulses)
        if self._devices > 0:
            total += int(np.count_nonzero(devices.memory[index] == 0))
        _kernels.table_pulses(
            devices.conductance, devices.memory, devices.programmed_ps, count, index, pulses, now_ps,
            normals.standard_normal(total), *self._given[direction], self._devices, self.low, self.high,
        )  # fmt: skip


def table_path(document: Document) -> Path:
    """Return the CSV file that a table device's document names, relative to that document."""
    table: Any = document.data.get("table")
    return document.path.parent / str(table["file"] if isinstance(table, dict) and "file" in table else "")


def read_changes(path: Path) -> dict[str, MeanChange]:
    """Read the table of a device, direction -> change.

    Raises
    ------
    InputError
        If rows are missing, not in order, or a standard deviation is negative.
    """
    sheet = read_table(path, _WANTS, [tuple(_WANTS)], what="the table of a device")
    direction = sheet.text("direction")
    conductance, mean, std = (sheet.quantity(name) for name in ("conductance", "mean", "std"))
    for value, line in zip(direction, sheet.lines, strict=True):
        if value not in {"up", "down"}:
            sheet.error("direction", line=line, value=value, expected="up or down")
    for value, line in zip(std, sheet.lines, strict=True):
        if value < 0:
            sheet.error("std", line=line, value=float(value), expected="no negative standard deviation")
    changes: dict[str, MeanChange] = {}
    for name in ("up", "down"):
        rows = np.flatnonzero(np.array(direction) == name)
        if not rows.size and name == "down":
            continue
        if rows.size < 2:
            sheet.error("direction", f"has {rows.size} rows of {name!r}", expected="two or more")
        if (np.diff(conductance[rows]) <= 0).any() or conductance[rows[0]] <= 0:
            sheet.error("conductance", f"is not in order for {name!r}", expected="positive and rising conductances")
        changes[name] = MeanChange(conductance[rows], mean[rows], std[rows])
    return changes
