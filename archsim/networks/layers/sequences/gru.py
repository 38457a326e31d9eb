"""Gated recurrent units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.learning.moves import AppendOne
from archsim.learning.sequences.recurrence import GruStep, Hidden
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.sequences.recurrent import RecurrentLayer


class Gru(RecurrentLayer):
    """Two matrices: NAME-input for (x, 1), all steps at once, NAME-state for (h, 1) step by step; one pass over gates.

    The columns of the one are n, r, z, those of the other r, z, n.
    """

    kind: Literal["gru"] = "gru"

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add the product of all inputs, then a product and a step of the state for each step of the sequence."""
        [x] = xs
        self.check(x)
        n, name = self.units, self.name
        h = first = self.before(graph, x, "h", bound=1.0)
        if self.bias:
            x = graph.apply(AppendOne(x.shape), [x], name)
        of_input = graph.matrix(f"{name}-input", x.shape[-1], 3 * n, rate=self.rate, initial_std=self.initial_std)
        of_state = graph.matrix(f"{name}-state", n + self.bias, 3 * n, rate=self.rate, initial_std=self.initial_std)
        gates, step, hidden = graph.product(of_input, x, of_input.name), GruStep(n), []
        for own in self.steps(graph, gates):
            given = graph.apply(AppendOne(h.shape), [h], name) if self.bias else h
            y = graph.apply(step, [own, graph.product(of_state, given, of_state.name), h], name)
            h = graph.apply(Hidden(y.shape[0], n), [y], name)
            hidden.append(h)
        if self.carry:
            graph.carry(first, h)
        return self.result(graph, hidden)
