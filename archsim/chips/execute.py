"""Programs on a chip: one loop over calls of verbs, written once for all chips."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, cast

import numpy as np

from archsim.base.arrays import F32
from archsim.base.signal import Signal, Tag
from archsim.base.verbs import Verbs, Work
from archsim.chips.chip import Chip
from archsim.chips.pipeline import Taping
from archsim.learning.functions import Function
from archsim.networks.network import Network
from archsim.networks.program import Call, Moved, Program


def training_step(
    chip: Chip, network: Network, feeds: Mapping[str, F32], rate: float, *, states: dict[str, F32] | None = None
) -> Work[F32]:
    """Train on one batch, program after program, and return their outputs, one below the other, (vectors, size).

    Parameters
    ----------
    feeds : name -> float32 array, (samples, elements)
        What the network's programs read from outside.
    rate : float
        Learning rate of the mean gradient over the samples.
    states : name -> float32 array, (samples, elements), optional
        What the graph carries from batch to batch: read, and replaced by what is to be fed next. A state that is not
        there is zero.
    """
    feeds = _carried(network, feeds, states)
    results: list[F32] = []
    for program in network.training:
        results += yield from flow(chip, program, feeds, rate=rate)
    count = len(results) - len(network.graph.states)
    _carry(network, results[count:], states)
    chip.ledger.steps += 1
    return results[0] if count == 1 else np.concatenate(results[:count])


def inference(
    chip: Chip, network: Network, x: F32, phase: str = "evaluation", *, through: Verbs | None = None,
    states: dict[str, F32] | None = None,
) -> Work[F32]:  # fmt: skip
    """Return the outputs for x, (samples, elements), booked under a phase that is no part of a step.

    The program asks the verbs `through`, if given, instead of the chip's own. States are carried as in `training_step`.
    However many samples are passed at once, the signal buffer is taken to hold one of them at a time (`chips.buffers`);
    they do not flow: what is booked is call after call of them all.
    """
    [name] = network.inference.feeds[:1]
    feeds = _carried(network, {name[0]: x}, states)
    outputs, *after = yield from execute(chip, network.inference, feeds, phase=phase, through=through)
    _carry(network, after, states)
    return outputs


def _carried(network: Network, feeds: Mapping[str, F32], states: Mapping[str, F32] | None) -> Mapping[str, F32]:
    """Return the feeds with the states that the graph carries, zero where there is none."""
    if not (carried := network.graph.states):
        return feeds
    samples = next(iter(feeds.values())).shape[0]
    zeros = {name: np.zeros((samples, network.graph.tensors[name].words), np.float32) for name in carried}
    return {**zeros, **(states or {}), **feeds}


def _carry(network: Network, after: Sequence[F32], states: dict[str, F32] | None) -> None:
    """Keep what is to be fed next."""
    if states is not None:
        states.update(zip(network.graph.states, after, strict=True))


def flow(
    chip: Chip, program: Program, feeds: Mapping[str, F32], *, rate: float = 0.0, phase: str | None = None,
    through: Verbs | None = None,
) -> Work[list[F32]]:  # fmt: skip
    """Do what `execute` does; where batches flow over the chip, start it and return its results.

    What it computes is done when its first samples are admitted, and booked then; devices are written as of that
    moment. Its time passes with that of other batches: the chip is at rest when `Chip.run` returns.
    """
    if chip.pipeline is None:
        return (yield from execute(chip, program, feeds, rate=rate, phase=phase, through=through))
    samples, plan = next(iter(feeds.values())).shape[0], chip.pipeline.plan(program)
    if chip.beyond.components:
        program = chip.beyond.with_moves(program, plan.together(samples, chip.pipeline.burst))
        plan = chip.pipeline.plan(program)
    yield from chip.pipeline.admit(plan, samples)
    taping = chip.pipeline.taping(plan)
    results = yield from execute(chip, program, feeds, rate=rate, phase=phase, through=through, taping=taping)
    chip.pipeline.start(plan, taping, samples)
    return results


def execute(
    chip: Chip, program: Program, feeds: Mapping[str, F32], *, rate: float = 0.0, phase: str | None = None,
    through: Verbs | None = None, taping: Taping | None = None,
) -> Work[list[F32]]:  # fmt: skip
    """Ask a chip for all calls of a program and return the program's results, each (vectors, size).

    Parameters
    ----------
    feeds : name -> float32 array, (samples, elements)
    rate : float
        Learning rate of the mean gradient over the samples.
    phase : str, optional
        Under which all is booked; the program's own phases if not given.
    taping : Taping, optional
        Filled, while no time passes.
    """
    if chip.beyond.components and taping is None:
        together = next(iter(feeds.values())).shape[0] if phase is None else 1  # a pass streams sample by sample
        program = chip.beyond.with_moves(program, together)
    held: list[Any] = [None] * (len(program.tensors) + 1)  # the last takes what calls without a result return
    samples = 0
    for name, number in program.feeds:
        fed = feeds[name]
        samples = fed.shape[0]
        held[number] = Signal(fed.reshape(-1, program.tensors[number].shape[-1]), bits=chip.input_bits)
    for name, number in program.parameters:
        held[number] = Signal(chip.parameters[name])
    run = _Run(chip, through or chip, held, rate, samples)
    begin, position = chip.clock.now, 0
    moving: list[Work[Any]] = []
    enter = _pass if taping is None else taping.enter
    for booked, steps in _prepared(program, phase):
        enter(booked)
        for free, ask, output, last, beside in steps:
            if free:
                held[output] = Signal(free(*[held[number].values for number in ask]))
            elif taping is not None:  # samples that flow fill each other's waits: a move is a step of the walk
                held[output] = taping.do(chip.clock, position, booked, partial(ask, run.now(taping.late)))
            elif beside:
                moving.append(ask(run))
            else:
                held[output] = (yield from chip.clock.together([ask(run), *moving]))[0]
                moving.clear()
            position += 1
            for number in last:
                held[number] = None
        begin = chip.book_time(booked, begin)
    return [held[number].values for _, number in program.results]


def _pass(phase: str) -> None:
    """Do nothing when a phase begins."""


@dataclass(slots=True)
class _Run:
    """A program on its way: the chip, whom it asks (the chip, or verbs in its place), and the tensors held."""

    chip: Chip
    verbs: Verbs
    held: list[Any]
    rate: float
    samples: int

    def now(self, late: Collection[int]) -> _Run:
        """Return it as it is now, where calls are put off."""
        return replace(self, held=list(self.held)) if late else self


_Ask = Callable[[_Run], Work[Any]]
_Step = tuple[Function | None, Any, int, tuple[int, ...], bool]
"""What is free of the chip, and its operands; or None, and what asks. The result's number; who is read no more; whether
it is done beside the next."""


@lru_cache(maxsize=64)
def _prepared(program: Program, phase: str | None) -> list[tuple[str, list[_Step]]]:
    """Return the calls of a program by phase, each with all that is the same in every run worked out."""
    return [(phase or own, [_step(call, phase or own) for call in calls]) for own, calls in program.phases]


def _step(call: Call, phase: str) -> _Step:
    if call.free:
        return call.free, call.inputs, call.output, call.last, False
    return None, _ASKS[call.verb](call, Tag(phase, call.layer)), call.output, call.last, call.beside


def _receive(call: Call, tag: Tag) -> _Ask:
    [x] = call.inputs
    return lambda run: run.verbs.receive(run.held[x], tag)


def _multiply(call: Call, tag: Tag) -> _Ask:
    matrix, [x] = cast("str", call.target), call.inputs
    return lambda run: run.verbs.multiply(matrix, run.held[x], tag)


def _multiply_transposed(call: Call, tag: Tag) -> _Ask:
    matrix, [d] = cast("str", call.target), call.inputs
    return lambda run: run.verbs.multiply_transposed(matrix, run.held[d], tag)


def _compute(call: Call, tag: Tag) -> _Ask:
    function, first = call.target, call.inputs[0]
    if len(call.inputs) == 1:
        return lambda run: run.verbs.compute(function, (run.held[first],), tag)
    operands = itemgetter(*call.inputs)
    return lambda run: run.verbs.compute(function, operands(run.held), tag)


def _accumulate(call: Call, tag: Tag) -> _Ask:
    matrix, [x, d] = cast("str", call.target), call.inputs

    def ask(run: _Run) -> Work[None]:
        if call.alone:
            rate = call.rate
        elif run.chip.optimiser is None:
            rate = run.rate * call.rate / run.samples
        else:  # the share in the mean alone
            rate = call.rate / run.chip.network.graph.matrices[matrix].rate / run.samples
        return run.verbs.accumulate(matrix, run.held[x], run.held[d], rate, tag)

    return ask


def _adjust(call: Call, tag: Tag) -> _Ask:
    name, [d] = cast("str", call.target), call.inputs

    def ask(run: _Run) -> Work[None]:
        if call.alone:
            return run.verbs.adjust(name, run.held[d], call.rate, tag)
        if run.chip.optimiser is None:
            return run.verbs.adjust(name, run.held[d], run.rate * call.rate / run.samples, tag)
        own = run.chip.network.graph.parameters[name].rate
        return run.verbs.learn(name, run.held[d], call.rate / own / run.samples, run.rate * own, tag)

    return ask


def _apply(call: Call, tag: Tag) -> _Ask:
    matrix = cast("str", call.target)
    return lambda run: run.verbs.apply(matrix, run.samples, run.rate * call.rate, tag)


def _move(call: Call, tag: Tag) -> _Ask:
    verb, moved = call.verb, cast("Moved", call.target)
    return lambda run: cast("Work[None]", getattr(run.verbs, verb)(moved.name, moved.words * run.samples, tag))


def _maintain(call: Call, tag: Tag) -> _Ask:
    matrix = cast("str", call.target)
    return lambda run: run.verbs.maintain(matrix, tag)


_ASKS: Mapping[str, Callable[[Call, Tag], _Ask]] = {
    "receive": _receive, "multiply": _multiply, "multiply_transposed": _multiply_transposed, "compute": _compute,
    "accumulate": _accumulate, "adjust": _adjust, "apply": _apply, "maintain": _maintain,
    "spill": _move, "fill": _move, "cross": _move,
}  # fmt: skip
