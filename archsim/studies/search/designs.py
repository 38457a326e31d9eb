"""The designs of a search as points of a sweep that grows: what is asked of chips, done where tasks run, and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from archsim.base.errors import InputError
from archsim.base.progress import Counted
from archsim.records.retime import STEPS
from archsim.studies.search.space import Space
from archsim.studies.sweeps import table
from archsim.studies.sweeps.chips import Reading
from archsim.studies.sweeps.plan import Finder, Plan, Point
from archsim.studies.sweeps.store import Store
from archsim.studies.sweeps.study import Study
from archsim.studies.sweeps.sweep import Doing
from archsim.studies.sweeps.tariffs import Tariffs
from archsim.studies.workers.pool import Pool

if TYPE_CHECKING:
    import pandas as pd

Values = dict[str, str]
"""Key of a parameter -> its value as a text."""
Row = Mapping[str, Any]


def place(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return what tells a design from all others of its search."""
    return tuple(values.values())


@dataclass(eq=False)
class _Stage(Doing):
    """What is done for the designs of a search; the search writes its table itself, for it has more than one stage."""

    kept: Callable[[], object] = lambda: None

    def begin(self, plan: Plan, done: Counted) -> None:
        """Take other points in hand, and count them from 0."""
        self.plan, self.done = plan, done
        self._jobs.from_zero()

    def write(self) -> list[Any]:
        """Let the search write its table."""
        self.kept()
        return []


class Designs:
    """The designs of one stage. Sole owner of its points and of what came of them.

    Parameters
    ----------
    study : Study
        With the levels of all parameters, and ranges by their ends.
    space : Space
    store : Store
    retime : int
        As for a sweep.
    kept : callable
        Called now and then, to write the table.
    keep_runs : bool
    """

    def __init__(
        self, study: Study, space: Space, store: Store, *, retime: int = STEPS,
        kept: Callable[[], object] = lambda: None, keep_runs: bool = False,
    ) -> None:  # fmt: skip
        self.study, self.space = study, space
        self.reading, self.tariffs = Reading(study), Tariffs(study)
        self.reading.design(space.first())  # for the metric, which the table has before anything is trained
        self.refused: dict[tuple[str, ...], str] = {}
        self.rows: dict[tuple[str, ...], Row] = {}
        self._points: dict[tuple[str, ...], Point] = {}
        units: dict[str, Any] = {}
        self._finder = Finder(study, units, retime)
        self._drawn = {each.key: list(each.levels) for each in space.parameters}
        plan = Plan(study, self.reading, self.tariffs, [], units, retime)
        self._doing = _Stage(plan, store, keep_runs=keep_runs, kept=kept)

    def __contains__(self, values: Mapping[str, str]) -> bool:
        return place(values) in self.rows or place(values) in self.refused

    @property
    def fixed(self) -> dict[str, str]:
        """Key -> value of what is the same in every design."""
        return {**self.space.sets, **self.space.figures}

    @property
    def plan(self) -> Plan:
        """All designs so far."""
        return self._doing.plan

    def add(self, values: Values) -> Point | None:
        """Return the point of a design, made if it is new; None if the chip or the workload refuses it."""
        key = place(values)
        if key in self._points or key in self.refused:
            return self._points.get(key)
        self._know(values)
        try:
            design = self.reading.design(values)
            if design.misfit is not None:
                raise design.misfit
            point = Point(
                len(self._points), dict(values), design, self.tariffs.clock(values), self.tariffs.overrides(values), {}
            )
            self._finder.find(point)
        except InputError as error:
            self.refused[key] = str(error)
            return None
        self._points[key] = point
        self.plan.points.append(point)
        return point

    def _know(self, values: Values) -> None:
        """Let technologies and table know numbers that were drawn from a range."""
        for each in self.space.parameters:
            text = values[each.key]
            if each.ends is None or text in self._drawn[each.key]:
                continue
            self._drawn[each.key].append(text)
            if each.kind == "figure":
                self.tariffs.add(each.key, text)
            sets = {key: tuple(self._drawn.get(key, told)) for key, told in self.study.sets.items()}
            figures = {key: tuple(self._drawn.get(key, told)) for key, told in self.study.figures.items()}
            self._doing.plan = replace(self.plan, study=replace(self.study, sets=sets, figures=figures))

    def do(self, wanted: Sequence[Values], where: Pool, done: Counted) -> None:
        """Do some designs, those of them that are not done yet, and keep their rows.

        Parameters
        ----------
        wanted : values of each
        where : where tasks run
        done : called with what is finished, how many are, and how many there are
        """
        points = [point for each in wanted if (point := self.add(each)) is not None and each not in self]
        if not points:
            return
        whole = self.plan
        self._doing.begin(replace(whole, points=points, units=self._units(points)), done)
        try:
            self._doing.run(where)
            frame = table.frame(self._doing.plan, self._doing.costs, {})
        finally:
            self._doing.plan = whole
        found: dict[Any, Any] = {row["point"]: row for row in frame.to_dict("records")}
        for point in points:
            if point.key in found:
                self.rows[place(point.values)] = found[point.key]

    @staticmethod
    def _units(points: Sequence[Point]) -> dict[str, Any]:
        """Return what some points need, leaders first."""
        found: dict[str, Any] = {}
        for unit in (unit for point in points for by_chip in point.units.values() for unit in by_chip.values()):
            if unit.leader is not None:
                found.setdefault(unit.leader.key, unit.leader)
            found.setdefault(unit.key, unit)
        return found

    def row(self, values: Mapping[str, str]) -> Row | None:
        """Return the row of a design whose numbers are known."""
        found = self.rows.get(place(values))
        return found if found is not None and found["state"] == "done" else None

    def reason(self, values: Mapping[str, str]) -> str:
        """Return why a design has no numbers."""
        found = self.rows.get(place(values))
        return self.refused.get(place(values)) or str(found["reason"] if found else "nothing is known of it")

    def frame(self) -> pd.DataFrame:
        """Return the table of all designs of which something is known."""
        return table.frame(self.plan, self._doing.costs, {})
