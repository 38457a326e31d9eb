"""Programs on a chip: one loop over calls of verbs, written once for all chips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np

from archsim.base.arrays import F32
from archsim.base.signal import Signal, Tag
from archsim.base.verbs import Verbs, Work
from archsim.chips.chip import Chip
from archsim.hardware.tape import Tape, taped
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
    tapes: dict[int, tuple[str, Tape]] = {}
    results = yield from execute(chip, program, feeds, rate=rate, phase=phase, through=through, tapes=tapes)
    chip.pipeline.start(plan, tapes, samples)
    return results


def execute(
    chip: Chip, program: Program, feeds: Mapping[str, F32], *, rate: float = 0.0, phase: str | None = None,
    through: Verbs | None = None, tapes: dict[int, tuple[str, Tape]] | None = None,
) -> Work[list[F32]]:  # fmt: skip
    """Ask a chip for all calls of a program and return the program's results, each (vectors, size).

    Parameters
    ----------
    feeds : name -> float32 array, (samples, elements)
    rate : float
        Learning rate of the mean gradient over the samples.
    phase : str, optional
        Under which all is booked; the program's own phases if not given.
    tapes : position of a call -> phase and tape, optional
        Filled, while no time passes.
    """
    if chip.beyond.components and tapes is None:
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
    asked = _Asked(chip, through or chip, held, rate, samples)
    begin, first = chip.clock.now, 0
    for booked, calls in _tagged(program, phase):
        for position, (call, tag, free) in enumerate(calls, start=first):
            if free is not None:
                held[call.output] = Signal(free(*[held[number].values for number in call.inputs]))
            elif tapes is None:
                held[call.output] = yield from asked(call, tag)
            else:
                held[call.output], tape = taped(chip.clock, asked(call, tag))
                tapes[position] = booked, tape
            for number in call.last:
                held[number] = None
        begin, first = chip.book_time(booked, begin), first + len(calls)
    return [held[number].values for _, number in program.results]


@lru_cache(maxsize=64)
def _tagged(program: Program, phase: str | None) -> list[tuple[str, list[tuple[Call, Tag, Function | None]]]]:
    """Return the calls of a program by phase, each with the tag that it is booked under, and what is free of it."""
    return [
        (phase or own, [(call, Tag(phase or own, call.layer), call.free) for call in calls])
        for own, calls in program.phases
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a program asks, for the tensors held: the chip itself, or verbs in its place."""

    chip: Chip
    verbs: Verbs
    held: list[Any]
    rate: float
    samples: int

    def __call__(self, call: Call, tag: Tag) -> Work[Any]:
        """Return the work of a call."""
        verbs, signals = self.verbs, [self.held[number] for number in call.inputs]
        if call.verb == "compute":
            return verbs.compute(call.target, signals, tag)
        if isinstance(call.target, Moved):
            words = call.target.words * self.samples
            return cast("Work[Any]", getattr(verbs, call.verb)(call.target.name, words, tag))
        if call.verb == "receive":
            return verbs.receive(signals[0], tag)
        if call.verb == "apply":
            return verbs.apply(cast("str", call.target), self.samples, self.rate * call.rate, tag)
        if call.verb in {"accumulate", "adjust"}:
            return self._learning(call, signals, tag)
        return cast("Work[Any]", getattr(verbs, call.verb)(call.target, *signals, tag))

    def _learning(self, call: Call, signals: list[Signal], tag: Tag) -> Work[Any]:
        """Return the work of a call that learns: by the rate, or for an optimiser by the share in the mean alone."""
        name = cast("str", call.target)
        if call.alone or self.chip.optimiser is None:
            rate = call.rate if call.alone else self.rate * call.rate / self.samples
            return cast("Work[Any]", getattr(self.verbs, call.verb)(name, *signals, rate, tag))
        graph = self.chip.network.graph
        own = graph.matrices[name].rate if call.verb == "accumulate" else graph.parameters[name].rate
        share = call.rate / own / self.samples
        if call.verb == "accumulate":
            return self.verbs.accumulate(name, signals[0], signals[1], share, tag)
        return self.verbs.learn(name, signals[0], share, self.rate * own, tag)
