"""Recurrent layers without gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from archsim.learning.moves import AppendOne, Join
from archsim.networks.builder import Builder
from archsim.networks.graph import Tensor
from archsim.networks.layers.sequences.recurrent import RecurrentLayer


class Rnn(RecurrentLayer):
    """h' = f((h, x, 1) W): each step one product with one matrix, (units + size + 1, units), and its activation.

    The equation is that of PyTorch's RNN, whose two biases are one here.
    """

    kind: Literal["rnn"] = "rnn"
    activation: Literal["tanh", "relu"] = "tanh"

    def build(self, graph: Builder, xs: Sequence[Tensor]) -> Tensor:
        """Add a product and an activation for each step of the sequence."""
        [x] = xs
        self.check(x)
        n, name = self.units, self.name
        h = first = self.before(graph, x, "h", bound=1.0 if self.activation == "tanh" else None)
        if self.bias:
            x = graph.apply(AppendOne(x.shape), [x], name)
        matrix = graph.matrix(name, n + x.shape[-1], n, rate=self.rate, initial_std=self.initial_std)
        join, hidden = Join([(n,), x.shape[1:]], 0), []
        for vector in self.steps(graph, x):
            z = graph.product(matrix, graph.apply(join, [h, vector], name), name)
            h = graph.activate(self.activation, z, name)
            hidden.append(h)
        if self.carry:
            graph.carry(first, h)
        return self.result(graph, hidden)
