"""What a search is after: quantities to be made small or large, under constraints; and what an estimate knows of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archsim.base.errors import InputError, nearest
from archsim.base.metrics import METRICS, Metric
from archsim.records.sweeps.sweep import METRIC, QUANTITIES, Quantity, metric_quantity
from archsim.studies.sweeps.conditions import Condition, place
from archsim.studies.sweeps.conditions import read as read_condition
from archsim.studies.sweeps.measures import Kind, of_quantity

MINIMISE, MAXIMISE, SUBJECT = "--minimise", "--maximise", "--subject-to"
UNKNOWN = 1.0
"""Excess over a constraint of a design whose quantity is not known: as far off as can be."""


@dataclass(frozen=True)
class Limit:
    """A constraint.

    Parameters
    ----------
    condition : Condition
    columns : name that the condition asks for -> its column, or the key of a parameter
    """

    condition: Condition
    columns: Mapping[str, str]

    @property
    def own(self) -> bool:
        """Whether it asks for nothing but parameters."""
        return not any(column in QUANTITIES or column == METRIC for column in self.columns.values())

    @property
    def judged(self) -> bool:
        """Whether it asks for the metric, which a training alone tells."""
        return METRIC in self.columns.values()

    def excess(self, row: Mapping[str, Any]) -> float:
        """Return by how much a design lies beyond it, as a share; 0 where it is fulfilled."""
        return self.condition.excess({name: row.get(column) for name, column in self.columns.items()}, UNKNOWN)


@dataclass(frozen=True)
class Goals:
    """What a search is after.

    Parameters
    ----------
    objectives : tuple of Quantity
        Each says by itself whether low or high is better.
    limits : tuple of Limit
    metric : Metric, optional
        Of trainings; None if an estimate knows everything that is asked for.
    """

    objectives: tuple[Quantity, ...]
    limits: tuple[Limit, ...]
    metric: Metric | None

    @property
    def judged(self) -> bool:
        """Whether the metric is asked for."""
        return any(each.name == METRIC for each in self.objectives) or any(each.judged for each in self.limits)

    @property
    def asks_ratio(self) -> bool:
        """Whether the workload's baseline has to be counted, too."""
        asked = {each.name for each in self.objectives}.union(*(each.columns.values() for each in self.limits))
        return "energy_ratio" in asked

    def estimable(self) -> Goals:
        """Return what of it an estimate knows; the energy of a sample, if the metric is the only objective."""
        known = tuple(each for each in self.objectives if each.name != METRIC)
        known = known or (QUANTITIES["energy_per_sample_J"],)
        return Goals(known, tuple(each for each in self.limits if not each.judged), None)

    def excesses(self, row: Mapping[str, Any]) -> dict[str, float]:
        """Return text of each constraint -> by how much a design lies beyond it."""
        return {each.condition.text: each.excess(row) for each in self.limits}

    def fulfilled(self, row: Mapping[str, Any]) -> bool:
        """Return whether a design fulfils all constraints."""
        return all(value <= 0 for value in self.excesses(row).values())

    def losses(self, row: Mapping[str, Any]) -> tuple[float, ...] | None:
        """Return the objectives as numbers of which low is better; None if one is not known.

        What a design costs counts in its logarithm: to halve it is worth the same everywhere.
        """
        found = []
        for each in self.objectives:
            value = row.get(each.name)
            if value is None or not math.isfinite(value):
                return None
            value = math.log(value) if each.name in QUANTITIES and value > 0 else float(value)
            found.append(value if each.better == "low" else -value)
        return tuple(found)

    def lines(self) -> list[str]:
        """Return objectives and constraints in words."""
        words = {"low": "minimise", "high": "maximise"}
        said = [", ".join(f"{words[each.better]} {each.title}" for each in self.objectives)]
        return [*said, *(f"subject to {each.condition.text}" for each in self.limits)]

    def content(self) -> dict[str, Any]:
        """Return what JSON says of it."""
        return {"objectives": [each.name for each in self.objectives],
                "subject_to": [each.condition.text for each in self.limits]}  # fmt: skip


def asks_metric(objectives: Sequence[str], limits: Sequence[str]) -> bool:
    """Return whether some name is not one of an estimate: so it is the metric's, or unknown."""
    words = _words(None)
    metrics = "|".join(re.escape(name) for name in (METRIC, *METRICS))
    asked = any(re.search(rf"(?<![\w.])({metrics})(?![\w.])", text) for text in limits)
    return asked or any(name.strip() not in words for name in objectives)


def _words(metric: Metric | None) -> dict[str, Quantity]:
    """Return every name that a quantity may be asked for by."""
    known = [*([metric_quantity(metric)] if metric else []), *QUANTITIES.values()]
    return {word: each for each in known for word in each.words}


def goals(
    minimise: Sequence[str], maximise: Sequence[str], limits: Sequence[str], *, keys: Mapping[str, Kind],
    metric: Metric | None,
) -> Goals:  # fmt: skip
    """Return what is asked for.

    Parameters
    ----------
    minimise, maximise : names of quantities: "energy", "time", "area", "accuracy"
    limits : comparisons over quantities and parameters: "accuracy >= 97 %", "area <= 2 mm2"
    keys : of the parameters, with what each is measured in
    metric : of the workload; None where nothing is trained

    Raises
    ------
    InputError
        If there is no objective, one is unknown, is better the other way or stands twice, or a constraint cannot be
        read or be fulfilled by any value of the metric.
    """
    words = _words(metric)
    objectives: list[Quantity] = []
    for option, better, names in ((MINIMISE, "low", minimise), (MAXIMISE, "high", maximise)):
        for name in names:
            found = _objective(name.strip(), words, option, trained=metric is not None)
            if found.better != better:
                right = MAXIMISE if better == "low" else MINIMISE
                raise InputError(f"{found.title} is better {found.better}", key=option, value=name,
                                 expected=f"{right} {name}")  # fmt: skip
            if found in objectives:
                raise InputError(f"given twice: {name}", key=option, expected="each quantity once")
            objectives.append(found)
    if not objectives:
        raise InputError("no objective", key=MINIMISE, expected=_some(words))
    columns = {**{word: each.name for word, each in words.items()}, **{key: key for key in keys}}
    kinds = {**{word: of_quantity(each, word) for word, each in words.items()}, **keys}
    told = tuple(_limit(text, columns, kinds, metric) for text in limits)
    return Goals(tuple(objectives), told, metric)


def _some(words: Mapping[str, Quantity]) -> str:
    """Return the shortest name of each quantity; of the metric its own."""
    shortest: dict[str, str] = {}
    for word, each in words.items():
        if word != METRIC and len(word) < len(shortest.get(each.name, word + "+")):
            shortest[each.name] = word
    return f"one of {', '.join(shortest.values())}"


def _objective(name: str, words: Mapping[str, Quantity], option: str, *, trained: bool) -> Quantity:
    if name not in words:
        more = "" if trained else " (an estimate knows of no more)"
        raise InputError(key=option, value=name, expected=_some(words) + more, hint=nearest(name, words))
    return words[name]


def _limit(text: str, columns: Mapping[str, str], kinds: Mapping[str, Kind], metric: Metric | None) -> Limit:
    condition = read_condition(text, kinds, option=SUBJECT)
    found = Limit(condition, {name: columns[name] for name in condition.names})
    of_share = metric is not None and metric.share and set(found.columns.values()) == {METRIC}
    if of_share and all(found.excess({METRIC: k / 100}) > 0 for k in range(101)):
        expected = f"a value up to 100 %, such as {metric.example}" if metric else ""
        raise InputError("no value fulfils it", key=place(text, SUBJECT), value=text, expected=expected)
    return found
