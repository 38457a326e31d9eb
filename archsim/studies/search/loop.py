"""The loop of a stage: proposals in batches of one size, done together, told in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from archsim.base.errors import InputError
from archsim.studies.search.asking import NSGA2, TPE, Asker, Proposal, Verdict
from archsim.studies.search.designs import Values, place
from archsim.studies.search.goals import SUBJECT, Goals
from archsim.studies.search.space import MOST_LISTED, Space

AGAIN = {TPE: 2, NSGA2: 1}
"""Known designs in a row after which an unknown one is taken: a neighbour of the best, else any. Children of a small
generation are often known."""
FRUITLESS = 200
"""Proposals in a row of which none is worth doing, after which a stage ends."""


class Stage(Protocol):
    """What a loop asks for."""

    goals: Goals

    def known(self, values: Mapping[str, str]) -> Verdict | None:
        """Return what came of a design; None if nothing is known."""

    def do(self, wanted: Sequence[Values]) -> None:
        """Do some designs: afterwards all of them are known."""

    def again(self, told: Sequence[tuple[Values, bool]]) -> None:
        """Know what was done before: values of each trial, and whether it was done; the store has it."""

    def left(self) -> int:
        """Return how many more designs may be done."""


@dataclass(eq=False)
class Loop:
    """One stage of a search.

    Parameters
    ----------
    asker : Asker
    space : Space
    stage : Stage
    at_a_time : int
        Designs of a batch.
    first : values of designs that are done before any that the sampler proposes
    turn : callable
        Returns what is held from seeing how many designs are left until a batch of them is taken.
    """

    asker: Asker
    space: Space
    stage: Stage
    at_a_time: int
    first: Iterable[Values] = ()
    turn: Callable[[], AbstractContextManager[None]] = nullcontext
    _seen: dict[tuple[str, ...], Values] = field(default_factory=dict)
    _row: int = 0

    def run(self) -> None:
        """Ask, do and tell until nothing is left to be done; goes on where a search of the same was ended."""
        self._all = listed(self.space, self.stage.goals)
        with self.turn():
            left = self._sync()
            coming = iter([each for each in self.first if place(each) not in self._seen])
            begun, more = self.asker.begun()
            for each in begun:
                self._seen[place(each.values)] = each.values
            asked = self._ask(coming, begun, min(self.at_a_time, left) if more else 0)
        if asked:
            self._batch(asked)
        while asked := self._taken(coming):
            self._batch(asked)

    def _taken(self, coming: Iterable[Values]) -> list[Proposal]:
        """Return the next batch; none if as many as were asked for are done, or being done."""
        with self.turn():
            left = self._sync()
            return self._ask(coming, [], min(self.at_a_time, left)) if left > 0 else []

    def _sync(self) -> int:
        """Know what was told, by whomever, and return how many more designs may be begun."""
        told, elsewhere = self.asker.told(), self.asker.elsewhere()
        self.stage.again(told)
        for values in (*(each for each, _ in told), *elsewhere):
            self._seen[place(values)] = values
        return self.stage.left() - len(elsewhere)

    def _batch(self, asked: Sequence[Proposal]) -> None:
        before = self.stage.left()
        self.stage.do([each.values for each in asked])
        for each in asked:
            self.asker.tell(each, self.stage.known(each.values) or Verdict(None, {}))
        if self.stage.left() < before:
            self._row = 0

    def _ask(self, coming: Iterable[Values], begun: Sequence[Proposal], size: int) -> list[Proposal]:
        """Return proposals of designs that are not known, so many if there are."""
        found, again, number = list(begun), 0, self.asker.count
        coming = iter(coming)
        while len(found) < size and self._row < FRUITLESS:
            forced = next(coming, None)
            if forced is None and again >= AGAIN[self.asker.kind] and self._all is not None:
                forced = self._unseen()
                if forced is None:
                    break
            one = self.asker.ask(forced)
            self._row += 1
            if (verdict := self._at_once(one)) is not None:
                again += 1
                self.asker.tell(one, verdict)
                continue
            again = 0
            self._seen[place(one.values)] = one.values
            self.asker.take(one, number)
            found.append(one)
        return found

    def _at_once(self, one: Proposal) -> Verdict | None:
        """Return what is said to a proposal that needs no doing: it is known, asked for already, or not allowed."""
        beyond = own_excesses(self.stage.goals, self.space, one.values)
        if any(value > 0 for value in beyond.values()):
            return Verdict(None, beyond)
        if place(one.values) in self._seen:
            return self.stage.known(one.values) or Verdict(None, {})
        return None

    def _unseen(self) -> Values | None:
        """Return a design that was not proposed yet: beside one that no other surpasses if there is one, else any."""
        if self._all is None:
            return None
        verdicts = {key: self.stage.known(values) for key, values in self._seen.items()}
        best = unbeaten({key: each.losses for key, each in verdicts.items() if each and each.fulfilled and each.losses})
        beside = {place(each): each for key in best for each in self.space.beside(self._seen[key])}
        for some in (beside, self._all):
            fresh = [each for key, each in some.items() if key in self._all and key not in self._seen]
            if fresh:
                return fresh[int(self.asker.random().integers(len(fresh)))]
        return None


def own_excesses(goals: Goals, space: Space, values: Mapping[str, str]) -> dict[str, float]:
    """Return the excesses of a design over constraints that ask for parameters alone."""
    row = {**space.sets, **space.figures, **values}
    return {each.condition.text: each.excess(row) for each in goals.limits if each.own}


def listed(space: Space, goals: Goals) -> dict[tuple[str, ...], Values] | None:
    """Return all designs of a space that its own constraints allow; None if there are too many, or no end of them.

    Raises
    ------
    InputError
        If there is none.
    """
    if space.size is None or space.size > MOST_LISTED:
        return None
    found = {
        place(each): each for each in space.all()
        if all(value <= 0 for value in own_excesses(goals, space, each).values())
    }  # fmt: skip
    if not found:
        told = " and ".join(each.condition.text for each in goals.limits if each.own)
        raise InputError(
            f"none of {space.size:,} designs fulfils it", key=SUBJECT, value=told, expected="some design that does"
        )
    return found


def unbeaten(losses: Mapping[tuple[str, ...], tuple[float, ...]]) -> list[tuple[str, ...]]:
    """Return the keys of what nothing else surpasses: is as good in every objective, and better in one."""
    best: list[tuple[str, ...]] = []
    for key in sorted(losses, key=lambda key: (losses[key], key)):  # what surpasses a design stands before it
        if not any(surpasses(losses[other], losses[key]) for other in best):
            best.append(key)
    return best


def surpasses(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether one is as good as another in every objective, and better in one; low is better."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def layers(losses: Mapping[tuple[str, ...], tuple[float, ...]]) -> list[tuple[str, ...]]:
    """Return all keys from the front outwards: the front, then the front of the rest, and so on."""
    found: list[list[tuple[str, ...]]] = []
    for key in sorted(losses, key=lambda key: (losses[key], key)):  # what surpasses a design stands before it
        own = losses[key]
        layer = next((each for each in found if not any(surpasses(losses[other], own) for other in each)), None)
        if layer is None:
            found.append(layer := [])
        layer.append(key)
    return [key for layer in found for key in layer]
