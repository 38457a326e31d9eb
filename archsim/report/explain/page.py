"""Write an explanation: a page that needs nothing else, Markdown, JSON, and its figures as PNG and SVG."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from archsim.base.units import show
from archsim.records.recorded import Recorded
from archsim.report.explain import designs, words
from archsim.report.explain.charts import FIGURES
from archsim.report.explain.decomposition import Chips, made
from archsim.report.explain.words import number, percent, times, valued
from archsim.report.sections import Section, SectionPage
from archsim.report.sheet import NONE, Sheet
from archsim.studies.explain import explain as explanations
from archsim.studies.explain.designs import NOT_VARIED
from archsim.studies.explain.explain import Explanation

STEM = "explain"
DRAWN = {**FIGURES, **designs.FIGURES}
"""Name of a figure -> how it is drawn, and what it shows."""


def write(found: Explanation, out: Path) -> list[Path]:
    """Write explain.html, explain.md, explain.json and the figures into `out`; return the files, the page first."""
    run = found.recorded
    chips = tuple(made(run, name, found.technology.name) for name in found.spent.chips)
    page = SectionPage(
        title=_title(found, run), under=_under(found, run), highlights=highlights(found),
        parts=sections(found, chips), captions={name: caption for name, (_, caption) in DRAWN.items()},
        footer=f"Made by archsim explain from a run of archsim {run.run.get('archsim')}. "
        f"Draws and shares took {found.spread_s:.2g} s.",
    )  # fmt: skip
    draws = {name: partial(draw, found, chips) for name, (draw, _) in DRAWN.items()}
    return page.write(out, STEM, draws, explanations.contents(found))


# --- what stands on the page ------------------------------------------------------------------------------------------
def sections(found: Explanation, chips: Chips) -> list[Section]:
    """Return the parts of the page, in order."""
    parts = [
        Section("What it is made of", words.made_of(found, chips), "made-of", [_parts(chips), _counts(chips)]),
        Section("The sparsity that made it", words.sparse(found), None, [_sparsity(found)] if found.sparsity else []),
        Section("All figures together", words.together(found), "distribution", []),
        Section("Which figure to measure first", words.measure_first(found), "shares", [_shares(found)]),
        Section("One figure at a time", [], "tornado", [_tornado(found)]),
    ]
    if found.totals:
        parts.insert(
            0, Section("Each published total by itself", designs.totals(found), None, designs.total_sheets(found))
        )
    if found.space:
        sheet = designs.decision_sheet(found, found.space)
        parts.insert(0, Section("Over ordinary designs", designs.over_designs(found, found.space), "designs", [sheet]))
    parts.insert(0, parts.pop([part.head for part in parts].index("All figures together")))
    decisions = _reruns(found)
    name = "reruns" if decisions else None
    parts.append(Section("With one design decision changed", words.for_another(found), name, decisions))
    return [*parts, Section("What was held fixed", words.caveats(found), None, [])]


def _parts(chips: Chips) -> Sheet:
    """Return every part's energy on each chip; of two also what it adds to the ratio, and the ratio without it."""
    names = sorted(
        dict.fromkeys(part for one in chips for part in one.parts), key=lambda part: -sum(c.energy(part) for c in chips)
    )
    rows = [(part, *(cell for k in range(len(chips)) for cell in _part(chips, k, part))) for part in names]
    heads = ["part"]
    for k, one in enumerate(chips):
        heads += [f"{one.name}, per step", "share"]
        heads += (["adds to the ratio"] if k == 0 else []) + ["ratio if free there"] if len(chips) > 1 else []
    empty = ([NONE, NONE], [NONE]) if len(chips) > 1 else ([],)
    total = [
        cell for one, rest in zip(chips, empty, strict=True) for cell in (show(one.total, "J"), percent(1.0), *rest)
    ]
    title = "Parts of both chips" if len(chips) > 1 else f"Parts of {chips[0].name}"
    return Sheet(title, tuple(heads), (*rows, ("total", *total)))


def _part(chips: Chips, position: int, part: str) -> tuple[str, ...]:
    """Return what a part costs one of the chips, and of two chips what it does to their ratio."""
    one = chips[position]
    energy, rest = one.energy(part), one.total - one.energy(part)
    cells = (show(energy, "J"), percent(energy / one.total))
    if len(chips) == 1:
        return cells
    over, under = chips
    if position:
        return (*cells, number(over.total / rest) if rest > 0 else NONE)
    return (*cells, number(energy / under.total), number(rest / under.total))


def _counts(chips: Chips) -> Sheet:
    rows = [
        (
            one.name,
            heart.part,
            f"{heart.count:,.0f}",
            show(heart.price, "J"),
            percent(heart.share),
            show(one.total, "J"),
        )
        for one in chips
        for heart in [one.heart]
    ]
    if len(chips) > 1:
        b, c = chips[0].heart, chips[1].heart
        counts, prices, rest = (f"{factor:.3g}" for factor in (b.count / c.count, b.price / c.price, c.share / b.share))
        rows.append(("ratio", "", counts, prices, rest, f"{chips[0].total / chips[1].total:.3g}"))
    heads = ("chip", "largest part", "operations per step", "mean price", "share of the step", "energy per step")
    return Sheet("Counts and prices of the largest parts", heads, tuple(rows))


def _sparsity(found: Explanation) -> Sheet:
    rows = tuple(
        (
            s.chip, s.layer, s.phase, s.what, f"{s.count:,.1f}", f"{s.most:,}", percent(s.share), s.from_
        )
        for s in found.sparsity
    )  # fmt: skip
    heads = ("chip", "layer", "phase", "what", "per sample", "of", "share", "derived from the counts")
    return Sheet("Sparsity of inputs and errors", heads, rows)


def _shares(found: Explanation) -> Sheet:
    rows = tuple(
        (
            s.figure.name, percent(max(s.first, 0.0)), f"{100 * s.error:.1f} points", percent(s.total),
            s.figure.origin.basis, s.figure.origin.named or NONE,
        )
        for s in found.spread.shares
        if s.total > 1e-4
    )  # fmt: skip
    heads = ("figure", "share of the variance", "standard error", "with others", "basis", "source")
    return Sheet("Shares of the variance of the ratio", heads, rows)


def _tornado(found: Explanation) -> Sheet:
    spent, rows = found.spent, []
    for s in found.swings:
        figure, unit = s.figure, s.figure.unit
        rows.append((
            figure.name, show(figure.value, unit, 3), f"{show(figure.low, unit, 3)} to {show(figure.high, unit, 3)}",
            *(valued(found, value) for value in s.values), f"{s.span:.3g}",
            *((f"{show(low, 'J', 3)} to {show(high, 'J', 3)}" for low, high in s.energies) if spent.paired else ()),
        ))  # fmt: skip
    heads = (
        "figure", "value", "range", f"{words.what(found)} at the low end", "at the high end", "factor between",
        *((f"{name}, per step" for name in spent.chips) if spent.paired else ()),
    )  # fmt: skip
    return Sheet("Each figure at the ends of its range", heads, tuple(rows))


def _reruns(found: Explanation) -> list[Sheet]:
    if found.reruns is None:
        return []
    paired, rows = found.spent.paired, []
    for one in (found.reruns.reference, *found.reruns.variants):
        against = [number(one.against_run) if one.against_run else NONE] if paired else []
        rows.append((
            f"{one.changed}: {one.name}" if one.changed else one.name, valued(found, one.value), f"{one.factor:.3g}",
            *against, *((show(energy, "J") for energy in one.energies) if paired else ()),
            *(words.tested(found.recorded.metric, test) for test in one.tests),
            one.variant.why if one.variant else "nothing",
            " ".join(one.settings),
        ))  # fmt: skip
    heads = (
        "variant", f"{words.what(found)}, short run", "over the reference",
        *(("against this run's chip", *found.spent.chips) if paired else ()),
        *(f"{found.recorded.metric.name}, {name}" for name in found.spent.chips), "what changes", "--set",
    )  # fmt: skip
    return [Sheet(f"Re-runs of {found.reruns.steps:,} steps", heads, tuple(rows))]


def _title(found: Explanation, run: Recorded) -> str:
    if found.spent.paired:
        return f"What the energy ratio of {run.summary['workload']} is made of: {' / '.join(found.spent.chips)}"
    return f"What the energy of {run.summary['workload']} on {found.spent.chips[0]} is made of"


def _under(found: Explanation, run: Recorded) -> str:
    return (
        f"{run.summary['workload']} on {run.summary['dataset_origin']}, {found.steps:,} steps, {run.seeded}; "
        f"figures of {found.technology.name}"
    )


def highlights(found: Explanation) -> list[tuple[str, str]]:
    """Return the numbers that stand first: what, value."""
    low, high = found.spread.interval
    said = [
        (f"{words.what(found)} of this run", valued(found, found.spent.nominal)),
        ("median, all figures varied", valued(found, found.spread.percentile(50))),
        ("90 % interval", f"{valued(found, low)} to {valued(found, high)}"),
    ]
    if found.published:
        inside, paper = low <= found.published <= high, words.paper(found)
        said.insert(1, (f"the paper's {words.what(found).removeprefix('energy ')}", paper))
        said.append((f"{paper} in the interval", "yes" if inside else "no"))
    return said


# --- the terminal -----------------------------------------------------------------------------------------------------
def terminal(found: Explanation) -> list[str]:
    """Return the short form: the distribution, what to measure first, what it hangs on."""
    spread, (low, high) = found.spread, found.spread.interval
    paper = where = ""
    if found.published:
        paper = f"; the paper's {words.paper(found)}"
        where = f"{words.paper(found)} lies {'inside' if low <= found.published <= high else 'outside'}; "
    least, most = (valued(found, value) for value in found.bounds)
    drawn = f"{spread.values.size:,} draws, {spread.distribution}, {found.spread_s:.2g} s"
    first = ", ".join(f"{share.figure.name} {percent(share.first)}" for share in spread.shares[: words.FIRST])
    head = f"{words.what(found).capitalize()} {valued(found, found.spent.nominal)} of {' / '.join(found.spent.chips)}"
    median = valued(found, spread.percentile(50))
    lines = [
        f"{head} under {found.technology.name}{paper}",
        f"  all figures varied   median {median}, 90 % between {valued(found, low)} and {valued(found, high)}",
        f"                       {where}{drawn}",
        f"  figures can give     {least} to {most}",
        f"  measure first        {first} of the variance",
    ]
    if causes := ", ".join(f"{share.cause} {percent(share.first)}" for share in spread.causes[: words.FIRST]):
        lines.append(f"  shared by figures    {causes} of the variance")
    if found.space:
        values = found.space.values
        ends = f"{valued(found, float(values.min()))} to {valued(found, float(values.max()))}"
        lines.append(f"  ordinary designs     {ends}, {values.size:,} of them")
        lines += [
            f"    {f'{each.chip}: {each.axis.name}':54} {percent(each.share)} of the variance, {times(each.factor)}"
            for each in found.space.deciding()[: words.FIRST]
        ]
        lines += [f"    not varied: {each.name}, {each.has} (why: {STEM}.html)" for each in NOT_VARIED]
    if found.reruns:
        reference = valued(found, found.reruns.reference.value)
        lines.append(
            f"  design decisions     by factor on the {reference} of the same after {found.reruns.steps:,} steps"
        )
        for one in found.reruns.largest(5):
            against = f", {number(one.against_run)} against this run's chip" if one.against_run else ""
            lines.append(f"    {f'{one.changed}: {one.name}':54} {times(one.factor)}{against}")
    return [f"note: {found.note}", *lines] if found.note else lines
