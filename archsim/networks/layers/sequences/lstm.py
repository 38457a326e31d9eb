"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.learning.moves import AppendOne, Join, Slice
from archsim.learning.sequences.recurrence import Hidden, LstmStep
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.sequences.recurrent import RecurrentLayer


class Lstm(RecurrentLayer):
    """Each step one product of (h, x, 1) with one matrix, (units + size + 1, 4 units), and one pass over the gates.

    Its columns are the gates i, f, o, g, in this order.
    """

    kind: Literal["lstm"] = "lstm"

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add a product and a step of the state for each step of the sequence."""
        [x] = xs
        self.check(x)
        n, name = self.units, self.name
        h = first_h = self.before(graph, x, "h", bound=1.0)
        c = first_c = self.before(graph, x, "c")
        if self.bias:
            x = graph.apply(AppendOne(x.shape), [x], name)
        rows = n + x.shape[-1]
        matrix = graph.matrix(name, rows, 4 * n, rate=self.rate, initial_std=self.initial_std)
        join, step, hidden = Join([(n,), x.shape[1:]], 0), LstmStep(n), []
        for vector in self.steps(graph, x):
            z = graph.product(matrix, graph.apply(join, [h, vector], name), name)
            y = graph.apply(step, [z, c], name)
            h = graph.apply(Hidden(y.shape[0], n), [y], name)
            c = graph.apply(Slice(y.shape, 0, n, 2 * n), [y], name)
            hidden.append(h)
        if self.carry:
            graph.carry(first_h, h)
            graph.carry(first_c, c)
        return self.result(graph, hidden)
