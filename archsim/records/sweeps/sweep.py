"""A sweep read back: what it goes over, what it asks for, and one row a design, chip and technology.

A sweep's directory holds sweep.json, which says what was asked for, and sweep.csv, which says what came out; the writer
takes the names of columns from here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import files
from archsim.base.errors import InputError, nearest
from archsim.base.frames import read_csv
from archsim.base.metrics import Metric
from archsim.base.units import show
from archsim.records.tables import LONGEST, mapping

if TYPE_CHECKING:
    import pandas as pd

DEFINITION, TABLE = "sweep.json", "sweep.csv"
SCHEMA = 1
DONE = "done"
"""The state of a row whose quantities are known; every other state has a reason."""
FIXED = ("point", "state", "reason", "how")
"""Columns before those of the axes."""
CHIP, TECHNOLOGY = "chip", "technology"
AFTER = (CHIP, TECHNOLOGY, "seeds", "run")
"""Columns between the axes and the quantities."""
SPREAD = ".std"
"""After the name of a quantity: its standard deviation over the seeds, a column that may be missing."""
PART = "energy_per_sample_J:"
"""Before the name of a part of the chip: its share of the energy [J]."""
OF_COLUMN = {"tech": TECHNOLOGY, "arch": CHIP}
"""Kinds of axes whose column every sweep has."""
Value = bool | float | int | str


@dataclass(frozen=True, slots=True)
class Axis:
    """What a sweep goes over.

    Parameters
    ----------
    key : str
        As it is set: "tile.adc.bits", "adc.conversion".
    kind : str
        "set", "figure", "tech", "arch", "preset" and the like.
    unit : str
        SI unit of the column; empty for counts and words.
    values : tuple of float [unit] or str
        In their order; of a search the two ends, or nothing.
    """

    key: str
    kind: str
    unit: str = ""
    values: tuple[Value, ...] = ()

    @property
    def column(self) -> str:
        """Its column in the table."""
        if self.kind in OF_COLUMN:
            return OF_COLUMN[self.kind]
        return f"{self.key} [{self.unit}]" if self.unit else self.key

    def text(self, value: Any) -> str:
        """Return a value for reading: "5 pJ", "128", "pcm"."""
        if isinstance(value, str | bool) or type(value).__name__ == "bool_":
            return str(value)
        number = float(value)
        if math.isnan(number):
            return "-"
        return show(number, self.unit) if self.unit else f"{number:.10g}"

    def content(self) -> dict[str, Any]:
        """Return what sweep.json says of it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a sweep asks of each design.

    Parameters
    ----------
    name : str
        Its column.
    title : str
        In words, as axes of charts say it.
    unit : str
        A value shown is `scale` times the column in this unit; at a scale of 1 an SI unit, which takes prefixes.
    scale : float
    better : "low" or "high"
    """

    name: str
    title: str
    unit: str = ""
    scale: float = 1.0
    better: str = "low"

    @property
    def spread(self) -> str:
        """The column of its standard deviation over the seeds."""
        return f"{self.name}{SPREAD}"

    @property
    def words(self) -> tuple[str, ...]:
        """What it may be asked for by."""
        return self.name, self.title, self.name.partition("_per_")[0], self.title.partition(" per ")[0]

    @property
    def prefixed(self) -> bool:
        """Whether its values are shown with a prefix: "3 nJ"."""
        return bool(self.unit) and self.scale == 1

    def text(self, value: float, digits: int = 4) -> str:
        """Return a value of the column for reading: "97.71 %", "25.4 nJ"; "-" for none."""
        if not math.isfinite(value):
            return "-"
        if self.prefixed:
            return show(value, self.unit, digits)
        return f"{self.scale * value:.{digits}g}" + (f" {self.unit}" if self.unit else "")

    def content(self) -> dict[str, Any]:
        """Return what sweep.json says of it."""
        return asdict(self)


QUANTITIES = {
    each.name: each for each in (
        Quantity("energy_per_sample_J", "energy per sample", "J"),
        Quantity("latency_per_sample_s", "time per sample", "s"),
        Quantity("area_m2", "area", "m^2"),
        Quantity("edp_per_sample_Js", "energy-delay product per sample", "J*s"),
        Quantity("ops_per_J", "operations per energy", "TOPS/W", 1e-12, "high"),
        Quantity("energy_ratio", "energy ratio to the baseline", "", 1.0, "high"),
    )
}  # fmt: skip
"""By column; the metric of the workload stands before them."""
METRIC = "test"
"""The column of the metric."""


def metric_quantity(metric: Metric) -> Quantity:
    """Return the metric of a workload as a quantity."""
    better = "high" if metric.higher_is_better else "low"
    return Quantity(METRIC, metric.name, metric.unit.strip(), metric.factor, better)


@dataclass(frozen=True)
class Sweep:
    """A sweep as it was read.

    Parameters
    ----------
    path : directory
    definition : the content of sweep.json
    axes, quantities : in their order
    frame : pandas.DataFrame, one row a design, chip and technology, columns as sweep.csv has them
    """

    path: Path
    definition: Mapping[str, Any]
    axes: tuple[Axis, ...]
    quantities: tuple[Quantity, ...]
    frame: pd.DataFrame

    @cached_property
    def finished(self) -> pd.DataFrame:
        """The rows whose quantities are known, in their order."""
        return self.frame[self.frame["state"] == DONE].reset_index(drop=True)

    @property
    def name(self) -> str:
        """The workload and the directory, for titles."""
        return f"{self.definition['workload']}, {self.path.resolve().name}"

    @property
    def parts(self) -> dict[str, str]:
        """Part of the chip -> the column of its energy."""
        return {str(each).removeprefix(PART): str(each) for each in self.frame.columns if str(each).startswith(PART)}

    def quantity(self, name: str, *, option: str = "quantity") -> Quantity:
        """Return the quantity of a column or a title, or of either up to "per": "test", "accuracy", "energy", "edp".

        Raises
        ------
        InputError
            If there is none such.
        """
        known = {short: each for each in self.quantities for short in each.words}
        if name in known:
            return known[name]
        names = [each.name for each in self.quantities]
        expected = f"one of {', '.join(names)}"
        raise InputError(key=option, value=name, expected=expected, hint=nearest(name, known))

    def axis(self, key: str, *, option: str = "axis") -> Axis:
        """Return the axis of a key.

        Raises
        ------
        InputError
            If the sweep has none such.
        """
        for each in self.axes:
            if key in (each.key, each.column):
                return each
        keys = [each.key for each in self.axes]
        expected = f"one of {', '.join(keys)}" if keys else "no axis: the sweep has none"
        raise InputError(key=option, value=key, expected=expected, hint=nearest(key, keys))

    def levels(self, axis: Axis) -> list[Value]:
        """Return the values that finished designs have on an axis: numbers in rising order, words as declared."""
        found = self.finished[axis.column].dropna().unique().tolist()
        if all(isinstance(each, int | float) and not isinstance(each, bool) for each in found):
            return sorted(found)
        declared = [each for each in axis.values if each in found]
        return declared + sorted((each for each in found if each not in declared), key=str)


def read_sweep(path: str | Path) -> Sweep:
    """Return the sweep in a directory.

    Parameters
    ----------
    path : path
        The directory, or its sweep.json or sweep.csv.

    Raises
    ------
    InputError
        If one of the two is missing, broken, of another schema, lacks a column that the definition names, or holds
        a value in it that is none.
    """
    given = Path(path)
    folder = given.parent if given.name in (DEFINITION, TABLE) else given
    file = folder / DEFINITION
    if not folder.is_dir():
        raise InputError("no such directory", file=folder, expected="the directory of a sweep")
    definition = mapping(file, what="the directory of a sweep", hint="archsim sweep writes one")
    axes, quantities = _axes(file, definition), _quantities(file, definition)
    _check_asked(file, definition)
    try:
        frame = _frame(folder / TABLE)
        _check_columns(folder / TABLE, frame, axes, quantities)
        _check_values(folder / TABLE, frame, axes, quantities)
    except InputError as error:
        raise InputError(
            error.message, file=error.file, line=error.line, key=error.key, value=error.value, expected=error.expected,
            hint="The same command that made it writes it anew",
        ) from error  # fmt: skip
    return Sweep(folder, definition, axes, quantities, frame)


def _axes(file: Path, definition: Mapping[str, Any]) -> tuple[Axis, ...]:
    if (schema := definition.get("schema")) != SCHEMA:
        raise InputError(file=file, key="schema", value=schema, expected=f"{SCHEMA}: a sweep of this archsim")
    if not isinstance(definition.get("workload"), str):
        raise InputError(file=file, key="workload", value=definition.get("workload"), expected="a name")
    made = []
    for k, each in enumerate(_list(file, definition, "axes")):
        unit, values = each.get("unit", ""), each.get("values", [])
        if not all(isinstance(word, str) for word in (each.get("key"), each.get("kind"), unit)):
            raise InputError(file=file, key=f"axes.{k}", value=each, expected="key, kind and unit as text")
        if not isinstance(values, list) or not all(isinstance(value, Value) for value in values):
            raise InputError(file=file, key=f"axes.{k}.values", value=values, expected="a list of numbers or words")
        made.append(Axis(each["key"], each["kind"], unit, tuple(values)))
    return tuple(made)


def _quantities(file: Path, definition: Mapping[str, Any]) -> tuple[Quantity, ...]:
    made = []
    for k, each in enumerate(_list(file, definition, "quantities")):
        scale, better = each.get("scale", 1.0), each.get("better", "low")
        if not all(isinstance(word, str) for word in (each.get("name"), each.get("title"), each.get("unit", ""))):
            raise InputError(file=file, key=f"quantities.{k}", value=each, expected="name, title and unit as text")
        if not isinstance(scale, int | float) or not 0 < scale < math.inf:
            raise InputError(file=file, key=f"quantities.{k}.scale", value=scale, expected="a number above 0")
        if better not in ("low", "high"):
            raise InputError(file=file, key=f"quantities.{k}.better", value=better, expected="low or high")
        made.append(Quantity(each["name"], each["title"], each.get("unit", ""), float(scale), better))
    if not made:
        raise InputError(file=file, key="quantities", value=[], expected="at least one")
    return tuple(made)


def _check_asked(file: Path, definition: Mapping[str, Any]) -> None:
    """Refuse settings that are no mapping, and goals of a search that are no lists; either may be missing."""
    asked = definition.get("search") or {}
    for key, found in (("settings", definition.get("settings") or {}), ("search", asked)):
        if not isinstance(found, dict):
            raise InputError(file=file, key=key, value=found, expected="a mapping, as archsim sweep writes it")
    for key in ("objectives", "subject_to"):
        if not isinstance(asked.get(key) or [], list):
            raise InputError(file=file, key=f"search.{key}", value=asked[key], expected="a list of texts")


def _list(file: Path, definition: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Return a list of mappings of the definition."""
    found = definition.get(key)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InputError(file=file, key=key, value=found, expected="a list of mappings, as archsim sweep writes it")
    return found


def _frame(file: Path) -> pd.DataFrame:
    size = files.regular(file, "the CSV that archsim sweep wrote", LONGEST)
    with file.open("rb") as stream:
        stream.seek(max(size - 1, 0))
        if size and stream.read(1) != b"\n":
            raise InputError("is cut: its last line has no end", file=file, expected="the CSV that archsim sweep wrote")
    try:
        # Words such as "none" or "NA" are values of an axis; only an empty cell is missing.
        return read_csv(file, keep_default_na=False, na_values=[""], dtype={"point": str})
    except (ValueError, OSError) as error:  # pandas' own errors are ValueErrors
        said = " ".join(str(error).split())
        raise InputError(f"is not readable ({said})", file=file, expected="the CSV that archsim sweep wrote") from error


def _check_columns(file: Path, frame: pd.DataFrame, axes: Sequence[Axis], quantities: Sequence[Quantity]) -> None:
    wanted = [*FIXED, *(axis.column for axis in axes), CHIP, TECHNOLOGY, *(each.name for each in quantities)]
    if missing := [name for name in wanted if name not in frame.columns]:
        raise InputError(f"lacks the column {missing[0]}", file=file, expected=f"the columns that {DEFINITION} names")


def _check_values(file: Path, frame: pd.DataFrame, axes: Sequence[Axis], quantities: Sequence[Quantity]) -> None:
    """Refuse words and infinities among numbers; the line counts from the head of the table, which is line 1."""
    import numpy as np
    import pandas as pd

    numbers = [each.column for each in axes if each.values and all(_is_number(value) for value in each.values)]
    numbers += [each.name for each in quantities] + [each.spread for each in quantities if each.spread in frame.columns]
    numbers += [str(each) for each in frame.columns if str(each).startswith(PART)]
    for column in numbers:
        cells = frame[column]
        found = pd.to_numeric(cells, errors="coerce")
        wrong = (cells.notna() & found.isna()) | np.isinf(found.astype(float)) | (cells.dtype == bool)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                file=file, line=row + 2, key=column, value=cells.iloc[row], expected="a finite number, or none"
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
