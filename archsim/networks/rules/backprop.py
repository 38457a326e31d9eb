"""Programs of backpropagation: the forward pass, the gradients in reverse, and what each matrix learns from them.

Gradients are descent directions: what a loss says of its tensor is minus the slope, and all that follows is linear.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

from archsim.base.errors import ModelError
from archsim.networks.graph import Graph
from archsim.networks.program import Program
from archsim.networks.rules.base import Rule
from archsim.networks.rules.writer import Loss, Writer, needed


class Backpropagation(Rule):
    """Errors pass each product by the transposed matrix."""

    kind: Literal["backpropagation"]

    def derive(self, graph: Graph, loss: Loss, outputs: Sequence[str]) -> tuple[Graph, Program]:
        """Return the graph as it is, and the program."""
        return graph, training(graph, [loss], outputs=outputs)


def forward(graph: Graph, outputs: Sequence[str], phase: str = "forward") -> Program:
    """Return the program that computes some tensors, and no others than it needs for them, where nothing is trained."""
    writer = Writer(graph)
    writer.forward(needed([node.inference or node for node in graph.nodes], outputs))
    return writer.program("inference", ((phase, writer.take()),), outputs)


def training(
    graph: Graph, losses: Sequence[Loss], *, outputs: Sequence[str] = (), update: Collection[str] | None = None,
    name: str = "training", stand_ins: Mapping[str, str] | None = None,
) -> Program:  # fmt: skip
    """Return the program of one training step.

    Parameters
    ----------
    losses : sequence of Loss
        Their errors are added.
    outputs : names of tensors that are kept as results
    update : names of the matrices and parameters that learn, or follow a tensor; all of them by default
    name : str
        Of the program.
    stand_ins : matrix -> name of another, of its transposed shape, optional
        Through which errors pass in its place.

    Raises
    ------
    ModelError
        If there is no loss, losses are means over unlike numbers of positions, or a matrix that shall learn gets no
        error.
    """
    if not losses:
        raise ModelError("a training without a loss")
    if len(counts := {loss.positions for loss in losses}) > 1:
        raise ModelError(f"losses over {', '.join(map(str, sorted(counts)))} positions in one training; expected equal")
    [positions] = counts
    moving = graph.learning if update is None else set(update)
    learning = moving - graph.tracks.keys()
    writer = Writer(graph, stand_ins or {})
    nodes = needed(graph.nodes, [*(loss.output for loss in losses), *outputs])
    writer.forward(nodes)
    phases = [("forward", writer.take())]
    writer.backward(nodes, [(loss.at, writer.error(loss)) for loss in losses], learning)
    phases.append(("backward", writer.take()))
    writer.check(learning)
    writer.update(learning, positions)
    writer.track(moving)
    phases.append(("update", writer.take()))
    writer.maintain(learning)
    phases.append(("refresh", writer.take()))
    return writer.program(name, tuple(phases), outputs)
