"""What of a program's signals does not fit the signal buffer: written to the memory below, and read back.

Decided once, when a program meets a buffer: whoever is needed last leaves first (Belady 1966, the best that can be done
for signals of one size). Signals that are larger than the buffer, alone or with what else a call touches, pass through
it: read from below for each use, and written below as they come.

Where transfers overlap, what passes through does so while its call computes, and what the next call needs comes, and
leaves for it, while the call before computes, as long as the buffer holds both: double buffering. What is moved is the
same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from archsim.networks.program import Call, Moved, Program, homes

NEVER = 1 << 62


def spilled(program: Program, words: float, *, overlap: bool = False) -> Program:
    """Return the program with the moves that a buffer of so many words a sample asks for; itself if all fits.

    `overlap`: moves that can be done beside a call stand before it and say so.
    """
    if program.words_alive() <= words:
        return program
    plan = _Plan(program, words)
    phases = []
    for phase, calls in program.phases:
        blocks = [plan.step(call) for call in calls]
        if overlap:
            _put_beside(blocks, words)
        phases.append((phase, tuple(call for block in blocks for call in block.calls())))
    return replace(program, phases=tuple(phases))


@dataclass(slots=True)
class _Block:
    """A call with the moves before and after it; whether what it touches passes through the buffer.

    `occupied` is what the buffer holds while it is done, `busy` what it touches.
    """

    call: Call
    before: list[Call]
    after: list[Call]
    passes: bool
    occupied: int
    busy: dict[str, int]
    beside: list[Call] = field(default_factory=list)

    def calls(self) -> list[Call]:
        """Return all in order."""
        return [*self.before, *self.beside, self.call, *self.after]


def _put_beside(blocks: Sequence[_Block], words: float) -> None:
    """Let moves of a phase go beside the call that they pass through, or the one before theirs; in place."""
    last: _Block | None = None
    for block in blocks:
        if block.call.free is not None:
            continue
        if block.passes:
            block.beside += [replace(one, beside=True) for one in (*block.before, *block.after)]
            block.before, block.after = [], []
        elif last is not None and _has_room(last, block.before, words):
            last.beside += [replace(one, beside=True) for one in block.before]
            block.before = []
        last = block


def _has_room(block: _Block, moves: Sequence[Call], words: float) -> bool:
    """Return whether moves can be done while the buffer holds what it does in a block; what is busy cannot leave."""
    if block.passes or any(cast("Moved", one.target).name in block.busy for one in moves):
        return False
    return block.occupied + _growth(moves) <= words


def _growth(moves: Sequence[Call]) -> int:
    """Return how many words more the buffer holds after some moves, at most while they are done."""
    now = most = 0
    for move in moves:
        now += cast("Moved", move.target).words * (1 if move.verb == "fill" else -1)
        most = max(most, now)
    return most


@dataclass(slots=True)
class _Plan:
    """Walks the calls in order and keeps account of what lies where."""

    program: Program
    words: float
    moment: int = 0
    here: dict[int, int] = field(default_factory=dict)
    """Signals in the buffer -> their words."""
    below: set[int] = field(default_factory=set)
    """Signals of which there is a copy below."""
    lies: Mapping[int, set[int]] = field(init=False)
    uses: dict[int, list[int]] = field(init=False)
    layers: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        self.lies = homes(self.program)
        self.uses, self.layers = {}, {}
        outside = {number for call in self.program.calls if call.verb == "receive" for number in call.inputs}
        kept = {number for _, number in self.program.parameters} | outside
        for moment, call in enumerate(self.program.calls):
            for home in self._homes(call.inputs) - kept:
                self.uses.setdefault(home, []).append(moment)
            if self.lies.get(call.output) == {call.output}:
                self.layers[call.output] = call.layer
        for _, number in self.program.results:
            for home in self.lies[number] - kept:
                self.uses.setdefault(home, []).append(NEVER - 1)
        first = self.program.calls[0].layer
        for _, number in self.program.feeds:
            if number not in outside:
                self.here[number], self.layers[number] = self.program.tensors[number].words, first

    def step(self, call: Call) -> _Block:
        """Return a call with the moves before and after it."""
        needs = {home for home in self._homes(call.inputs) if home in self.uses}
        made = {call.output} if self.lies.get(call.output) == {call.output} else set()
        before: list[Call] = []
        after: list[Call] = []
        passes = False
        if call.free is None:
            words = sum(self.program.tensors[home].words for home in needs | made)
            passes = words > self.words
            for home in sorted(needs - self.here.keys()):
                before.append(self._move("fill", home, call.layer))
                if not passes:
                    before[-1:-1] = self._room(home, needs | made)
            for home in made:
                if passes:
                    after = [self._move("spill", home, call.layer)]
                    self.below.add(home)
                else:
                    before += self._room(home, needs | made)
        busy = {self.program.tensors[home].name: home for home in needs | made}
        block = _Block(call, before, after, passes, sum(self.here.values()), busy)
        self.moment += 1
        for home in [home for home in self.here if self._next(home) == NEVER]:
            del self.here[home]
        return block

    def _room(self, home: int, busy: set[int]) -> list[Call]:
        """Give a signal its place; return the moves of those that leave for it."""
        found, words = [], self.program.tensors[home].words
        while sum(self.here.values()) + words > self.words:
            leaving = [other for other in self.here if other not in busy]
            if not leaving:
                break  # what is busy fits by itself; the rest are views
            last = max(leaving, key=lambda other: (self._next(other), other))
            del self.here[last]
            if last not in self.below:
                self.below.add(last)
                found.append(self._move("spill", last, self.layers[last]))
        self.here[home] = words
        return found

    def _next(self, home: int) -> int:
        return next((moment for moment in self.uses.get(home, ()) if moment >= self.moment), NEVER)

    def _homes(self, numbers: tuple[int, ...]) -> set[int]:
        return {home for number in numbers for home in self.lies[number]}

    def _move(self, way: str, home: int, layer: str) -> Call:
        tensor = self.program.tensors[home]
        return Call("spill" if way == "spill" else "fill", Moved(tensor.name, tensor.words), (), -1, layer)
