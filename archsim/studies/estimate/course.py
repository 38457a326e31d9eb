"""The activity of a run's training, over all of it or a part of it, for estimates to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from archsim.accounting.ledger import Row
from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError
from archsim.base.files import display
from archsim.base.signal import STEP_PHASES
from archsim.chips.activity import IN_PLACE, KEPT, Activity
from archsim.chips.architecture import Architecture
from archsim.records import tables
from archsim.records.recorded import RecordedChip, read
from archsim.records.reopen import stored_architectures, stored_workload
from archsim.runs.layout import ACTIVITY, COURSE
from archsim.runs.spec import DEFAULT_TECHNOLOGIES
from archsim.studies.estimate.books import activity_of
from archsim.studies.estimate.busiest import busiest, busy
from archsim.studies.estimate.spec import EstimateSpec, known_bound

COLUMNS = ("architecture", "step", "samples", "phase", "layer", "component", "action", "amount")


@dataclass(frozen=True)
class Stretch:
    """What a chip did between two points of its training."""

    begin: int
    end: int
    rows: tuple[Row, ...]

    @property
    def steps(self) -> int:
        """Training steps."""
        return self.end - self.begin


@dataclass(frozen=True)
class Course:
    """The training of one chip of a run: what was done up to each of its points.

    Parameters
    ----------
    spec : EstimateSpec
        Of the run's own network, chips and batch.
    architecture : Architecture
    path : Path
    points : step -> rows up to it
    update_s : float [s]
        Time of the update of a step, in the mean of all.
    """

    spec: EstimateSpec
    architecture: Architecture
    path: Path
    points: Mapping[int, tuple[Row, ...]]
    update_s: float

    def stretches(self, window: tuple[int, int] | None = None) -> list[Stretch]:
        """Return what was done between the points of a window of steps, one after the other."""
        first, last = window or (0, max(self.points))
        steps = [step for step in sorted(self.points) if first <= step <= last]
        return [Stretch(a, b, _since(self.points.get(a, ()), self.points[b])) for a, b in pairwise(steps)]

    def activity(self, window: tuple[int, int] | None = None) -> Activity:
        """Return the mean activity over a window of steps, from and to; of all steps by default.

        Raises
        ------
        InputError
            If fewer than two points of the training lie in the window.
        """
        parts = self.stretches(window)
        if not parts:
            have = ", ".join(map(str, sorted(self.points)))
            raise InputError(
                key="--window", value=f"{window[0]}:{window[1]}" if window else "",
                expected=f"two tests of the training in it; those of {display(self.path)} were after steps {have}",
            )  # fmt: skip
        begin, end = parts[0].begin, parts[-1].end
        rows = _since(self.points.get(begin, ()), self.points[end])
        origin = f"measured: steps {begin} to {end} of {display(self.path)}, {self.architecture.name}"
        return busy(activity_of(self.spec, self.architecture, rows, end - begin, origin), self._busiest)

    @cached_property
    def _busiest(self) -> float:
        """How much busier the busiest tiles were than the mean, over the whole training: of parts no time is kept."""
        last = max(self.points)
        if not last:
            return 1.0
        found = activity_of(self.spec, self.architecture, self.points[last], last, "")
        return busiest(self.spec, self.architecture, found, self.update_s)


def courses(path: Path) -> list[Course]:
    """Return the trainings of a run's chips.

    Raises
    ------
    InputError
        If the directory holds no run, or one that did not record activity, or whose files were altered.
    """
    file = path / COURSE
    chips, work = stored_architectures(path), stored_workload(path)
    if not file.exists():
        raise InputError(
            "is missing", file=file, expected="a run of this version, which records the activity of its training",
        )  # fmt: skip
    points: dict[str, dict[int, list[Row]]] = {}
    for cells in tables.table(file, COLUMNS):
        place = cells["phase"], cells["layer"], cells["component"], cells["action"]
        step = int(tables.number(file, cells, "step"))
        row = Row(*place, tables.number(file, cells, "amount"))
        points.setdefault(cells["architecture"], {0: []}).setdefault(step, []).append(row)
    kept = {name: chip for name, chip in read(path).chips.items() if not _earlier(points.get(name, {}), chip)}
    _check(file, points, kept)
    spec = EstimateSpec(
        work, work.network.build(bound=known_bound(work)), chips, read_technology(DEFAULT_TECHNOLOGIES[0]),
        work.training.batch, {},
    )  # fmt: skip
    found = []
    for chip in (each for each in chips if each.name in points and each.name in kept):
        rows = {step: tuple(several) for step, several in points[chip.name].items()}
        found.append(Course(spec, chip, path, rows, kept[chip.name].latency_s["update"]))
    return found


def _earlier(points: Mapping[int, list[Row]], chip: RecordedChip) -> bool:
    """Whether a chip that writes in place was trained by a version that did not record how."""
    did = any(row.component in IN_PLACE for row in chip.rows)
    return did and not any(row.component in IN_PLACE for rows in points.values() for row in rows)


def _check(
    file: Path, points: Mapping[str, Mapping[int, list[Row]]], chips: Mapping[str, RecordedChip]
) -> None:  # fmt: skip
    """Refuse sums that fall on the way, or end elsewhere than the run's own account."""
    for name, chip in chips.items():
        sums: dict[tuple[str, str, str, str], float] = {}
        for step in sorted(points.get(name, {})):
            for row in points[name][step]:
                key = row.phase, row.layer, row.component, row.action
                if row.amount < sums.get(key, 0.0):
                    _altered(file, f"{name}: {' '.join(key)} falls at step {step}", "sums since the start")
                sums[key] = row.amount
        ends = {
            (row.phase, row.layer, row.component, row.action): row.amount
            for row in chip.rows
            if row.phase in STEP_PHASES and (row.component, row.action) in KEPT
        }
        if sums != ends:
            key = next(each for each in {**ends, **sums} if sums.get(each) != ends.get(each))
            what = f"{name}: {' '.join(key)} ends at {sums.get(key, 0.0):g}"
            _altered(file, what, f"{ends.get(key, 0.0):g}, as in {ACTIVITY}")


def _altered(file: Path, what: str, expected: str) -> NoReturn:
    raise InputError(what, file=file, expected=expected)


def _since(before: tuple[Row, ...], after: tuple[Row, ...]) -> tuple[Row, ...]:
    """Return what was done between two points."""
    gone = {(row.phase, row.layer, row.component, row.action): row.amount for row in before}
    return tuple(
        Row(*key, row.amount - gone.get(key, 0.0))
        for row in after
        for key in [(row.phase, row.layer, row.component, row.action)]
    )
