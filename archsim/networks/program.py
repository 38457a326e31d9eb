"""What a chip is told: calls of its verbs in order, over numbered tensors. Once built never changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from archsim.learning.functions import Function
from archsim.networks.graph import Tensor

Verb = Literal[
    "receive", "multiply", "multiply_transposed", "compute", "accumulate", "apply", "adjust", "maintain",
    "spill", "fill", "cross",
]  # fmt: skip

WIDE = 60
"""Letters beyond which a cell of a program's text stands out of line."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A signal that leaves the signal buffer for the memory below, or comes back: its name, and words a sample."""

    name: str
    words: int

    def __str__(self) -> str:
        """Return the name."""
        return self.name


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a verb.

    Parameters
    ----------
    verb : str
    target : str, Function or Moved
        Name of a matrix, or of a parameter that is adjusted; what is computed; the feed's name where it is received;
        the signal that is moved.
    inputs : tuple of int
        Numbers of tensors.
    output : int
        Number of the tensor that is written; -1 for none.
    layer : str
        Under which it is booked.
    last : tuple of int
        Tensors that nobody reads any more.
    rate : float
        The matrix's or parameter's learning rate over that of the training, for `apply`; over the positions of the loss
        for `accumulate` and `adjust`.
    alone : bool
        Whether the rate is the whole of it, whatever that of the training and the batch.
    beside : bool
        Of a move: whether it is done while the next call that is none is done, which begins and ends with it.
    """

    verb: Verb
    target: str | Function | Moved
    inputs: tuple[int, ...]
    output: int
    layer: str
    last: tuple[int, ...] = ()
    rate: float = 1.0
    alone: bool = False
    beside: bool = False

    @property
    def free(self) -> Function | None:
        """The function, where it only names words anew, so that no chip need be asked."""
        return self.target if isinstance(self.target, Function) and self.target.cost.free else None


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Calls by phase.

    Parameters
    ----------
    name : str
    tensors : tuple of Tensor
        By number.
    phases : tuple of (phase, calls)
        Of a training step; one phase, named by whoever runs it, of a pass forward.
    feeds : tuple of (name, number)
        Tensors that come from outside and are there before the first call.
    parameters : tuple of (name, number)
        Tensors that are the chip's parameters.
    results : tuple of (name, number)
        Tensors that are kept.
    """

    name: str
    tensors: tuple[Tensor, ...]
    phases: tuple[tuple[str, tuple[Call, ...]], ...]
    feeds: tuple[tuple[str, int], ...]
    parameters: tuple[tuple[str, int], ...]
    results: tuple[tuple[str, int], ...]

    @property
    def calls(self) -> list[Call]:
        """All calls in order."""
        return [call for _, calls in self.phases for call in calls]

    def text(self) -> str:
        """Return the program a line a call, aligned but for very long cells: those of a call with many operands."""
        rows = [("phase", "layer", "verb", "of", "reads", "writes", "shape")]
        for phase, calls in self.phases:
            for call in calls:
                reads = " ".join(f"t{number}" for number in call.inputs)
                wrote = self.tensors[call.output] if call.output >= 0 else None
                rows.append((
                    phase, call.layer, call.verb, str(call.target), reads, f"t{call.output}" if wrote else "",
                    "x".join(map(str, wrote.shape)) if wrote else "",
                ))  # fmt: skip
        widths = [max(len(row[k]) for row in rows if len(row[k]) <= WIDE) for k in range(len(rows[0]))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    @property
    def sha256(self) -> str:
        """Digest of the text: what decides the order of all that is done."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def words_alive(self) -> int:
        """Return the most words of one sample that lie in the signal buffer at once.

        What a free function returns lies where its operands lie. A result never overwrites an operand, and what is fed
        lies outside until it is received. Parameters are no part of it.
        """
        return max(self.words_by_call())

    def words_by_call(self) -> list[int]:
        """Return the words of one sample that lie in the signal buffer during each call, and after the last."""
        changes = [0] * (len(self.calls) + 2)
        for home, (first, last) in self.lives().items():
            changes[first] += self.tensors[home].words
            changes[last + 1] -= self.tensors[home].words
        return list(accumulate(changes))[:-1]

    def lives(self) -> dict[int, tuple[int, int]]:
        """Return, by tensor that has words of its own, the first and the last call during which it is alive."""
        lies = homes(self)
        outside = {number for call in self.calls if call.verb == "receive" for number in call.inputs}
        begin = {number: 0 for _, number in self.feeds if number not in outside}
        end = {home: len(self.calls) for _, number in self.results for home in lies[number]}
        for moment, call in enumerate(self.calls):
            for home in {home for number in call.inputs for home in lies[number]}:
                end[home] = max(end.get(home, 0), moment)
            if lies.get(call.output) == {call.output}:
                begin.setdefault(call.output, moment)
                end.setdefault(call.output, moment)
        return {home: (first, end.get(home, first)) for home, first in begin.items()}


def homes(program: Program) -> dict[int, set[int]]:
    """Return, by number, the tensors in whose words a tensor lies: itself, unless a free function names it anew."""
    found = {number: {number} for _, number in (*program.feeds, *program.parameters)}
    for call in program.calls:
        if call.output < 0:
            continue
        if call.free is not None:
            found[call.output] = set().union(*(found[number] for number in call.inputs))
        else:
            found[call.output] = {call.output}
    return found
