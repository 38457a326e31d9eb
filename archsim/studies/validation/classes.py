"""What a check can tell, found by machine: whether archsim's answer is more than the case's own published numbers.

archsim's value of a check depends on each figure, time and area of the design with an elasticity, the share of the
value that follows it. Where one to three published numbers carry it whole, the check is arithmetic on them, whatever
the counts; where a calibrated one does, or where other checks of the case fix the value, it restates; where published
parts add up, or parts that have checks of their own, it is a sum. Besides, the published value itself is built from the
inputs, as a product or quotient of up to three of them and counts of the design. All else is a prediction. A case that
knows better says so, with a reason.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from archsim.base.yamlfile import paths
from archsim.studies.validation.case_file import COUNTS, UPDATE_COUNTS, Check, Class
from archsim.studies.validation.cases import CLOSE, Case, as_number
from archsim.studies.validation.measured import Bench

Figures = Literal["own", "bottom-up"]
EXPONENTS = {
    "energy": (1, 0, 0), "energy_per_mac": (1, 0, 0), "latency": (0, 1, 0), "throughput": (0, -1, 0),
    "power": (1, -1, 0), "efficiency": (-1, 0, 0), "area": (0, 0, 1), "density": (0, -1, -1),
}  # fmt: skip
"""Quantity of operations -> powers of energy, time and area in it, counts left out."""
_UNITS = {"J": (1, 0, 0), "s": (0, 1, 0), "W": (1, -1, 0), "m^2": (0, 0, 1), "J/bit": (1, 0, 0), "W/bit": (1, -1, 0),
          "m^2/bit": (0, 0, 1)}  # fmt: skip
CARRIES = 0.1
"""An input counts if at least this share of the value follows it, and carries it whole if all but this share does."""
ADDS_UP = 0.95
"""A sum of parts is one if at least this share of it is published, or checked part by part."""
MOST = 3
"""Inputs of which a value may be made to be arithmetic."""
MOST_NUMBERS = 8
"""Inputs, the largest shares first, of which a published value is tried to be built."""
MOST_LOOSE = 0.005
"""A published value that is known to less than this is not tried to be built: half of all numbers would be hits."""
NUDGE = 0.01
"""Factor by which a time is changed to see what follows it: a share of 1 % of any is still a whole picosecond."""


class Input(NamedTuple):
    """A figure, time or area that a value follows: key, value, unit, basis, elasticity.

    `published` says that it is one of the case's own published numbers, or calibrated; others come from elsewhere.
    """

    key: str
    value: float
    unit: str
    basis: str
    published: bool
    share: float


class Finding(NamedTuple):
    """What a check can tell, why, and by whose figures archsim answers."""

    kind: Class
    why: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Answer:
    """A check with its published and archsim's value [unit]."""

    name: str
    check: Check
    text: str
    published: float
    simulated: float


def classify(bench: Bench, answers: Sequence[Answer]) -> dict[str, Finding]:
    """Return check -> what it can tell, for the checks of one case in their order; earlier ones tell a fact first.

    Parameters
    ----------
    bench : the case's
    answers : all checks of the case that were run
    """
    found: dict[str, Finding] = {}
    for k, answer in enumerate(answers):
        check = answer.check
        inputs = _inputs(bench, check) if check.of[0] in bench.case.file.kernels else []
        figures = _whose(bench.case, check, inputs)
        before = [each for each in answers[:k] if found[each.name].figures == figures]
        kind, why = _stated(check) or _found(bench, answer, before, inputs, answers)
        found[answer.name] = Finding(kind, why, figures)
    return found


def _stated(check: Check) -> tuple[Class, str] | None:
    if check.class_ == "calibration":
        return "calibration", "set a figure of the model"
    if check.class_:
        return check.class_, f"stated: {check.because}"
    return ("restated", f"as {check.same_as}") if check.same_as else None


def _found(
    bench: Bench, answer: Answer, before: Sequence[Answer], inputs: Sequence[Input], answers: Sequence[Answer]
) -> tuple[Class, str]:
    """Return the class of a check that states none, by the first rule that holds."""
    rules: tuple[Callable[[], tuple[Class, str]], ...] = (
        lambda: (
            "arithmetic",
            "shapes and sizes of tiles: no figure enters" * (answer.check.quantity in (*COUNTS, *UPDATE_COUNTS)),
        ),
        lambda: ("restated", next((f"as {each.name}" for each in before if _same_fact(each, answer)), "")),
        lambda: ("sum", _adds_checks(answer, answers)),
        lambda: ("sum", _told_in_parts(answer, inputs, answers)),
        lambda: ("sum", _adds_parts(answer, inputs)),
        lambda: _carried(inputs),
        lambda: ("restated", _follows(bench.case, answer, before)),
        lambda: ("arithmetic", _built(bench, answer, inputs)),
    )
    return next((found for rule in rules if (found := rule())[1]), ("prediction", ""))


def _same_fact(one: Answer, other: Answer) -> bool:
    """Whether two checks have one published number and one answer, as two kernels of a symmetric array."""
    kind = (one.check.quantity, one.check.phase, bool(one.check.parts))
    return (
        kind == (other.check.quantity, other.check.phase, bool(other.check.parts))
        and math.isclose(one.published, other.published, rel_tol=CLOSE)
        and math.isclose(one.simulated, other.simulated, rel_tol=CLOSE)
    )


def _adds_checks(answer: Answer, answers: Sequence[Answer]) -> str:
    """Return of which checks the operations of a check add up, or nothing."""
    if len(answer.check.of) < 2:
        return ""
    alike = [each for each in answers if each.check.quantity == answer.check.quantity and not each.check.parts]
    single = {each.check.of[0]: each.name for each in alike if len(each.check.of) == 1}
    names = [single.get(run, "") for run in answer.check.of]
    return f"{' + '.join(names)}" if all(names) else ""


def _told_in_parts(answer: Answer, inputs: Sequence[Input], answers: Sequence[Answer]) -> str:
    """Return which checks of parts tell a total between them, so that the total can be right by cancelling alone."""
    check = answer.check
    alike = [each for each in answers if (each.check.of, each.check.quantity) == (check.of, check.quantity)]
    parts = {part: each.name for each in alike for part in each.check.parts}
    told = math.fsum(abs(each.share) for each in inputs
                     if not each.key.startswith("times.") and each.key.partition(".")[2] in parts)  # fmt: skip
    if check.parts or told < ADDS_UP:
        return ""
    return "of parts that are checked: " + ", ".join(dict.fromkeys(parts.values()))


# --- what the value follows -----------------------------------------------------------------------------------------
def _inputs(bench: Bench, check: Check) -> list[Input]:
    """Return what archsim's value of a check follows, the largest share first."""
    base, power = bench.run(check.of), EXPONENTS[check.quantity]
    technology = bench.technology(bench.case.file.kernels[check.of[0]].design)
    numbers = published_numbers(bench.case)
    shares = {("figures", name): power[0] * share for name, share in _parts(base.energies, check).items()}
    shares |= {("areas", name): power[2] * share for name, share in _parts(base.areas, check).items()}
    for name in technology.times:
        moved = bench.run(check.of, {name: 1 + NUDGE})
        shares["times", name] = power[1] * (moved.seconds / base.seconds - 1) / NUDGE
        if power[0]:
            shares["times", name] += power[0] * (moved.energy(check.parts) / base.energy(check.parts) - 1) / NUDGE
    found = []
    for (section, name), share in shares.items():
        if abs(share) > CLOSE:
            item: Any = getattr(technology, section)[name]
            unit = getattr(item, "unit", "s")
            mine = bench.case.file.source in item.origin.sources or item.origin.basis == "calibrated"
            mine = mine or _among(item.value, unit, numbers)
            found.append(Input(f"{section}.{name}", item.value, unit, item.origin.basis, mine, share))
    return sorted(found, key=lambda each: -abs(each.share))


def _parts(values: Mapping[str, float], check: Check) -> dict[str, float]:
    """Return the share of each figure in the sum over those that a check is of."""
    chosen = {name: value for name, value in values.items() if not check.parts or name in check.parts}
    whole = math.fsum(chosen.values())
    return {name: value / whole for name, value in chosen.items()} if whole else {}


def published_numbers(case: Case) -> list[tuple[float, str]]:
    """Return the quantities (value, unit) in the inputs of a case; of a frequency its period."""
    found = []
    for number in case.file.published.values():
        if number.role == "input" and number.check is None:
            for text in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)? ?[A-Za-z][\w/^]*", number.value):
                if (quantity := as_number(text)) and quantity[1]:
                    value, unit = quantity
                    found.append((1 / value, "s") if unit == "1/s" and "Hz" in text and value else (value, unit))
    return found


def _among(value: float, unit: str, numbers: Iterable[tuple[float, str]]) -> bool:
    return any(unit == other and math.isclose(value, each, rel_tol=CLOSE) for each, other in numbers)


def _whose(case: Case, check: Check, inputs: Sequence[Input]) -> Figures:
    """Return whose figures carry the larger part of a value: the case's own published ones, or independent ones."""
    if not inputs:
        file = case.file
        run = file.trainings.get(check.of[0]) or file.networks.get(check.of[0]) or file.updates.get(check.of[0])
        return "bottom-up" if run and not (case.folder / f"{run.technology}.yaml").is_file() else "own"
    own = math.fsum(abs(each.share) for each in inputs if each.published)
    return "own" if own >= math.fsum(abs(each.share) for each in inputs) / 2 else "bottom-up"


def _carried(inputs: Sequence[Input]) -> tuple[Class, str]:
    """Return the class of a value that one to three of the case's numbers carry whole, each with a whole power."""
    shares: dict[tuple[str, float, str], float] = {}
    for each in inputs:  # settings of one number are one number
        key = ("", each.value, each.unit) if each.published else (each.key, each.value, each.unit)
        shares[key] = shares.get(key, 0.0) + each.share
    large = {key: share for key, share in shares.items() if abs(share) >= CARRIES}
    whole = all(abs(share - round(share)) < CARRIES and round(share) for share in large.values())
    carriers = [each for each in inputs if (("" if each.published else each.key), each.value, each.unit) in large]
    if not (large and whole and len(large) <= MOST and all(each.published for each in carriers)):
        return "arithmetic", ""
    text = " and ".join(dict.fromkeys(each.key for each in carriers))
    if any(each.basis == "calibrated" for each in carriers):
        return "restated", f"by the calibrated {text}"
    return "arithmetic", f"{text} x counts"


def _adds_parts(answer: Answer, inputs: Sequence[Input]) -> str:
    """Return that a power or an area is made of published parts beside each other, more than one, or nothing."""
    if (
        len(inputs) < 2
        or answer.check.quantity not in ("power", "area")
        or any(each.key.startswith("times.") and abs(each.share) >= 1 - ADDS_UP for each in inputs)
    ):
        return ""
    published = math.fsum(each.share for each in inputs if each.published)
    return "published parts beside each other" if published >= ADDS_UP else ""


# --- what other checks tell -------------------------------------------------------------------------------------------
def _follows(case: Case, answer: Answer, before: Sequence[Answer]) -> str:
    """Return from which earlier checks of the same run a check follows, as a density does from a time and an area."""
    mine = _powers(case, answer)
    rows = [(each.name, powers) for each in before if (powers := _powers(case, each)) and _run(each) == _run(answer)]
    for count in range(1, MOST + 1):
        for chosen in itertools.combinations(rows, count):
            names = sorted({name for _, powers in chosen for name in powers} | set(mine))
            table = np.array([[powers.get(name, 0) for name in names] for _, powers in chosen])
            whole = np.vstack([table, [mine.get(name, 0) for name in names]])
            if mine and np.linalg.matrix_rank(whole) == np.linalg.matrix_rank(table) == count:
                return f"follows from {', '.join(name for name, _ in chosen)}"
    return ""


def _run(answer: Answer) -> tuple[list[str], str | None]:
    return answer.check.of, answer.check.phase


def _powers(case: Case, answer: Answer) -> dict[str, int]:
    """Return the powers of a value in what its run came to, counts left out; of a ratio in both chips' energies."""
    check = answer.check
    if training := case.file.trainings.get(check.of[0]):
        if check.quantity == "ratio":
            return {f"energy of {training.architectures[0]}": -1, f"energy of {training.architectures[-1]}": 1}
        return {f"{check.quantity} of {check.chip}": 1}
    if check.of[0] in case.file.updates:
        return {f"{check.quantity} of {check.of[0]}": 1}
    if check.of[0] in case.file.networks and (check.phase or check.quantity in COUNTS):
        return {f"{check.quantity} of {check.phase or check.of[0]}": 1}
    if check.parts:
        return {f"{check.quantity} of {' and '.join(check.parts)}": 1}
    return {name: power for name, power in zip(("energy", "time", "area"), EXPONENTS[check.quantity], strict=True)
            if power}  # fmt: skip


# --- what the inputs build --------------------------------------------------------------------------------------------
def _built(bench: Bench, answer: Answer, inputs: Sequence[Input]) -> str:
    """Return how the published value is a product or quotient of inputs that archsim's value follows, or nothing.

    Up to three of them, each once, times powers of two or ten, or at most two counts of the design; within the last
    digit that is printed, of values that have three or more.
    """
    check = answer.check
    close = half_digit(answer.text)
    if not inputs or close > MOST_LOOSE:
        return ""
    counts = _counts(bench, check)
    wanted = EXPONENTS[check.quantity]
    numbers = list({(each.value, each.unit): each for each in inputs
                    if each.published and each.unit in _UNITS and each.value}.values())[:MOST_NUMBERS]  # fmt: skip
    for size in range(1, MOST + 1):
        for chosen in itertools.combinations(numbers, size):
            for signs in itertools.product((1, -1), repeat=size):
                powers = [sum(sign * _UNITS[each.unit][k] for sign, each in zip(signs, chosen, strict=True))
                          for k in range(3)]  # fmt: skip
                if tuple(powers) == wanted:
                    product = math.prod(each.value**sign for sign, each in zip(signs, chosen, strict=True))
                    if count := _count(answer.published / product, counts, close):
                        terms = [
                            ("/ " if sign < 0 else "") + each.key for sign, each in zip(signs, chosen, strict=True)
                        ]
                        return f"{' '.join(terms)} x {count}"
    return ""


def half_digit(text: str) -> float:
    """Return half a unit of the last digit of a printed number over the number: 12.8 is known to 0.05/12.8."""
    digits = re.match(r"\s*(\d+)(?:\.(\d+))?", text)
    if digits is None or not float(digits.group(0)):
        return math.inf
    return 0.5 * 10.0 ** -len(digits.group(2) or "") / float(digits.group(0))


def _counts(bench: Bench, check: Check) -> list[int]:
    """Return the whole numbers of the structure that a check's operation runs on, its settings in it."""
    architecture = bench.architecture(bench.case.file.kernels[check.of[0]])
    leaves = [value for value in paths(architecture.model_dump()).values() if isinstance(value, int | float)]
    return sorted({int(value) for value in leaves if not isinstance(value, bool) and value > 2 and value == int(value)})


def _count(factor: float, counts: Sequence[int], close: float) -> str:
    """Return how a factor is made of at most two counts, a two at most, or nothing."""
    for text, value in [
        ("1", 1.0),
        *((str(count), float(count)) for count in counts),
        *((f"{a} x {b}", float(a * b)) for a, b in itertools.combinations_with_replacement(counts, 2)),
    ]:
        for more, two in (("", 1.0), (" x 2", 2.0)):
            if math.isclose(factor, value * two, rel_tol=close) or math.isclose(factor * value * two, 1, rel_tol=close):
                return text + more
    return ""
