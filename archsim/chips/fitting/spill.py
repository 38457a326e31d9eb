"""What of a program's signals does not fit the signal buffer: written to the memory below, and read back.

Decided once, when a program meets a buffer: whoever is needed last leaves first (Belady 1966, the best that can be done
for signals of one size). Signals that are larger than the buffer, alone or with what else a call touches, pass through
it: read from below for each use, and written below as they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from archsim.networks.program import Call, Moved, Program, homes

NEVER = 1 << 62


def spilled(program: Program, words: float) -> Program:
    """Return the program with the moves that a buffer of so many words a sample asks for; itself if all fits."""
    if program.words_alive() <= words:
        return program
    plan = _Plan(program, words)
    phases = tuple(
        (phase, tuple(moved for call in calls for moved in plan.step(call))) for phase, calls in program.phases
    )
    return replace(program, phases=phases)


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

    def step(self, call: Call) -> list[Call]:
        """Return a call with the moves before and after it."""
        needs = {home for home in self._homes(call.inputs) if home in self.uses}
        made = {call.output} if self.lies.get(call.output) == {call.output} else set()
        found: list[Call] = []
        if call.free is None:
            words = sum(self.program.tensors[home].words for home in needs | made)
            passes = words > self.words
            for home in sorted(needs - self.here.keys()):
                found.append(self._move("fill", home, call.layer))
                if not passes:
                    found[-1:-1] = self._room(home, needs | made)
            after: list[Call] = []
            for home in made:
                if passes:
                    after = [self._move("spill", home, call.layer)]
                    self.below.add(home)
                else:
                    found += self._room(home, needs | made)
            found += [call, *after]
        else:
            found.append(call)
        self.moment += 1
        for home in [home for home in self.here if self._next(home) == NEVER]:
            del self.here[home]
        return found

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
