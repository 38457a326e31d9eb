"""The books of one training step and of one inference on a chip without numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archsim.accounting.area import Part
from archsim.accounting.ledger import Entry, Ledger, Row
from archsim.base import registry
from archsim.base.expected import Shares
from archsim.base.signal import Tag
from archsim.chips.activity import Activity, measured
from archsim.chips.architecture import Architecture
from archsim.chips.chip import Chip
from archsim.chips.estimate import expected_inference, expected_step
from archsim.studies.estimate.spec import EstimateSpec


@dataclass(frozen=True)
class Books:
    """What was done: rows of a ledger, and simulated time by phase [ps]."""

    rows: tuple[Row, ...]
    time_ps: Mapping[str, float]


@dataclass(frozen=True)
class ChipEstimate:
    """One chip's books.

    Parameters
    ----------
    architecture : Architecture
    training, inference : Books
        Of one training step, and of one pass of as many samples, in the phase "evaluation".
    entries, parts : every action of the chip, and what takes area
    tiles : matrix -> tiles; empty where weights lie in memory
    chips : how many hold the network together
    activity : what was assumed
    """

    architecture: Architecture
    training: Books
    inference: Books
    entries: tuple[Entry, ...]
    parts: tuple[Part, ...]
    tiles: Mapping[str, int]
    chips: int
    activity: Activity


def layers(spec: EstimateSpec) -> dict[str, str]:
    """Return matrix -> the layer under which what is written to it is booked."""
    return {
        str(call.target): call.layer
        for program in spec.network.training
        for call in program.calls
        if call.verb == "apply"
    }


def estimate_chip(spec: EstimateSpec, architecture: Architecture, activity: Activity) -> ChipEstimate:
    """Return what a step and a pass on a chip take."""
    writing = {matrix: activity.written_to(layer, spec.batch) for matrix, layer in layers(spec).items()}

    def chip() -> Chip:
        return _chip(spec, architecture, writing)

    steady, looking = chip(), chip()
    share = steady.steady(spec.batch)
    expected_step(steady, spec.network, spec.batch, activity.shares)
    training = Books(tuple(steady.ledger.rows()), steady.ledger.time_ps)
    if share:
        looking.steady(spec.batch, looks=True)
        expected_step(looking, spec.network, spec.batch, activity.shares)
        training = _mixed(training, looking.ledger, share)
    passing = chip()
    passing.steady(spec.batch)
    expected_inference(passing, spec.network, spec.batch, activity.shares)
    inference = Books(tuple(passing.ledger.rows()), passing.ledger.time_ps)
    return ChipEstimate(
        architecture, training, inference, tuple(steady.entries()), tuple(steady.parts()), steady.tile_counts(),
        steady.beyond.chips, activity,
    )  # fmt: skip


def activity_of(
    spec: EstimateSpec, architecture: Architecture, rows: tuple[Row, ...], steps: int, origin: str
) -> Activity:
    """Return the activity that the books of so many training steps of this network, chip and batch show."""
    counts: dict[str, int] = {}
    for matrix, layer in layers(spec).items():
        counts[layer] = counts.get(layer, 0) + spec.network.graph.matrices[matrix].weights

    def step(known: Callable[[Tag], Shares]) -> Ledger:
        chip = _chip(spec, architecture, {})
        chip.steady(spec.batch)
        expected_step(chip, spec.network, spec.batch, known)
        return chip.ledger

    return measured(rows, steps, step, counts, samples=spec.batch, origin=origin)


def _chip(spec: EstimateSpec, architecture: Architecture, writing: Mapping[str, object]) -> Chip:
    made: Chip = registry.load("chip", architecture.chip).expected(
        architecture, spec.network, spec.technology, samples=spec.batch,
        optimiser=spec.workload.training.optimiser.build(), writing=writing,
    )  # fmt: skip
    return made


def _mixed(most: Books, other: Ledger, share: float) -> Books:
    """Return the mean of steps of which a share is another kind of step."""
    amounts: dict[tuple[str, str, str, str], float] = {}
    for rows, part in ((most.rows, 1 - share), (other.rows(), share)):
        for row in rows:
            key = row.phase, row.layer, row.component, row.action
            amounts[key] = amounts.get(key, 0.0) + part * row.amount
    times = {phase: (1 - share) * ps + share * other.time_ps[phase] for phase, ps in most.time_ps.items()}
    return Books(tuple(Row(*key, amount) for key, amount in amounts.items()), times)
