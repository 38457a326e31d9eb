"""Sentences on what a network costs and why its ratio is not the reference's, each from numbers that were counted."""

from __future__ import annotations

import math

from archsim.base.units import show
from archsim.report.explain.words import listed, number, percent, times
from archsim.studies.costs import why
from archsim.studies.costs.costs import Costs
from archsim.studies.costs.spent import ChipCost, NetworkCost

LIKE, CLEAR = 0.05, 2.0
"""Numbers that differ by less than this part are called alike; a factor from which on two are told as apart."""
SMALL, MUCH = 0.01, 0.05
"""Parts of a chip's energy that are not told below the one, and have a sentence of their own from the other one on."""
LEAST = 1e-4
"""The smallest part that is told by its number."""


def sentences(found: Costs, network: NetworkCost, under: ChipCost) -> list[str]:
    """Return what is to be said of a network on a chip, beside its baseline and beside the reference."""
    over, reference = network.over, found.beside(network)
    if over is None:
        return [f"{under.name} takes {_takes(network, under)}.", _asks(network)]
    was_over, was_under = reference.over, counterpart(reference, under)
    said = [ratio(network, over, under), _asks(network)]
    if reference is network or was_over is None or was_under is None:
        return [*said, *decides(over, under)]
    return [
        *said,
        split(reference, (was_over, was_under), network, (over, under)),
        *(moved(reference, was, network, now) for was, now in ((was_over, over), (was_under, under))),
        *reuse(reference, was_over, network, over),
        *update(reference, was_under, network, under),
        *functions(network, over, under),
        *leakage(reference, was_under, network, under),
        *programming(reference, was_under, network, under),
        *decides(over, under),
    ]


def counterpart(reference: NetworkCost, chip: ChipCost) -> ChipCost | None:
    """Return the chip of another run that a chip is set beside: of its name, or the first of its kind."""
    kinds = (each for each in reference.others if each.kind == chip.kind)
    return reference.chips.get(chip.name) or next(kinds, None)


def called(reference: NetworkCost) -> str:
    """Return the name of what a network is set beside."""
    return str(reference.run.summary["workload"])


def short(network: NetworkCost) -> bool:
    """Whether a chip's energy a sample still moves late in the training, or that cannot be told."""
    return any(chip.late_J is None or abs(chip.late_J / chip.total - 1) > MUCH for chip in network.chips.values())


# --- how numbers are written ------------------------------------------------------------------------------------------
def mac(joules: float) -> str:
    """Return the energy of a multiply-accumulate for reading."""
    return show(joules, "J", 3)


def count(value: float) -> str:
    """Return an amount for reading: 1,540, 18.6."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def part(share: float) -> str:
    """Return a part of an energy for reading; a very small one as such."""
    return percent(share) if share >= LEAST else f"less than {100 * LEAST:g} %"


def a_sample(network: NetworkCost) -> str:
    """Return what a sample is called, with its article."""
    name = network.run.sample.name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _takes(network: NetworkCost, chip: ChipCost) -> str:
    return f"{show(chip.total, 'J')} and {show(chip.latency_s['total'], 's')} {a_sample(network)}"


def _log(factor: float) -> float:
    return math.log(factor)


# --- sentences --------------------------------------------------------------------------------------------------------
def ratio(network: NetworkCost, over: ChipCost, under: ChipCost) -> str:
    """Say what both chips take, and the ratios."""
    return (
        f"{over.name} takes {_takes(network, over)}, {under.name} {_takes(network, under)}: "
        f"{number(over.total / under.total)} times the energy and "
        f"{number(over.latency_s['total'] / under.latency_s['total'])} times the time."
    )


def _asks(network: NetworkCost) -> str:
    asks = network.asked
    return (
        f"{a_sample(network).capitalize()} asks {asks.total:,} multiply-accumulates, those of outer products and with "
        f"zeros among them: {count(asks.uses)} for each of {asks.weights:,} weights. {asks.vectors:,} vectors pass "
        f"{asks.matrices} matrices on the way forward; {asks.batch} sample{'s make' if asks.batch > 1 else ' makes'} "
        "a step."
    )


def split(
    reference: NetworkCost, was: tuple[ChipCost, ChipCost], network: NetworkCost, now: tuple[ChipCost, ChipCost]
) -> str:
    """Say which chip's multiply-accumulate moved the ratio, and how far."""
    factors = [network.per_mac(b) / reference.per_mac(a) for a, b in zip(was, now, strict=True)]
    whole = factors[0] / factors[1]
    chips = listed([
        f"{mac(network.per_mac(b))} in place of {mac(reference.per_mac(a))} ({times(factor)}) on {b.name}"
        for factor, a, b in zip(factors, was, now, strict=True)
    ])  # fmt: skip
    there = "the same chips" if was[0].name == now[0].name else f"{was[0].name} and {was[1].name}"
    said = (
        f"{called(reference)} has a ratio of {number(was[0].total / was[1].total)} on {there}. All in all a "
        f"multiply-accumulate takes {chips}: the ratio is {times(whole)} of that"
    )
    moves = {b.name: abs(_log(factor)) for factor, b in zip(factors, now, strict=True)}
    if abs(_log(whole)) < LIKE:
        return f"{said}, about the same."
    more = max(moves, key=lambda name: moves[name])
    apart = _log(factors[0]) * _log(factors[1]) < 0  # then both push the ratio the same way
    if apart or min(moves.values()) < LIKE:
        return f"{said}. {percent(moves[more] / sum(moves.values()))} of that factor's logarithm is of {more}."
    return f"{said}. Both moved the same way, {more} further."


def moved(reference: NetworkCost, was: ChipCost, network: NetworkCost, now: ChipCost) -> str:
    """Say which actions make most of what a multiply-accumulate takes more, or less, on a chip."""
    found = why.moves(reference, was, network, now)
    change = math.fsum(move.change for move in found)
    told = [_move(move) for move in why.telling(found)]
    most = f" Most of it: {'; '.join(told)}." if told else ""
    return f"On {now.name} a multiply-accumulate takes {mac(abs(change))} {'more' if change > 0 else 'less'}.{most}"


def _move(move: why.Move) -> str:
    """Say how an action's amount and price for a multiply-accumulate moved."""
    (a, b), (p, q), (before, after) = move.amounts, move.prices, move.energies
    name = f"{move.component.replace('_', ' ')}, {move.what or move.action}"
    if not a or not b:
        return f"{name}, {mac(before)} to {mac(after)}"
    if move.leaks:
        return f"{name}, {times(b / a)} as much, {mac(before)} to {mac(after)}"
    price = "" if abs(_log(q / p)) < SMALL else f" at {mac(p)} to {mac(q)} each"
    return f"{name}, {a:.3g} to {b:.3g} of them{price}, {mac(before)} to {mac(after)}"


def reuse(reference: NetworkCost, was: ChipCost, network: NetworkCost, now: ChipCost) -> list[str]:
    """Say how often a weight is used, for how much one read of it serves, and what that makes of reading weights."""
    before, after = why.weights_served(reference, was), why.weights_served(network, now)
    if before is None or after is None:
        return []
    used = [count(of.asked.uses * of.asked.batch) for of in (reference, network)]
    said = (
        f"A weight is used {used[1]} times a step, one of {called(reference)} {used[0]} times. {now.name} reads a "
        f"word of weights for {count(after)} multiply-accumulates of products, there for {count(before)}"
    )
    costs = [
        chip.by(lambda line: line.part).get("weight memory", 0.0) / of.asked.total
        for chip, of in ((was, reference), (now, network))
    ]
    if abs(_log(after / before)) < LIKE:
        return [f"{said}: reuse saves it no reads, and its weight memory takes {mac(costs[1])} a multiply-accumulate."]
    how = "helps" if costs[1] < costs[0] else "does not help"
    return [f"{said}. That {how} the baseline: its weight memory takes {mac(costs[1])} in place of {mac(costs[0])}."]


def update(reference: NetworkCost, was: ChipCost, network: NetworkCost, now: ChipCost) -> list[str]:
    """Say what the digital update takes, and whether it shrinks with the reuse of weights."""
    a, b = why.update_per_mac(reference, was), why.update_per_mac(network, now)
    share, before = now.groups()["update"] / now.total, was.groups()["update"] / was.total
    if not a or not b or max(share, before) < MUCH:
        return []
    reused = network.asked.uses * network.asked.batch / (reference.asked.uses * reference.asked.batch)
    said = (
        f"The digital update, without programming and leakage, takes {percent(share)} of {now.name}'s energy "
        f"({called(reference)}: {percent(before)}): {mac(b)} for a multiply-accumulate of an outer product in place of "
        f"{mac(a)} ({times(b / a)})"
    )
    if reused < CLEAR:
        return [f"{said}."]
    shrinks, like = b * reused < a * CLEAR, b > a / CLEAR
    with_it = "shrinks with the reuse of weights" if shrinks else "does not shrink with the reuse of weights"
    if not shrinks and not like:
        with_it = "shrinks, but less than the reuse of weights grows"
    return [f"{said}. It {with_it}, which are used {times(reused)} as often a step."]


def functions(network: NetworkCost, over: ChipCost, under: ChipCost) -> list[str]:
    """Say what stays digital, in which kinds of layer, how much of it in layers without weights, the ratio without."""
    shares = [chip.groups()["functions"] / chip.total for chip in (under, over)]
    if max(shares) < MUCH:
        return []
    kinds = why.digital(network, under)
    told = listed([f"{kind} {percent(share)}" for kind, share in kinds.items() if share >= SMALL] or ["all below 1 %"])
    said = (
        f"What stays digital, forward and backward, takes {percent(shares[0])} of {under.name}'s energy and "
        f"{percent(shares[1])} of {over.name}'s{_without(over, under, 'functions')}. On {under.name}, by the kind of "
        f"layer: {told}."
    )
    bare = why.digital(network, under, bare=True)
    if math.fsum(bare.values()) < SMALL:
        return [said]
    parts = listed([f"{kind} {percent(share)}" for kind, share in bare.items() if share >= SMALL / 10])
    without_weights = (
        f"What has no weights, in no product, stays digital on every chip and takes "
        f"{percent(math.fsum(bare.values()))} of {under.name}'s energy: {parts}."
    )
    return [said, without_weights]


def _without(over: ChipCost, under: ChipCost, name: str) -> str:
    found = next((each.ratio for each in why.without(over, under) if each.group == name), None)
    return "" if found is None else f"; were it free on both, the ratio would be {number(found)}"


def leakage(reference: NetworkCost, was: ChipCost, network: NetworkCost, now: ChipCost) -> list[str]:
    """Say what leaks, and for how long."""
    share, before = (chip.groups()["leakage"] / chip.total for chip in (now, was))
    if share < MUCH:
        return []
    time = [show(chip.latency_s["total"] / of.asked.total, "s", 3) for chip, of in ((was, reference), (now, network))]
    free = _without(network.over, now, "leakage") if network.over else ""
    said = (
        f"Leakage takes {percent(share)} of {now.name}'s energy ({called(reference)}: {percent(before)}): for each "
        f"multiply-accumulate memories and circuits are on for {time[1]}, there for {time[0]}{free}."
    )
    return [said]


def programming(reference: NetworkCost, was: ChipCost, network: NetworkCost, now: ChipCost) -> list[str]:
    """Say how often devices are programmed."""
    if not now.pairs:
        return []
    each = [
        f"1 in {count(of.asked.weights / chip.pairs)} a step and 1 in "
        f"{count(of.asked.weights * of.asked.batch / chip.pairs)} {a_sample(of)}"
        for chip, of in ((now, network), (was, reference))
        if chip.pairs
    ]
    there = f" ({called(reference)}: {each[1]})" if len(each) > 1 else ""
    said = (
        f"Of {network.asked.weights:,} weights {count(now.pairs)} are programmed a step, {each[0]}{there}, with "
        f"{now.pulses / network.asked.weights:.2g} pulses a weight and step: "
        f"{part(now.groups()['programming'] / now.total)} of {now.name}'s energy."
    )
    return [said]


def decides(over: ChipCost, under: ChipCost) -> list[str]:
    """Say which group of costs decides the ratio most: without it, it would move furthest."""
    now, found = over.total / under.total, why.without(over, under)
    if not found:
        return []
    most = max(found, key=lambda each: abs(_log(each.ratio / now)))
    shares = [f"{percent(chip.groups()[most.group] / chip.total)} of {chip.name}'s" for chip in (under, over)]
    said = (
        f"The ratio hangs most on {most.group} ({listed(shares)} energy): free on both chips, they would leave a ratio "
        f"of {number(most.ratio)} in place of {number(now)}."
    )
    return [said]


def chips_alone(found: Costs) -> list[str]:
    """Say what the other networks' chips alone make of the reference, where it was trained on them."""
    reference, said = found.reference, []
    for each in found.networks[1:]:
        if called(each) != called(reference) or not each.over or not reference.over:
            continue
        for under in each.others:
            if (was := counterpart(reference, under)) is None:
                continue
            before, now = reference.over.total / was.total, each.over.total / under.total
            said.append(
                f"The chips alone: {called(reference)} has a ratio of {number(before)} on {reference.over.name} and "
                f"{was.name}, and of {number(now)} on {each.over.name} and {under.name} "
                f"({times(each.over.total / reference.over.total)} the energy on the baseline, "
                f"{times(under.total / was.total)} on the other chip). Networks that were trained on these chips are "
                "set beside the latter."
            )
    return said
