"""Why one priced step costs more than another: the difference of two sides, taken apart exactly.

For every action, N_A and N_B are its amounts in a step of the two sides and p_A and p_B its prices. Then

    N_B p_B - N_A p_A = (N_B - N_A) p_A + N_B (p_B - p_A),

the amount effect at the old price and the price effect at the new amount. An action that one side alone does is an
amount effect at the price it has there. The effects of all actions add up to the difference of the totals.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from archsim.accounting.bill import Line
from archsim.records.reprice import Side

Effect = Literal["amount", "price"]
METHOD = {
    "figure": "by figure: all actions that a figure prices, together; a figure that another technology splits or "
    "renames is named on both sides",
    "action": "by component and action",
}
FORMULA = "dE = (N_B - N_A) p_A + N_B (p_B - p_A): amount effect at A's price, price effect at B's amount"
NOTHING = "nothing"
_ROUNDING = 1e-15
"""Effects below this part of the two totals are rounding of sums."""


@dataclass(frozen=True, slots=True)
class Change:
    """One bar of the difference.

    Parameters
    ----------
    name : str
        Figure, or component and action.
    effect : "amount" or "price"
    figures : (str, str)
        Names of the figures on both sides; "nothing" where a side does not do or does not price it.
    components : names of components whose energy moved
    actions : keys of the actions that make it up
    from_J, to_J : energy of a step of all of it on both sides, before and after both effects [J]
    factor : float or None
        On the price or on the amount; a mean, weighted by energy, where it stands for several. None where one side
        has nothing.
    difference_J : what this effect adds to a step [J]
    basis : bases of the figures, A's and B's, without repetition
    """

    name: str
    effect: Effect
    figures: tuple[str, str]
    components: tuple[str, ...]
    actions: tuple[str, ...]
    from_J: float  # noqa: N815  names of keys, with their unit
    to_J: float  # noqa: N815
    factor: float | None
    difference_J: float  # noqa: N815
    basis: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """From side A to side B: totals of a step [J] and the changes between them, the largest first."""

    from_label: str
    to_label: str
    by: Literal["figure", "action"]
    from_J: float  # noqa: N815
    to_J: float  # noqa: N815
    changes: tuple[Change, ...]

    @property
    def total_J(self) -> float:  # noqa: N802
        """Sum of all changes [J]: the difference of the totals."""
        return math.fsum(change.difference_J for change in self.changes)


@dataclass(frozen=True, slots=True)
class _Spent:
    """An action on one side: amount a step, price, figure, basis."""

    key: str
    amount: float
    price: float
    figure: str
    basis: str


@dataclass(frozen=True, slots=True)
class _Pair:
    """An action of a component on both sides."""

    component: str
    action: str
    before: _Spent | None
    after: _Spent | None

    @property
    def figures(self) -> tuple[str, str]:
        """Figures of both sides."""
        return (self.before.figure if self.before else NOTHING, self.after.figure if self.after else NOTHING)

    @property
    def key(self) -> str:
        """KIND.ACTION, as on the side that has it."""
        return (self.after or self.before or _Spent("", 0, 0, "", "")).key

    @property
    def energies(self) -> tuple[float, float]:
        """Energy of a step on both sides [J]."""
        before, after = self.before, self.after
        return (before.amount * before.price if before else 0.0, after.amount * after.price if after else 0.0)

    def effects(self) -> dict[Effect, float]:
        """Return the amount effect and the price effect [J]."""
        before, after = self.before, self.after
        if before is None or after is None:
            old, new = self.energies
            return {"amount": new - old, "price": 0.0}
        return {
            "amount": (after.amount - before.amount) * before.price,
            "price": after.amount * (after.price - before.price),
        }

    def ends(self, effect: Effect) -> tuple[float, float]:
        """Return the energies [J] between which an effect lies: N_A p_A to N_B p_A, or that to N_B p_B."""
        old, new = self.energies
        between = old + self.effects()["amount"]
        return (old, between) if effect == "amount" else (between, new)


def difference(a: Side, b: Side) -> Difference:
    """Take the difference from side A to side B apart.

    Parameters
    ----------
    a, b : Side
        If they are the same chip of the same run, the changes are by figure, otherwise by component and action.

    Returns
    -------
    Difference
        Its changes add up to the difference of the totals.
    """
    same = (a.run, a.architecture) == (b.run, b.architecture)
    groups: dict[tuple[str, ...], list[_Pair]] = {}
    for pair in _pairs(a, b):
        name = pair.figures if same else (pair.component, pair.action)
        groups.setdefault(name, []).append(pair)
    totals = a.energy(), b.energy()
    changes = [
        change
        for name, pairs in groups.items()
        for change in _changes(_name(name) if same else f"{name[0]}: {name[1]}", pairs)
        if abs(change.difference_J) > _ROUNDING * sum(totals)
    ]
    changes.sort(key=lambda change: -abs(change.difference_J))
    return Difference(a.label, b.label, "figure" if same else "action", *totals, tuple(changes))


def _name(figures: tuple[str, ...]) -> str:
    before, after = figures
    return before if before == after else f"{before} -> {after}"


def _changes(name: str, pairs: list[_Pair]) -> list[Change]:
    found = []
    effects: tuple[Effect, ...] = ("amount", "price")
    for effect in effects:
        moved = [pair for pair in pairs if pair.effects()[effect]]
        if not moved:
            continue
        spent = [side for pair in moved for side in (pair.before, pair.after) if side]
        start = math.fsum(pair.ends(effect)[0] for pair in pairs)
        end = math.fsum(pair.ends(effect)[1] for pair in pairs)
        found.append(
            Change(
                name=name, effect=effect, figures=_figures(pairs),
                components=tuple(dict.fromkeys(pair.component for pair in moved)),
                actions=tuple(dict.fromkeys(pair.key for pair in moved)),
                from_J=math.fsum(pair.energies[0] for pair in pairs),
                to_J=math.fsum(pair.energies[1] for pair in pairs),
                factor=end / start if start and end else None,
                difference_J=math.fsum(pair.effects()[effect] for pair in moved),
                basis=tuple(dict.fromkeys(side.basis for side in spent if side.basis)),
            )
        )  # fmt: skip
    return found


def _figures(pairs: list[_Pair]) -> tuple[str, str]:
    before, after = (", ".join(dict.fromkeys(pair.figures[k] for pair in pairs)) for k in (0, 1))
    return before, after


def _pairs(a: Side, b: Side) -> list[_Pair]:
    """Return every action of either side, in the order of A and then of B."""
    before, after = _spent(a.lines, a.steps), _spent(b.lines, b.steps)
    return [_Pair(*place, before.get(place), after.get(place)) for place in dict.fromkeys([*before, *after])]


def _spent(lines: Iterable[Line], steps: int) -> dict[tuple[str, str], _Spent]:
    """Return component and action -> amount a step and price; a component's action has one price in all phases."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.component, line.action), []).append(line)
    return {
        place: _Spent(
            key=found[0].key, amount=math.fsum(line.amount for line in found) / steps, price=found[0].price,
            figure=found[0].figure or NOTHING, basis=found[0].basis,
        )
        for place, found in groups.items()
    }  # fmt: skip
