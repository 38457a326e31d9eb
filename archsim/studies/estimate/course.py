"""The activity of a run's training, over all of it or a part of it, for estimates to take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from archsim.accounting.ledger import Row
from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError
from archsim.base.files import display
from archsim.chips.activity import Activity
from archsim.chips.architecture import Architecture
from archsim.records import tables
from archsim.records.reopen import stored_architectures, stored_workload
from archsim.runs.layout import COURSE
from archsim.runs.spec import DEFAULT_TECHNOLOGIES
from archsim.studies.estimate.books import activity_of
from archsim.studies.estimate.spec import EstimateSpec, input_bound

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
    """

    spec: EstimateSpec
    architecture: Architecture
    path: Path
    points: Mapping[int, tuple[Row, ...]]

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
        return activity_of(self.spec, self.architecture, rows, end - begin, origin)


def courses(path: Path) -> list[Course]:
    """Return the trainings of a run's chips.

    Raises
    ------
    InputError
        If the directory holds no run, or one of a version that did not record activity.
    """
    file = path / COURSE
    chips, work = stored_architectures(path), stored_workload(path)
    if not file.exists():
        raise InputError(
            "is missing", file=file, expected="a run of this version, which records the activity of its training",
        )  # fmt: skip
    points: dict[str, dict[int, list[Row]]] = {}
    for k, cells in enumerate(tables.table(file, COLUMNS)):
        try:
            row = Row(cells["phase"], cells["layer"], cells["component"], cells["action"], float(cells["amount"]))
            points.setdefault(cells["architecture"], {0: []}).setdefault(int(cells["step"]), []).append(row)
        except ValueError as error:
            raise InputError("is no number", file=file, line=k + 2, expected="what archsim wrote") from error
    spec = EstimateSpec(
        work, work.network.build(bound=input_bound(work)), chips, read_technology(DEFAULT_TECHNOLOGIES[0]),
        work.training.batch, {},
    )  # fmt: skip
    return [
        Course(spec, chip, path, {step: tuple(rows) for step, rows in points[chip.name].items()})
        for chip in chips
        if chip.name in points
    ]


def _since(before: tuple[Row, ...], after: tuple[Row, ...]) -> tuple[Row, ...]:
    """Return what was done between two points."""
    gone = {(row.phase, row.layer, row.component, row.action): row.amount for row in before}
    return tuple(
        Row(*key, row.amount - gone.get(key, 0.0))
        for row in after
        for key in [(row.phase, row.layer, row.component, row.action)]
    )
