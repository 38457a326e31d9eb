"""A recorded run priced by any technology of its times. No chip is built.

A technology that priced the run when it was done is taken from the run's own tables; any other prices the recorded
amounts again, by the same bill.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from archsim.accounting.bill import Bill, Line, price, price_ends
from archsim.accounting.ledger import Row
from archsim.accounting.technology import Technology, lint, read_technology
from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.records.recorded import Recorded, RecordedChip
from archsim.records.technologies import NamedTechnology, find

Place = tuple[str, str, str]
"""Phase, component and action."""


@dataclass(frozen=True)
class Tariff:
    """A technology that is to price a run; without `technology`, the run's own bill by that name will do."""

    name: str
    sha256: str
    times_s: Mapping[str, float]
    technology: Technology | None = None

    def clocks(self, run: Recorded) -> bool:
        """Whether it gives every time by which a run was clocked as it was then; it may give further ones."""
        return all(self.times_s.get(name) == value for name, value in run.times_s.items())


@dataclass(frozen=True)
class Retimed:
    """How times of another technology change what a chip did.

    Parameters
    ----------
    steps : int
        Steps that were run again, of `of` recorded ones.
    scale : (phase, component, action) -> factor on the amounts that follow the clock
    latency : phase -> factor on its time
    """

    steps: int
    of: int
    scale: Mapping[Place, float]
    latency: Mapping[str, float]


@dataclass(frozen=True)
class Side:
    """One side of a comparison: the step of a recorded chip under one technology.

    Parameters
    ----------
    label : str
        What tells it from the others.
    lines : lines of the bill that are inside the boundary and belong to a training step, of all steps together
    inside : functions inside the boundary
    latency_s : phase -> simulated time of a step [s]
    ends_J : energy of a step with all figures at the low end of their ranges, and at the high end; None if not asked
    notes : what a reader must know about the numbers
    """

    label: str
    run: Path
    architecture: str
    kind: str
    technology: str
    sha256: str
    steps: int
    lines: tuple[Line, ...]
    inside: tuple[str, ...]
    latency_s: Mapping[str, float]
    retimed: Retimed | None
    ends_J: tuple[float, float] | None  # noqa: N815  the name of a key, with its unit
    notes: tuple[str, ...]

    def energy(self, *, phase: str | None = None, component: str | None = None) -> float:
        """Return the energy [J] of a step, of one of its phases or components."""
        return math.fsum(
            line.energy_J
            for line in self.lines
            if phase in (None, line.phase) and component in (None, line.component)
        ) / self.steps  # fmt: skip

    @property
    def components(self) -> list[str]:
        """Components that did anything, in the order of the lines."""
        return list(dict.fromkeys(line.component for line in self.lines))


# --- pricing ----------------------------------------------------------------------------------------------------------
def tariff(run: Recorded, name: str) -> Tariff:
    """Return the technology of that name or file, for a run; its own bill is used where the file is still the same.

    Raises
    ------
    InputError
        If there is no such technology, or its file is wrong.
    """
    own = {each.name: each for each in run.named}
    is_file = name.endswith((".yaml", ".yml"))
    if not is_file and name in own and name not in files.shipped_names("tech_params"):
        return recorded(own[name])
    read_ = read_technology(name)
    same = own.get(read_.name)
    if same and same.sha256 == read_.sha256:
        return Tariff(same.name, same.sha256, same.times_s, read_)
    times_s = {key: time.value for key, time in read_.times.items()}
    return Tariff(read_.name, read_.sha256, times_s, read_)


def lent(owner: Recorded, run: Recorded) -> str:
    """Return a run's own technology for another: by name where that knows it, else by the file that the first keeps."""
    name = owner.named[0].name
    if name in files.shipped_names("tech_params") or any(name == each.name for each in run.named):
        return name
    kept = find(owner.home, owner.named).technology
    return str(kept.path) if kept and kept.path.is_file() else name


def recorded(named: NamedTechnology) -> Tariff:
    """Return a technology of a run as the run was priced by it, whatever has become of its file."""
    return Tariff(named.name, named.sha256, named.times_s, named.technology)


def ranged(run: Recorded, given: Tariff) -> Tariff:
    """Return the tariff with its technology read, so that the ranges of its figures are known, if the file is found."""
    if given.technology is not None:
        return given
    found = find(run.home, run.named, given.name)
    return replace(given, technology=found.technology) if found.state == "same" else given


def price_chip(
    run: Recorded, chip: RecordedChip, given: Tariff, *, label: str = "", retimed: Retimed | None = None
) -> Side:
    """Price what a chip of a run did in its training steps.

    Parameters
    ----------
    run, chip, given : the run, one of its chips, the technology
    label : str
        What the side is called.
    retimed : Retimed, optional
        Needed for a technology of other times.

    Raises
    ------
    InputError
        If the technology cannot price what the chip did, or has other times and `retimed` is not given.
    """
    if retimed is None and not given.clocks(run):
        raise InputError(
            f"{given.name} has other times than the run", key="--tech", value=given.name,
            expected="a technology of the run's times, or re-timing (without --no-retime)",
        )  # fmt: skip
    bill = chip.bills.get(given.name) if _was_priced_by(run, given) else None
    if bill is None:
        bill = _priced_again(chip, given, retimed)
    lines = tuple(line for line in bill.lines if line.inside and line.phase in STEP_PHASES)
    return Side(
        label=label, run=run.path, architecture=chip.architecture, kind=chip.kind, technology=given.name,
        sha256=given.sha256, steps=chip.steps, lines=lines, inside=chip.inside, latency_s=_latency(chip, retimed),
        retimed=retimed, ends_J=_ends(lines, given.technology, chip.steps), notes=_notes(run, chip, given, retimed),
    )  # fmt: skip


def under(run: Recorded, technology: Technology) -> Recorded:
    """Return a run priced by one more technology, of its times, whose bills stand beside those of the run.

    Raises
    ------
    InputError
        If the technology has other times, or cannot price what the chips did.
    """
    times_s = {name: time.value for name, time in technology.times.items()}
    given = Tariff(technology.name, technology.sha256, times_s, technology)
    if not given.clocks(run):
        raise InputError(
            f"{given.name} has other times than the run", key="--figure-rule", value=given.name,
            expected="a technology of the run's times",
        )  # fmt: skip
    chips = {
        name: replace(
            chip, bills={**chip.bills, given.name: _priced_again(chip, given, None)},
            ends={**chip.ends, given.name: price_ends(chip.entries, technology)},
        )
        for name, chip in run.chips.items()
    }  # fmt: skip
    named = (*run.named, NamedTechnology(given.name, given.sha256, given.times_s))
    return replace(run, named=named, chips=chips)


def _was_priced_by(run: Recorded, given: Tariff) -> bool:
    """Whether a run was priced by a technology as it is now."""
    return (given.name, given.sha256) in {(each.name, each.sha256) for each in run.named}


def _priced_again(chip: RecordedChip, given: Tariff, retimed: Retimed | None) -> Bill:
    if given.technology is None:
        raise InputError(
            "holds no bill of it", key="--tech", value=given.name, expected=f"one of {', '.join(chip.bills)}, or a file"
        )
    counted = [entry for entry in chip.entries if entry.action.function in chip.inside]
    problems = [line for line in lint(given.technology, counted) if not line.startswith("note: ")]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise InputError(f"{problems[0]}{more}")
    rows: Iterable[Row] = chip.rows
    if retimed:
        scale = retimed.scale
        rows = [replace(row, amount=row.amount * scale.get((row.phase, row.component, row.action), 1.0))
                for row in rows]  # fmt: skip
    return price(rows, chip.entries, given.technology, chip.inside)


def _latency(chip: RecordedChip, retimed: Retimed | None) -> dict[str, float]:
    factors = retimed.latency if retimed else {}
    found = {phase: float(chip.latency_s[phase]) * factors.get(phase, 1.0) for phase in STEP_PHASES}
    return {**found, "total": math.fsum(found.values())}


def _ends(lines: Iterable[Line], technology: Technology | None, steps: int) -> tuple[float, float] | None:
    """Return the energy of a step with every figure at its low and at its high end: the price is linear in it."""
    if technology is None:
        return None
    low, high = [], []
    for line in lines:
        figure = technology.figures.get(line.figure or "")
        if figure and figure.value:
            low.append(line.energy_J * figure.low / figure.value)
            high.append(line.energy_J * figure.high / figure.value)
    return math.fsum(low) / steps, math.fsum(high) / steps


def _notes(run: Recorded, chip: RecordedChip, given: Tariff, retimed: Retimed | None) -> tuple[str, ...]:
    said = []
    if given.name in chip.bills and not _was_priced_by(run, given):
        said.append(f"{given.name} has changed since {run.path} was done; priced by the file as it is now.")
    if retimed:
        said.append(_retimed_note(run, given, retimed))
    return tuple(said)


def _retimed_note(run: Recorded, given: Tariff, retimed: Retimed) -> str:
    whole = retimed.steps == retimed.of
    how = (
        f"all {retimed.of:,} steps were run again with its times" if whole
        else f"the first {retimed.steps:,} of {retimed.of:,} steps were run again with both times, and what the "
        "clock decides was scaled by their ratio in each phase"
    )  # fmt: skip
    return (
        f"{given.name} has other times than {run.path}, which was re-timed: {how}. Counts that values decide (pulses, "
        "updates) stay as recorded: drift follows the clock, and what it might change in them is left out."
    )
