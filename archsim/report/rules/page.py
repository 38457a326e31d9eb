"""Write what a study of rules found: a page that needs nothing else, Markdown, and its pictures as PNG and SVG."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.report.rules import sheets, words
from archsim.report.rules.charts import FIGURES
from archsim.report.sections import Section, SectionPage
from archsim.report.sheet import Sheet
from archsim.studies.rules.results import Results
from archsim.studies.rules.study import JUDGED

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "report"
STEM = "rules"
INTERPOLATED = (
    "Between the first test that is as good as the target and the test before it, energy, time and samples are taken "
    "on the line through both by the metric. Nothing is extrapolated: what never was as good is called not reached."
)
SAME = (
    "A device takes the place of another with the same part of its range for a weight of 1 (and the same parts at "
    "which devices are refreshed). All else of a rule stays as in its file: converters, trains, all of `transfer`."
)
COUNTED = (
    "Pulses are counted for every device, references and fast arrays among them. Memory and area are those of the chip "
    "as its file has it, whether the network fills it or not."
)


def write(found: Results, out: Path) -> list[Path]:
    """Write rules.html, rules.md and the pictures into `out`; return the files, the page first."""
    return page(found).write(out, STEM, {name: partial(draw, found) for name, (draw, _) in FIGURES.items()})


def page(found: Results) -> SectionPage:
    """Return the page: which rule for which device, energy to the target, wear, the search, what is not possible."""
    plan, said = found.plan, words.overview(found)
    some, reached = bool(found.done), bool(words.reached(found))
    worn = any(one.has_device for one in found.done)
    parts = [
        Section("Which rule for which device", [*said, *words.by_device(found), *words.learnings(found), words.RULE],
                "front" if some else None, [sheets.devices(found)] if worn else []),
        Section("Energy to the target", [target(found), INTERPOLATED, *words.in_all(found)],
                "parts" if reached else None, [sheets.overview(found)] if some else []),
        Section("Pulses and wear", [*words.pulses(found), *words.endurance(found), *words.memory(found), COUNTED],
                "wear" if worn else None, [sheets.wear(found)] if some else []),
        Section("How learning rates were found", [search(found), *words.edges(found), SAME], None,
                [sheets.rates(found)]),
    ]  # fmt: skip
    if (left := sheets.left(found)) is not None:
        parts.append(Section("What is not possible", _left(found), None, [left]))
    technologies = ", ".join(dict.fromkeys(one.combination.technology for one in found.done))
    return SectionPage(
        title=f"Update rules, devices and learning rules: {plan.workload}",
        under=f"{plan.origin}; {plan.steps:,} steps of batch {plan.batch}, seeds "
        f"{', '.join(map(str, plan.study.numbers))}; figures of {technologies}",
        highlights=_highlights(found), parts=parts, captions=_captions(),
        footer="Made by archsim rules from the table beside it, sweep.csv.",
    )  # fmt: skip


def _captions() -> Mapping[str, str]:
    return {name: caption for name, (_, caption) in FIGURES.items()}


def _highlights(found: Results) -> list[tuple[str, str]]:
    ranked, metric = words.reached(found), found.plan.metric
    told = [("combinations trained", str(len(found.done))), ("not possible", str(len(found.refused)))]
    if found.target is not None:
        told.append(("target", metric.number(found.target)))
    if ranked and ranked[0].to_target is not None:
        from archsim.base.units import show

        told.append((f"least energy to it, {ranked[0].rule}", show(ranked[0].to_target.mean, "J", 3)))
    return told


def target(found: Results) -> str:
    """Return where the target comes from."""
    if found.target is None:
        return "There is no target: no combination is clearly better than guessing with every seed."
    if found.plan.target is not None:
        return f"The target was asked for: {words.target(found)}."
    return (
        f"The target, {words.target(found)}, is what the worst rule that learns reaches: of the best combination of "
        "each rule the worst seed at the end, and of these the worst."
    )


def search(found: Results) -> str:
    """Return how learning rates were searched for."""
    plan = found.plan
    return (
        f"The same budget for every combination: {len(plan.rates)} rates of {plan.trial_steps:,} steps each, with the "
        f"seed {plan.study.search_seed}, which is none of the trainings' own. A rate is judged by {JUDGED}: here "
        f"{plan.judged_samples:,} of them."
    )


def _left(found: Results) -> list[str]:
    said = []
    if found.refused:
        said.append(f"{len(found.refused)} of the combinations asked for are refused by the model, each for the reason "
                    "that stands with it.")  # fmt: skip
    if found.failed:
        said.append(f"{len(found.failed)} failed.")
    return said


def terminal(found: Results) -> list[Sheet]:
    """Return the tables that stand on the terminal."""
    tables = [sheets.brief(found), sheets.devices(found)] if found.done else []
    return [*tables, *([] if (rest := sheets.left(found)) is None else [rest])]
