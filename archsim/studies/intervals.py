"""The interval of every energy, time and area of a recorded run: 90 % of joint draws of all figures, times and areas.

One draw of all of them serves every chip, phase and component, so totals and ratios keep what their parts share.

A time is not a sum that the run directory could take apart: units work beside each other, and the longer one counts.
But it rises with each of the technology's times, and grows by k if all of them do. So in a draw a phase takes at least
the least factor of the times of its units, and at most the largest, of what it took; its interval lies between the 5 %
percentile of the one and the 95 % percentile of the other: it holds 90 % of the draws or more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.technology import Technology
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.records.recorded import Recorded
from archsim.records.technologies import find
from archsim.runs.layout import AREA, ENERGY
from archsim.studies.sensitivity import Ranged, draw

F64 = NDArray[np.float64]
SAMPLES = 4000
ENDS = (5, 95)
"""Percentiles at the ends of an interval."""
TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Interval:
    """A value, and the ends of its 90 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ChipIntervals:
    """What is known of one chip.

    Parameters
    ----------
    energy : phase or "total" -> interval of the energy of a step inside the boundary [J]
    time : phase or "total" -> interval of the simulated time of a step [s]; it holds 90 % of the draws or more
    area : component or "total" -> interval of the area of the parts that have a figure [m^2]
    """

    energy: Mapping[str, Interval]
    time: Mapping[str, Interval]
    area: Mapping[str, Interval]


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of a run, priced by one technology.

    Parameters
    ----------
    technology : str
    samples : int
        Joint draws.
    chips : by name
    ratios : other chip -> interval of the baseline's energy of a step over its own
    """

    technology: str
    samples: int
    chips: Mapping[str, ChipIntervals]
    ratios: Mapping[str, Interval]

    def content(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {
            "technology": self.technology, "samples": self.samples, "percent": ENDS[1] - ENDS[0],
            "architectures": {
                name: {
                    f"{what}_{unit}": {place: asdict(each) for place, each in getattr(chip, what).items()}
                    for what, unit in (("energy", "per_step_J"), ("time", "per_step_s"), ("area", "m2"))
                }
                for name, chip in self.chips.items()
            },
            "energy_ratios": {name: asdict(each) for name, each in self.ratios.items()},
        }  # fmt: skip


def intervals(run: Recorded, technology: str | None = None, *, samples: int = SAMPLES) -> Intervals:
    """Return the intervals of a run under one of its technologies, its own by default; the run's seed draws.

    Raises
    ------
    InputError
        If the technology's file is no longer what priced the run, or a range begins at zero.
    """
    priced = find(run.home, run.named, technology).alike(run)
    drawn = _Draws(run, priced, samples)
    chips, totals = {}, {}
    for name in run.architectures:
        energy, totals[name] = drawn.energy(name)
        chips[name] = ChipIntervals(energy, drawn.time(name), drawn.area(name))
    over = run.summary["baseline"]
    ratios = {
        name: _interval(chips[over].energy[TOTAL].value / chips[name].energy[TOTAL].value, totals[over] / totals[name])
        for name in run.summary["ratios"]
    }
    return Intervals(priced.name, samples, chips, ratios)


def known(run: Recorded, technology: str | None = None) -> Intervals | None:
    """Return the intervals of a run, or None where they cannot be drawn; what was drawn for its files is kept."""
    homes = [each.path for each in run.seeds] or [run.path]
    files = (home / name for home in homes for name in (ENERGY, AREA))
    stamps = tuple(file.stat().st_mtime_ns for file in files if file.is_file())
    return _kept(_Key(run, (run.path.resolve(), technology or run.technology, stamps)))


@dataclass(frozen=True)
class _Key:
    """A run, known by its files."""

    run: Recorded
    of: tuple[Path, str, tuple[int, ...]]

    def __hash__(self) -> int:
        return hash(self.of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.of == other.of


@lru_cache(maxsize=16)
def _kept(key: _Key) -> Intervals | None:
    try:
        return intervals(key.run, key.of[1])
    except InputError:
        return None


class _Draws:
    """Factors of all figures, times and areas of a run, drawn together; no one else's state."""

    def __init__(self, run: Recorded, technology: Technology, samples: int) -> None:
        self.run, self.technology, self.samples = run, technology, samples
        over = run.summary["baseline"]
        chips = sorted(run.architectures, key=lambda name: name != over)
        self._lines = {name: [one for one in run.contributions(name, technology.name) if one.energy] for name in chips}
        self._areas = {name: [one for one in run.areas(name, technology.name) if one.area > 0] for name in chips}
        spent = dict.fromkeys(line.figure for name in chips for line in self._lines[name])
        built = dict.fromkeys(line.figure for name in chips for line in self._areas[name])
        times = [time for time in technology.times.values() if time.value > 0]
        items: list[Ranged] = [
            *_taken(technology.figures, spent, run.path / ENERGY), *_taken(technology.areas, built, run.path / AREA),
            *times,
        ]  # fmt: skip
        factors = draw(items, samples=samples, seed=int(run.summary["seed"])).set(0)
        cuts = np.cumsum([len(spent), len(built)])
        by_figure, by_area, by_time = np.split(factors, cuts, axis=1)
        self._figures = dict(zip(spent, by_figure.T, strict=True))
        self._parts = dict(zip(built, by_area.T, strict=True))
        self._times = {time.name: row for time, row in zip(times, by_time.T, strict=True)}

    def energy(self, chip: str) -> tuple[dict[str, Interval], F64]:
        """Return a chip's intervals by phase and in total, and the draws of the total [J]."""
        found: dict[str, Interval] = {}
        total = np.zeros(self.samples)
        for phase in STEP_PHASES:
            lines = [(line.energy, self._figures[line.figure]) for line in self._lines[chip] if line.phase == phase]
            drawn = self._sum(lines)
            found[phase] = _interval(math.fsum(energy for energy, _ in lines), drawn)
            total += drawn
        whole = math.fsum(line.energy for line in self._lines[chip])
        return {**found, TOTAL: _interval(whole, total)}, total

    def area(self, chip: str) -> dict[str, Interval]:
        """Return a chip's intervals by component and in total."""
        lines = self._areas[chip]
        names = dict.fromkeys(line.component for line in lines)
        groups = {name: [line for line in lines if line.component == name] for name in names}
        return {
            name: _interval(
                math.fsum(line.area for line in each), self._sum((line.area, self._parts[line.figure]) for line in each)
            )
            for name, each in ({**groups, TOTAL: lines} if lines else {}).items()
        }

    def time(self, chip: str) -> dict[str, Interval]:
        """Return a chip's intervals by phase and in total."""
        recorded = self.run.chips[chip]
        keys = {
            (entry.component, entry.key.partition(".")[2]): entry.times if entry.action.circuit != "leakage" else ()
            for entry in recorded.entries
        }
        ends = [np.zeros(self.samples), np.zeros(self.samples)]
        found: dict[str, Interval] = {}
        for phase in STEP_PHASES:
            value = recorded.latency_s[phase]
            names = {
                name for row in recorded.rows if row.phase == phase for name in keys[row.component, row.action]
            } & set(self._times)
            factors = np.array([self._times[name] for name in sorted(names)] or [np.ones(self.samples)])
            lowest, highest = value * factors.min(axis=0), value * factors.max(axis=0)
            found[phase] = _between(value, lowest, highest)
            ends = [ends[0] + lowest, ends[1] + highest]
        return {**found, TOTAL: _between(recorded.latency_s[TOTAL], *ends)}

    def _sum(self, terms: Iterable[tuple[float, F64]]) -> F64:
        total = np.zeros(self.samples)
        for value, factors in terms:
            total += value * factors
        return total


def _taken(known: Mapping[str, Any], names: Iterable[str], file: Path) -> list[Ranged]:
    """Return the figures or areas of these names."""
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise InputError(f"names {missing!r}", file=file, expected="a figure of the run's technology")
    return [known[name] for name in names]


def _interval(value: float, drawn: F64) -> Interval:
    return _between(value, drawn, drawn)


def _between(value: float, lowest: F64, highest: F64) -> Interval:
    return Interval(value, float(np.percentile(lowest, ENDS[0])), float(np.percentile(highest, ENDS[1])))


def contents(run: Recorded) -> dict[str, Any]:
    """Return what intervals.json says: the intervals of a run under each of its technologies that can be drawn."""
    drawn: Sequence[Intervals] = [found for name in run.technologies if (found := known(run, name))]
    return {"schema": 1, "seed": run.summary["seed"], "technologies": [found.content() for found in drawn]}
