"""Run every check against published figures that archsim knows, say how far off it is, hold that against the record.

A check stands wrong in five ways: it lies outside its band and is not among the known misses; it is among them and lies
inside; it has left what was recorded of it; it was never recorded; or a recorded training does not begin as it did.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archsim.base import units
from archsim.base.errors import InputError
from archsim.base.progress import Counted
from archsim.studies.validation import standing
from archsim.studies.validation.case_file import COUNTS, QUANTITIES, UPDATE_COUNTS, Number
from archsim.studies.validation.cases import Case, read_case, shipped_cases
from archsim.studies.validation.classes import Answer, Finding, classify
from archsim.studies.validation.estimated import Networks
from archsim.studies.validation.measured import Bench
from archsim.studies.validation.trained import SAME, TrainingRun, train
from archsim.studies.validation.updated import Updates
from archsim.studies.workers.pool import PROCESSES, On
from archsim.technologies.rules import check_rule

WHOLE = 1e15
"""Counts below are printed to the last digit."""


@dataclass(frozen=True, slots=True)
class Result:
    """One check: what was published, what archsim says, what that can tell, and how it stands.

    Parameters
    ----------
    published, simulated : float [unit]
    shown : the simulated value in the unit of the published text, four digits
    kind, why : class of the check, and how that was found
    figures : "own" or "bottom-up", by whose figures archsim answers
    evidence : what the published number is
    band : factor to either side that the table gives
    cause : of a known miss
    steps, data : of a training: steps, and the first digits of the hash of what it was trained on
    spread : relative error of what was extrapolated; 0 where nothing was
    moved : "was -> is" where it has left what was recorded
    problem : why it stands wrong; empty if it does not
    """

    case: str
    name: str
    what: str
    quantity: str
    text: str
    published: float
    simulated: float
    shown: str
    kind: str
    why: str
    figures: str
    evidence: str
    band: float
    source: str
    where: str
    cause: str = ""
    steps: int | None = None
    data: str = ""
    spread: float = 0.0
    moved: str = ""
    problem: str = ""

    @property
    def full_name(self) -> str:
        """CASE.CHECK."""
        return f"{self.case}.{self.name}"

    @property
    def error(self) -> float:
        """Relative error of the simulated value."""
        return self.simulated / self.published - 1

    @property
    def factor(self) -> float:
        """Factor by which the simulated value is off, either way."""
        ratio = self.simulated / self.published
        return max(ratio, 1 / ratio) if ratio > 0 else math.inf

    @property
    def ok(self) -> bool:
        """Whether the value lies in its band."""
        return self.factor <= self.band


def validate(
    names: Iterable[str] = (), *, full: bool = False, folder: Path, data: Path | None = None, record: bool = False,
    rule: str | None = None, done: Counted | None = None, on: On = PROCESSES,
) -> list[Result]:  # fmt: skip
    """Run the checks of cases, all shipped ones by default.

    Parameters
    ----------
    names : shipped names, or paths of case.yaml
    full : also the checks that need a whole training, and recorded trainings again from end to end
    folder : where training points are kept, by the hash of their inputs
    data : folder of data sets
    record : write what came out beside the cases; what moved is then announced, and no problem
    done : called with the name of a training that is finished, how many are, and how many there are
    on : where trainings run, as for `archsim.studies.workers.pool.pool`
    rule : another scaling rule for the figures of all cases; the results are then held against bands alone

    Raises
    ------
    InputError
        If a case is wrong, the rule unknown, or asked to be recorded.
    """
    if rule and record:
        raise InputError("given together with --figure-rule", key="--record", expected="results by the own rule alone")
    rule = check_rule(rule) if rule else None
    cases = [replace(read_case(name), rule=rule) for name in names or shipped_cases()]
    trained = train(cases, full=full, folder=folder, data=data, record=record, done=done, on=on)
    found: list[Result] = []
    for case in cases:
        results = _of_case(case, trained, full=full)
        kept, known = standing.results(case), standing.misses(case)
        if record:
            standing.keep(case, _worth_keeping(case, results))
        if rule:  # nothing was recorded of it
            found += [replace(each, problem="") for each in results]
            continue
        for each in results:
            old = kept.get(each.name)
            if old and (old.data != each.data or (full and old.steps != each.steps)):
                found.append(each)  # neither the record nor the list of misses is of other data, or of a longer run
            else:
                stood = _stand(each, known.get(each.name), old, recorded=bool(kept))
                found.append(
                    replace(stood, problem="; ".join(_problems(stood, known.get(each.name), announced=record)))
                )
    return found


def _of_case(case: Case, trained: Mapping[tuple[str, str], TrainingRun], *, full: bool) -> list[Result]:
    """Return the results of one case's checks, not yet held against anything but their bands."""
    bench, networks, updates, answers = Bench(case), Networks(case), Updates(case), []
    bounds: dict[str, str] = {}
    for name, number in case.file.published.items():
        check = number.check
        if check is None or (check.full and not full):
            continue
        training = case.file.trainings.get(check.of[0])
        if case.rule and training and training.recorded and not full:  # the record is by the own rule
            continue
        published = units.parse(number.value, QUANTITIES[check.quantity])
        if check.of[0] in case.file.trainings:
            simulated = trained[case.file.name, check.of[0]].value(check)
        elif check.of[0] in case.file.networks:
            simulated = networks.value(check)
        elif check.of[0] in case.file.updates:
            simulated = updates.value(check)
        else:
            measured = bench.run(check.of)
            simulated = measured.value(check.quantity, check.parts)
            bounds[name] = "at least " if check.quantity == "area" and measured.unpriced and not check.parts else ""
        answers.append(Answer(name, check, number.value, published, simulated))
    findings = classify(bench, answers)
    return [
        _result(case, answer, findings[answer.name], bounds.get(answer.name, ""),
                trained.get((case.file.name, answer.check.of[0])))
        for answer in answers
    ]  # fmt: skip


def _result(case: Case, answer: Answer, finding: Finding, bound: str, run: TrainingRun | None) -> Result:
    check = answer.check
    number: Number = case.file.published[answer.name]
    digits, _, unit = re.sub(r"\s+", " ", number.value.strip()).partition(" ")
    scale = answer.published / float(digits) if float(digits) else 1.0
    evidence = check.evidence or case.file.evidence
    return Result(
        case=case.file.name, name=answer.name, what=number.what, quantity=check.quantity, text=number.value,
        published=answer.published, simulated=answer.simulated,
        shown=f"{bound}{_digits(answer, scale)} {unit}".strip(), kind=finding.kind, why=finding.why,
        figures=finding.figures, evidence=evidence,
        band=standing.band(check.quantity, finding.kind, finding.figures, evidence), source=case.file.source,
        where=number.where, steps=run.steps if run else None, data=run.data if run else "",
        spread=run.spread(check) if run else 0.0, problem=run.problem if run else "",
    )  # fmt: skip


def _digits(answer: Answer, scale: float) -> str:
    """Return four significant digits, without an exponent where a published table would have none; counts whole."""
    value = answer.simulated / scale
    if answer.check.quantity in (*COUNTS, *UPDATE_COUNTS) and answer.simulated < WHOLE:
        return f"{answer.simulated:.0f}"
    return f"{float(f'{value:.4g}'):.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"


# --- how a result stands ----------------------------------------------------------------------------------------------
def _stand(result: Result, known: standing.Miss | None, old: standing.Kept | None, *, recorded: bool) -> Result:
    """Return a result with the cause of its miss, if that is known, and with what has moved since it was recorded."""
    now = _said(result.shown, result.kind, result.steps)
    before = _said(old.value, old.class_, old.steps) if old else "not recorded"
    moved = f"{before} -> {now}" if recorded and before != now else ""
    return replace(result, cause=known.cause if known else "", moved=moved)


def _said(value: str, kind: str, steps: int | None) -> str:
    return f"{value}, {kind}" + (f" after {steps:,} steps" if steps else "")


def _problems(result: Result, known: standing.Miss | None, *, announced: bool) -> Iterator[str]:
    """Yield why a result stands wrong."""
    if result.problem:
        yield result.problem
    if result.moved and not announced:
        yield f"has moved ({result.moved}); --record announces a move"
    if not result.ok and known is None:
        yield f"is off by x{result.factor:.3g}, outside x{result.band:g}, and not among the known misses"
    elif known is not None and result.ok:
        yield f"is among the known misses and lies within x{result.band:g}"
    elif known is not None and abs(result.factor / known.factor - 1) > SAME:
        yield f"is known to be off by x{known.factor:g} and is so by x{result.factor:.3g}"


def _worth_keeping(case: Case, results: Sequence[Result]) -> dict[str, standing.Kept]:
    """Return what of these results the record is of: a training of the default length, or one that has one length."""
    found = {}
    for each in results:
        check = case.file.published[each.name].check
        training = case.file.trainings.get(check.of[0]) if check else None
        if check and (training is None or check.full or each.steps == training.whole(full=False)):
            found[each.name] = standing.Kept(
                value=each.shown, steps=each.steps, data=each.data, **{"class": each.kind}
            )  # fmt: skip
    return found
