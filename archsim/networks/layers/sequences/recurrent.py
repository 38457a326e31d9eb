"""What recurrent layers share: steps of a sequence, the state before the first, which results are returned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from archsim.base.errors import ModelError
from archsim.base.quantities import Count, Switch
from archsim.learning.parts import Row, Stack, Zeros
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.base import WeightedLayer


class RecurrentLayer(WeightedLayer):
    """A layer that takes a sequence (steps, size) step by step.

    It returns the hidden state of every step, (steps, units), or of the last, (units,). The state before the first
    step is zero; with `carry` it is that after the last step of the batch before. With `reverse` the last step of the
    sequence comes first: a layer of each way beside each other, by `concat`, makes one of both directions.
    """

    units: Count
    returns: Literal["sequence", "last"] = "sequence"
    carry: Switch = False
    reverse: Switch = False

    def steps(self, graph: Builder, x: Tensor) -> Iterable[Tensor]:
        """Return each step's vector, in the order that they are taken."""
        order = reversed(range(x.shape[0])) if self.reverse else range(x.shape[0])
        return (graph.apply(Row(x.shape, step), [x], self.name) for step in order)

    def check(self, x: Tensor) -> None:
        """Refuse what is no sequence, and a state carried from the end of a batch to the end of the next."""
        if len(x.shape) != 2:
            raise self.refuse(x, "a sequence, (steps, size)")
        if self.carry and self.reverse:
            raise ModelError(f"{self.name} ({self.kind}) has both carry and reverse; expected one of them at most")

    def before(self, graph: Builder, x: Tensor, name: str, *, bound: float | None = None) -> Tensor:
        """Return a state before the first step."""
        if self.carry:
            return graph.feed(f"{self.name}.{name}", (self.units,), bound=bound)
        return graph.apply(Zeros(x.shape, (self.units,)), [x], self.name)

    def result(self, graph: Builder, hidden: Sequence[Tensor]) -> Tensor:
        """Return what is asked for of the hidden states of all steps, given in the order that they were taken."""
        if self.returns == "last":
            return hidden[-1]
        placed = hidden[::-1] if self.reverse else hidden
        return graph.apply(Stack(len(hidden), (self.units,)), placed, self.name)
