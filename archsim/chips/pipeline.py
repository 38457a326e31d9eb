"""Batches that flow: micro-bursts of samples on their way through a program at once, each in a unit of its own.

What a batch computes and counts is that of the batch as a whole, done ahead of its time when the first of its samples
is admitted; so it has the bits of a chip on which nothing flows. When it is done is played: each micro-burst of samples
walks the calls of the program, and takes its part of their time in the slots of their units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import simpy

from archsim.base.verbs import Work
from archsim.chips.plan import Plan, Task
from archsim.hardware.clock import Clock
from archsim.hardware.room import Room
from archsim.hardware.tape import WHOLE, Hold, Part, Tape, play, taped
from archsim.networks.program import Program

T = TypeVar("T")


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
    forward: Mapping[str, _Gate]
    """What is waited for by name, and on the way forward, where weights may be older."""


@dataclass(slots=True)
class Taping:
    """Calls of a batch that are done while no time passes.

    Parameters
    ----------
    late : positions of calls that are put off
    before : function
        Asked before the first call that is not of the way forward.
    """

    late: frozenset[int] = frozenset()
    before: Callable[[], None] = lambda: None
    done: dict[int, tuple[str, Tape]] = field(default_factory=dict)
    put_off: list[tuple[int, str, Callable[[], Work[Any]]]] = field(default_factory=list)

    def enter(self, phase: str) -> None:
        """Note which phase begins."""
        if phase != "forward":
            self.before()

    def do(self, clock: Clock, position: int, phase: str, ask: Callable[[], Work[Any]]) -> Any:
        """Do a call and keep what it takes, or put it off; return its result."""
        if position in self.late:
            self.put_off.append((position, phase, ask))
            return None
        found, tape = taped(clock, ask())
        self.done[position] = phase, tape
        return found


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
        self._older: dict[str, _Gate] = {}
        self._last: tuple[_Batch, Taping] | None = None

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

    def taping(self, plan: Plan) -> Taping:
        """Return what a batch's calls are done by; what the last batch put off is done between its two ways."""
        return Taping(plan.late, self.catch_up)

    def catch_up(self) -> None:
        """Do what the last batch put off; its time passes when the next one starts, or at the end."""
        if self._last is not None:
            taping = self._last[1]
            for position, phase, ask in taping.put_off:
                taping.done[position] = phase, taped(self._clock, ask())[1]
            taping.put_off.clear()

    def finishing(self, work: Work[T]) -> Work[T]:
        """Do some work, and then what its last batch put off."""
        found = yield from work
        self.catch_up()
        self._write_late(None)
        return found

    def _write_late(self, batch: _Batch | None) -> None:
        """Start what the last batch put off, each when a batch has passed forward what it writes."""
        if self._last is None:
            return
        last, _ = self._last
        for task in last.plan.once:
            if task.position in last.plan.late:
                passed: list[_Gate] = []
                if batch is not None:
                    passed = [
                        batch.gates[one.position] for one in batch.plan.walk
                        if batch.taped[one.position][0] == "forward" and set(one.names) & set(task.names)
                    ]  # fmt: skip
                self._clock.spawn(self._do(last, task, WHOLE, passed))
        self._last = None

    def start(self, plan: Plan, taping: Taping, samples: int) -> None:
        """Start a batch that was admitted, and what the one before put off."""
        parts = self.parts(samples)
        gates = {task.position: _Gate(self._clock, 1) for task in plan.once}
        gates |= {position: _Gate(self._clock, len(parts)) for position in plan.by_each}
        now = dict(self._versions)
        batch = _Batch(plan, taping.done, gates, now, dict(self._older) if plan.late else now)
        for k, part in enumerate(parts):
            if plan.coupled:
                held, granted = part.of(Hold(self._asked(plan, samples))), None
            else:
                held = self._asked(plan, part.end - part.begin)
                granted = self.room.ask(held) if k else None  # ahead of all later batches
            words = _Words(self.room, plan, part.end - part.begin, held, set(plan.read))
            self._clock.spawn(self._walk(batch, part, words, granted))
        for task in plan.once:
            if task.position not in plan.late:
                self._clock.spawn(self._do(batch, task, WHOLE))
        self._write_late(batch)
        self._last = (batch, taping) if plan.late else None
        self._older = now
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

    def _do(self, batch: _Batch, task: Task, part: Part, passed: Sequence[_Gate] = ()) -> Work[None]:
        """Wait for what a task waits for, let its time pass, and say that it is done."""
        phase, tape = batch.taped[task.position]
        versions = batch.forward if phase == "forward" else batch.earlier
        for name in task.names:
            if name in versions:
                yield from versions[name].wait()
        for gate in (*(batch.gates[position] for position in task.waits), *passed):
            yield from gate.wait()
        if tape.nodes:
            self._phases.enter(phase)
            yield from play(self._clock, tape.nodes, part)
            self._phases.leave(phase)
        batch.gates[task.position].passed()
