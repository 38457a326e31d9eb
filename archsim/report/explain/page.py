"""Write an explanation: a page that needs nothing else, Markdown, JSON, and its figures as PNG and SVG."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from pathlib import Path

from archsim.base import files
from archsim.base.units import show
from archsim.records.recorded import Recorded, read
from archsim.report import style, tables
from archsim.report.explain import words
from archsim.report.explain.charts import FIGURES, Draw
from archsim.report.explain.decomposition import Made, made
from archsim.report.explain.words import number, percent, times
from archsim.report.tables import Sheet
from archsim.studies import explain as explanations
from archsim.studies.explain import Explanation

PAGE, TEXT, DATA = "explain.html", "explain.md", "explain.json"
SUFFIXES = ("png", "svg")


@dataclass(frozen=True)
class Section:
    """A part of the page: a head, sentences, a figure by its name in `FIGURES`, tables."""

    head: str
    sentences: list[str]
    figure: str | None
    sheets: list[Sheet]


def write(found: Explanation, out: Path) -> list[Path]:
    """Write explain.html, explain.md, explain.json and the figures into `out`; return the files, the page first."""
    files.check_folder(out)
    run = read(found.run)
    chips = _chips(found, run)
    parts = sections(found, chips)
    figures = [part.figure for part in parts if part.figure]
    with style.applied():
        drawings = {name: _drawn(FIGURES[name][0], found, chips, out / name) for name in figures}
    files.write_text(out / TEXT, _markdown(found, run, parts))
    files.write_text(out / DATA, json.dumps(explanations.contents(found), indent=1) + "\n")
    files.write_text(out / PAGE, _page(found, run, parts, drawings))
    images = [out / f"{name}.{suffix}" for name in figures for suffix in SUFFIXES]
    return [out / PAGE, out / TEXT, out / DATA, *images]


def _chips(found: Explanation, run: Recorded) -> tuple[Made, Made]:
    baseline, chip = (made(run, name, found.technology.name) for name in (found.spent.baseline, found.spent.chip))
    return baseline, chip


def _drawn(draw: Draw, found: Explanation, chips: tuple[Made, Made], stem: Path) -> dict[str, str]:
    """Save a figure as PNG and SVG; return it for the page, wide and narrow, as data in the page itself."""
    style.save(draw(found, chips), stem.parent, stem.name, SUFFIXES)
    stream = io.BytesIO()
    draw(found, chips, narrow=True).savefig(stream, format="svg", metadata=style.METADATA["svg"])
    return {"wide": _embedded(stem.with_suffix(".svg").read_bytes()), "narrow": _embedded(stream.getvalue())}


def _embedded(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


# --- what stands on the page ------------------------------------------------------------------------------------------
def sections(found: Explanation, chips: tuple[Made, Made]) -> list[Section]:
    """Return the parts of the page, in order."""
    parts = [
        Section("What it is made of", words.made_of(found, *chips), "made-of", [_parts(*chips), _counts(*chips)]),
        Section("The sparsity that made it", words.sparse(found), None, [_sparsity(found)]),
        Section("All figures together", words.together(found), "distribution", []),
        Section("Which figure to measure first", words.measure_first(found), "shares", [_shares(found)]),
        Section("One figure at a time", [], "tornado", [_tornado(found)]),
    ]
    decisions = _reruns(found)
    name = "reruns" if decisions else None
    parts.append(Section("For another baseline, for another chip", words.for_another(found), name, decisions))
    return [*parts, Section("What was held fixed", words.caveats(found), None, [])]


def _parts(baseline: Made, chip: Made) -> Sheet:
    """Return every part's energy on both chips, what it adds to the ratio, and the ratio without it."""
    ratio = baseline.total / chip.total
    names = sorted({*baseline.parts, *chip.parts}, key=lambda part: -baseline.energy(part) - chip.energy(part))
    rows = []
    for part in names:
        over, under = baseline.energy(part), chip.energy(part)
        rows.append((
            part, show(over, "J"), percent(over / baseline.total), number(over / chip.total),
            number((baseline.total - over) / chip.total), show(under, "J"), percent(under / chip.total),
            number(baseline.total / (chip.total - under)) if chip.total > under else tables.NONE,
        ))  # fmt: skip
    rows.append((
        "total", show(baseline.total, "J"), percent(1.0), number(ratio), tables.NONE, show(chip.total, "J"),
        percent(1.0), tables.NONE,
    ))  # fmt: skip
    heads = (
        "part", f"{baseline.name}, per step", "share", "adds to the ratio", "ratio if free there",
        f"{chip.name}, per step", "share", "ratio if free there",
    )  # fmt: skip
    return Sheet("Parts of both chips", heads, tuple(rows))


def _counts(baseline: Made, chip: Made) -> Sheet:
    rows = []
    for one in (baseline, chip):
        heart = one.heart
        rows.append((
            one.name, heart.part, f"{heart.count:,.0f}", show(heart.price, "J"), percent(heart.share),
            show(one.total, "J"),
        ))  # fmt: skip
    b, c = baseline.heart, chip.heart
    factors = b.count / c.count, b.price / c.price, c.share / b.share
    counts, prices, rest = (f"{factor:.3g}" for factor in factors)
    rows.append(("ratio", "", counts, prices, rest, f"{baseline.total / chip.total:.3g}"))
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
            s.figure.origin.basis, s.figure.origin.named or tables.NONE,
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
            *(number(ratio) for ratio in s.ratio), f"{s.span:.3g}",
            *(f"{show(low, 'J', 3)} to {show(high, 'J', 3)}" for low, high in (s.baseline, s.chip)),
        ))  # fmt: skip
    heads = (
        "figure", "value", "range", "ratio at the low end", "at the high end", "factor between",
        f"{spent.baseline}, per step", f"{spent.chip}, per step",
    )  # fmt: skip
    return Sheet("Each figure at the ends of its range", heads, tuple(rows))


def _reruns(found: Explanation) -> list[Sheet]:
    if found.reruns is None:
        return []
    reference = found.reruns.reference
    rows = [(
        "reference", number(reference.ratio), "1", number(found.spent.nominal), show(reference.baseline, "J"),
        show(reference.chip, "J"), percent(reference.accuracy[0]), percent(reference.accuracy[1]), "nothing", "",
    )]  # fmt: skip
    rows += [
        (
            one.name, number(one.ratio), f"{one.factor:.3g}",
            number(one.against_run) if one.against_run else tables.NONE, show(one.baseline, "J"), show(one.chip, "J"),
            percent(one.accuracy[0]), percent(one.accuracy[1]), one.variant.why if one.variant else "",
            " ".join(one.settings),
        )
        for one in found.reruns.variants
    ]  # fmt: skip
    heads = (
        "variant", "ratio, short run", "over the reference", "against this run's chip", found.spent.baseline,
        found.spent.chip, f"accuracy, {found.spent.baseline}", f"accuracy, {found.spent.chip}", "what changes", "--set",
    )  # fmt: skip
    return [Sheet(f"Re-runs of {found.reruns.steps:,} steps", heads, tuple(rows))]


def _title(run: Recorded) -> str:
    return f"What the energy ratio of {run.summary['workload']} is made of"


def _under(found: Explanation, run: Recorded) -> str:
    return (
        f"{run.summary['workload']} on {run.summary['dataset_origin']}, {found.steps:,} steps, seed "
        f"{run.summary['seed']}; figures of {found.technology.name}"
    )


def highlights(found: Explanation) -> list[tuple[str, str]]:
    """Return the numbers that stand first: what, value."""
    low, high = found.spread.interval
    said = [
        ("energy ratio of this run", number(found.spent.nominal)),
        ("median, all figures varied", number(found.spread.percentile(50))),
        ("90 % interval", f"{number(low)} to {number(high)}"),
    ]
    if found.published:
        inside = low <= found.published <= high
        said.insert(1, ("the paper's ratio", f"{found.published:g}"))
        said.append((f"{found.published:g} in the interval", "yes" if inside else "no"))
    return said


# --- renderers --------------------------------------------------------------------------------------------------------
def _markdown(found: Explanation, run: Recorded, parts: list[Section]) -> str:
    text = [f"# {_title(run)}", _under(found, run)]
    text += ["\n".join(f"- {what}: **{value}**" for what, value in highlights(found))]
    for part in parts:
        text.append(f"## {part.head}")
        text += part.sentences
        if part.figure:
            text.append(f"![{FIGURES[part.figure][1]}]({part.figure}.png)")
        text += [tables.markdown_sheet(sheet, level=3) for sheet in part.sheets]
    return "\n\n".join(text) + "\n"


def _page(found: Explanation, run: Recorded, parts: list[Section], drawings: dict[str, dict[str, str]]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("archsim.report.explain"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("explain.html.j2").render(
        title=_title(run), under=_under(found, run), highlights=highlights(found), parts=parts, drawings=drawings,
        captions={name: caption for name, (_, caption) in FIGURES.items()}, is_word=tables.wordy,
        version=run.run.get("archsim"), seconds=f"{found.spread_s:.2g}",
    )  # fmt: skip


def terminal(found: Explanation) -> list[str]:
    """Return the short form: the distribution, what to measure first, what the ratio hangs on."""
    spread, (low, high) = found.spread, found.spread.interval
    paper = where = ""
    if found.published:
        paper = f"; the paper's {found.published:g}"
        where = f"{found.published:g} lies {'inside' if low <= found.published <= high else 'outside'}; "
    least, most = found.bounds
    drawn = f"{spread.ratios.size:,} draws, {spread.distribution}, {found.spread_s:.2g} s"
    first = ", ".join(f"{share.figure.name} {percent(share.first)}" for share in spread.shares[: words.FIRST])
    lines = [
        f"Energy ratio {number(found.spent.nominal)} under {found.technology.name}{paper}",
        f"  all figures varied   median {number(spread.percentile(50))}, 90 % between {number(low)} and {number(high)}",
        f"                       {where}{drawn}",
        f"  figures can give     {number(least)} to {number(most)}",
        f"  measure first        {first} of the variance",
    ]
    if found.reruns:
        reference = found.reruns.reference
        lines.append(
            f"  design decisions     by factor on the {number(reference.ratio)} of the same chips after "
            f"{found.reruns.steps:,} steps"
        )
        for one in found.reruns.largest(5):
            against = f", {number(one.against_run)} against this run's chip" if one.against_run else ""
            name = f"{one.variant.kind}: {one.name}" if one.variant else ""
            lines.append(f"    {name:54} {times(one.factor)}{against}")
    return [f"note: {found.note}", *lines] if found.note else lines
