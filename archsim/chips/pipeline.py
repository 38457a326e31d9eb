"""Batches that flow: micro-bursts of samples on their way through a program at once, each in a unit of its own.

What a batch computes and counts is that of the batch as a whole, done ahead of its time when the first of its samples
is admitted; so it has the bits of a chip on which nothing flows. When it is done is played: each micro-burst of samples
walks the calls of the program, and takes its part of their time in the slots of their units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass

import simpy

from archsim.base.verbs import Work
from archsim.chips.plan import Plan, Task
from archsim.hardware.clock import Clock
from archsim.hardware.room import Room
from archsim.hardware.tape import WHOLE, Hold, Part, Tape, play
from archsim.networks.program import Program


class Phases:
    """Books time to phases while several may be under way at once.

    A moment belongs in equal parts to all phases of which a call is under way, waiting for a unit included; of
    picoseconds that cannot be parted, the first of them have one more. So what is booked adds up to the time that
    passed.

    Parameters
    ----------
    clock : Clock
    time_ps : phase -> time booked [ps]
        Changed in place; its order is that of the phases.
    """

    def __init__(self, clock: Clock, time_ps: MutableMapping[str, int]) -> None:
        self._clock, self._time_ps = clock, time_ps
        self._under_way = dict.fromkeys(time_ps, 0)
        self._since = clock.now

    def enter(self, phase: str) -> None:
        """Note that a call begins."""
        self._book()
        self._under_way[phase] += 1

    def leave(self, phase: str) -> None:
        """Note that it ends."""
        self._book()
        self._under_way[phase] -= 1

    def _book(self) -> None:
        now = self._clock.now
        if (span := now - self._since) and (phases := [name for name, n in self._under_way.items() if n]):
            each, more = divmod(span, len(phases))
            for k, name in enumerate(phases):
                self._time_ps[name] += each + (k < more)
        self._since = now


class _Gate:
    """Opens when so many have passed."""

    __slots__ = ("_clock", "_event", "_left")

    def __init__(self, clock: Clock, left: int) -> None:
        self._clock, self._left = clock, left
        self._event: simpy.Event | None = None

    def passed(self) -> None:
        """Count one."""
        self._left -= 1
        if not self._left and self._event is not None:
            self._event.succeed()

    def wait(self) -> Work[None]:
        """Wait until it is open."""
        if self._left:
            if self._event is None:
                self._event = self._clock.event()
            yield self._event


@dataclass(slots=True, eq=False)
class _Batch:
    """A batch under way: its plan, each call's phase and tape, and its gate, which opens when all have done it."""

    plan: Plan
    taped: Mapping[int, tuple[str, Tape]]
    gates: dict[int, _Gate]
    earlier: Mapping[str, _Gate]


@dataclass(slots=True, eq=False)
class _Words:
    """Words that a micro-burst has of the room, and the sums that are still to read what lies in some of them."""

    room: Room
    plan: Plan
    samples: int
    held: int
    pending: set[int]
    walked: bool = False

    def keep(self, words: int) -> None:
        """Give back all but so many words a sample."""
        if (more := self.held - words * self.samples) > 0:
            self.held -= more
            self.room.give(more)

    def keep_for_sums(self) -> None:
        """Give back, after the walk, all that no sum is still to read."""
        if self.walked:
            read = set().union(*(self.plan.read[position] for position in self.pending))
            self.keep(sum(self.plan.words[home] for home in read))


class Pipeline:
    """Lets batches flow over a chip's units. Without state between runs of the clock.

    Parameters
    ----------
    clock : Clock
    time_ps : phase -> time booked [ps]
        Of the chip's ledger.
    words : int
        Of the signal buffer, for signals.
    burst : int
        Samples of a micro-burst.
    cut : function of a program
        Returns its plan.
    """

    def __init__(
        self, clock: Clock, time_ps: MutableMapping[str, int], *, words: int, burst: int,
        cut: Callable[[Program], Plan],
    ) -> None:  # fmt: skip
        self._clock, self.burst, self._cut = clock, burst, cut
        self._plans: dict[Program, Plan] = {}
        self.room = Room(clock, words)
        self._phases = Phases(clock, time_ps)
        self._versions: dict[str, _Gate] = {}

    def plan(self, program: Program) -> Plan:
        """Return a program's plan, made once."""
        if program not in self._plans:
            self._plans[program] = self._cut(program)
        return self._plans[program]

    def parts(self, samples: int) -> list[Part]:
        """Return the micro-bursts of a batch; the last may be smaller."""
        return [Part(k, min(k + self.burst, samples), samples) for k in range(0, samples, self.burst)]

    def admit(self, plan: Plan, samples: int) -> Work[None]:
        """Wait until there is room for all that a batch's first micro-burst ever needs at once.

        Where samples wait for each other on their way, for that of all of them: so whoever is under way never waits
        for words, and those who wait for words hold none.
        """
        if (granted := self.room.ask(self._asked(plan, plan.together(samples, self.burst)))) is not None:
            yield granted

    def _asked(self, plan: Plan, samples: int) -> int:
        """Return the words that some samples need; of those for which there is no room all, whatever has been moved."""
        return min(plan.needs[0] * samples, self.room.words)

    def start(self, plan: Plan, taped: Mapping[int, tuple[str, Tape]], samples: int) -> None:
        """Start a batch that was admitted.

        Parameters
        ----------
        taped : position of a call -> its phase, and what it takes for the whole batch
        """
        parts = self.parts(samples)
        gates = {task.position: _Gate(self._clock, 1) for task in plan.once}
        gates |= {position: _Gate(self._clock, len(parts)) for position in plan.by_each}
        batch = _Batch(plan, taped, gates, dict(self._versions))
        for k, part in enumerate(parts):
            if plan.coupled:
                held, granted = part.of(Hold(self._asked(plan, samples))), None
            else:
                held = self._asked(plan, part.end - part.begin)
                granted = self.room.ask(held) if k else None  # ahead of all later batches
            words = _Words(self.room, plan, part.end - part.begin, held, set(plan.read))
            self._clock.spawn(self._walk(batch, part, words, granted))
        for task in plan.once:
            self._clock.spawn(self._do(batch, task, WHOLE))
        self._versions |= {name: gates[position] for name, position in plan.written.items()}

    def _walk(self, batch: _Batch, part: Part, words: _Words, granted: simpy.Event | None) -> Work[None]:
        """Do a micro-burst's part of the walk once its words are granted, and let its sums come free on the way."""
        plan = batch.plan
        if granted is not None:
            yield granted
        for task, needed in zip(plan.walk, plan.needs, strict=False):
            words.keep(needed)
            yield from self._do(batch, task, part)
            for late in plan.sums.get(task.position, ()):
                self._clock.spawn(self._sum(batch, late, part, words))
        words.walked = True
        words.keep_for_sums()

    def _sum(self, batch: _Batch, task: Task, part: Part, words: _Words) -> Work[None]:
        """Do a micro-burst's part of an outer product, and give back the words that only it had still to read."""
        yield from self._do(batch, task, part)
        words.pending.discard(task.position)
        words.keep_for_sums()

    def _do(self, batch: _Batch, task: Task, part: Part) -> Work[None]:
        """Wait for what a task waits for, let its time pass, and say that it is done."""
        for name in task.names:
            if name in batch.earlier:
                yield from batch.earlier[name].wait()
        for position in task.waits:
            yield from batch.gates[position].wait()
        phase, tape = batch.taped[task.position]
        if tape.nodes:
            self._phases.enter(phase)
            yield from play(self._clock, tape.nodes, part)
            self._phases.leave(phase)
        batch.gates[task.position].passed()
