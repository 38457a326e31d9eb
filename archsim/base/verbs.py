"""The verbs every chip offers: the contract between programs and chips.

A verb is a generator: it yields events of the chip's clock and returns its result. A program asks verbs in an order; it
knows nothing else of the chip, so all chips do the same training step by construction.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Protocol, TypeVar

from archsim.base.signal import Signal, Tag

T = TypeVar("T")
Work = Generator[Any, Any, T]
"""Generator of clock events that returns a T."""


class Verbs(Protocol):
    """What a program may ask of a chip."""

    def receive(self, x: Signal, tag: Tag) -> Work[Signal]:
        """Bring samples from the host onto the chip."""

    def multiply(self, matrix: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Return x W for a matrix; x of shape (vectors, rows), the result (vectors, columns)."""

    def multiply_transposed(self, matrix: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Return d W^T for a matrix; d of shape (vectors, columns), the result (vectors, rows)."""

    def compute(self, function: Any, signals: Sequence[Signal], tag: Tag) -> Work[Signal]:
        """Apply a function of signals (`archsim.learning.functions`), in digital."""

    def accumulate(self, matrix: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Note that weights are to move by the rate times the sum over vectors of the outer products x_i d_j.

        The rate arrives complete: where the mean over samples is wanted, the caller has divided by their number. Where
        an optimiser stands in front, it is the share of a sample in the mean, and the learning rate comes with `apply`.
        """

    def apply(self, matrix: str, samples: int, rate: float, tag: Tag) -> Work[None]:
        """Move the weights of a matrix by what was accumulated over so many samples; `rate` is the optimiser's."""

    def adjust(self, parameter: str, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Move a digital parameter by the rate times a direction of its shape; the rate arrives complete."""

    def learn(self, parameter: str, d: Signal, share: float, rate: float, tag: Tag) -> Work[None]:
        """Move a digital parameter by an optimiser's step; `share` is that of a sample in the mean gradient."""

    def spill(self, name: str, words: int, tag: Tag) -> Work[None]:
        """Write so many words of a signal to the memory below the chip."""

    def fill(self, name: str, words: int, tag: Tag) -> Work[None]:
        """Read them back."""

    def cross(self, name: str, words: int, tag: Tag) -> Work[None]:
        """Send so many words of a signal from one chip to another."""

    def maintain(self, matrix: str, tag: Tag) -> Work[None]:
        """Do what the matrix's devices need now and then (refresh)."""
