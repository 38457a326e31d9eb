"""Why the ratio of one network is not that of another: a multiply-accumulate on each chip, action by action."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from archsim.accounting.bill import Line
from archsim.base.signal import STEP_PHASES
from archsim.studies.costs.asked import WHOLE
from archsim.studies.costs.spent import GROUPS, POWERED, ChipCost, NetworkCost, group

TOLD = 4
"""Actions that are told of a chip, at most."""
ENOUGH = 0.8
"""Part of a change that is told by its largest actions."""


@dataclass(frozen=True, slots=True)
class Move:
    """One action on one chip, of two networks: amount and energy for each multiply-accumulate that the network asks.

    Parameters
    ----------
    component, action, what : str
        `what` in words.
    amounts : (float, float)
        Of the reference and of the network, for a multiply-accumulate.
    prices : (float, float) [J]
        Mean of one; 0 where there are none.
    """

    component: str
    action: str
    what: str
    amounts: tuple[float, float]
    prices: tuple[float, float]

    @property
    def energies(self) -> tuple[float, float]:
        """Energy for a multiply-accumulate [J], of the reference and of the network."""
        (a, b), (p, q) = self.amounts, self.prices
        return a * p, b * q

    @property
    def change(self) -> float:
        """What it takes more for a multiply-accumulate [J]."""
        before, after = self.energies
        return after - before

    @property
    def leaks(self) -> bool:
        """Whether it is leakage, whose amount is a time."""
        return self.action.endswith(POWERED)


def moves(reference: NetworkCost, was: ChipCost, network: NetworkCost, now: ChipCost) -> list[Move]:
    """Return every action of a chip for a multiply-accumulate of both networks, the largest changes first."""
    before, after = _spent(was, reference.asked.total), _spent(now, network.asked.total)
    found = [
        Move(
            *key, what=now.what.get(key) or was.what.get(key, ""),
            amounts=(before.get(key, (0.0, 0.0))[0], after.get(key, (0.0, 0.0))[0]),
            prices=(_price(before.get(key)), _price(after.get(key))),
        )
        for key in dict.fromkeys((*before, *after))
    ]  # fmt: skip
    return sorted(found, key=lambda move: -abs(move.change))


def telling(found: list[Move]) -> list[Move]:
    """Return the largest moves in the direction of the whole, until most of it is told."""
    whole = math.fsum(move.change for move in found)
    told: list[Move] = []
    for move in found:
        if len(told) == TOLD or (told and abs(math.fsum(m.change for m in told)) >= ENOUGH * abs(whole)):
            break
        if move.change * whole > 0:
            told.append(move)
    return told


def _spent(chip: ChipCost, macs: int) -> dict[tuple[str, str], tuple[float, float]]:
    """Return (component, action) -> amount and energy for a multiply-accumulate."""
    sums: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for line in chip.lines:
        sums.setdefault((line.component, line.action), []).append((line.amount, line.energy_J))
    each = chip.samples * macs
    return {
        key: (math.fsum(a for a, _ in pairs) / each, math.fsum(e for _, e in pairs) / each)
        for key, pairs in sums.items()
    }


def _price(pair: tuple[float, float] | None) -> float:
    return pair[1] / pair[0] if pair and pair[0] else 0.0


@dataclass(frozen=True, slots=True)
class Without:
    """The ratio if a group of costs were free on both chips."""

    group: str
    ratio: float


def without(over: ChipCost, under: ChipCost) -> list[Without]:
    """Return the ratio without each group, where something is left on both chips."""
    of_over, of_under = over.groups(), under.groups()
    rests = {name: (over.total - of_over[name], under.total - of_under[name]) for name in GROUPS}
    return [Without(name, a / b) for name, (a, b) in rests.items() if a > 0 and b > 0]


def update_per_mac(network: NetworkCost, chip: ChipCost) -> float:
    """Return the energy [J] of the update, programming left out, for a multiply-accumulate of an outer product."""
    return chip.groups()["update"] / network.asked.macs["update"]


def weights_served(network: NetworkCost, chip: ChipCost) -> float | None:
    """Return the multiply-accumulates of products that a word of weights read serves; None where none is read."""
    phases = tuple(phase for phase in STEP_PHASES if phase != "update")
    reads = chip.amount("mac_array", "weights.read", phases)
    return (network.asked.macs["forward"] + network.asked.macs["backward"]) / reads if reads else None


def of_kinds(network: NetworkCost, chip: ChipCost) -> Mapping[str, float]:
    """Return kind of layer -> its part of the chip's energy, the largest first."""
    return {kind: energy / chip.total for kind, energy in chip.by(network.kind).items()}


def digital(network: NetworkCost, chip: ChipCost, *, bare: bool = False) -> Mapping[str, float]:
    """Return kind of layer -> what its functions, which stay digital, take of a chip's energy, the largest first.

    `bare`: only what is booked under names that no product is booked under.
    """
    multiplying = {line.layer for line in chip.lines if group(line) == "products"} if bare else set()

    def key(line: Line) -> str:
        return network.kind(line) if group(line) == "functions" and line.layer not in multiplying else ""

    found = chip.by(key)
    return {kind: energy / chip.total for kind, energy in found.items() if kind and kind != WHOLE}
