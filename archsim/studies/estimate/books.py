"""The books of one training step and of one inference on a chip without numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from archsim.accounting.area import Part
from archsim.accounting.ledger import Entry, Row
from archsim.analog.expected import InPairs
from archsim.analog.in_place import InPlace
from archsim.base import registry
from archsim.base.errors import DoesNotFitError
from archsim.chips.activity import Activity, measured
from archsim.chips.architecture import Architecture
from archsim.chips.chip import Chip
from archsim.chips.crossbars.crossbar import CrossbarChip
from archsim.chips.estimate import Known, expected_inference, expected_step
from archsim.studies.estimate.placement import balanced, placed
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
    places : where each matrix lies (`placement.placed`); empty likewise
    chips : how many hold the network together
    activity : what was assumed
    """

    architecture: Architecture
    training: Books
    inference: Books
    entries: tuple[Entry, ...]
    parts: tuple[Part, ...]
    tiles: Mapping[str, int]
    places: list[dict[str, Any]]
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
    twins = _twins(spec, architecture)
    if twins:
        writing |= {matrix: cast("InPairs", writing[matrix]).times(count) for matrix, count in twins.items()}

    def chip() -> Chip:
        made = _chip(spec, architecture, writing)
        if isinstance(made, CrossbarChip):
            made.duplicate(twins)
        return made

    steady, training = _trained(spec, chip, activity.shares)
    passing = chip()
    passing.steady(spec.batch)
    expected_inference(passing, spec.network, spec.batch, activity.shares)
    inference = Books(tuple(passing.ledger.rows()), passing.ledger.time_ps)
    places = placed(steady) if isinstance(steady, CrossbarChip) else []
    return ChipEstimate(
        architecture, training, inference, tuple(steady.entries()), tuple(steady.parts()), steady.tile_counts(),
        places, steady.beyond.chips, activity,
    )  # fmt: skip


def tiles(spec: EstimateSpec, architecture: Architecture) -> Mapping[str, int]:
    """Return matrix -> tiles on a chip; empty where weights lie in memory."""
    made = _chip(spec, architecture, {})
    if isinstance(made, CrossbarChip):
        made.duplicate(_twins(spec, architecture))
    return made.tile_counts()


def _twins(spec: EstimateSpec, architecture: Architecture) -> dict[str, int]:
    """Return matrix -> how often it is laid down, where that is more than once.

    Raises
    ------
    DoesNotFitError
        If that takes more tiles than there are.
    """
    bare = _chip(spec, architecture, {}) if spec.tiles is not None or spec.copies else None
    if not isinstance(bare, CrossbarChip):
        return {}
    twins = balanced(spec, bare, spec.tiles) if spec.tiles is not None else {}
    twins |= {name: count for name, count in spec.copies.items() if count > 1}
    needed = sum(count * twins.get(name, 1) for name, count in bare.tile_counts().items())
    if spec.copies and needed > (has := bare.architecture.tile.count * bare.beyond.chips):
        raise DoesNotFitError(
            f"the network with its copies takes {needed} tiles, and {architecture.name} has {has}: {needed - has} more",
            key="copies", expected=f"tile.count: {needed} or more, or fewer copies",
        )  # fmt: skip
    return twins


def activity_of(
    spec: EstimateSpec, architecture: Architecture, rows: tuple[Row, ...], steps: int, origin: str
) -> Activity:
    """Return the activity that the books of so many training steps of this network, chip and batch show."""
    counts: dict[str, int] = {}
    for matrix, layer in layers(spec).items():
        counts[layer] = counts.get(layer, 0) + spec.network.graph.matrices[matrix].weights

    kind: type[Chip] = registry.load("chip", architecture.chip)

    def step(known: Known, pulsed: InPlace) -> tuple[Row, ...]:
        writing = dict.fromkeys(spec.network.shapes, pulsed) if kind.WRITES_IN_PLACE else {}
        return _trained(spec, lambda: _chip(spec, architecture, writing), known)[1].rows

    return measured(rows, steps, step, counts, samples=spec.batch, origin=origin)


def _chip(spec: EstimateSpec, architecture: Architecture, writing: Mapping[str, object]) -> Chip:
    made: Chip = registry.load("chip", architecture.chip).expected(
        architecture, spec.network, spec.technology, samples=spec.batch,
        optimiser=spec.workload.training.optimiser.build(), writing=writing,
    )  # fmt: skip
    return made


def _trained(spec: EstimateSpec, chip: Callable[[], Chip], known: Known) -> tuple[Chip, Books]:
    """Return a chip after one step, and the mean of steps of all kinds that a long training has."""
    steady, several = chip(), []
    for kind, share in enumerate(steady.steady(spec.batch)):
        if share:
            one = chip() if kind else steady
            one.steady(spec.batch, kind)
            expected_step(one, spec.network, spec.batch, known)
            several.append((Books(tuple(one.ledger.rows()), one.ledger.time_ps), share))
    return steady, _mixed(several)


def _mixed(several: Sequence[tuple[Books, float]]) -> Books:
    """Return the mean of steps of several kinds, each with its share of all of them."""
    if len(several) == 1:
        return several[0][0]
    amounts: dict[tuple[str, str, str, str], float] = {}
    times: dict[str, float] = {}
    for books, share in several:
        for row in books.rows:
            key = row.phase, row.layer, row.component, row.action
            amounts[key] = amounts.get(key, 0.0) + share * row.amount
        for phase, ps in books.time_ps.items():
            times[phase] = times.get(phase, 0.0) + share * ps
    return Books(tuple(Row(*key, amount) for key, amount in amounts.items()), times)
