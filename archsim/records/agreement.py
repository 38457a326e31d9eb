"""What the files of a run directory must say of one another; the first contradiction is refused by name.

activity.csv counts; energy.csv is these counts times prices; training.csv ends where the training ended; area.csv and
summary.json add up to what these say. What no other file says (a source, a unit) is held by the SHA-256 in run.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from archsim.base.errors import InputError
from archsim.base.files import sha256
from archsim.base.metrics import metric_of
from archsim.base.signal import PHASES, STEP_PHASES
from archsim.runs.layout import AREA, ENERGY, RESULTS, SUMMARY, TRAINING
from archsim.runs.summary import Summary

if TYPE_CHECKING:
    from archsim.records.recorded import RecordedChip
    from archsim.records.tables import Cells

COURSE = ("step", "samples", "epoch", "learning_rate", "running", "test", "simulated_time_s")
"""Columns of training.csv that every run has; the energies of its technologies follow."""
RISING = ("step", "samples", "epoch", "simulated_time_s")
WHOLE = "the files of one run, as archsim wrote them"
_CLOSE = 1e-9


def check_written(path: Path, run: Mapping[str, Any]) -> None:
    """Refuse files of results that are not those which run.yaml says were written; earlier versions did not say."""
    told = run.get("results")
    if told is None:
        return
    for name in RESULTS:
        file, digest = path / name, told.get(name) if isinstance(told, Mapping) else None
        if not file.is_file():
            raise InputError("is missing", file=file, expected="a run directory with its files")
        if sha256(file) != digest:
            raise InputError("was altered after the run had written it", file=file, expected=WHOLE)


def check_summary(file: Path, summary: Mapping[str, Any]) -> None:
    """Refuse a summary.json that does not follow its schema, or holds values that cannot be."""
    try:
        Summary.model_validate(summary, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Input should be ")
        raise InputError(file=file, key=key, value=first.get("input"), expected=said) from error
    if not summary["architectures"]:
        raise InputError("holds no results", file=file, expected="those of at least one chip")
    for name, chip in summary["architectures"].items():
        for key, value in _numbers(chip, f"architectures.{name}"):
            if not 0 <= value < math.inf:
                raise InputError(file=file, key=key, value=value, expected="a number from 0 on")
        metric, test = metric_of(summary), chip["test"]
        if test is not None and not metric.fits(test):
            raise InputError(file=file, key=f"architectures.{name}.test", value=test, expected=metric.expected)


def _numbers(value: Any, key: str) -> Iterable[tuple[str, float]]:
    """Yield the numbers of a JSON document by dotted key."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _numbers(each, f"{key}.{name}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, value


def check_names(path: Path, summary: Mapping[str, Any], technologies: Sequence[str], chips: Sequence[str]) -> None:
    """Refuse a summary.json of other chips or technologies than run.yaml names."""
    told = [str(each.get("name")) for each in summary["technologies"]]
    own = str(summary["technology"]["name"])
    if told != list(technologies) or own != technologies[0]:
        raise InputError(
            f"names the technologies {', '.join([own, *told])}", file=path / SUMMARY, key="technologies",
            expected=f"{', '.join(technologies)}, as in run.yaml: {WHOLE}",
        )  # fmt: skip
    had = list(summary["architectures"])
    whole = had == list(chips) if summary["state"] == "finished" else set(had) <= set(chips)
    if not whole:
        raise InputError(
            f"has the chips {', '.join(had)}", file=path / SUMMARY, key="architectures",
            expected=f"{', '.join(chips)}, as in run.yaml: {WHOLE}",
        )  # fmt: skip
    for each in summary["technologies"]:
        if list(each["energy_per_step_J"]) != had:
            raise InputError(
                f"has the chips {', '.join(each['energy_per_step_J'])}", file=path / SUMMARY,
                key=f"technologies.{each['name']}.energy_per_step_J", expected=f"{', '.join(had)}: {WHOLE}",
            )  # fmt: skip


def check_strangers(
    path: Path, told: Mapping[str, Sequence[Cells]], chips: Sequence[str], technologies: Sequence[str]
) -> None:
    """Refuse tables with rows of a chip, a technology or a phase that the run does not have."""
    for name, rows in told.items():
        for column, known in (("architecture", chips), ("technology", technologies), ("phase", PHASES)):
            for value in dict.fromkeys(row[column] for row in rows if column in row):
                if value not in known:
                    raise InputError(
                        f"has rows of {value!r}", file=path / name, key=column,
                        expected=f"{', '.join(known)}: {WHOLE}",
                    )  # fmt: skip


def check_chip(path: Path, chip: RecordedChip, summary: Mapping[str, Any], technologies: Sequence[str]) -> None:
    """Refuse a chip of which the files say different things."""
    told = summary["architectures"][chip.architecture]
    by_technology = {str(each["name"]): each for each in summary["technologies"]}
    for name in technologies:
        if name not in chip.bills:
            raise InputError(
                f"gives {chip.architecture} nothing", file=path / ENERGY, key=name, expected=f"its bill: {WHOLE}"
            )
        _check_bill(path, chip, name)
        energies = {phase: chip.bills[name].total(phase=phase) / chip.steps for phase in STEP_PHASES}
        stated = by_technology[name]["energy_per_step_J"][chip.architecture]
        for phase, energy in (*energies.items(), ("total", math.fsum(energies.values()))):
            _same(path / ENERGY, f"{chip.architecture}, {phase}, {name}: J a step", energy, stated[phase], SUMMARY)
            if name == technologies[0]:
                key = f"architectures.{chip.architecture}.energy_per_step_J.{phase}"
                _same(path / SUMMARY, key, told["energy_per_step_J"][phase], energy, ENERGY)
    _check_time(path, chip, told)
    if chip.course:  # refused below, where there is none
        _check_metric(path, chip, summary, technologies[0])
    _check_course(path, chip, told, technologies)
    _check_samples(path, chip, told)
    _check_area(path, chip, told.get("area_m2"), technologies)


def _same(file: Path, key: str, found: float | None, other: float | None, where: str) -> None:
    """Refuse two numbers that must be one."""
    if found is None or other is None:
        same = found is other
    else:
        same = math.isclose(found, other, rel_tol=_CLOSE, abs_tol=1e-30)
    if not same:
        raise InputError(file=file, key=key, value=found, expected=f"{other!r}, as in {where}: {WHOLE}")


def _check_bill(path: Path, chip: RecordedChip, name: str) -> None:
    """Refuse an energy.csv that is not what activity.csv counts, or whose lines are no products."""
    file, lines = path / ENERGY, chip.bills[name].lines
    counted = {(row.phase, row.layer, row.component, row.action): row.amount for row in chip.rows}
    priced = {(line.phase, line.layer, line.component, line.action): line.amount for line in lines}
    if priced != counted or len(priced) != len(lines) or len(counted) != len(chip.rows):
        differing = (key for key in (*counted, *priced) if priced.get(key) != counted.get(key))
        place = next(differing, next(iter(counted)))  # the same amounts: a row stands twice
        where = ", ".join(filter(None, (chip.architecture, *place)))
        raise InputError(
            f"has {priced.get(place, 'no row')} for {where}", file=file, key=name,
            expected=f"{counted.get(place, 'no row')}, as in activity.csv: {WHOLE}",
        )  # fmt: skip
    for line in lines:
        if not math.isclose(line.energy_J, line.amount * line.price, rel_tol=_CLOSE, abs_tol=1e-30):
            raise InputError(
                f"is {line.energy_J!r} for {line.component}.{line.action} of {chip.architecture}", file=file,
                key="energy_J", expected=f"{line.amount * line.price!r}, amount times price",
            )  # fmt: skip


def _check_samples(path: Path, chip: RecordedChip, told: Mapping[str, Any]) -> None:
    """Refuse values of a sample that are not those of a step."""
    name, file = chip.architecture, path / SUMMARY
    _same(
        file, f"architectures.{name}.samples", told["samples"], chip.course[-1].samples if chip.course else 0, TRAINING
    )
    for key in ("energy_per_{}_J", "latency_per_{}_s"):
        for phase in (*STEP_PHASES, "total"):
            found = told[key.format("sample")][phase] * told["samples"] / chip.steps
            place = f"architectures.{name}.{key.format('sample')}.{phase}"
            _same(file, place, found, told[key.format("step")][phase], f"{key.format('step')}, a step")


def check_ratios(path: Path, summary: Mapping[str, Any]) -> None:
    """Refuse ratios that are not the baseline's totals over another chip's."""
    chips = summary["architectures"]
    over = chips.get(summary["baseline"])
    for name, ratio in summary["ratios"].items():
        for key, quantity in (("energy", "energy_per_step_J"), ("latency", "latency_per_step_s")):
            under = chips[name][quantity]["total"] if name in chips else 0
            quotient = over[quantity]["total"] / under if over and under else None
            _same(path / SUMMARY, f"ratios.{name}.{key}", ratio[key], quotient, "the totals of both chips")
    first = next(iter(summary["ratios"].values()), {"energy": None})
    _same(path / SUMMARY, "ratio.energy", summary["ratio"]["energy"], first["energy"], "ratios")


def check_intervals(path: Path, chips: Mapping[str, RecordedChip], summary: Mapping[str, Any]) -> None:
    """Refuse intervals in summary.json of other values than the run's, or that no figures in their ranges give."""
    for technology, told in (summary.get("intervals") or {}).items():
        key = f"intervals.{technology}"
        for name, value in _numbers(told, key):
            if not 0 <= value < math.inf:
                raise InputError(file=path / SUMMARY, key=name, value=value, expected="a number from 0 on")
        alike = all(technology in chip.bills for chip in chips.values()) and set(told["architectures"]) == set(chips)
        if not alike:
            raise InputError(
                "is of other chips or technologies than the run", file=path / SUMMARY, key=key, expected=WHOLE
            )
        for name, chip in chips.items():
            _check_chip_intervals(path, f"{key}.architectures.{name}", chip, technology, told["architectures"][name])
        totals = {name: each["energy_per_step_J"]["total"]["value"] for name, each in told["architectures"].items()}
        for name, each in told["energy_ratios"].items():
            over, under = totals.get(summary["baseline"]), totals.get(name)
            quotient = over / under if over is not None and under else None
            _check_interval(path, f"{key}.energy_ratios.{name}", each, quotient, (0.0, math.inf))


def _check_chip_intervals(
    path: Path, key: str, chip: RecordedChip, technology: str, told: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> None:
    """Refuse a chip's intervals; energies and areas have bounds, all figures at the ends of their ranges."""
    lines = [line for line in chip.bills[technology].lines if line.inside and line.phase in STEP_PHASES]
    for phase, each in told["energy_per_step_J"].items():
        mine = [line for line in lines if phase in (line.phase, "total")]
        ends = [chip.ends[technology][line.component, line.action] for line in mine]
        low, high = (
            math.fsum(line.amount * end[k] for line, end in zip(mine, ends, strict=True)) / chip.steps for k in (0, 1)
        )
        energy = math.fsum(line.energy_J for line in mine) / chip.steps
        _check_interval(path, f"{key}.energy_per_step_J.{phase}", each, energy, (low, high))
    for phase, each in told["latency_per_step_s"].items():
        value = chip.latency_s.get(phase)
        _check_interval(path, f"{key}.latency_per_step_s.{phase}", each, value, (0.0, math.inf))
    for component, each in told["area_m2"].items():
        parts = [line for line in chip.areas[technology] if component in (line.component, "total")]
        value, low, high = (
            math.fsum(getattr(part, name) or 0.0 for part in parts) for name in ("area_m2", "low_m2", "high_m2")
        )
        _check_interval(path, f"{key}.area_m2.{component}", each, value, (low, high))


def _check_interval(
    path: Path, key: str, told: Mapping[str, float], value: float | None, bounds: tuple[float, float]
) -> None:
    """Refuse an interval of another value, or one that does not lie within its bounds."""
    _same(path / SUMMARY, f"{key}.value", told["value"], value, "the other files of the run")
    low, high = bounds[0] * (1 - _CLOSE), bounds[1] * (1 + _CLOSE)
    if not low <= told["low"] <= told["high"] <= high:
        raise InputError(
            file=path / SUMMARY, key=key, value=f"{told['low']!r} to {told['high']!r}",
            expected=f"ends in their order, from {bounds[0]!r} to {bounds[1]!r}: {WHOLE}",
        )  # fmt: skip


def _check_time(path: Path, chip: RecordedChip, told: Mapping[str, Any]) -> None:
    latency, key = told["latency_per_step_s"], f"architectures.{chip.architecture}"
    total = math.fsum(latency[phase] for phase in STEP_PHASES)
    _same(path / SUMMARY, f"{key}.latency_per_step_s.total", latency["total"], total, "its phases")
    whole = latency["total"] * chip.steps
    _same(path / SUMMARY, f"{key}.simulated_time_s", told["simulated_time_s"], whole, "latency_per_step_s times steps")


def _check_course(path: Path, chip: RecordedChip, told: Mapping[str, Any], technologies: Sequence[str]) -> None:
    """Refuse a training.csv that does not rise, or does not end where summary.json says."""
    file, name = path / TRAINING, chip.architecture
    if not chip.course:
        raise InputError(f"has no row of {name}", file=file, key="architecture", expected=WHOLE)
    for before, after in pairwise(chip.course):
        for column in (*RISING, *technologies):
            first, second = (
                point.energy_J[column] if column in technologies else getattr(point, column)
                for point in (before, after)
            )
            if second < first * (1 - _CLOSE):
                raise InputError(
                    f"falls from {first!r} to {second!r} for {name} at step {after.step}", file=file, key=column,
                    expected=f"a column that rises: {WHOLE}",
                )  # fmt: skip
    last = chip.course[-1]
    test = next((p.test for p in reversed(chip.course) if p.test is not None), None)
    for key, found, stated in (
        ("step", last.step, chip.steps), ("simulated_time_s", last.simulated_time_s, told["simulated_time_s"]),
        ("test", test, told["test"]),
    ):  # fmt: skip
        _same(file, f"{key} of {name} at the end", found, stated, SUMMARY)
    for technology in technologies:
        energy = chip.bills[technology].total(phase=STEP_PHASES)
        _same(file, f"energy_J_{technology} of {name} at the end", last.energy_J[technology], energy, ENERGY)


def _check_metric(path: Path, chip: RecordedChip, summary: Mapping[str, Any], technology: str) -> None:
    """Refuse values that are none of the metric, and a training that says it reached what it did not."""
    file, name, metric, last = path / TRAINING, chip.architecture, metric_of(summary), chip.course[-1]
    for column in ("running", "test"):
        for point in chip.course:
            if (value := getattr(point, column)) is not None and not metric.fits(value):
                raise InputError(file=file, key=column, value=value, expected=metric.expected)
    if not (reached := summary["architectures"][name].get("reached")):
        return
    took = {
        "steps": last.step, "samples": last.samples, "energy_J": last.energy_J[technology],
        "time_s": last.simulated_time_s,
    }  # fmt: skip
    for key, value in took.items():
        _same(path / SUMMARY, f"architectures.{name}.reached.{key}", reached[key], value, TRAINING)
    if not metric.reaches(last.test, summary["until"]):
        expected = f"{summary['until']}, which summary.json says was reached"
        raise InputError(file=file, key=f"test of {name} at the end", value=last.test, expected=expected)


def _check_area(path: Path, chip: RecordedChip, told: Mapping[str, Any] | None, technologies: Sequence[str]) -> None:
    """Refuse an area.csv whose lines are no products, lie outside their range, or do not add up to summary.json."""
    file, name = path / AREA, chip.architecture
    for technology in technologies:
        if not (lines := chip.areas.get(technology)):
            raise InputError(f"gives {name} nothing", file=file, key=technology, expected=f"its parts: {WHOLE}")
        for line in lines:
            if line.area_m2 is None or line.price_m2 is None or line.low_m2 is None or line.high_m2 is None:
                continue
            _same(file, f"area_m2 of {name}, {line.key}", line.area_m2, line.amount * line.price_m2, "amount x area")
            if not line.low_m2 * (1 - _CLOSE) <= line.area_m2 <= line.high_m2 * (1 + _CLOSE):
                raise InputError(
                    file=file, key=f"area_m2 of {name}, {line.key}", value=line.area_m2,
                    expected=f"one from {line.low_m2!r} to {line.high_m2!r}, its range",
                )  # fmt: skip
    own = chip.areas[technologies[0]]
    if told is None:
        if any(line.area_m2 is not None for line in own):
            raise InputError(f"gives {name} an area", file=file, expected=f"none, as in {SUMMARY}: {WHOLE}")
        return
    for end, column in (("value", "area_m2"), ("low", "low_m2"), ("high", "high_m2")):
        total = math.fsum(getattr(line, column) or 0.0 for line in own)
        _same(path / SUMMARY, f"architectures.{name}.area_m2.total.{end}", told["total"][end], total, AREA)
