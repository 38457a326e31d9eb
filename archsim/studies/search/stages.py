"""The two stages of a search: what is estimated, and which of that is trained.

Stage 1 estimates: the sampler minimises what an estimate knows, within the constraints that an estimate decides.

Stage 2 trains, where the metric is an objective or in a constraint. The first half of its trainings are designs of the
estimates, spaced evenly from their front outwards: the front, the front of the rest, and so on. The second half are
what the sampler proposes, told of all objectives and constraints of what was trained. A design is estimated before it
is trained, and is not trained if its estimate breaks a constraint; nor, if the metric is no objective, if a design that
was trained and fulfils all constraints has an estimate as good in every objective and better by a tenth in one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archsim.base.progress import Counted
from archsim.records.sweeps.sweep import METRIC
from archsim.studies.search.asking import DOABLE, Verdict
from archsim.studies.search.designs import Designs, Values, place
from archsim.studies.search.goals import Goals
from archsim.studies.search.loop import layers, own_excesses
from archsim.studies.sweeps.plan import TRAINED
from archsim.studies.workers.pool import Pool

RULE = (
    "half of them spaced evenly from the front of the estimates outwards, then what the sampler proposes; none whose "
    "estimate breaks a constraint"
)
"""Which designs are trained, in short."""
CLEAR = 0.1
"""By such a share an estimate must be better, for the other design not to be trained: estimates are not exact."""
_REFUSED = {DOABLE: 1.0}


def judged(designs: Designs, goals: Goals, values: Mapping[str, str]) -> Verdict | None:
    """Return what came of a design in a stage; None if nothing is known."""
    if values not in designs:
        return None
    row = designs.row(values)
    losses = None if row is None else goals.losses(row)
    if row is None or losses is None:
        return Verdict(None, _REFUSED)
    return Verdict(losses, goals.excesses({**designs.fixed, **values, **row}))


@dataclass(eq=False)
class Estimates:
    """Stage 1, or a search that trains everything: each design is done, and judged by what came of it.

    Parameters
    ----------
    designs : Designs
    goals : Goals
        Of an estimate what it knows.
    most : int
        Designs to be done.
    where : Pool
    done : callable
        Called with what is finished, how many are, and how many there are.
    """

    designs: Designs
    goals: Goals
    most: int
    where: Pool
    done: Counted

    def known(self, values: Mapping[str, str]) -> Verdict | None:
        """Return what came of a design; None if nothing is known."""
        return judged(self.designs, self.goals, values)

    def again(self, told: Sequence[tuple[Values, bool]]) -> None:
        """Know what was done before: values of each trial, and whether it was done; the store has it."""
        self.do([values for values, tried in told if tried])

    def do(self, wanted: Sequence[Values]) -> None:
        """Do some designs."""
        begin = self.count
        self.designs.do(wanted, self.where, lambda name, k, _: self.done(name, min(begin + k, self.most), self.most))

    @property
    def count(self) -> int:
        """Designs done."""
        return len(self.designs.rows) + len(self.designs.refused)

    def left(self) -> int:
        """Return how many more designs may be done."""
        return self.most - self.count


@dataclass(eq=False)
class Trainings:
    """Stage 2.

    Parameters
    ----------
    designs : Designs
        Those trained.
    goals : Goals
    estimates : Estimates
    most : int
        Trainings.
    where : Pool
    done : callable
        Called with what is finished, how many are, and how many there are.
    """

    designs: Designs
    goals: Goals
    estimates: Estimates
    most: int
    where: Pool
    done: Counted

    def first(self) -> list[Values]:
        """Return the designs of the estimates that are trained first."""
        losses = {}
        by_place = {place(point.values): point.values for point in self.estimates.designs.plan.points}
        for key, values in by_place.items():
            told = self.estimates.known(values)
            if told is not None and told.fulfilled and told.losses is not None:
                losses[key] = told.losses
        ordered, wanted = layers(losses), math.ceil(self.most / 2)
        if len(ordered) <= wanted:
            return [by_place[key] for key in ordered]
        steps = [round(k * (len(ordered) - 1) / max(wanted - 1, 1)) for k in range(wanted)]
        return [by_place[ordered[k]] for k in steps]

    def known(self, values: Mapping[str, str]) -> Verdict | None:
        """Return what came of a design: of its training, or of its estimate if that is the end of it."""
        told = judged(self.designs, self.goals, values)
        if told is not None:
            return told
        estimate = self.estimates.known(values)
        if estimate is None:
            return None
        if estimate.losses is None or not estimate.fulfilled:
            return Verdict(None, estimate.excesses)
        return Verdict(None, {}) if self._beaten(estimate.losses) else None

    def _beaten(self, losses: tuple[float, ...]) -> bool:
        """Return whether a design trained, which fulfils all, has a better estimate; if that is all that counts."""
        if any(each.name == METRIC for each in self.goals.objectives):
            return False
        for point in self.designs.plan.points:
            told = judged(self.designs, self.goals, point.values)
            estimate = self.estimates.known(point.values)
            if told is None or not told.fulfilled or estimate is None or estimate.losses is None:
                continue
            gains = [theirs - own for own, theirs in zip(estimate.losses, losses, strict=True)]
            if min(gains) >= 0 and max(gains) > math.log1p(CLEAR):
                return True
        return False

    def again(self, told: Sequence[tuple[Values, bool]]) -> None:
        """Know what was done before: values of each trial, and whether it was done; the store has it."""
        inside = [each for each in told if not self._outside(each[0])]
        self.estimates.designs.do([values for values, _ in inside], self.where, lambda *_: None)
        done = [values for values, tried in inside if tried and self._estimated(values)]
        self.designs.do(done, self.where, lambda *_: None)

    def _outside(self, values: Values) -> bool:
        space = self.designs.space
        return any(excess > 0 for excess in own_excesses(self.goals, space, values).values())

    def _estimated(self, values: Values) -> bool:
        told = self.estimates.known(values)
        return told is not None and told.losses is not None

    def do(self, wanted: Sequence[Values]) -> None:
        """Estimate some designs, and train those of them that may matter."""
        self.estimates.designs.do(wanted, self.where, lambda *_: None)
        begin = self.count
        self.designs.do(
            [each for each in wanted if self.known(each) is None], self.where,
            lambda name, k, _: self.done(name, min(begin + k, self.most), self.most),
        )  # fmt: skip

    @property
    def count(self) -> int:
        """Trainings done: designs that were priced or re-timed from one of them are none."""
        return sum(1 for row in self.designs.rows.values() if row["how"] == TRAINED)

    def left(self) -> int:
        """Return how many more may be trained."""
        return self.most - self.count
