"""Run a finished run again from its run.yaml, and say bit for bit what is equal and what is not."""

from __future__ import annotations

import filecmp
import math
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from archsim.base import files, registry
from archsim.base.arrays import unpacked
from archsim.base.errors import ArchsimError, InputError
from archsim.base.progress import Progress
from archsim.base.yamlfile import STORED
from archsim.chips.architecture import Architecture
from archsim.records import tables
from archsim.records.reopen import reopen
from archsim.records.technologies import find, named
from archsim.runs import earlier, layout
from archsim.runs.inputs import kept
from archsim.runs.machine import description
from archsim.runs.run import execute

TABLES = (layout.ACTIVITY, layout.COURSE, layout.ENERGY, layout.AREA, layout.TRAINING)
KEYS = ("technology", "architecture", "phase", "layer", "component", "action", "key", "step")
"""Columns that say which row of a table a difference stands in."""
UNCOMPARED = {"wall_time_s", "steps_per_s", "first_steps_s", "dataset_origin"}
"""Keys of summary.json that tell how fast the program was, or where the data lay: of no two runs the same."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file that decided the run.

    `state` is "equal", "changed" or "missing"; "stored" is a file that is not found here, but whose values run.yaml
    holds. The run cannot be done again without the `needed` ones as they were.
    """

    name: str
    state: Literal["equal", "changed", "missing", "stored"]
    needed: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One thing compared.

    Parameters
    ----------
    item : str
        A file, or an array of a file.
    equal : bool
        Bit for bit.
    difference : float or None
        The largest relative difference; None if there is none, or what differs is not a number.
    where : str
        Where the largest difference is, or what else there is to say.
    """

    item: str
    equal: bool
    difference: float | None = None
    where: str = ""


@dataclass(frozen=True)
class Verification:
    """What came of running a run again.

    Parameters
    ----------
    path : Path
    inputs, items : what was hashed, what was compared
    surroundings : name -> then, now; for what differs of processor, BLAS and versions
    wall_s : how long the run took again [s]
    """

    path: Path
    inputs: tuple[Input, ...]
    items: tuple[Item, ...]
    surroundings: Mapping[str, tuple[str, str]]
    wall_s: float

    @property
    def equal(self) -> bool:
        """Whether everything is."""
        return all(item.equal for item in self.items)


def verify(
    path: Path, *, data: Path | None = None, techs: Sequence[str] = (), progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Verification | None:  # fmt: skip
    """Do a finished run again in a temporary directory and compare; the run's own directory is only read.

    Parameters
    ----------
    path : Path
        Run directory.
    data : Path, optional
        Folder with the files of the data set.
    techs : sequence of str
        Where to find technologies that were given as files.
    progress, stop : as for `execute`

    Returns
    -------
    Verification, or None if it was stopped.

    Raises
    ------
    InputError
        If the directory holds no finished run, or an input that is needed is missing or has changed; all are named.
    """
    run = layout.read_run(path)
    if run.get("state") != "finished":
        raise InputError(
            f"its state is {run.get('state')!r}", file=files.display(path), expected="a finished run",
            hint="An interrupted run ends where it was interrupted, and cannot be done again",
        )  # fmt: skip
    inputs = tuple(check_inputs(path, run, techs))
    lacking = [f"{each.name} ({each.state})" for each in inputs if each.needed and each.state != "equal"]
    if lacking:
        raise InputError(
            f"cannot be done again without what it was done with: {', '.join(lacking)}", file=files.display(path),
            expected="the files of the run, unchanged",
            hint=f"The run was done with archsim {run.get('archsim')}; --tech names a technology's file",
        )  # fmt: skip
    spec = reopen(path, data=data, techs=techs)
    with files.scratch() as folder:
        again = folder / "run"
        summary = execute(spec, again, progress=progress, stop=stop)
        if summary is None or summary.state == "partial":
            return None
        items = tuple(compare(path, again))
    return Verification(path, inputs, items, surroundings(run), summary.wall_time_s)


# --- inputs -----------------------------------------------------------------------------------------------------------
def check_inputs(path: Path, run: Mapping[str, Any], techs: Sequence[str] = ()) -> Iterator[Input]:
    """Yield every input of a run with what became of it.

    The copies that the run keeps are looked at, and for a run that keeps none files of the same names elsewhere.
    Workloads and architectures are in run.yaml with all their values: a changed file is told, but not needed.

    Raises
    ------
    InputError
        If run.yaml lacks something.
    """
    try:
        inputs = {str(name): str(digest) for name, digest in run["inputs"].items()}
        architectures = list(run["architectures"])
    except (KeyError, TypeError, AttributeError) as error:
        file = files.display(path / layout.RUN)
        raise InputError(f"lacks something ({error})", file=file, expected="the YAML that archsim wrote") from error
    values = {f"{each['name']}.yaml" for each in (*architectures, run["workload"])}
    copies = [file for file in kept(path / layout.INPUTS).values() if isinstance(file, Path)]
    elsewhere = list(_elsewhere(path, run, architectures, techs))
    for name, digest in inputs.items():
        there = [file for file in copies if file.name == Path(name).name] or [
            file for file in elsewhere if file.name == Path(name).name
        ]
        needed = name not in values
        if there:
            same = any(files.sha256(file) == digest for file in there)
            yield Input(name, "equal" if same else "changed", needed=needed)
        else:
            yield Input(name, "missing" if needed else "stored", needed=needed)


def _elsewhere(
    path: Path, run: Mapping[str, Any], architectures: Sequence[Mapping[str, Any]], techs: Sequence[str]
) -> Iterator[Path]:
    """Yield files that stand in for copies which a run of an earlier version does not keep."""
    for kind in ("workloads", "architectures"):
        yield from files.shipped(kind).glob("*.yaml")
    known = named(path, run)
    for each in known:
        if technology := find(path, known, each.name, given=techs).technology:
            yield from (technology.path, *technology.ancestors)
    for values in architectures:
        try:
            schema: type[Architecture] = registry.load("chip", str(values["chip"])).SCHEMA
            yield from schema.model_validate(values, context=STORED).files()
        except (ArchsimError, ValueError, KeyError):  # missing is what the caller will say of its files
            continue


def surroundings(run: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return what differs here from where the run was done: processor, BLAS, versions: name -> (then, now)."""
    here = description()
    found = {name: (str(was), str(here.get(name))) for name, was in (run.get("machine") or {}).items()}
    then = {"archsim": run.get("archsim"), "python": run.get("python"), **(run.get("packages") or {})}
    found |= {name: (str(was), _version(name)) for name, was in then.items()}
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def _version(name: str) -> str:
    try:
        return platform.python_version() if name == "python" else version(name)
    except PackageNotFoundError:
        return "not installed"


# --- comparing --------------------------------------------------------------------------------------------------------
def compare(path: Path, again: Path) -> Iterator[Item]:
    """Yield what two run directories have in common: tables, summary, and the arrays of trained chips."""
    for name in TABLES:
        if (path / name).is_file():
            yield _compare_table(name, path / name, again / name)
        elif name not in {layout.AREA, layout.COURSE}:  # runs of earlier versions had none
            yield Item(name, equal=False, where="the run has none")
    yield from _compare_programs(path, again)
    yield _compare_summary(path / layout.SUMMARY, again / layout.SUMMARY)
    states = {file.name for folder in (path, again) for file in folder.glob(layout.STATES)}
    saved = any(path.glob(layout.STATES))
    for name in sorted(states):
        if (path / name).is_file() and (again / name).is_file():
            yield from _compare_state(name, path / name, again / name)
        elif saved:  # runs of earlier versions saved no state at all
            side = "the run" if (again / name).is_file() else "the run done again"
            yield Item(name, equal=False, where=f"{side} has none")


def _compare_table(name: str, file: Path, again: Path) -> Item:
    import pandas as pd

    try:
        files.regular(file, "the table that archsim wrote", tables.LONGEST)
        if filecmp.cmp(file, again, shallow=False):
            return Item(name, equal=True)
        was, now = (pd.read_csv(each, dtype=str, keep_default_na=False) for each in (file, again))
    except (ValueError, OSError) as error:
        return Item(name, equal=False, where=f"is not readable ({error})")
    if name == layout.TRAINING:
        was = was.rename(columns=earlier.NAMES)
    if {"key", "part"} <= {*was.columns}:
        was["part"] = [earlier.part(key, part) for key, part in zip(was["key"], was["part"], strict=True)]
    new = [str(column) for column in now.columns if column not in was.columns]
    said = f"columns that this version adds: {', '.join(new)}" if new else ""
    if gone := [str(column) for column in was.columns if column not in now.columns]:
        return Item(name, equal=False, where=f"columns that only the run has: {', '.join(gone)}")
    if len(was) != len(now):
        return Item(name, equal=False, where=f"{len(was)} rows, now {len(now)}")
    keys = [column for column in KEYS if column in was.columns]
    differences = []
    for column in was.columns:
        for row in np.flatnonzero((was[column] != now[column]).to_numpy()):
            place = " ".join(filter(None, (was[key].iloc[row] for key in keys)))
            differences.append((_number(was[column].iloc[row], now[column].iloc[row]), f"{column} at {place}"))
    return _worst(name, differences, said)


def _number(was: object, now: object) -> float | None:
    """Return the relative difference of two cells that hold unequal numbers; None if one holds none."""
    if isinstance(was, bool) or isinstance(now, bool):
        return None
    try:
        first, second = float(was), float(now)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    if math.isnan(first) or math.isnan(second):
        return None
    size = max(abs(first), abs(second))
    return abs(first - second) / size if math.isfinite(size) and size else float(first != second)


def _worst(name: str, differences: Sequence[tuple[float | None, str]], said: str = "") -> Item:
    """Return the item of what was compared, by its largest difference."""
    if not differences:
        return Item(name, equal=True, where=said)
    value, where = max(differences, key=lambda each: math.inf if each[0] is None else each[0])
    more = f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""
    return Item(name, equal=False, difference=value, where=f"{where}{more}")


def _compare_programs(path: Path, again: Path) -> Iterator[Item]:
    """Yield whether chips were told the same, call by call; nothing for a run that kept no digests of it."""
    was, now = (layout.read_run(each).get("programs") or {} for each in (path, again))
    if was:
        differing = [name for name in sorted({*was, *now}) if was.get(name) != now.get(name)]
        where = f"of {', '.join(differing)}: other calls, or in another order" if differing else ", ".join(was)
        yield Item("programs", equal=not differing, where=where)


def _compare_summary(file: Path, again: Path) -> Item:
    try:
        was, now = (dict(_flat(earlier.summary(tables.mapping(each)))) for each in (file, again))
    except InputError as error:
        return Item(file.name, equal=False, where=error.message)
    differences = [
        (_number(was[key], now.get(key)) if key in now else None, key if key in now else f"{key} is gone")
        for key in was
        if key not in now or repr(was[key]) != repr(now[key])
    ]
    new = list(dict.fromkeys(_new(key, was) for key in now if key not in was))
    more = f"; keys that this version adds: {', '.join(new)}" if new else ""
    return _worst(file.name, differences, f"all but wall time and speed{more}")


def _new(key: str, was: Mapping[str, Any]) -> str:
    """Return the first part of a dotted key under which a document has nothing."""
    parts = key.split(".")
    places = (".".join(parts[: k + 1]) for k in range(len(parts)))
    return next((place for place in places if not any(f"{old}.".startswith(f"{place}.") for old in was)), key)


def _flat(value: object, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a JSON document by dotted key, but for `UNCOMPARED`."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else ((str(k), each) for k, each in enumerate(value))
        for key, each in pairs:
            if key not in UNCOMPARED:
                yield from _flat(each, f"{place}.{key}" if place else key)
    else:
        yield place, value


_STATE = "the state that archsim wrote"


def _compare_state(name: str, file: Path, again: Path) -> Iterator[Item]:
    """Yield one item for the file if all arrays are equal, otherwise one for each that is not."""
    try:
        now = unpacked(again, what=_STATE, most=sys.maxsize)  # just written
        was = unpacked(file, what=_STATE, most=2 * sum(array.nbytes for array in now.values()) + (1 << 24))
    except InputError as error:
        yield Item(name, equal=False, where=error.message)
        return
    found = []
    for key in sorted({*was, *now}):
        if key not in was or key not in now:
            found.append(Item(f"{name}: {key}", equal=False, where=f"only in the run{'' if key in was else ' again'}"))
        elif key == "run" and not _same(was[key], now[key]):
            found.append(Item(f"{name}: {key}", equal=False, where="run.yaml is not the one it was saved with"))
        elif not _same(was[key], now[key]):
            found.append(_array(f"{name}: {key}", was[key], now[key]))
    yield from found or [Item(name, equal=True, where=f"{len(was)} arrays")]


def _same(was: NDArray[Any], now: NDArray[Any]) -> bool:
    return was.dtype == now.dtype and was.shape == now.shape and was.tobytes() == now.tobytes()


def _array(name: str, was: NDArray[Any], now: NDArray[Any]) -> Item:
    if was.shape != now.shape or was.dtype != now.dtype:
        kinds = [f"{array.dtype} of shape {array.shape}" for array in (was, now)]
        return Item(name, equal=False, where=f"{kinds[0]}, now {kinds[1]}")
    if was.dtype.kind not in "biuf":
        return Item(name, equal=False, where="not numbers")
    first, second = was.astype(np.float64).ravel(), now.astype(np.float64).ravel()
    size = np.maximum(np.abs(first), np.abs(second))
    relative = np.divide(np.abs(first - second), size, out=np.zeros_like(size), where=size > 0)
    count = int(np.count_nonzero(~((first == second) | (np.isnan(first) & np.isnan(second)))))
    place = int(np.nanargmax(relative)) if relative.size and not np.isnan(relative).all() else 0
    index = ", ".join(str(int(each)) for each in np.unravel_index(place, was.shape)) if was.shape else ""
    where = f"at [{index}]; {count:,} of {was.size:,} elements differ" if was.shape else f"{was}, now {now}"
    return Item(name, equal=False, difference=float(relative[place]), where=where)
