"""From what was seen of a loop to what chips did: rows of ledgers, time and course, as a training leaves them.

Each group of steps of one batch is one step of the estimate with the activity that was measured in it, so many times:
the same programs, units and clock, and amounts that are right up to the rounding of a mean step.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

from archsim.accounting.ledger import Row
from archsim.analog.expected import InPairs
from archsim.base.signal import PHASES, STEP_PHASES, Tag
from archsim.chips.activity import Activity, Writes
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.in_array_file import InArrayArchitecture
from archsim.runs.train import TestPoint, Trained
from archsim.studies.estimate.assumed import assumed
from archsim.studies.estimate.books import Books, ChipEstimate, estimate_chip, layers
from archsim.studies.estimate.spec import EstimateSpec
from archsim.studies.meter.in_place import Sent, in_place
from archsim.studies.meter.recorder import Group, Recorder

Key = tuple[str, str, str, str]


@dataclass
class _Account:
    """Amounts and time of one chip so far."""

    amounts: dict[Key, float] = field(default_factory=dict)
    time_ps: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))

    def add(self, books: Books, times: float) -> None:
        for row in books.rows:
            key = row.phase, row.layer, row.component, row.action
            self.amounts[key] = self.amounts.get(key, 0.0) + times * row.amount
        for phase, ps in books.time_ps.items():
            self.time_ps[phase] += times * ps

    def rows(self) -> tuple[Row, ...]:
        return tuple(Row(*key, amount) for key, amount in self.amounts.items() if amount)


def trained(spec: EstimateSpec, architecture: Architecture, recorder: Recorder, *, wall_s: float) -> Trained:
    """Return what a loop would have been on a chip, as a training's result.

    Parameters
    ----------
    spec : EstimateSpec
        The recorder's, for the largest batch and with the optimiser that was met.
    """
    account, points, steps, samples = _Account(), [], 0, 0
    last: ChipEstimate | None = None
    points.append(TestPoint(0, 0, 0.0, recorder.stretches[0].rate, float("nan"), None, 0.0, ()))
    for stretch in recorder.stretches:
        for batch, group in stretch.training.items():
            last = _estimate(spec, architecture, batch, group)
            account.add(last.training, group.steps)
            steps, samples = steps + group.steps, samples + batch * group.steps
        for batch, group in stretch.evaluation.items():
            part = min(batch, spec.batch)  # larger ones pass the chip in parts that its buffer holds
            account.add(_estimate(spec, architecture, part, group).inference, group.steps * batch / part)
        if not stretch.steps:
            points[-1] = replace(points[-1], test=points[-1].test if stretch.test is None else stretch.test)
        else:
            seconds = sum(account.time_ps[phase] for phase in STEP_PHASES) * 1e-12
            points.append(
                TestPoint(steps, samples, 0.0, stretch.rate, float("nan"), stretch.test, seconds, account.rows())
            )  # fmt: skip
    if last is None:
        raise ValueError("no step was recorded")
    whole = replace(points[-1], rows=account.rows())
    return Trained(
        architecture=architecture, steps=steps, finished=True, rows=whole.rows, entries=last.entries,
        parts=last.parts, time_ps=account.time_ps,
        points=(*points[:-1], whole), wall_s=wall_s, compile_s=0.0, steps_per_s=None, events=0, holds=0, diagnostics={},
    )  # fmt: skip


def _estimate(spec: EstimateSpec, architecture: Architecture, batch: int, group: Group) -> ChipEstimate:
    return estimate_chip(replace(spec, batch=batch), architecture, activity(spec, architecture, batch, group))


def activity(spec: EstimateSpec, architecture: Architecture, batch: int, group: Group) -> Activity:
    """Return the activity of a group: measured where operands were seen, and assumed elsewhere."""
    base = assumed(spec, architecture)
    sums = group.sums.get(architecture.name)
    seen = sums.shares() if sums else {}
    by_layer = {**base.by_layer, **seen}
    by_layer |= {Tag("evaluation", tag.layer): shares for tag, shares in seen.items() if tag.phase == "forward"}
    writing = _writing(architecture, group, base, replace(spec, batch=batch))
    return Activity(by_layer, base.by_phase, writing, base.written, batch, "measured by a meter")


def _writing(architecture: Architecture, group: Group, base: Activity, spec: EstimateSpec) -> dict[str, Writes]:
    """Return how devices of each layer were written; refreshes of those that were are as assumed."""
    found: dict[str, Writes] = {}
    written, matrices = group.written.get(architecture.name, {}), spec.network.graph.matrices
    if isinstance(architecture, InArrayArchitecture):
        sent, transfer = group.sent.get(architecture.name, {}), architecture.transfer
        for matrix in spec.network.shapes:
            up, down = written.get(matrix, (0.0, 0.0))
            found[layers(spec)[matrix]] = in_place(
                architecture, matrices[matrix], sent.get(matrix, Sent()), (up, down), group.steps,
                transfers=spec.batch / transfer.every if transfer else 1.0,
            )  # fmt: skip
        return found
    each_time = cast("InPairs", base.written)
    for matrix, (pairs, pulses) in written.items():
        each = pulses / pairs if pairs else 1.0
        found[layers(spec)[matrix]] = replace(
            each_time, pairs=pairs / group.steps / matrices[matrix].weights, pulses=each_time.pulses * each
        )
    return found
