"""The tables of a study of rules: a row a combination."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archsim.base.units import show
from archsim.report.rules import words
from archsim.report.sheet import NONE, Sheet
from archsim.studies.rules.combine import NO_DEVICE
from archsim.studies.rules.results import Result, Results, Spread, best_by_rule

_WHO = ("update rule", "device", "learning rule")
MARK = {"lowest": " (lowest tried)", "highest": " (highest tried)"}
"""What stands behind a rate at an end of the grid."""
CHOSEN = "*"


def _who(one: Result) -> tuple[str, str, str]:
    made = one.combination
    return made.rule, NONE if made.device == NO_DEVICE else made.device, words.learning(made.learning)


def _text(value: Spread | None, unit: str, digits: int = 3) -> str:
    """Return a mean with its deviation in brackets: "3.42 nJ (120 pJ)"."""
    if value is None:
        return NONE
    told = show(value.mean, unit, digits)
    return told if not value.std else f"{told} ({show(value.std, unit, digits)})"


def _plain(value: Spread | None) -> str:
    if value is None:
        return NONE
    return f"{value.mean:.3g}" if not value.std else f"{value.mean:.3g} ({value.std:.2g})"


def overview(found: Results) -> Sheet:
    """Return rate, metric, costs of a sample, and costs to the target."""
    metric = found.plan.metric
    rows = []
    for one in found.done:
        test, rate = one.test, one.rate
        ends = "" if test.std is None else f" ({metric.size(test.std).removesuffix(' points')})"
        times = one.over(lambda each: each.time_s)
        rows.append((
            *_who(one), f"{rate.rate:g}{MARK.get(rate.edge, '')}", metric.number(test.mean) + ends,
            _text(one.energy, "J"), _text(times, "s"), *_to_target(found, one),
        ))  # fmt: skip
    to = "the target" if found.target is None else words.target(found)
    heads = (*_WHO, "learning rate", f"{metric.name} at the end", "energy a sample", "time a sample",
             f"energy to {to}", f"time to {to}")  # fmt: skip
    return Sheet("What each combination reaches and costs", heads, tuple(rows))


def _to_target(found: Results, one: Result) -> tuple[str, str]:
    if one.to_target is not None:
        return _text(one.to_target, "J"), _text(one.time_to_target, "s")
    if found.target is None:
        return NONE, NONE
    some = f" ({one.reached} of {len(one.seeds)} seeds did)" if one.reached else ""
    return f"not reached{some}", "not reached"


def devices(found: Results) -> Sheet:
    """Return for each device which rule takes the least energy to the target, ends best, and pulses least."""
    metric, ranked = found.plan.metric, words.ranked_by_device(found)
    rows = []
    for device in dict.fromkeys(one.combination.device for one in found.done if one.has_device):
        mine = [one for one in found.learning if one.combination.device == device]
        by_rule = [*best_by_rule(mine, metric).values()]
        good = sorted(by_rule, key=lambda one: metric.worse_by(one.test.mean, 0.0))
        few = sorted(by_rule, key=lambda one: value.mean if (value := one.over(lambda s: s.pulses)) else 0.0)
        rows.append((
            device, _first(ranked.get(device, []), lambda one: one.to_target, "none reaches it"),
            _first(good, lambda one: one.test, "none learns"),
            _first(few, lambda one: one.over(lambda s: s.pulses), "none learns"),
            ", ".join(dict.fromkeys(one.rule for one in found.refused if one.combination.device == device)) or NONE,
        ))  # fmt: skip
    heads = ("device", f"least energy to {words.target(found)}" if found.target is not None else "least energy",
             "ends best", "fewest pulses", "not possible")  # fmt: skip
    return Sheet("Which rule for which device", heads, tuple(rows))


def _first(ranked: Sequence[Result], of: Callable[[Result], Spread | None], none: str) -> str:
    """Return the rules that are first, those that cannot be told from it among them."""
    if not ranked:
        return none
    level, _ = words.alike(ranked, of)
    return " = ".join([ranked[0].rule, *(one.rule for one in level)])


def wear(found: Results) -> Sheet:
    """Return pulses, wear, memory and area."""
    rows = []
    for one in found.done:
        worn = one.over(lambda each: each.worn)
        area = one.over(lambda each: float(each.priced.area_m2[0]))
        place = next((str(each.wear["place"]) for each in one.seeds if each.wear and each.wear["most"]), NONE)
        rows.append((
            *_who(one), _plain(one.over(lambda each: each.pulses)), _plain(one.over(lambda each: each.most)), place,
            NONE if not worn or not worn.mean else f"{1 / worn.mean:.2g}",
            words.size_of(one.seeds[0].state_bytes) if one.seeds[0].state_bytes else "none",
            NONE if area is None else show(area.mean, "m^2", 3),
        ))  # fmt: skip
    heads = (*_WHO, "pulses a device and sample", "of the most pulsed device", "its tile",
             "samples to its stated endurance", "memory of the rule's numbers", "area")  # fmt: skip
    return Sheet("Pulses, wear, memory and area", heads, tuple(rows))


def rates(found: Results) -> Sheet:
    """Return what each rate was judged by, the chosen one marked."""
    metric = found.plan.metric
    rows = []
    for one in found.all:
        if one.rate.scores:
            cells = [
                "diverged" if score is None else metric.number(score) + (CHOSEN if rate == one.rate.rate else "")
                for rate, score in sorted(one.rate.scores.items())
            ]
            rows.append((*_who(one), *cells))
    heads = (*_WHO, *(f"{rate:g}" for rate in sorted(found.plan.rates)))
    return Sheet(f"The search of learning rates: running {metric.name}, {CHOSEN} the one taken", heads, tuple(rows))


def left(found: Results) -> Sheet | None:
    """Return what is not possible or failed, with the reason; None if nothing is."""
    by: dict[tuple[str, str, str, str], list[str]] = {}
    for one in found.all:
        if not one.done:
            rule, device, learning = _who(one)
            by.setdefault((rule, device, one.state, one.reason), []).append(learning)
    if not by:
        return None
    rows = tuple((rule, device, ", ".join(names), state, why) for (rule, device, state, why), names in by.items())
    return Sheet("What is not possible, and what failed", (*_WHO, "state", "reason"), rows)


def brief(found: Results) -> Sheet:
    """Return the columns of the overview that a terminal has room for, with the pulses."""
    whole = overview(found)
    extra = [_plain(one.over(lambda each: each.pulses)) for one in found.done]
    rows = tuple((*row[:6], row[7], more) for row, more in zip(whole.rows, extra, strict=True))
    return Sheet(whole.title, (*whole.heads[:6], whole.heads[7], "pulses a device and sample"), rows)
