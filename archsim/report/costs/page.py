"""Write what networks cost: a page that needs nothing else, Markdown, JSON, and its figures as PNG and SVG."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from archsim.base import files
from archsim.report.costs import sheets, words
from archsim.report.costs.charts import FIGURES
from archsim.report.explain.words import number
from archsim.report.sections import Section, SectionPage
from archsim.report.sheet import Sheet
from archsim.studies.costs.costs import Costs, content
from archsim.studies.costs.spent import GROUPS

STEM = "costs"
REACH = (
    "The level is the best test, after the start, of the chip that became less good: the one that all chips reached. "
    "The energy is that of the whole training up to a chip's first test as good; the level was reached between "
    "that test and the one before, and so lies the ratio. Nothing is extrapolated."
)
TIME = "Time is counted by phase; with --times a step is done again, and told by kind of layer and unit."
PATH = (
    "A step of each run was done again, looking on. What is told is its critical path: what follows on each other "
    "without a gap from its begin to its end, and so sets its length."
)


def write(found: Costs, out: Path) -> list[Path]:
    """Write costs.html, costs.md, costs.json and the figures into `out`; return the files, the page first."""
    draws = {name: partial(draw, found) for name, (draw, _) in FIGURES.items()}
    return page(found).write(out, STEM, draws, content(found))


def page(found: Costs) -> SectionPage:
    """Return the page: all networks beside each other, joules to reach a metric, then each network and why."""
    groups = [f"{name[0].upper()}{name[1:]}: {what}." for name, what in GROUPS.items()]
    still = [each.label for each in found.networks if words.short(each)]
    moving = [f"Energy a sample still moved late in the training of {', '.join(still)}."] if still else []
    parts = [
        Section(
            "All networks",
            [*words.chips_alone(found), *moving, *([] if found.times else [TIME])],
            "parts",
            list(tables(found)[:2]),
        ),
        Section("Joules to reach a metric", [REACH], "metric", [sheets.reached(found)]),
        Section("Where the energy goes", groups, None, list(tables(found)[2:])),
    ]
    if found.times:
        parts.append(Section("Where the time goes", [PATH], None, sheets.times(found)))
    for each in found.networks:
        said = [sentence for chip in each.others for sentence in words.sentences(found, each, chip)]
        parts.append(Section(f"Why: {each.label}", said, None, []))
    runs = ", ".join(files.display(each.run.path) for each in found.networks)
    versions = ", ".join(dict.fromkeys(str(each.run.run.get("archsim")) for each in found.networks))
    return SectionPage(
        title="What each network costs on each chip, and why",
        under=f"Beside {found.reference.label}; figures of "
        f"{', '.join(dict.fromkeys(each.run.technology for each in found.networks))}; runs: {runs}",
        highlights=[
            (each.label, f"x{number(each.over.total / chip.total)}")
            for each in found.networks
            for chip in each.others
            if each.over
        ],
        parts=parts, captions={name: caption for name, (_, caption) in FIGURES.items()},
        footer=f"Made by archsim costs from runs of archsim {versions}.",
    )  # fmt: skip


def tables(found: Costs) -> tuple[Sheet, ...]:
    """Return the tables of all networks beside each other."""
    made = (sheets.overview, sheets.phases, sheets.groups, sheets.kinds, sheets.parts, sheets.free)
    return tuple(make(found) for make in made)


def terminal(found: Costs) -> list[Sheet]:
    """Return the tables that stand on the terminal."""
    return [sheets.brief(found), sheets.groups(found), sheets.reached(found)]
