"""One training step and one pass of a network on a chip that holds no numbers: the same programs, units and books."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from archsim.base.arrays import F32
from archsim.base.expected import UNKNOWN, Expected, Shares, expected
from archsim.base.signal import Signal, Tag
from archsim.base.verbs import Verbs, Work
from archsim.chips.chip import Chip
from archsim.chips.execute import execute
from archsim.learning.expected import ExpectedFunction
from archsim.learning.functions import Function
from archsim.networks.network import Network
from archsim.networks.program import Call, Program

Known = Callable[[Tag], Shares]
"""What is known of the operands of a verb, by the phase and layer that it is booked under."""


class Assumed(Verbs):
    """The verbs of a chip, with what is known of operands told to them before it is asked.

    Parameters
    ----------
    chip : Chip
    known : function of a tag
    """

    def __init__(self, chip: Chip, known: Known) -> None:
        self._chip, self._known = chip, known

    def _told(self, signal: Signal, tag: Tag) -> Signal:
        """Return the signal, whose values and normalised values know now what is known of them under this tag."""
        shares = self._known(tag)
        signal.values = _known(signal.values, shares)
        for name in ("normal", "by_vector"):
            if (kept := getattr(signal, name)) is not None:
                setattr(signal, name, (_known(kept[0], shares), kept[1]))
        return signal

    def receive(self, x: Signal, tag: Tag) -> Work[Signal]:
        """As the chip does it."""
        return self._chip.receive(x, tag)

    def multiply(self, matrix: str, x: Signal, tag: Tag) -> Work[Signal]:
        """As the chip does it, with operands of which something is known."""
        return self._chip.multiply(matrix, self._told(x, tag), tag)

    def multiply_transposed(self, matrix: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Likewise."""
        return self._chip.multiply_transposed(matrix, self._told(d, tag), tag)

    def compute(self, function: Any, signals: Sequence[Signal], tag: Tag) -> Work[Signal]:
        """As the chip does it: costs of functions follow from shapes."""
        return self._chip.compute(function, signals, tag)

    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """As the chip does it, with operands of which something is known."""
        return self._chip.accumulate(matrix, self._told(x, tag), self._told(d, tag), rate, tag)

    def apply(self, matrix: str, samples: int, rate: float, tag: Tag) -> Work[None]:
        """As the chip does it: what is written is known to its cells."""
        return self._chip.apply(matrix, samples, rate, tag)

    def adjust(self, parameter: str, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """As the chip does it, with a direction of which something is known."""
        return self._chip.adjust(parameter, self._told(d, tag), rate, tag)

    def learn(self, parameter: str, d: Signal, share: float, rate: float, tag: Tag) -> Work[None]:
        """As the chip does it."""
        return self._chip.learn(parameter, d, share, rate, tag)

    def spill(self, name: str, words: int, tag: Tag) -> Work[None]:
        """As the chip does it."""
        return self._chip.spill(name, words, tag)

    def fill(self, name: str, words: int, tag: Tag) -> Work[None]:
        """As the chip does it."""
        return self._chip.fill(name, words, tag)

    def cross(self, name: str, words: int, tag: Tag) -> Work[None]:
        """As the chip does it."""
        return self._chip.cross(name, words, tag)

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """As the chip does it."""
        return self._chip.maintain(matrix, tag)


def _known(values: F32, shares: Shares) -> F32:
    return cast("F32", cast("Expected", values).known(shares))


def expected_step(chip: Chip, network: Network, samples: int, known: Known) -> None:
    """Do one training step on a batch of so many samples."""
    chip.run(_programs(chip, [(expected_program(program), None) for program in network.training], samples, known))


def expected_inference(chip: Chip, network: Network, samples: int, known: Known) -> None:
    """Do one pass of so many samples, booked under "evaluation"."""
    chip.run(_programs(chip, [(expected_program(network.inference), "evaluation")], samples, known))


def _programs(
    chip: Chip, programs: Sequence[tuple[Program, str | None]], samples: int, known: Known
) -> Work[None]:  # fmt: skip
    verbs = Assumed(chip, known)
    for program, phase in programs:
        feeds = {name: expected((samples, program.tensors[number].words)) for name, number in program.feeds}
        yield from execute(chip, program, feeds, rate=UNKNOWN, phase=phase, through=verbs)
    chip.settle()


def expected_program(program: Program) -> Program:
    """Return the same program with functions that compute nothing."""
    made: dict[int, Function] = {}

    def bare(call: Call) -> Call:
        if not isinstance(call.target, Function):
            return call
        return replace(call, target=made.setdefault(id(call.target), ExpectedFunction(call.target)))

    phases = tuple((phase, tuple(map(bare, calls))) for phase, calls in program.phases)
    return replace(program, phases=phases)
