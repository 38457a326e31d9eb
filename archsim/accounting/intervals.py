"""The interval of every energy, time and area of a training: 90 % of joint draws of all figures, times and areas.

One draw of all of them serves every chip, phase and component, so totals and ratios keep what their parts share.

A time is not a sum that the account could take apart: units work beside each other, and the longer one counts. But it
rises with each of the technology's times, and grows by k if all of them do. So in a draw a phase takes at least the
least factor of the times of its units, and at most the largest, of what it took; its interval lies between the 5 %
percentile of the one and the 95 % percentile of the other: it holds 90 % of the draws or more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.accounting.area import AreaLine
from archsim.accounting.bill import Bill
from archsim.accounting.draws import Ranged, draw
from archsim.accounting.ledger import Entry, Row
from archsim.accounting.technology import Technology
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES

F64 = NDArray[np.float64]
SAMPLES = 4000
ENDS = (5, 95)
"""Percentiles at the ends of an interval."""
TOTAL = "total"
KEYS = {"energy": "energy_per_step_J", "time": "latency_per_step_s", "area": "area_m2"}
"""What has intervals -> its key in JSON, with its unit."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value, and the ends of its 90 % interval."""

    value: float
    low: float
    high: float

    def content(self) -> dict[str, float]:
        """Return it as JSON has it."""
        return {"value": self.value, "low": self.low, "high": self.high}


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

    def content(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return it as JSON has it."""
        return {
            key: {place: each.content() for place, each in getattr(self, what).items()} for what, key in KEYS.items()
        }


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of a training, priced by one technology.

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
            "samples": self.samples, "percent": ENDS[1] - ENDS[0],
            "architectures": {name: chip.content() for name, chip in self.chips.items()},
            "energy_ratios": {name: each.content() for name, each in self.ratios.items()},
        }  # fmt: skip

    @classmethod
    def of(cls, technology: str, content: Mapping[str, Any]) -> Intervals:
        """Return what `content` said of a technology."""

        def read(of: Mapping[str, Any]) -> dict[str, Interval]:
            return {place: Interval(each["value"], each["low"], each["high"]) for place, each in of.items()}

        chips = {
            name: ChipIntervals(*(read(chip[key]) for key in KEYS.values()))
            for name, chip in content["architectures"].items()
        }
        return cls(technology, content["samples"], chips, read(content["energy_ratios"]))


@dataclass(frozen=True, slots=True)
class Account:
    """What a chip did in its training, by one technology.

    Parameters
    ----------
    name : str
    steps : int
    bill : Bill
        Of all steps.
    areas : its parts
    rows, entries : the ledger, and what each of its actions is
    latency_s : phase or "total" -> simulated time of a step [s]
    """

    name: str
    steps: int
    bill: Bill
    areas: Sequence[AreaLine]
    rows: Sequence[Row]
    entries: Sequence[Entry]
    latency_s: Mapping[str, float]


def intervals(
    accounts: Sequence[Account], technology: Technology, *, baseline: str | None, seed: int, samples: int = SAMPLES
) -> Intervals:
    """Return the intervals of the chips of a training under one technology.

    Parameters
    ----------
    accounts : sequence of Account
        In the order of the run.
    technology : Technology
        The one of the accounts' bills and areas.
    baseline : str or None
        The chip whose ratios over every other are asked, if it is one of them.
    seed : int
        Of the draws.
    samples : int

    Raises
    ------
    InputError
        If a figure of the accounts is not one of the technology, or a range begins at zero.
    """
    drawn = _Draws(accounts, technology, baseline, seed, samples)
    chips, totals = {}, {}
    for one in accounts:
        energy, totals[one.name] = drawn.energy(one.name)
        chips[one.name] = ChipIntervals(energy, drawn.time(one), drawn.area(one.name))
    ratios = {}
    if baseline in chips and baseline is not None:
        over = chips[baseline].energy[TOTAL].value
        ratios = {
            name: _between(over / chip.energy[TOTAL].value, totals[baseline] / totals[name])
            for name, chip in chips.items()
            if name != baseline
        }
    return Intervals(technology.name, samples, chips, ratios)


class _Draws:
    """Factors of all figures, times and areas of a training, drawn together; no one else's state."""

    def __init__(
        self, accounts: Sequence[Account], technology: Technology, baseline: str | None, seed: int, samples: int
    ) -> None:
        self.samples = samples
        ordered = sorted(accounts, key=lambda one: one.name != baseline)
        self._lines = {
            one.name: [
                (line.phase, line.figure or "", line.energy_J / one.steps)
                for line in one.bill.lines
                if line.inside and line.phase in STEP_PHASES and line.energy_J
            ]
            for one in ordered
        }
        self._areas = {
            one.name: [(line.component, line.figure or "", line.area_m2) for line in one.areas if line.area_m2]
            for one in ordered
        }
        spent = dict.fromkeys(figure for lines in self._lines.values() for _, figure, _ in lines)
        built = dict.fromkeys(figure for lines in self._areas.values() for _, figure, _ in lines)
        used = {key for one in ordered for entry in one.entries for key in entry.times}
        times = [time for key, time in technology.times.items() if time.value > 0 and key in used]
        items: list[Ranged] = [
            *_taken(technology, technology.figures, spent), *_taken(technology, technology.areas, built), *times,
        ]  # fmt: skip
        factors = draw(items, samples=samples, seed=seed, sets=1).set(0)
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
            lines = [(energy, self._figures[figure]) for at, figure, energy in self._lines[chip] if at == phase]
            drawn = self._sum(lines)
            found[phase] = _between(math.fsum(energy for energy, _ in lines), drawn)
            total += drawn
        whole = math.fsum(energy for _, _, energy in self._lines[chip])
        return {**found, TOTAL: _between(whole, total)}, total

    def area(self, chip: str) -> dict[str, Interval]:
        """Return a chip's intervals by component and in total."""
        lines = self._areas[chip]
        names = dict.fromkeys(component for component, _, _ in lines)
        groups = {name: [line for line in lines if line[0] == name] for name in names}
        return {
            name: _between(
                math.fsum(area for _, _, area in each), self._sum((area, self._parts[key]) for _, key, area in each)
            )
            for name, each in ({**groups, TOTAL: lines} if lines else {}).items()
        }

    def time(self, one: Account) -> dict[str, Interval]:
        """Return a chip's intervals by phase and in total."""
        keys = {
            (entry.component, entry.key.partition(".")[2]): entry.times if entry.action.circuit != "leakage" else ()
            for entry in one.entries
        }
        ends = [np.zeros(self.samples), np.zeros(self.samples)]
        found: dict[str, Interval] = {}
        for phase in STEP_PHASES:
            value = one.latency_s[phase]
            names = {name for row in one.rows if row.phase == phase for name in keys[row.component, row.action]} & set(
                self._times
            )
            factors = np.array([self._times[name] for name in sorted(names)] or [np.ones(self.samples)])
            lowest, highest = value * factors.min(axis=0), value * factors.max(axis=0)
            found[phase] = _between(value, lowest, highest)
            ends = [ends[0] + lowest, ends[1] + highest]
        return {**found, TOTAL: _between(one.latency_s[TOTAL], *ends)}

    def _sum(self, terms: Iterable[tuple[float, F64]]) -> F64:
        total = np.zeros(self.samples)
        for value, factors in terms:
            total += value * factors
        return total


def _taken(technology: Technology, known: Mapping[str, Ranged], names: Iterable[str]) -> list[Ranged]:
    """Return the figures or areas of these names."""
    missing = next((name for name in names if name not in known), None)
    if missing is not None:
        raise InputError(f"lacks {missing!r}", file=technology.path, expected="every figure that a bill names")
    return [known[name] for name in names]


def _between(value: float, lowest: F64, highest: F64 | None = None) -> Interval:
    high = lowest if highest is None else highest
    return Interval(value, float(np.percentile(lowest, ENDS[0])), float(np.percentile(high, ENDS[1])))
