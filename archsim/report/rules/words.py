"""What the numbers of a study of rules say: sentences, each with the condition under which it is said.

A difference within the spread of the seeds is called that: two means that differ by no more than their standard
deviations together. Of one seed no spread is known, and no difference is called one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archsim.base.units import show
from archsim.studies.rules.combine import NO_DEVICE
from archsim.studies.rules.results import Result, Results, Spread, best_by_rule

RULE = (
    "Two means are told apart if they differ by more than their standard deviations over the seeds together; else the "
    "difference is called within the spread."
)
ONE_SEED = "There is one seed: no spread is known, and no difference below can be told from chance."
CLEAR = 2.0
"""Times the pulses of another from which the difference is a sentence of its own."""
FEW = 4
"""Names that a sentence lists; more are counted."""
Cost = Callable[[Result], Spread | None]


def named(found: Results, one: Result) -> str:
    """Return a combination in words, without what all of a study have in common."""
    made = one.combination
    device = "" if made.device == NO_DEVICE else f" with {made.device}"
    several = len({each.combination.learning for each in found.done}) > 1
    return f"{made.rule}{device}" + (f" by {learning(made.learning)}" if several else "")


def learning(name: str) -> str:
    """Return the name of a learning rule as prose."""
    return name.replace("-", " ")


def listed(names: Sequence[str]) -> str:
    """Return names as prose: all of a few, else the first ones and how many more there are."""
    shown = list(names[:FEW])
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def target(found: Results) -> str:
    """Return the target in words."""
    return found.plan.metric.text(found.target)


def ratio(value: float) -> str:
    """Return how many times one is another: "3.4", "172", "11,600"."""
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.2g}" if value >= 10 else f"{value:.1f}"


# --- sentences ---------------------------------------------------------------------------------------------------
def overview(found: Results) -> list[str]:
    """Return what there is to say at first: which rule takes least, which is best, beside the chip without devices."""
    said = [*_seeds(found), *cheapest(found), *beside_digital(found), *best(found), *not_reached(found)]
    return [*said, *not_learning(found), *not_passed_on(found)]


def _seeds(found: Results) -> list[str]:
    return [ONE_SEED] if found.plan.study.seeds == 1 else []


def reached(found: Results, *, devices: bool = True) -> list[Result]:
    """Return the combinations, with or without devices, of which every seed reached the target; the cheapest first."""
    each = [one for one in found.done if one.to_target is not None and one.has_device == devices]
    return sorted(each, key=lambda one: one.to_target.mean if one.to_target else 0.0)


def cheapest(found: Results) -> list[str]:
    """Return which combination took the least energy to the target, and which others cannot be told from it."""
    ranked = reached(found)
    if not ranked or ranked[0].to_target is None:
        return []
    first, cost = ranked[0], ranked[0].to_target
    if len(ranked) == 1:
        text = f"Of the combinations with devices, {named(found, first)} alone reaches {target(found)} with every seed"
        return [f"{text}, for {show(cost.mean, 'J', 3)}."]
    text = f"Of the {len(ranked)} combinations with devices that reach {target(found)} with every seed, "
    text += f"{named(found, first)} needs the least energy: {show(cost.mean, 'J', 3)}"
    level, more = alike(ranked, lambda one: one.to_target)
    if level:
        text += f"; within the spread of the seeds of {listed([named(found, one) for one in level])}"
    if more is not None and more.to_target is not None:
        text += f"; the next, {named(found, more)}, takes {ratio(more.to_target.mean / cost.mean)} times as much"
    return [f"{text}."]


def alike(ranked: Sequence[Result], of: Cost) -> tuple[list[Result], Result | None]:
    """Return those that cannot be told from the first of some, and the first that can."""
    first = of(ranked[0])
    if first is None:
        return [], None
    level: list[Result] = []
    for each in ranked[1:]:
        other = of(each)
        if other is not None and not first.overlaps(other):
            return level, each
        level.append(each)
    return level, None


def beside_digital(found: Results) -> list[str]:
    """Return what the chip without devices takes, over the cheapest with devices."""
    ranked, over = reached(found), reached(found, devices=False)
    if not ranked or not over or ranked[0].to_target is None or over[0].to_target is None:
        return []
    own, other = ranked[0].to_target, over[0].to_target
    if own.overlaps(other):
        return [f"{named(found, over[0])}, without devices, is within the spread of the cheapest."]
    times = other.mean / own.mean
    what = f"{ratio(times)} times the energy of the cheapest" if times > 1 else f"1/{ratio(1 / times)} of the cheapest"
    return [f"{named(found, over[0])}, without devices, takes {what}: {show(other.mean, 'J', 3)}."]


def best(found: Results) -> list[str]:
    """Return which combination with devices ends best, and which cannot be told from it."""
    metric = found.plan.metric
    each = [one for one in found.learning if one.has_device]
    ranked = sorted(each, key=lambda one: metric.worse_by(one.test.mean, 0.0))
    if len(ranked) < 2:
        return []
    level, more = alike(ranked, lambda one: one.test)
    text = f"{named(found, ranked[0])} ends best, at {metric.text(ranked[0].test.mean)}"
    if level:
        text += f", within the spread of {listed([named(found, one) for one in level])}"
    if more is not None:
        text += f"; the next, {named(found, more)}, at {metric.number(more.test.mean)}"
    return [f"{text}, after {found.plan.steps:,} steps."]


def not_reached(found: Results) -> list[str]:
    """Return which combinations did not reach the target with every seed."""
    if found.target is None:
        return ["No combination is clearly better than guessing with every seed: there is no target to cost."]
    missed = [one for one in found.done if one.to_target is None]
    if not missed:
        return []
    names = listed([named(found, one) for one in missed])
    return [f"{len(missed)} of {len(found.done)} did not reach {target(found)} with every seed: {names}."]


def not_learning(found: Results) -> list[str]:
    """Return which combinations are no better than guessing."""
    learning_ones = found.learning
    lost = [one for one in found.done if one not in learning_ones]
    if not lost or not learning_ones:
        return []
    return [f"Not clearly better than guessing with every seed: {listed([named(found, one) for one in lost])}."]


def not_passed_on(found: Results) -> list[str]:
    """Return which hybrid cells were trained for less than the time between two transfers: their cost lacks it."""
    said = []
    for one in found.done:
        pairs = getattr(one.combination.spec.architectures[0], "pairs", None) if one.combination.spec else None
        samples = one.seeds[0].samples
        if pairs is not None and pairs.every > samples:
            said.append(
                f"{named(found, one)} passes its capacitors on to pairs every {pairs.every:,} samples, and a training "
                f"has {samples:,}: no transfer came, and what it costs, and wears, is in none of these numbers."
            )
    return said


def by_device(found: Results) -> list[str]:
    """Return, for each device that several update rules reach the target with, which of them takes least."""
    said = []
    for device, ranked in ranked_by_device(found).items():
        rules = {one.rule for one in ranked}
        first = ranked[0].to_target
        if len(rules) < 2 or first is None:
            continue
        level, more = alike(ranked, lambda one: one.to_target)
        others = list(dict.fromkeys(one.rule for one in level if one.rule != ranked[0].rule))
        if others:
            names = listed([ranked[0].rule, *others])
            said.append(f"With {device}, the least energy to {target(found)} is within the spread for {names}.")
            continue
        last = ranked[-1].to_target
        text = f"With {device}, {ranked[0].rule} takes the least energy to {target(found)}"
        if more is not None and last is not None:
            text += f"; {ranked[-1].rule} {ratio(last.mean / first.mean)} times as much"
        said.append(f"{text}.")
    return said


def ranked_by_device(found: Results) -> dict[str, list[Result]]:
    """Return device -> the best combination of each rule that reached the target with it, the cheapest first."""
    ranked: dict[str, list[Result]] = {}
    for one in reached(found):
        same = ranked.setdefault(one.combination.device, [])
        if one.rule not in {each.rule for each in same}:
            same.append(one)
    return ranked


def learnings(found: Results) -> list[str]:
    """Return what each learning rule did in place of the first one, over the pairs of update rule and device."""
    names = list(dict.fromkeys(one.combination.learning for one in found.all))
    said = []
    for other in names[1:]:
        pairs = [
            (a, b) for a in found.done for b in found.done
            if (a.rule, a.combination.device) == (b.rule, b.combination.device)
            and (a.combination.learning, b.combination.learning) == (names[0], other)
        ]  # fmt: skip
        costs = [(a.to_target, b.to_target) for a, b in pairs]
        told = [(a, b) for a, b in costs if a is not None and b is not None]
        if not told:
            continue
        within = sum(a.overlaps(b) for a, b in told)
        less = sum(b.mean < a.mean and not a.overlaps(b) for a, b in told)
        said.append(
            f"{learning(other)[0].upper()}{learning(other)[1:]} in place of {learning(names[0])} took less energy to "
            f"{target(found)} in {less} of {len(told)} pairs of update rule and device in which both reach it, more in "
            f"{len(told) - less - within}; in {within} the two are within the spread."
        )
    return said


def pulses(found: Results) -> list[str]:
    """Return which rule pulses its devices least, over which it does most; of each rule its best combination."""
    ones = best_by_rule([one for one in found.learning if one.has_device], found.plan.metric).values()
    known = sorted(((value.mean, one) for one in ones if (value := one.over(lambda s: s.pulses))), key=lambda e: e[0])
    if len(known) < 2 or known[0][0] <= 0 or known[-1][0] < CLEAR * known[0][0]:
        return []
    (few, least), (many, most) = known[0], known[-1]
    text = f"{named(found, least)} pulses a device {few:.3g} times a sample, 1/{ratio(many / few)} of what "
    text += f"{named(found, most)} does ({many:.3g}); of each rule this is the combination that ends best"
    return [f"{text}."]


def endurance(found: Results) -> list[str]:
    """Return after how many samples the device that is worn soonest has had what its file says it endures."""
    known = [(one, worn.mean) for one in found.done if (worn := one.over(lambda s: s.worn)) and worn.mean > 0]
    if not known:
        return ["No device file of these states an endurance: wear is told in pulses."] if found.done else []
    one, share = max(known, key=lambda each: each[1])
    basis = next(str(each.wear["basis"]) for each in one.seeds if each.wear)
    text = f"{named(found, one)} is first to wear a device out, as far as device files state an endurance ({basis})"
    return [f"{text}: after {1 / share:.2g} samples, if the pace stayed."]


def edges(found: Results) -> list[str]:
    """Return which combinations have their best rate at an end of the grid."""
    ends = [one for one in found.all if one.rate.edge]
    if not ends:
        return []
    what = f"In {len(ends)} of {len(found.plan.possible)} combinations the best rate lies at an end of the grid"
    return [f"{what}, as the tables say: a better one may lie beyond it."]


def in_all(found: Results) -> list[str]:
    """Return how many samples a training takes, by which costs of a sample are those of all of it."""
    counts = {each.samples for one in found.done for each in one.seeds}
    if len(counts) != 1:
        return []
    [count] = counts
    return [
        f"Each training takes {count:,} {found.plan.sample.plural}: in all it costs {count:,} times what a sample does."
    ]


def memory(found: Results) -> list[str]:
    """Return which rule keeps the most numbers beside the weights, where rules differ in that."""
    ones = best_by_rule([one for one in found.done if one.has_device], found.plan.metric)
    sizes = {rule: one.seeds[0].state_bytes for rule, one in ones.items()}
    if len(set(sizes.values())) < 2:
        return []
    most = max(sizes, key=lambda rule: sizes[rule])
    none = [rule for rule, size in sizes.items() if not size]
    text = f"{most} keeps the most numbers beside the weights, {size_of(sizes[most])} of memory"
    return [text + (f"; {listed(none)} {'keeps' if len(none) == 1 else 'keep'} none." if none else ".")]


def size_of(count: float) -> str:
    """Return bytes for reading: "2 MiB"."""
    for unit, size in (("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.3g} bytes"
