"""A run directory, read back by the one reader: what its chips did, how it was priced, how the training went.

Builds no chip. Whatever the files say of one another is checked (`archsim.records.agreement`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from archsim.accounting.area import AreaLine
from archsim.accounting.bill import Bill, Line
from archsim.accounting.circuits import CHIP_PARTS, CIRCUITS, Circuit
from archsim.accounting.ledger import FUNCTIONS, Action, Entry, Row
from archsim.base.errors import InputError
from archsim.base.metrics import Metric, Sample, metric_of, sample_of
from archsim.base.signal import STEP_PHASES
from archsim.records import agreement, tables
from archsim.records.agreement import COURSE
from archsim.records.lines import Contribution, PartArea, largest, part_area, per_step
from archsim.records.technologies import NamedTechnology, named
from archsim.runs import earlier
from archsim.runs.layout import ACTIVITY, AREA, ENERGY, INPUTS, RUN, SCHEMA, SUMMARY, TRAINING

ENDS = ("price_low_J_per_unit", "price_high_J_per_unit")
COLUMNS = {
    ACTIVITY: {"architecture", "phase", "layer", "component", "action", "key", "function", "part", "circuit",
               "amount", "amount_unit", "sizes", "times", "what"},
    ENERGY: {"technology", "architecture", "phase", "in_step", "layer", "component", "action", "key", "function",
             "inside_boundary", "amount", "amount_unit", "figure", "price_J_per_unit", *ENDS, "energy_J",
             "energy_per_step_J", "basis", "source", "note"},
    AREA: {"technology", "architecture", "component", "key", "part", "amount", "amount_unit", "figure",
           "area_m2_per_unit", "area_m2", "low_m2", "high_m2", "basis", "source", "note"},
    TRAINING: {"architecture", *COURSE},
}  # fmt: skip


LATE = 0.25
"""The last part of a training."""


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """Where a training stood after so many steps, as training.csv has it.

    `energy_J` is that of all steps up to here by technology [J]; `running` and `test` are of the run's own metric, and
    None where they were not taken.
    """

    step: int
    samples: int
    epoch: float
    learning_rate: float
    running: float | None
    test: float | None
    simulated_time_s: float
    energy_J: Mapping[str, float]  # noqa: N815  the column's name, with its unit


@dataclass(frozen=True)
class RecordedChip:
    """What one chip of a run did.

    Parameters
    ----------
    architecture, kind : str
        Name of the architecture, and of its kind of chip.
    steps : int
    rows, entries : the ledger, and what each of its actions is
    inside : functions inside the boundary of the account
    latency_s : phase -> simulated time of a step [s], "total" among them
    bills : technology -> the bill as it was made with the run
    ends : technology -> (component, action) -> price with the figure at the ends of its range [J per unit]
    areas : technology -> the parts of the chip with their areas
    course : the points of the training, in order
    """

    architecture: str
    kind: str
    steps: int
    rows: tuple[Row, ...]
    entries: tuple[Entry, ...]
    inside: tuple[str, ...]
    latency_s: Mapping[str, float]
    bills: Mapping[str, Bill]
    ends: Mapping[str, Mapping[tuple[str, str], tuple[float, float]]]
    areas: Mapping[str, tuple[AreaLine, ...]]
    course: tuple[CoursePoint, ...]

    def mean_J(self, technology: str) -> float:  # noqa: N802  the quantity's unit
        """Return the energy [J] of a sample, mean over the training; 0 before the first."""
        end = self.course[-1]
        return end.energy_J[technology] / end.samples if end.samples else 0.0

    def late_J(self, technology: str) -> float | None:  # noqa: N802  the quantity's unit
        """Return the energy [J] of a sample from the last point before the last part on; None if that is the start."""
        end = self.course[-1]
        begin = [point for point in self.course if point.samples <= (1 - LATE) * end.samples][-1]
        if not begin.samples:
            return None
        return (end.energy_J[technology] - begin.energy_J[technology]) / (end.samples - begin.samples)


@dataclass(frozen=True)
class Recorded:
    """A run as its directory tells it.

    Parameters
    ----------
    path : Path
    run, summary : content of run.yaml and of summary.json
    named : its technologies, its own first
    chips : by name, in the order of the run
    seeds : the runs of single seeds whose mean this is; empty for one run
    """

    path: Path
    run: dict[str, Any]
    summary: dict[str, Any]
    named: tuple[NamedTechnology, ...]
    chips: Mapping[str, RecordedChip]
    seeds: tuple[Recorded, ...] = ()

    @property
    def home(self) -> Path:
        """The directory of the run, or of the first of its seeds, which has what the others have."""
        return self.seeds[0].path if self.seeds else self.path

    @property
    def seeded(self) -> str:
        """The seed or the seeds in words: "seed 1", "mean of the seeds 1, 2, 3"."""
        if not self.seeds:
            return f"seed {self.summary['seed']}"
        return "mean of the seeds " + ", ".join(str(each.summary["seed"]) for each in self.seeds)

    @property
    def metric(self) -> Metric:
        """What the training was judged by."""
        return metric_of(self.summary)

    @property
    def sample(self) -> Sample:
        """What a sample is called."""
        return sample_of(self.summary)

    @property
    def times_s(self) -> Mapping[str, float]:
        """Times [s] by which the run's chips were clocked."""
        return self.named[0].times_s

    @property
    def technology(self) -> str:
        """The run's own technology, by which charts are drawn."""
        return self.named[0].name

    @property
    def technologies(self) -> list[str]:
        """Names of all technologies by which the run was priced, its own first."""
        return [each.name for each in self.named]

    @property
    def note(self) -> str:
        """What must be said of a technology that was computed for a question about the run; empty otherwise."""
        return self.named[0].note

    @property
    def architectures(self) -> list[str]:
        """Names of the chips, in the order of the run."""
        return list(self.chips)

    def absent(self, architecture: str) -> list[str]:
        """Return the non-idealities that a chip's file has on, but that its device does not have."""
        if "metered" in self.run:  # nothing of a loop that was counted was rounded or drawn by archsim
            return []
        files = {each["name"]: each for each in self.run["architectures"]}
        switches: Mapping[str, bool] = files.get(architecture, {}).get("nonidealities") or {}
        on = (self.run.get("nonidealities_on") or {}).get(architecture, ())
        return [name for name, state in switches.items() if state and name not in on]

    def contributions(self, architecture: str, technology: str | None = None) -> list[Contribution]:
        """Return the lines of a chip's training step inside the boundary, under one technology."""
        chip, name = self.chips[architecture], technology or self.technology
        ends = chip.ends[name]
        return [
            per_step(line, chip.steps, ends[line.component, line.action])
            for line in chip.bills[name].lines
            if line.inside and line.phase in STEP_PHASES
        ]

    def areas(self, architecture: str, technology: str | None = None) -> list[PartArea]:
        """Return the parts of a chip with their areas under one technology."""
        return [part_area(line) for line in self.chips[architecture].areas[technology or self.technology]]

    def total(self, architecture: str, technology: str | None = None) -> float:
        """Return the energy [J] of a chip's step inside the boundary, under one technology."""
        return math.fsum(line.energy for line in self.contributions(architecture, technology))

    def ends(self, architecture: str, technology: str | None = None) -> tuple[float, float]:
        """Return the energy [J] of a chip's step with all figures at the low, and at the high end of their ranges."""
        lines = self.contributions(architecture, technology)
        return math.fsum(line.low for line in lines), math.fsum(line.high for line in lines)

    def largest(self, architecture: str, most: int, technology: str | None = None) -> list[Contribution]:
        """Return the largest contributors of a chip, summed over phases and layers, the largest first."""
        return largest(self.contributions(architecture, technology), most)

    @property
    def inputs(self) -> Path:
        """Folder with copies of the files that the run read."""
        return self.home / INPUTS


def reached(run: Recorded) -> list[tuple[float, str, CoursePoint | None]]:
    """Return level, chip, and the first point of its training whose test was as good; None if none was.

    The levels are the metric's own; of one that says none there are none.
    """
    metric = run.metric
    return [
        (level, name, next((at for at in chip.course if metric.reaches(at.test, level)), None))
        for level in metric.levels
        for name, chip in run.chips.items()
    ]


def read(path: Path) -> Recorded:
    """Read a run directory.

    Raises
    ------
    InputError
        If it is none, a file is missing or is not what archsim writes, or the files contradict each other.
    """
    if not path.is_dir():
        raise InputError(key="RUN", value=str(path), expected="an existing run directory")
    if not (path / RUN).is_file():
        raise InputError(key="RUN", value=str(path), expected=f"a run directory, but it has no {RUN}")
    run = tables.mapping(path / RUN)
    state = run.get("state")
    hint = f"The run's state is {state!r}: it has no results yet" if state != "finished" else None
    summary = tables.mapping(path / SUMMARY, hint=hint)
    if run.get("schema") not in earlier.SCHEMAS:
        raise InputError(
            file=path / RUN, key="schema", value=run.get("schema"), expected=f"{SCHEMA}, of this version",
            hint="Do the run again: actions now say which part and what circuit they are",
        )  # fmt: skip
    layers = ((run.get("workload") or {}).get("network") or {}).get("layers") or ()
    summary = earlier.summary(summary, layers)
    agreement.check_summary(path / SUMMARY, summary)
    if run.get("seed", summary["seed"]) != summary["seed"]:
        raise InputError(
            file=path / RUN, key="seed", value=run.get("seed"), expected=f"{summary['seed']}, as in {SUMMARY}"
        )
    try:
        boundaries = {str(a["name"]): tuple(a["boundary"]["inside"]) for a in run["architectures"]}
        identified = run["workload"]["training"]["batch"], run["dataset"]["sha256"], run["inputs"].items()
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"lacks something ({error})", file=path / RUN, expected="run.yaml as archsim writes it"
        ) from error
    del identified  # read to be refused here if they are not there
    known = named(path, run)
    names = [each.name for each in known]
    agreement.check_names(path, summary, names, list(boundaries))
    course = earlier.columns(run["schema"], COLUMNS[TRAINING]) | {f"energy_J_{each.name}" for each in known}
    columns = {**COLUMNS, TRAINING: course}
    told = {name: tables.table(path / name, wanted) for name, wanted in columns.items()}
    told[TRAINING] = [earlier.renamed(row) for row in told[TRAINING]]
    for name in (ACTIVITY, AREA):
        told[name] = [{**row, "part": earlier.part(row["key"], row["part"])} for row in told[name]]
    agreement.check_strangers(path, told, list(summary["architectures"]), names)
    chips = {
        str(name): _chip(path, str(name), chip, boundaries[name], told, known)
        for name, chip in summary["architectures"].items()
    }
    for chip in chips.values():
        agreement.check_chip(path, chip, summary, names)
    agreement.check_ratios(path, summary)
    agreement.check_intervals(path, chips, summary)
    agreement.check_written(path, run)
    return Recorded(path, run, summary, known, chips)


def _chip(
    path: Path, name: str, summary: Mapping[str, Any], inside: tuple[str, ...],
    told: Mapping[str, Sequence[tables.Cells]], named: Sequence[NamedTechnology],
) -> RecordedChip:  # fmt: skip
    mine = {table: [row for row in rows if row["architecture"] == name] for table, rows in told.items()}
    file = path / ACTIVITY
    rows = tuple(
        Row(r["phase"], r["layer"], r["component"], r["action"], tables.number(file, r, "amount"))
        for r in mine[ACTIVITY]
    )
    entries = {
        (r["component"], r["key"]): Entry(
            r["component"],
            r["key"],
            _action(file, r),
            tables.sizes(file, r["sizes"]),
            tuple(filter(None, r["times"].split(";"))),
        )
        for r in mine[ACTIVITY]
    }
    parts = {(e.component, e.key): e.action.part for e in entries.values()}
    bills: dict[str, list[Line]] = {}
    ends: dict[str, dict[tuple[str, str], tuple[float, float]]] = {}
    for row in mine[ENERGY]:
        line = _line(path / ENERGY, row, parts)
        bills.setdefault(row["technology"], []).append(line)
        low, high = (tables.number(path / ENERGY, row, end) for end in ENDS)
        ends.setdefault(row["technology"], {})[line.component, line.action] = low, high
    areas: dict[str, list[AreaLine]] = {}
    for row in mine[AREA]:
        areas.setdefault(row["technology"], []).append(_area(path / AREA, row))
    return RecordedChip(
        architecture=name, kind=str(summary.get("chip", name)), steps=int(summary["steps"]), rows=rows,
        entries=tuple(entries.values()), inside=inside, latency_s=summary["latency_per_step_s"],
        bills={technology: Bill(tuple(lines)) for technology, lines in bills.items()}, ends=ends,
        areas={technology: tuple(lines) for technology, lines in areas.items()},
        course=tuple(_point(path / TRAINING, row, named) for row in mine[TRAINING]),
    )  # fmt: skip


def _action(file: Path, row: tables.Cells) -> Action:
    for column, known in (("function", FUNCTIONS), ("part", CHIP_PARTS), ("circuit", CIRCUITS)):
        if row[column] not in known:
            raise InputError(file=file, key=column, value=row[column], expected=f"one of {', '.join(known)}")
    kind = cast("Circuit", row["circuit"])
    return Action(row["what"], row["function"], tables.unit(row), part=row["part"], circuit=kind)


def _line(file: Path, row: tables.Cells, parts: Mapping[tuple[str, str], str]) -> Line:
    return Line(
        part=parts.get((row["component"], row["key"]), "other"),
        phase=row["phase"], layer=row["layer"], component=row["component"], action=row["action"], key=row["key"],
        function=row["function"], inside=tables.truth(file, row, "inside_boundary"),
        amount=tables.number(file, row, "amount"), unit=tables.unit(row), figure=row["figure"] or None,
        price=tables.number(file, row, "price_J_per_unit"), energy_J=tables.number(file, row, "energy_J"),
        basis=row["basis"], source=row["source"], reason=row["note"],
    )  # fmt: skip


def _area(file: Path, row: tables.Cells) -> AreaLine:
    known = row["area_m2"] != ""
    price, area, low, high = (
        tables.number(file, row, column) if known else None
        for column in ("area_m2_per_unit", "area_m2", "low_m2", "high_m2")
    )
    return AreaLine(
        component=row["component"], key=row["key"], amount=tables.number(file, row, "amount"), unit=tables.unit(row),
        part=row["part"], figure=row["figure"] or None, price_m2=price, area_m2=area, low_m2=low, high_m2=high,
        basis=row["basis"], source=row["source"], reason=row["note"],
    )  # fmt: skip


def _point(file: Path, row: tables.Cells, named: Sequence[NamedTechnology]) -> CoursePoint:
    return CoursePoint(
        step=int(tables.number(file, row, "step")), samples=int(tables.number(file, row, "samples")),
        epoch=tables.number(file, row, "epoch"), learning_rate=tables.number(file, row, "learning_rate"),
        running=tables.maybe(file, row, "running"),
        test=tables.maybe(file, row, "test"),
        simulated_time_s=tables.number(file, row, "simulated_time_s"),
        energy_J={each.name: tables.number(file, row, f"energy_J_{each.name}") for each in named},
    )  # fmt: skip
