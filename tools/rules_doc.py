"""Do the studies that docs/rules.md tells of, and write their tables, sentences and pictures into it.

Usage: python tools/rules_doc.py [WORKLOAD ...] [--preset full] [--on WHERE] [--reports FOLDER]

Without a workload all of STUDIES are done. A study lies in FOLDER/rules-WORKLOAD (reports/ by default): one that is
finished there is read, one that is not goes on. Written are the part of docs/rules.md between the marks of a workload,
docs/rules-WORKLOAD.csv, the table of the study, and docs/rules-WORKLOAD-PICTURE.png. None of it is typed by hand.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image

import archsim
from archsim.report.rules import charts, page, sheets, words
from archsim.report.sheet import Sheet, markdown_sheet
from archsim.studies.rules.results import Results

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "rules.md"
_SINGLE = [
    "mixed-precision", "in-array-sgd", "tiki-taka", "chopped-tiki-taka", "agad", "in-array", "digital32",
]  # fmt: skip
"""Rules with one device, or one pair, a weight."""
STUDIES: dict[str, dict[str, Any]] = {
    "mlp-mnist": {"archs": _SINGLE, "steps": 6000, "budget": 6000},
    "lenet-mnist": {"learnings": ["backpropagation"], "steps": 250, "budget": 240},
    "lstm-text": {"learnings": ["backpropagation"], "steps": 250, "budget": 240},
}
"""Workload -> options of `archsim.rules`; the preset is that of the command line."""
COLOURS = 256


def command(name: str, preset: str) -> str:
    """Return the study as the command line has it."""
    options = STUDIES[name]
    told = [f"--arch {each}" for each in options.get("archs", ())]
    told += [f"--learning {each}" for each in options.get("learnings", ())]
    told += [f"--device {each}" for each in options.get("devices", ())]
    told += [f"--{key} {options[key]}" for key in ("steps", "budget") if key in options]
    return " ".join(["archsim rules", name, f"--preset {preset}", *told])


def part(found: Results, name: str, preset: str) -> str:
    """Return what the page says of a study, as Markdown."""
    plan, left = found.plan, sheets.left(found)
    seeds = ", ".join(map(str, plan.study.numbers))
    text = [
        f"`{command(name, preset)}`: {plan.origin}, {plan.steps:,} steps of batch {plan.batch}, seeds {seeds}.",
        bullets([*words.overview(found), *words.by_device(found), *words.learnings(found)]), words.RULE,
        picture(name, "front"), table(sheets.devices(found)), page.target(found),
        picture(name, "parts") if words.reached(found) else "", table(sheets.overview(found)),
        bullets([*words.pulses(found), *words.endurance(found), *words.memory(found)]), picture(name, "wear"),
        table(sheets.wear(found)), page.search(found), bullets(words.edges(found)), table(sheets.rates(found)),
        "" if left is None else table(left),
    ]  # fmt: skip
    return "\n\n".join(each for each in text if each)


def bullets(sentences: list[str]) -> str:
    """Return sentences as a list."""
    return "\n".join(f"- {each}" for each in sentences)


def table(sheet: Sheet) -> str:
    """Return a table under a heading of its own."""
    return markdown_sheet(sheet, level=3)


def picture(name: str, which: str) -> str:
    """Return the line that shows a picture."""
    return f"![{charts.FIGURES[which][1]}]({file(name, which).name})"


def file(name: str, which: str) -> Path:
    """Return where a picture of a study lies."""
    return DOCS / f"rules-{name}-{which}.png"


def reduced(source: Path, target: Path) -> None:
    """Copy a picture in fewer colours."""
    Image.open(source).convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE).save(target, optimize=True)


def put(name: str, text: str) -> None:
    """Put a text between the marks of a workload."""
    whole = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- rules: {name} -->\n", f"<!-- end: {name} -->"
    if begin not in whole or end not in whole:
        sys.exit(f"{PAGE} has no marks of {name}")
    before, rest = whole.split(begin)
    _, after = rest.split(end)
    PAGE.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Do the studies that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(STUDIES)}; all by default")
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--on", default="processes")
    parser.add_argument("--reports", type=Path, default=Path("reports"))
    given = parser.parse_args()
    if unknown := [each for each in given.workloads if each not in STUDIES]:
        parser.error(f"{unknown[0]!r} is not one of {', '.join(STUDIES)}")
    for name in given.workloads or STUDIES:
        out = given.reports / f"rules-{name}"
        found = archsim.rules(
            name, out=out, on=given.on, preset=given.preset, **STUDIES[name],
            done=lambda what, done, due: print(f"{done} of {due}: {what}", file=sys.stderr),
        )  # fmt: skip
        for which in charts.FIGURES:
            if (drawn := out / page.FOLDER / f"{which}.png").is_file():
                reduced(drawn, file(name, which))
        shutil.copyfile(out / "sweep.csv", DOCS / f"rules-{name}.csv")
        put(name, part(found, name, given.preset))
        print(f"{PAGE}: {name}")


if __name__ == "__main__":
    main()
