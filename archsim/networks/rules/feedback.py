"""Feedback alignment and sign-symmetric feedback: errors pass each product by another matrix than the transposed one.

Lillicrap et al., Nat. Commun. 7:13276 (2016): a random one that never changes. Liao, Leibo and Poggio, AAAI 2016: the
signs of the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from archsim.networks.graph import Graph, Matrix, Role
from archsim.networks.program import Program
from archsim.networks.rules.backprop import training
from archsim.networks.rules.base import Rule, Spread
from archsim.networks.rules.writer import Loss


def _stood_in(
    graph: Graph, loss: Loss, outputs: Sequence[str], role: Role, spread: float | None
) -> tuple[Graph, Program]:  # fmt: skip
    """Return graph and program where errors pass other matrices, of those only that an error passes."""
    made = {
        name: Matrix(f"{name}-{role}", each.columns, each.rows, spread or each.initial_std, role=role, of=name)
        for name, each in graph.matrices.items()
    }
    program = training(
        graph, [loss], outputs=outputs, stand_ins={name: matrix.name for name, matrix in made.items()}
    )  # fmt: skip
    passed = {call.target for call in program.calls}
    extra = {matrix.name: matrix for matrix in made.values() if matrix.name in passed}
    return replace(graph, matrices={**graph.matrices, **extra}), program


class FeedbackAlignment(Rule):
    """Errors pass each product by a fixed random matrix of the shape of the transposed one.

    `spread` is the standard deviation of its elements: by default that of the weights in whose place it stands.
    """

    kind: Literal["feedback-alignment"]
    spread: Spread | None = None

    def derive(self, graph: Graph, loss: Loss, outputs: Sequence[str]) -> tuple[Graph, Program]:
        """Return the graph with a random matrix for each that an error passes, and the program."""
        return _stood_in(graph, loss, outputs, "feedback", self.spread)


class SignSymmetric(Rule):
    """Errors pass each product by the signs of the transposed matrix, times `spread`.

    By default that is the standard deviation of the initial weights, so that errors are as large as at the start.
    """

    kind: Literal["sign-symmetric"]
    spread: Spread | None = None

    def derive(self, graph: Graph, loss: Loss, outputs: Sequence[str]) -> tuple[Graph, Program]:
        """Return the graph with a matrix of signs for each that an error passes, and the program."""
        return _stood_in(graph, loss, outputs, "signs", self.spread)
