"""The tables of `archsim costs`: a row a network and chip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from archsim.base.signal import STEP_PHASES
from archsim.base.units import show
from archsim.report.explain.words import number, percent
from archsim.report.sheet import NONE, Sheet
from archsim.studies.costs import why
from archsim.studies.costs.costs import Costs
from archsim.studies.costs.spent import GROUPS, ChipCost, NetworkCost

Shares = Callable[[NetworkCost, ChipCost], dict[str, float]]
LEAST = 0.005
"""Columns of parts and kinds in which no chip has so much of its energy are summed."""


def overview(found: Costs) -> Sheet:
    """Return what each network asks, what each chip takes for a sample and for a multiply-accumulate, the ratios."""
    rows = tuple(
        (
            each.label, chip.name, str(each.asked.batch), f"{each.asked.total:,}", f"{each.asked.uses:.3g}",
            show(chip.total, "J"), show(chip.latency_s["total"], "s"), show(each.per_mac(chip), "J", 3),
            *_ratios(each, chip), each.run.metric.number(each.run.summary["architectures"][chip.name]["test"]),
        )
        for each, chip in _rows(found)
    )  # fmt: skip
    heads = (
        "network", "chip", "batch", "multiply-accumulates a sample", "a weight and sample", "energy a sample",
        "time a sample", "energy a multiply-accumulate", "energy ratio", "time ratio", "metric at the end",
    )  # fmt: skip
    return Sheet("What each network costs", heads, rows)


def brief(found: Costs) -> Sheet:
    """Return the columns of the overview that a terminal has room for."""
    whole = overview(found)
    kept = [k for k, head in enumerate(whole.heads) if k not in {3, 4}]
    heads = (whole.heads[k].replace("a multiply-accumulate", "a MAC") for k in kept)
    return Sheet(whole.title, tuple(heads), tuple(tuple(row[k] for k in kept) for row in whole.rows))


def _rows(found: Costs) -> Iterator[tuple[NetworkCost, ChipCost]]:
    return ((each, chip) for each in found.networks for chip in each.chips.values())


def _ratios(network: NetworkCost, chip: ChipCost) -> tuple[str, str]:
    over = network.over
    if over is None or chip is over:
        return NONE, NONE
    return number(over.total / chip.total), number(over.latency_s["total"] / chip.latency_s["total"])


def phases(found: Costs) -> Sheet:
    """Return energy and time a sample by phase."""
    rows = tuple(
        (
            each.label, chip.name,
            *(show(energies.get(phase, 0.0), "J", 3) for phase in STEP_PHASES),
            *(show(chip.latency_s[phase], "s", 3) for phase in STEP_PHASES),
        )
        for each, chip in _rows(found)
        for energies in [chip.by(lambda line: line.phase)]
    )  # fmt: skip
    heads = ("network", "chip", *(f"energy, {phase}" for phase in STEP_PHASES),
             *(f"time, {phase}" for phase in STEP_PHASES))  # fmt: skip
    return Sheet("A sample by phase", heads, rows)


def groups(found: Costs) -> Sheet:
    """Return the parts of each chip's energy by group."""
    return _shares(found, "Parts of the energy by what it is for", lambda _, chip: _over_total(chip, chip.groups()))


def parts(found: Costs) -> Sheet:
    """Return them by part of the chip."""
    title = "Parts of the energy by part of the chip"
    return _shares(found, title, lambda _, chip: _over_total(chip, chip.by(lambda line: line.part)))


def kinds(found: Costs) -> Sheet:
    """Return them by kind of layer."""
    title = "Parts of the energy by kind of layer"
    return _shares(found, title, lambda each, chip: dict(why.of_kinds(each, chip)))


def times(found: Costs) -> list[Sheet]:
    """Return the critical path of a step by kind of layer and by unit; none if no step was done again."""
    spans = [
        (network, chip, span)
        for network in found.networks
        for chip, span in found.times.get(network.label, {}).items()
    ]  # fmt: skip
    if not spans:
        return []
    return [
        _table(f"Time of a step by {what}", "step", [
            (network.label, chip, show(span.seconds, "s"), shares)
            for network, chip, span in spans
            for shares in [span.by_kind if what == "kind of layer" else span.by_unit]
        ])
        for what in ("kind of layer", "unit")
    ]  # fmt: skip


def _over_total(chip: ChipCost, energies: dict[str, float]) -> dict[str, float]:
    return {name: energy / chip.total for name, energy in energies.items()}


def _shares(found: Costs, title: str, of: Shares) -> Sheet:
    """Return the parts of every chip's energy."""
    rows = [(each.label, chip.name, show(chip.total, "J"), of(each, chip)) for each, chip in _rows(found)]
    return _table(title, "energy a sample", rows)


def _table(title: str, whole: str, rows: Sequence[tuple[str, str, str, Mapping[str, float]]]) -> Sheet:
    """Return a column a name, groups in their order and else the largest first, small ones summed in "other"."""
    largest: dict[str, float] = {}
    for *_, shares in rows:
        for name, share in shares.items():
            largest[name] = max(largest.get(name, 0.0), share)
    known = list(GROUPS) if set(largest) == set(GROUPS) else sorted(largest, key=lambda name: -largest[name])
    names = [name for name in known if largest[name] >= LEAST]
    small = [name for name in known if name not in names]
    made = []
    for label, chip, total, shares in rows:
        cells = [percent(shares[name]) if shares.get(name) else NONE for name in names]
        rest = sum(shares.get(name, 0.0) for name in small)
        made.append((label, chip, total, *cells, *([percent(rest) if rest else NONE] if small else [])))
    return Sheet(title, ("network", "chip", whole, *names, *(["other"] if small else [])), tuple(made))


def free(found: Costs) -> Sheet:
    """Return the ratio of each network without each group of costs."""
    rows = []
    for each in found.networks:
        for chip in each.others:
            if (over := each.over) is None:
                continue
            without = {one.group: one.ratio for one in why.without(over, chip)}
            cells = (number(without[name]) if name in without else NONE for name in GROUPS)
            rows.append((each.label, chip.name, number(over.total / chip.total), *cells))
    heads = ("network", "chip", "energy ratio", *(f"without {name}" for name in GROUPS))
    return Sheet("The ratio, were a group of costs free on both chips", heads, tuple(rows))


def reached(found: Costs) -> Sheet:
    """Return the joules that each chip took to be as good as the worse one became."""
    rows = []
    for each in found.networks:
        if (level := found.reached[each.label]) is None:
            continue
        technology = each.run.technology
        over = level.chips.get(each.run.summary["baseline"] or "")
        for name, reach in level.chips.items():
            low, high = reach.energy(technology)
            ratio = NONE
            if over and reach is not over:
                least, most = over.energy(technology)
                ratio = f"{number(most / high)} ({number(least / high)} to {number(most / low) if low else 'any'})"
            rows.append((
                each.label, name, f"{each.run.metric.name} {each.run.metric.number(level.level)}",
                each.run.metric.number(reach.at.test), f"{reach.at.samples:,}", show(high, "J", 3),
                f"{show(low, 'J', 3)} to {show(high, 'J', 3)}", show(reach.at.simulated_time_s, "s", 3), ratio,
            ))  # fmt: skip
    heads = ("network", "chip", "to reach", "its test there", "samples", "energy", "between the tests", "time",
             "energy ratio")  # fmt: skip
    return Sheet("Joules to reach the worse chip's best metric", heads, tuple(rows))
