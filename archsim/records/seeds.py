"""Runs of several seeds, read as one: the mean of what they did, with the runs themselves beside it.

The bill is linear in the counts, so the mean of the bills is the bill of the mean counts. A ratio is that of the mean
energies; how it differs from seed to seed, the runs tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from archsim.accounting.bill import Bill, Line
from archsim.accounting.ledger import Row
from archsim.base.errors import InputError
from archsim.records import recorded
from archsim.records.recorded import CoursePoint, Recorded, RecordedChip
from archsim.runs.layout import RUN, state

PREFIX = "seed-"


def folders(path: Path) -> list[Path]:
    """Return the runs of single seeds in a folder, by seed."""
    found = [each for each in path.glob(f"{PREFIX}*") if (each / RUN).is_file() and each.name[len(PREFIX) :].isdigit()]
    return sorted(found, key=lambda each: int(each.name[len(PREFIX) :]))


def several(path: Path) -> bool:
    """Return whether a folder holds the runs of seeds, and is no run itself."""
    return path.is_dir() and not (path / RUN).is_file() and bool(folders(path))


def read(path: Path) -> Recorded:
    """Read a run directory, or a folder of seeds as the mean of its finished runs.

    Raises
    ------
    InputError
        As for `recorded.read` and `mean`; if no seed is finished.
    """
    if not several(path):
        return recorded.read(path)
    finished = [each for each in folders(path) if state(each) == "finished"]
    if not finished:
        raise InputError("has no finished seed", file=path, expected="at least one run that is finished")
    return mean(path, [recorded.read(each) for each in finished])


def mean(path: Path, runs: Sequence[Recorded]) -> Recorded:
    """Return the mean of the runs of a folder's seeds.

    Raises
    ------
    InputError
        If they are not of one run.
    """
    for run in runs[1:]:
        _check_alike(runs[0], run)
    chips = {name: _chip([run.chips[name] for run in runs]) for name in runs[0].chips}
    return Recorded(path, runs[0].run, _summary(runs), runs[0].named, chips, tuple(runs))


def spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Return mean and standard deviation of a value of each seed; None for the second of a single one."""
    return fmean(values), stdev(values) if len(values) > 1 else None


def _check_alike(first: Recorded, other: Recorded) -> None:
    for what, key in (("workload", "workload"), ("data", "dataset"), ("steps", "steps"), ("baseline", "baseline")):
        if first.summary[key] != other.summary[key]:
            raise InputError(
                f"has other {what} than {first.path.name}", file=other.path, key=key, value=other.summary[key],
                expected=f"{first.summary[key]}: the same run but for its seed",
            )  # fmt: skip
    if (first.architectures, first.technologies) != (other.architectures, other.technologies):
        raise InputError(
            f"has other chips or technologies than {first.path.name}", file=other.path,
            expected=", ".join([*first.architectures, *first.technologies]),
        )  # fmt: skip


def _summary(runs: Sequence[Recorded]) -> dict[str, Any]:
    """Return the summary of the mean: numbers of chips are means, ratios those of the mean totals.

    Intervals are left out: those of a mean are no means of intervals, and are drawn where they are asked for.
    """
    found: dict[str, Any] = _mean([run.summary for run in runs])
    found |= {"seed": runs[0].summary["seed"], "seeds": [run.summary["seed"] for run in runs]}
    found.pop("intervals", None)
    over, chips = found["baseline"], found["architectures"]
    for name, ratio in found["ratios"].items():
        for key, quantity in (("energy", "energy_per_step_J"), ("latency", "latency_per_step_s")):
            ratio[key] = chips[over][quantity]["total"] / chips[name][quantity]["total"]
    if found["ratios"]:
        found["ratio"] = dict(next(iter(found["ratios"].values())))
    for technology in found["technologies"]:
        totals = {name: energy["total"] for name, energy in technology["energy_per_step_J"].items()}
        for name, ratio in technology.get("ratios", {}).items():
            ratio["energy"] = totals[over] / totals[name]
        if technology.get("ratios"):
            technology["ratio"] = dict(next(iter(technology["ratios"].values())))
    return found


def _mean(values: Sequence[Any]) -> Any:
    """Return the mean of equal documents: of numbers that differ; of all else, what the first one says."""
    first = values[0]
    if isinstance(first, dict):
        return {key: _mean([each[key] for each in values if key in each]) for key in first}
    if isinstance(first, list) and all(isinstance(each, list) and len(each) == len(first) for each in values):
        return [_mean(list(each)) for each in zip(*values, strict=True)]
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)
    return fmean(values) if numbers and any(each != first for each in values) else first


def _chip(chips: Sequence[RecordedChip]) -> RecordedChip:
    first, seeds = chips[0], len(chips)
    amounts: dict[tuple[str, str, str, str], list[float]] = {}
    rows: dict[tuple[str, str, str, str], Row] = {}
    for chip in chips:
        for row in chip.rows:
            place = row.phase, row.layer, row.component, row.action
            rows.setdefault(place, row)
            amounts.setdefault(place, []).append(row.amount)
    entries = {(each.component, each.key): each for chip in reversed(chips) for each in chip.entries}
    return replace(
        first,
        rows=tuple(replace(row, amount=math.fsum(amounts[place]) / seeds) for place, row in rows.items()),
        entries=tuple(entries.values()),
        latency_s={phase: fmean(chip.latency_s[phase] for chip in chips) for phase in first.latency_s},
        bills={name: Bill(_lines([chip.bills[name].lines for chip in chips])) for name in first.bills},
        ends={name: {place: pair for chip in chips for place, pair in chip.ends[name].items()} for name in first.ends},
        course=tuple(_point(points) for points in zip(*(chip.course for chip in chips), strict=False)),
    )


def _lines(bills: Sequence[Sequence[Line]]) -> tuple[Line, ...]:
    places: dict[tuple[str, str, str, str], list[Line]] = {}
    for lines in bills:
        for line in lines:
            places.setdefault((line.phase, line.layer, line.component, line.action), []).append(line)
    return tuple(
        replace(
            same[0], amount=math.fsum(line.amount for line in same) / len(bills),
            energy_J=math.fsum(line.energy_J for line in same) / len(bills),
        )
        for same in places.values()
    )  # fmt: skip


def _point(points: Sequence[CoursePoint]) -> CoursePoint:
    first = points[0]

    def mean(name: str) -> float | None:
        known = [value for point in points if (value := getattr(point, name)) is not None]
        return fmean(known) if known else None

    energies: Mapping[str, float] = {name: fmean(point.energy_J[name] for point in points) for name in first.energy_J}
    return replace(
        first, running=mean("running"), test=mean("test"),
        simulated_time_s=fmean(point.simulated_time_s for point in points), energy_J=energies,
    )  # fmt: skip
