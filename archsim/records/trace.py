"""Do some steps of a finished run again, looking on: who did what when, what it cost, what set the end of a step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from archsim.accounting.bill import Price, prices
from archsim.accounting.technology import Technology
from archsim.base.errors import InputError, nearest
from archsim.base.progress import Progress, Report
from archsim.base.signal import STEP_PHASES
from archsim.chips.chip import Chip
from archsim.hardware.recorder import Recorder, Slice
from archsim.networks.program import Program
from archsim.records.reopen import reopen
from archsim.records.timeline import Bar, ChipTimeline, Step, Timeline, critical
from archsim.runs import layout
from archsim.runs.identity import identity
from archsim.runs.spec import RunSpec
from archsim.runs.train import Trainer, total_steps

SKIP = 1000
"""Steps before the first that is recorded, if the run has so many: the first steps of a training are not typical."""

Pricing = Mapping[tuple[str, str], Price]


def trace(
    path: str | Path, *, steps: int = 3, skip: int | None = None, archs: Sequence[str] = (), data: Path | None = None,
    techs: Sequence[str] = (), progress: Progress | None = None,
) -> Timeline:  # fmt: skip
    """Return the time line of some steps of a run, priced by the run's first technology.

    The training is done again from its start up to these steps, so they are the run's own, to the bit.

    Parameters
    ----------
    path : path
        Run directory.
    steps : int
        To record.
    skip : int, optional
        Steps before them; `SKIP` if not given, or as many as the run leaves.
    archs : sequence of str
        Chips of the run, by name; all if empty.
    data, techs : as for `archsim.records.reopen.reopen`
    progress : callable, optional
        Told each chip and the steps before the first recorded one.

    Raises
    ------
    InputError
        If the run cannot be reopened, has no such chip, or not so many steps.
    """
    spec = reopen(Path(path), data=data, techs=techs)
    names = [architecture.name for architecture in spec.architectures]
    for name in archs:
        if name not in names:
            raise InputError(
                key="--arch", value=name, expected=f"one of the run's: {', '.join(names)}", hint=nearest(name, names)
            )
    before = _before(spec, steps, skip)
    chips = []
    for architecture in spec.architectures:
        if not archs or architecture.name in archs:
            if progress:
                progress(Report(architecture.name, 0, before, "steps"))
            trainer = Trainer(spec, architecture)
            trainer.train(before)
            chips.append(record(trainer, steps))
    owner = identity(layout.read_run(Path(path)))
    return Timeline(Path(path).resolve().name, owner, spec.workload.name, spec.technologies[0].name, tuple(chips))


def _before(spec: RunSpec, steps: int, skip: int | None) -> int:
    total = total_steps(spec)[0]
    if not 1 <= steps <= total:
        raise InputError(key="--steps", value=steps, expected=f"1 to {total}, the steps of the run")
    if skip is None:
        return min(SKIP, total - steps)
    if not 0 <= skip <= total - steps:
        raise InputError(key="--skip", value=skip, expected=f"0 to {total - steps}: the run has {total} steps")
    return skip


def record(trainer: Trainer, steps: int) -> ChipTimeline:
    """Train so many steps more and return their time line."""
    chip, technology = trainer.chip, trainer.spec.technologies[0]
    pricing, inside = prices(chip.entries(), technology), frozenset(chip.architecture.boundary.inside)
    recorded: list[Step] = []
    lanes: dict[str, None] = {}
    for _ in range(steps):
        begin, times = chip.clock.now, dict(chip.ledger.time_ps)
        flows = chip.pipeline is not None
        mixed = flows or any(_comes_again(program) for program in chip.network.training)
        with Recorder(chip.clock, chip.components(), chip.slots(), by_vector=not flows) as recorder:
            trainer.train(1)
        lanes.update(dict.fromkeys(recorder.lanes()))
        bars = [priced(one, pricing, inside) for one in recorder.slices()]
        marked = set(critical(bars, begin, chip.clock.now))
        recorded.append(
            Step(
                chip.ledger.steps, begin, chip.clock.now, _spans(bars) if mixed else _phases(chip, begin, times),
                tuple(replace(bar, critical=k in marked) for k, bar in enumerate(bars)),
            )
        )  # fmt: skip
    return ChipTimeline(chip.architecture.name, tuple(lanes), leakage(chip, technology), tuple(recorded))


def _comes_again(program: Program) -> bool:
    """Whether a phase of a program comes again after another one, as where each layer learns by itself."""
    phases = [phase for phase, _ in program.phases]
    return len(set(phases)) < len(phases)


def _phases(chip: Chip, begin_ps: int, before: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Return begin and end of each phase of the step that just ended: one follows the other."""
    found, now = {}, begin_ps
    for phase in STEP_PHASES:
        if took := chip.ledger.time_ps[phase] - before[phase]:
            found[phase] = (now, now + took)
            now += took
    return found


def _spans(bars: Sequence[Bar]) -> dict[str, tuple[int, int]]:
    """Return from when to when there was work of each phase of a step in which phases go side by side."""
    found = {}
    for phase in STEP_PHASES:
        if mine := [bar for bar in bars if bar.phase == phase and bar.length_ps and not bar.waits_for]:
            found[phase] = min(bar.begin_ps for bar in mine), max(bar.end_ps for bar in mine)
    return found


def priced(one: Slice, pricing: Pricing, inside: frozenset[str]) -> Bar:
    """Return a slice with its energy: amounts times prices."""
    costs = {
        action: (amount * pricing[component, action].price, pricing[component, action].entry.action.function in inside)
        for (component, action), amount in one.amounts.items()
    }
    leading = max(costs, key=lambda action: costs[action][0], default="")
    parts = {action: pricing[component, action].entry.action.part for component, action in one.amounts}
    return Bar(
        one.lane, one.what, one.phase, one.layer, one.begin_ps, one.end_ps, one.waits_for, one.by,
        energy_J=math.fsum(cost for cost, counts in costs.values() if counts),
        outside_J=math.fsum(cost for cost, counts in costs.values() if not counts), leading=leading,
        part=parts.get(leading, ""),
        amounts={action: amount for (_, action), amount in one.amounts.items()},
    )  # fmt: skip


def leakage(chip: Chip, technology: Technology) -> float:
    """Return the power [W] that a chip draws all the time, inside the boundary."""
    pricing, inside = prices(chip.entries(), technology), chip.architecture.boundary.inside
    return math.fsum(
        rate * found.price
        for component in chip.components()
        for action, rate in component.powered().items()
        if (found := pricing[component.name, action]).entry.action.function in inside
    )
