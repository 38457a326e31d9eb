"""Every check against a published design as it was recorded last, beside its case: nothing is run here."""

from __future__ import annotations

import statistics
from collections import Counter
from functools import cache
from typing import NamedTuple

from archsim.base.units import parse
from archsim.studies.validation import standing
from archsim.studies.validation.case_file import QUANTITIES
from archsim.studies.validation.cases import read_case, shipped_cases
from generated.text import cell, code, table, whole


class Row(NamedTuple):
    """A recorded check: published and archsim's text, the factor between them, its class, what was published."""

    case: str
    name: str
    what: str
    published: str
    found: str
    factor: float
    kind: str
    evidence: str
    cause: str


@cache
def rows() -> tuple[Row, ...]:
    """Return all recorded checks of the shipped cases, in their order."""
    found = []
    for name in shipped_cases():
        case = read_case(name)
        kept, misses = standing.results(case), standing.misses(case)
        for key, number in case.file.published.items():
            if number.check is None or key not in kept:
                continue
            unit = QUANTITIES[number.check.quantity]
            ratio = parse(kept[key].value.removeprefix("at least "), unit) / parse(number.value, unit)
            cause = misses[key].cause if key in misses else ""
            found.append(
                Row(name, key, number.what, number.value, kept[key].value, ratio, kept[key].class_,
                    number.check.evidence or case.file.evidence, cause)
            )  # fmt: skip
    return tuple(found)


def summary() -> str:
    """Return how far predictions are off, measured silicon apart from designs on paper."""
    lines = []
    for silicon, name in ((True, "measured silicon"), (False, "simulated and calculated designs")):
        factors = [
            max(r.factor, 1 / r.factor)
            for r in rows()
            if r.kind == "prediction" and (r.evidence == "measured") == silicon
        ]
        within = sum(each <= 2 for each in factors)
        lines.append([name, f"{len(factors)}", f"{statistics.median(factors):.2f}", f"{max(factors):.2f}", f"{within}"])
    kinds = Counter(row.kind for row in rows())
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    heads = ["predictions of", "number", "median factor", "worst", "within 2"]
    return table(heads, lines) + f"\nAll {len(rows())} recorded checks by class: {told}.\n"


def contents() -> str:
    """Return the table of all recorded checks, case by case."""
    lines = [
        [row.case if row.case != before else "", cell(row.what), whole(row.published), whole(row.found),
         whole(f"{100 * (row.factor - 1):+.1f} %"), row.kind + (" (miss)" if row.cause else "")]
        for row, before in zip(rows(), ["", *(row.case for row in rows())], strict=False)
    ]  # fmt: skip
    return table(["design", "check", "published", "archsim", "error", "class"], lines)


def misses() -> str:
    """Return the known misses and their causes."""
    lines = [[code(f"{row.case}.{row.name}"), f"{row.factor:.2f}", cell(row.cause)] for row in rows() if row.cause]
    return table(["check", "archsim over published", "cause, as far as it is known"], lines)
