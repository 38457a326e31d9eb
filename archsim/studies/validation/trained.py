"""Trainings that checks ask for: run now, or taken from a record whose beginning is run again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.base.progress import Counted
from archsim.base.units import show
from archsim.runs.spec import resolve
from archsim.studies.validation import standing
from archsim.studies.validation.case_file import CaseTraining, Check
from archsim.studies.validation.cases import Case
from archsim.studies.validation.standing import Course
from archsim.studies.workers.points import run_points
from archsim.studies.workers.pool import PROCESSES, On
from archsim.technologies.overlay import SCALING

SAME = 0.01
"""Part by which a known miss may differ from the factor its list states, and a recorded training from its beginning."""


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a training came to: chip -> its course, the whole last; the ratio of two chips; steps of the whole; data.

    `steps` may be more than the last course has: means of a step are then extrapolated. `problem` says what is wrong
    with it.
    """

    courses: Mapping[str, Sequence[Course]]
    ratio: float
    steps: int
    data: str
    problem: str = ""

    def value(self, check: Check) -> float:
        """Return the value of a check of this training [unit]."""
        if check.quantity == "ratio":
            return self.ratio
        if check.quantity == "accuracy":
            return self.courses[check.chip or ""][-1].test_accuracy
        return self._mean(check)[0]

    def spread(self, check: Check) -> float:
        """Return the relative error of a value that was extrapolated, 0 of others."""
        return self._mean(check)[1] if check.quantity in ("energy", "latency") else 0.0

    def _mean(self, check: Check) -> tuple[float, float]:
        courses = self.courses[check.chip or ""]
        return extrapolate([(one.steps, one.mean(check.quantity, check.phase)) for one in courses], self.steps)


def extrapolate(course: Sequence[tuple[int, float]], steps: int) -> tuple[float, float]:
    """Return the mean over `steps` of what had a mean after fewer, and its relative error.

    The rest is taken to lie between two ways on: as the last piece was, and falling (or rising) by the power law
    through the last two pieces. The value is the middle of both, the error half their difference.

    Parameters
    ----------
    course : (steps, mean so far), rising; three at least if they end before `steps`
    """
    end, mean = course[-1]
    if end >= steps:
        return mean, 0.0
    (first, one), (second, two) = course[-3:-1]
    before, last = (two * second - one * first) / (second - first), (mean * end - two * second) / (end - second)
    middles = ((first + second) / 2, (second + end) / 2)
    power = math.log(last / before) / math.log(middles[1] / middles[0])
    falling = last * middles[1] ** -power * (steps ** (power + 1) - end ** (power + 1)) / (power + 1)
    ways = [(mean * end + rest) / steps for rest in (last * (steps - end), falling)]
    return sum(ways) / 2, abs(ways[0] - ways[1]) / sum(ways)


def train(
    cases: Sequence[Case],
    *,
    full: bool,
    folder: Path,
    data: Path | None,
    record: bool,
    done: Counted | None = None,
    on: On = PROCESSES,
) -> dict[tuple[str, str], TrainingRun]:
    """Run the trainings that checks ask for; return (case, training) -> what it came to.

    Parameters are those of `validate.validate`; with `full` and `record` recorded trainings are written down.
    """
    points: dict[str, dict[str, Any]] = {}
    wanted: dict[tuple[str, str], tuple[Case, CaseTraining, list[int]]] = {}
    for case in cases:
        checks = [n.check for n in case.file.published.values() if n.check and (full or not n.check.full)]
        for name, training in case.file.trainings.items():
            if any(name in check.of for check in checks):
                lengths = training.lengths(full=full)
                wanted[case.file.name, name] = case, training, lengths
                points |= {
                    f"{case.file.name}/{name}/{steps}": _options(case, training, steps, data) for steps in lengths
                }
    finished: list[str] = []

    def note(name: str, summary: dict[str, Any]) -> None:
        del summary
        finished.append(name)
        if done:
            done(name, len(finished), len(points))

    summaries = run_points(points, folder, done=note, on=on) if points else {}
    found = {}
    for (owner, name), (case, training, lengths) in wanted.items():
        ran = [summaries[f"{owner}/{name}/{steps}"] for steps in lengths]
        hashed = resolve(**points[f"{owner}/{name}/{lengths[0]}"]).dataset.sha256[:12]
        courses = {chip: [_course(each, chip) for each in ran] for chip in ran[0]["architectures"]}
        if training.recorded and full and record:
            standing.keep_training(case, name, hashed, courses)
        if training.recorded and not full:
            found[owner, name] = _from_record(case, name, hashed, courses)
        else:
            ratio = float(ran[-1]["ratio"]["energy"] or math.nan)
            found[owner, name] = TrainingRun(courses, ratio, training.whole(full=full), hashed)
    return found


def _options(case: Case, training: CaseTraining, steps: int, data: Path | None) -> dict[str, Any]:
    return {
        "workload": case.near(training.workload), "archs": tuple(map(case.near, training.architectures)),
        "techs": (case.near(training.technology),), "seed": 1, "data": data, "steps": steps,
        **({"figures": (f"{SCALING}={case.rule}",)} if case.rule else {}),
    }  # fmt: skip


def _course(summary: Mapping[str, Any], chip: str) -> Course:
    one = summary["architectures"][chip]
    return Course(
        steps=int(summary["steps"]), energy=one["energy_per_step_J"], latency=one["latency_per_step_s"],
        test_accuracy=one["test"],
    )  # fmt: skip


def _from_record(case: Case, name: str, data: str, begun: Mapping[str, Sequence[Course]]) -> TrainingRun:
    """Return a recorded training; with a problem if it does not begin as `begun` did, on the same data."""
    record, problem = standing.recorded(case, name), ""
    for chip, courses in record.chips.items():
        now, was = begun[chip][0], courses[0]
        pairs = [(now.mean(what, None), was.mean(what, None)) for what in ("energy", "latency")]
        if record.data == data and any(not math.isclose(a, b, rel_tol=SAME) for a, b in pairs):
            problem = (
                f"rests on a recorded training whose first {was.steps:,} steps came to {show(pairs[0][1], 'J')} each "
                f"and come to {show(pairs[0][0], 'J')} now; --full --record runs it again"
            )
    return TrainingRun(record.chips, math.nan, case.file.trainings[name].whole(full=True), record.data, problem)
