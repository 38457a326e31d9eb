"""Endurance: the pulses that each device got over a training, against what a device endures."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archsim.base import files
from archsim.base.arrays import I64, stored, under
from archsim.base.errors import InputError
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture
from archsim.devices import library
from archsim.devices.base import DeviceArray, Switches
from archsim.records.reopen import stored_architectures, with_state
from archsim.runs import layout, state

KINDS = tuple(name for name in DeviceArray.__slots__ if name.endswith("_pulses"))
"""Counters of a device: set_pulses, reset_pulses and whatever else device models count."""
CSV, JSON = "endurance.csv", "endurance.json"


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile's counts: kind -> (devices of a weight, rows, columns), of pairs the G+ devices first.

    `kinds` are what devices of a weight are called, each as often as devices or pairs stand side by side.
    """

    name: str
    counts: dict[str, I64]
    kinds: tuple[str, ...]

    @property
    def sides(self) -> tuple[str, ...]:
        """What the devices of a weight are called."""
        copies = len(self.counts[KINDS[0]]) // len(self.kinds)
        each = tuple(f"{kind} {copy + 1}" for kind in self.kinds for copy in range(copies))
        return self.kinds if copies == 1 else each


@dataclass(frozen=True, slots=True)
class Limit:
    """Pulses of one kind that a device endures, and where that number comes from."""

    pulses: float
    basis: str
    origin: str


@dataclass(frozen=True, slots=True)
class Wear:
    """Pulses of one kind over all devices of a chip.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    total, most : int
        Over all devices; of the device that got the most.
    mean : float
        A device.
    untouched : float
        Share of the devices that got none.
    hottest : str or None
        The device that got the most: tile, side of the pair, row and column.
    limit : Limit or None
    """

    kind: str
    total: int
    most: int
    mean: float
    untouched: float
    hottest: str | None
    limit: Limit | None

    @property
    def trainings(self) -> float | None:
        """Trainings until the hottest device has had what it endures, if it stays the same device; None without."""
        return self.limit.pulses / self.most if self.limit and self.most else None


@dataclass(frozen=True)
class Worn:
    """A trained chip's devices: counts by tile, and wear by kind of pulse."""

    architecture: str
    steps: int
    tiles: tuple[Tile, ...]
    wear: tuple[Wear, ...]

    @property
    def devices(self) -> int:
        """Number of devices."""
        return sum(tile.counts[KINDS[0]].size for tile in self.tiles)

    def counts(self, kind: str) -> I64:
        """Return the pulses of a kind of every device, flat."""
        return np.concatenate([tile.counts[kind].ravel() for tile in self.tiles])

    def content(self) -> dict[str, Any]:
        """Return what endurance.json says of the chip."""
        return {
            "steps": self.steps, "devices": self.devices,
            "pulses": {
                wear.kind: {
                    "total": wear.total, "most": wear.most, "mean": wear.mean, "never_pulsed": wear.untouched,
                    "hottest_device": wear.hottest,
                    "endurance": None if wear.limit is None else wear.limit.pulses,
                    "endurance_basis": None if wear.limit is None else wear.limit.basis,
                    "endurance_origin": None if wear.limit is None else wear.limit.origin,
                    "trainings_to_endurance": wear.trainings,
                }
                for wear in self.wear
            },
        }  # fmt: skip


def endurance(path: str | Path, *, limit: float | None = None, out: str | Path | None = None) -> list[Worn]:
    """Read the pulse counts of the trained chips of a run and write endurance.csv and endurance.json.

    Parameters
    ----------
    path : path
        Run directory.
    limit : float, optional
        Pulses of each kind that a device endures; by default what the device file states, if it does.
    out : path, optional
        Where to write; DIR/endurance if not given.

    Returns
    -------
    list of Worn
        One for each chip whose weights lie in devices.

    Raises
    ------
    InputError
        If the run has no saved states, none of its chips has devices, or the limit is no positive number.
    """
    path = Path(path)
    folder = Path(out) if out else path / "endurance"
    files.check_folder(folder)
    if limit is not None and not (math.isfinite(limit) and limit > 0):
        raise InputError(key="--limit", value=limit, expected="a positive number of pulses")
    architectures = stored_architectures(path)
    names = with_state(path, [architecture.name for architecture in architectures])
    found = [worn for one in architectures if one.name in names if (worn := _worn(path, one, limit)) is not None]
    if not found:
        raise InputError(key="DIR", value=str(path), expected="a run with a chip whose weights lie in devices")
    _write(folder, found)
    return found


def _worn(path: Path, architecture: Architecture, limit: float | None) -> Worn | None:
    saved = state.load(path, layout.read_run(path), architecture.name)
    names = [name.removesuffix("/shape") for name in saved.arrays if name.endswith("/shape")]
    if not names:
        return None
    kinds = architecture.wearing[0] if isinstance(architecture, CrossbarArchitecture) else ()
    tiles = tuple(_tile(saved, name, kinds) for name in names)
    wear = tuple(_wear(kind, tiles, limit_of(kind, architecture, limit)) for kind in KINDS)
    shown = tuple(one for one in wear if one.total or one.kind in {"set_pulses", "reset_pulses"})
    return Worn(architecture.name, saved.steps, tiles, shown)


def _tile(saved: state.State, name: str, kinds: tuple[str, ...]) -> Tile:
    arrays = under(name, saved.arrays)
    rows, columns = (int(size) for size in arrays["shape"])
    first = arrays.get(KINDS[0], np.empty(0, np.int32))
    of_a_weight = max(first.size // (rows * columns), 1)  # a file cut short is refused below
    like = np.empty(of_a_weight * rows * columns, np.int64 if first.dtype == np.int64 else np.int32)  # as of old
    try:
        counts = {kind: stored(kind, like, arrays).astype(np.int64).reshape(-1, rows, columns) for kind in KINDS}
        return Tile(name, counts, kinds)
    except InputError as error:
        where = files.display(saved.file)
        raise InputError(error.message, file=where, key=f"{name}/{error.key}", expected=error.expected) from error


def _wear(kind: str, tiles: Sequence[Tile], limit: Limit | None) -> Wear:
    counts = [tile.counts[kind] for tile in tiles]
    devices = sum(one.size for one in counts)
    hot = max(tiles, key=lambda tile: int(tile.counts[kind].max()))
    most = int(hot.counts[kind].max())
    side, row, column = np.unravel_index(int(hot.counts[kind].argmax()), hot.counts[kind].shape)
    return Wear(
        kind=kind, total=sum(int(one.sum()) for one in counts), most=most,
        mean=sum(int(one.sum()) for one in counts) / devices,
        untouched=sum(int(np.count_nonzero(one == 0)) for one in counts) / devices,
        hottest=f"tile {hot.name}, {hot.sides[side]}, row {row}, column {column}" if most else None, limit=limit,
    )  # fmt: skip


def limit_of(kind: str, architecture: Architecture, given: float | None = None) -> Limit | None:
    """Return the limit given, or that of the device file, if it states one for this kind of pulse."""
    if given is not None:
        return Limit(given, "given", "--limit")
    if not isinstance(architecture, CrossbarArchitecture):
        return None
    stated: Any = getattr(getattr(library.build(architecture.wearing[1], Switches()), "file", None), "endurance", None)
    pulses = getattr(stated, kind, None)
    return None if pulses is None else Limit(pulses, stated.basis, str(stated.why or stated.named))


def _write(folder: Path, found: Sequence[Worn]) -> None:
    import pandas as pd

    rows = [
        {
            "architecture": worn.architecture, "tile": tile.name, "rows": tile.counts[KINDS[0]].shape[1],
            "columns": tile.counts[KINDS[0]].shape[2], "side": side,
            **{
                f"{kind}_{what}": number
                for kind, counts in tile.counts.items()
                for what, number in (
                    ("total", int(counts[k].sum())), ("most", int(counts[k].max())), ("mean", float(counts[k].mean())),
                    ("never_pulsed_devices", int(np.count_nonzero(counts[k] == 0))),
                )
            },
        }
        for worn in found
        for tile in worn.tiles
        for k, side in enumerate(tile.sides)
    ]  # fmt: skip
    with files.replacing(folder / CSV) as aside:
        pd.DataFrame(rows).to_csv(aside, index=False)
    content = {"schema": 1, "architectures": {worn.architecture: worn.content() for worn in found}}
    files.write_text(folder / JSON, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
