"""The five verbs every chip offers: the contract between networks and chips.

A verb is a generator: it yields events of the chip's clock and returns its result. A network asks verbs in an order; it
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
    """What a layer may ask of a chip."""

    def receive(self, x: Signal, tag: Tag) -> Work[Signal]:
        """Bring a sample from the host onto the chip."""

    def multiply(self, layer: str, x: Signal, tag: Tag) -> Work[Signal]:
        """Return x W for a layer; x of shape (vectors, rows), the result (vectors, columns)."""

    def multiply_transposed(self, layer: str, d: Signal, tag: Tag) -> Work[Signal]:
        """Return d W^T for a layer; d of shape (vectors, columns), the result (vectors, rows)."""

    def elementwise(self, op: str, signals: Sequence[Signal], tag: Tag) -> Work[Signal]:
        """Apply a named operation of `learning.maths` to signals of equal shape."""

    def update(self, layer: str, x: Signal, d: Signal, rate: float, tag: Tag) -> Work[None]:
        """Move the weights of a layer by the rate times the sum over vectors of the outer products x_i d_j.

        The rate arrives complete: where the mean over samples is wanted, the caller has divided by their number.
        """

    def maintain(self, layer: str, tag: Tag) -> Work[None]:
        """Do what the layer's devices need now and then (refresh)."""
