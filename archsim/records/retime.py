"""Re-time a recorded run: do its steps again with other times, to see how what the clock decides would change.

The first steps of the run are trained again, from the same start and on the same data, with the run's own times and
with the new ones. What follows the clock (leakage, conduction, busy cycles, time) is scaled by the ratio of the two in
each phase, for the steps that were run again; if these are all steps, nothing is estimated.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archsim.accounting.ledger import Entry, Row
from archsim.accounting.technology import Technology
from archsim.base import kept
from archsim.base.signal import STEP_PHASES
from archsim.records.recorded import Recorded, RecordedChip
from archsim.records.reopen import reopen
from archsim.records.reprice import Place, Retimed
from archsim.runs.identity import point_key
from archsim.runs.run import check_prices
from archsim.runs.spec import RunSpec
from archsim.runs.train import CHUNK, Trainer

STEPS = 3000
"""Steps that are run again by default."""
_UNITS = ("s", "bit*s", "S*s")
_CYCLES = "control.cycle"


@dataclass(frozen=True)
class Clocked:
    """How other times change what a chip did.

    Parameters
    ----------
    scale : (phase, component, action) -> factor on the amounts that follow the clock
    latency : phase -> factor on its time
    """

    scale: Mapping[Place, float]
    latency: Mapping[str, float]

    def rows(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        """Return the rows of a ledger as the other times would have made them."""
        return tuple(
            replace(row, amount=row.amount * self.scale.get((row.phase, row.component, row.action), 1.0))
            for row in rows
        )


def retime(
    run: Recorded, chip: RecordedChip, technology: Technology, *, folder: Path, steps: int = STEPS,
    data: Path | None = None, techs: Sequence[str] = (),
) -> Retimed:  # fmt: skip
    """Return how a technology's times change what follows the clock on a chip of a run.

    Parameters
    ----------
    run, chip : the run, and one of its chips
    technology : Technology
    folder : path
        Keeps FOLDER/HASH.json for all that was run again, so that it is run once.
    steps : int
        How many of the run's steps to do again, at most.
    data : path, optional
        Folder with the files of the data set.
    techs : sequence of str
        Files of technologies, among them those of the run that are not shipped.

    Raises
    ------
    InputError
        If the files or the data are no longer those of the run.
    """
    again = min(steps, chip.steps)
    given = [name for name in techs if Path(name).stem in {each.name for each in run.named}]
    spec = first_steps(reopen(run.home, data=data, techs=given), chip.architecture, again)
    new = _kept(replace(spec, technologies=(technology,)), folder)
    old = _kept(spec, folder)
    found = between(chip.rows, chip.entries, old, new)
    return Retimed(steps=again, of=chip.steps, scale=found.scale, latency=found.latency)


def between(
    rows: Iterable[Row], entries: Iterable[Entry], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Clocked:  # fmt: skip
    """Return what changes from one set of times to another.

    Parameters
    ----------
    rows, entries : of the whole training
    old, new : its first steps with each of the two, as `clocked` returns them
    """
    latency = {phase: _ratio(new["time_ps"][phase], old["time_ps"][phase]) or 1.0 for phase in STEP_PHASES}
    return Clocked(_scale(rows, entries, old["rows"], new["rows"]), latency)


def first_steps(spec: RunSpec, architecture: str, steps: int) -> RunSpec:
    """Return the spec of the first steps of a run on one of its chips, by the run's own technology."""
    training = spec.training.model_copy(update={"steps": steps})
    return replace(
        spec, workload=spec.workload.model_copy(update={"training": training}),
        architectures=tuple(each for each in spec.architectures if each.name == architecture),
        technologies=spec.technologies[:1],
    )  # fmt: skip


def _kept(spec: RunSpec, folder: Path) -> dict[str, Any]:
    """Return what `clocked` does, from its file if it was done before."""
    file = folder / f"{point_key(spec)}.json"
    if (found := kept.read(file)) is not None:
        return found
    content = clocked(spec)
    kept.write(file, content)
    return content


def clocked(spec: RunSpec) -> dict[str, Any]:
    """Return amounts and times of a training of the first chip of a spec, without tests."""
    trainer = Trainer(spec, spec.architectures[0])
    check_prices(spec, [trainer])
    for done in range(0, trainer.steps, CHUNK):
        trainer.train(min(CHUNK, trainer.steps - done))
    trainer.chip.settle()
    ledger = trainer.chip.ledger
    return {
        "architecture": spec.architectures[0].name, "technology": spec.technologies[0].name, "steps": ledger.steps,
        "time_ps": dict(ledger.time_ps),
        "rows": [[row.phase, row.layer, row.component, row.action, row.amount] for row in ledger.rows()],
    }  # fmt: skip


def follows_clock(action: str, unit: str) -> bool:
    """Whether the amount of an action follows the clock: it has seconds in its unit, or counts busy cycles."""
    return unit in _UNITS or action.endswith(_CYCLES)


def _scale(
    rows: Iterable[Row], entries: Iterable[Entry], old: list[list[Any]], new: list[list[Any]]
) -> dict[Place, float]:  # fmt: skip
    """Return the factor on every amount that follows the clock: of its phase, or of all phases if that has none."""
    units = {(entry.component, entry.key.partition(".")[2]): entry.action.unit for entry in entries}
    before, after = _sums(old), _sums(new)
    found: dict[Place, float] = {}
    for row in rows:
        place = row.phase, row.component, row.action
        if place not in found and row.phase in STEP_PHASES and follows_clock(row.action, units[place[1:]]):
            factor = _ratio(after.get(place), before.get(place))
            found[place] = factor or _ratio(after.get(("", *place[1:])), before.get(("", *place[1:]))) or 1.0
    return found


def _sums(rows: Iterable[list[Any]]) -> dict[Place, float]:
    """Return amounts over all layers by phase, component and action; under the phase "" over all phases of a step."""
    groups: dict[Place, list[float]] = {}
    for phase, _, component, action, amount in rows:
        if phase in STEP_PHASES:
            groups.setdefault((phase, component, action), []).append(amount)
            groups.setdefault(("", component, action), []).append(amount)
    return {place: math.fsum(amounts) for place, amounts in groups.items()}


def _ratio(over: float | None, under: float | None) -> float | None:
    return over / under if over and under else None
