"""What an explanation says in words. Every sentence is made from the numbers; none is written for one result."""

from __future__ import annotations

import math

from archsim.accounting.figure_text import CAUSES
from archsim.base.metrics import Metric
from archsim.base.units import show
from archsim.report.explain.decomposition import Chips
from archsim.studies.explain.explain import Explanation
from archsim.studies.explain.sparsity import MACS, Sparsity
from archsim.studies.explain.variants import Outcome, Reruns

FIRST = 3
"""Figures named as those to measure first, and re-runs named for a chip."""
LEAST_CAUSE = 0.01
"""A cause with less of the variance is not worth a word."""
NEAR = 0.1
"""Two ratios whose logarithms differ by less are called the same."""


def number(value: float) -> str:
    """Return a ratio for reading: 60.0, 5.1, 0.85."""
    return f"{value:,.1f}" if value >= 3 else f"{value:.2f}"


def times(factor: float) -> str:
    """Return a factor for reading: x0.207, x2.87."""
    return f"×{factor:.3g}"


def percent(share: float) -> str:
    """Return a share for reading: 38.6 %, 0.04 %."""
    return f"{100 * share:.1f} %" if share >= 0.001 or not share else f"{100 * share:.2f} %"


def listed(parts: list[str]) -> str:
    """Return parts in a row: a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def what(found: Explanation) -> str:
    """Return what is looked at, in words."""
    return "energy ratio" if found.spent.paired else "energy per step"


def valued(found: Explanation, value: float) -> str:
    """Return a value of what is looked at for reading: a ratio, or an energy with its unit."""
    return number(value) if found.spent.paired else show(value, "J", 3)


def paper(found: Explanation) -> str:
    """Return the published value for reading."""
    return f"{found.published:g}" if found.spent.paired else show(found.published or 0.0, "J")


def tested(metric: Metric, value: float) -> str:
    """Return what a re-run's test gave: a per cent with one digit behind the point."""
    return metric.number(value, 1 if metric.share else None)


def learns_worse(one: Outcome, reruns: Reruns, metric: Metric) -> bool:
    """Whether a re-run's test, of any chip, is clearly worse than the reference's."""
    pairs = zip(one.tests, reruns.reference.tests, strict=True)
    return any(metric.worse_by(found, reference) >= metric.clear for found, reference in pairs)


def made_of(found: Explanation, chips: Chips) -> list[str]:
    """Return what is looked at: counts x prices, of two chips over each other and which of the factors makes it."""
    told = f", where the paper gives {paper(found)}." if found.published else "."
    largest = " ".join(
        f"The largest part of {one.name} is its {one.heart.part}: {one.heart.count:,.0f} operations at "
        f"{show(one.heart.price, 'J', 3)}, {percent(one.heart.share)} of its energy."
        for one in chips
    )
    if len(chips) == 1:
        return [f"{chips[0].name} spends {show(chips[0].total, 'J')} a training step{told}", largest]
    baseline, chip = chips
    b, c = baseline.heart, chip.heart
    counts, prices, rest = b.count / c.count, b.price / c.price, c.share / b.share
    factors = {"the counts make": counts, "the prices make": prices, "the rest makes": rest}
    main = max(factors, key=lambda name: abs(math.log(factors[name])))
    whole = (
        f"{baseline.name} spends {show(baseline.total, 'J')} a training step and {chip.name} {show(chip.total, 'J')}: "
        f"a ratio of {number(found.spent.nominal)}{told}"
    )
    product = (
        f"So the ratio is counts × prices × rest = {counts:.3g} × {prices:.3g} × {rest:.3g} = "
        f"{counts * prices * rest:.3g}, where the rest is {percent(c.share)} over {percent(b.share)}. Of the three, "
        f"{main} most of it."
    )
    return [whole, largest, product]


def sparse(found: Explanation) -> list[str]:
    """Return what sparsity has to do with it, for the largest layer of each chip that accumulates by outer products."""
    text = [sentence for name in found.spent.chips if (sentence := _sparse(found, name))]
    return text or ["The counts of these chips do not tell how sparse inputs and errors were."]


def _sparse(found: Explanation, chip: str) -> str:
    rows = [s for s in found.sparsity if s.chip == chip and s.phase == "update"]
    if changed := [s for s in rows if s.what.startswith("elements of chi")]:
        largest = max(changed, key=lambda s: s.most)
        inputs, errors = (_row(rows, largest.layer, f"non-zero {word}") for word in ("inputs", "errors"))
        return (
            f"In its update, {chip} touches {percent(largest.share)} of chi in {largest.layer}, a read and a write "
            f"each, because {percent(inputs.share)} of the inputs and {percent(errors.share)} of the errors are not "
            "zero after rounding."
        )
    took = [s for s in rows if s.what.startswith(("weights", MACS))]
    if not took:
        return ""
    share = percent(sum(row.count for row in took) / sum(row.most for row in took))
    if all(row.what.startswith("weights") for row in took):
        return f"{chip} reads and writes {share} of its weights in its update."
    return f"In its update, {chip} does {share} of the {MACS} that the outer products ask."


def _row(rows: list[Sparsity], layer: str, begin: str) -> Sparsity:
    return next(row for row in rows if row.layer == layer and row.what.startswith(begin))


def together(found: Explanation) -> list[str]:
    """Return where the value lies when all figures vary, and whether the paper's lies there too."""
    spread, (low, high) = found.spread, found.spread.interval
    least, most = found.bounds
    median = spread.percentile(50)
    reach = (
        "."
        if not found.published or least <= found.published <= most
        else (f": figures alone cannot give {paper(found)}.")
    )
    draws = (
        f"With all figures varied together within their ranges ({spread.values.size:,} draws, {spread.distribution}), "
        f"the median {what(found).removeprefix('energy ')} is {valued(found, median)} and 90 % of the draws lie "
        f"between {valued(found, low)} and {valued(found, high)}."
        if found.spent.paired
        else f"With all figures varied together within their ranges ({spread.values.size:,} draws, "
        f"{spread.distribution}), the median is {valued(found, median)} a step and 90 % of the draws lie between "
        f"{valued(found, low)} and {valued(found, high)}."
    )
    if found.published:
        chance = spread.chance(found.published)
        reached = percent(chance) if chance else "none"
        where = "inside" if low <= found.published <= high else "outside"
        draws += f" {paper(found)} lies {where}; {reached} of the draws reach{'es' if reached == 'none' else ''} it."
    limits = (
        f"No choice of figures within their ranges gives less than {valued(found, least)} or more than "
        f"{valued(found, most)}{reach}"
    )
    return [draws, limits, *_uneven(found, median)]


def _uneven(found: Explanation, median: float) -> list[str]:
    """Return why the median is not the value of the central figures, if it is not."""
    if abs(median / found.spent.nominal - 1) <= 0.02:
        return []
    first = found.spread.shares[0].figure
    text = (
        f"The median is not the {valued(found, found.spent.nominal)} of the central values because ranges are wide, "
        f"some of them uneven: that of {first.name} reaches from {times(first.low / first.value)} to "
        f"{times(first.high / first.value)} of its value."
    )
    return [text]


def measure_first(found: Explanation) -> list[str]:
    """Return which figures' uncertainty makes the spread, and what the widest swing is."""
    shares = [share for share in found.spread.shares if share.first > 0][:FIRST]
    if not shares:
        return ["Every figure is known exactly: nothing is left to measure."]
    parts = [f"{share.figure.name} ({percent(share.first)})" for share in shares]
    rest = f", then {listed(parts[1:])}" if parts[1:] else ""
    swing = found.swings[0]
    first = (
        f"Measure {parts[0]} first{rest}. The percentage is the part of the variance of the {what(found)}'s logarithm "
        "that would go if the figure were known, beside what it shares with others."
    )
    alone = (
        f"Alone, {swing.figure.name} moves it most: {valued(found, swing.values[0])} at the low end of its range, "
        f"{valued(found, swing.values[1])} at the high end."
    )
    return [first, *shared_causes(found), alone]


def shared_causes(found: Explanation) -> list[str]:
    """Return which part of the spread figures share, and through what."""
    causes = [share for share in found.spread.causes if share.first > LEAST_CAUSE]
    if not causes:
        return []
    parts = [f"{CAUSES[share.cause]} ({percent(share.first)})" for share in causes]
    return [f"What figures share is drawn once for all of them and counted apart: {listed(parts)} of that variance."]


def for_another(found: Explanation) -> list[str]:
    """Return what the value would be for other design decisions, from the re-runs."""
    reruns, spent = found.reruns, found.spent
    if reruns is None:
        return ["Design decisions were not looked at: the re-runs were left out."]
    if not reruns.variants:
        return ["No design decision of those that are re-run is one of these chips'."]
    start, chip = reruns.reference, spent.chips[-1]
    denser = start.energies[-1] > (1 + NEAR) * spent.energy[-1].sum()
    why = f": {chip} spends more early in training, when errors are denser" if denser else ""
    short = (
        f"The re-runs are of {reruns.steps:,} steps. Their reference, with nothing changed, gives "
        f"{valued(found, start.value)}, where this run of {found.steps:,} steps gives "
        f"{valued(found, spent.nominal)}{why}. So what a change does is given as a factor on the reference."
    )
    text = [short]
    against = sorted((one for one in reruns.variants if one.against_run), key=_size)[:FIRST]
    if against:
        parts = [f"{number(one.against_run or math.nan)} with “{one.name}”" for one in against]
        text.append(
            f"What {spent.chips[0]} does hardly depends on how far training has come, so a changed baseline can "
            f"be set against this run's own {chip}. The ratio would be {listed(parts)}."
        )
    metric = found.recorded.metric
    for name in spent.chips[1:] or spent.chips:
        position = spent.chips.index(name)
        if mine := sorted((one for one in reruns.variants if one.changed == name), key=_size)[:FIRST]:
            parts = [
                f"“{one.name}” {times(one.factor)} ({metric.name} {tested(metric, one.tests[position])})"
                for one in mine
            ]
            text.append(
                f"Of the decisions of {name}, these move it most: {listed(parts)}; the reference reaches "
                f"{metric.name} {tested(metric, start.tests[position])} in as many steps."
            )
    return [*text, *filter(None, [_needed(found, reruns)])]


def _needed(found: Explanation, reruns: Reruns) -> str:
    """Return what it takes to reach the paper's value, and which variants would change it by about that."""
    if not found.published:
        return ""
    needed, told = found.published / found.spent.nominal, paper(found)
    if abs(math.log(needed)) < NEAR:
        return f"It is the paper's {told} to within {percent(math.expm1(NEAR))} as it is."
    reach = [f"“{v.name}”" for v in reruns.variants if abs(math.log(v.factor / needed)) < abs(math.log(needed)) / 4]
    near = f"{listed(reach)} come{'s' if len(reach) == 1 else ''}" if reach else "none comes"
    return (
        f"To come from {valued(found, found.spent.nominal)} to {told} takes {times(needed)}; of these variants "
        f"{near} near it."
    )


def _size(one: Outcome) -> float:
    return -max(one.factor, 1 / one.factor)


INDEPENDENT = (
    "Figures are drawn once and shared by all chips. They are drawn independently of each other, though some have one "
    "source: reads, writes and leakage of one memory, say, or a device read and the converter in it."
)
TIMES = (
    "Times are not varied. They set how long memories leak and, with drift, what is computed, so they would need "
    "another run each."
)
DISTRIBUTION = (
    "A factor is drawn on a log scale, since ranges span factors and lie unevenly about their values, and never beyond "
    "the ends of a range, where nothing was published. log-triangular takes the value as most likely; log-uniform "
    "takes every factor in the range as equally likely."
)
SHARES = (
    "Shares are first-order Sobol indices of the logarithm of the value; the rest to 100 % is what figures do together."
)
RERUNS = (
    "A re-run changes one chip; another is that of the reference, since neither depends on the other. Training in "
    "noisy devices takes another course with every change of the arithmetic, so factors near one are within its "
    "chance, and what a chip does early in training weighs more than in a long run."
)


def caveats(found: Explanation) -> list[str]:
    """Return what was held fixed and what the numbers rest on."""
    text = [INDEPENDENT, TIMES, DISTRIBUTION, SHARES, *([RERUNS] if found.reruns else [])]
    return [*text, f"{found.note}."] if found.note else text
