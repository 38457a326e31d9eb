"""Direct feedback alignment: the loss's error reaches each layer by a fixed random matrix of its own.

Noekland, Direct Feedback Alignment Provides Learning in Deep Neural Networks, NeurIPS 2016 (arXiv:1609.01596).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from archsim.networks.graph import Graph, Tensor
from archsim.networks.program import Program
from archsim.networks.rules.base import Rule, Spread
from archsim.networks.rules.cuts import Between, Cut, cuts, error_shape
from archsim.networks.rules.writer import Loss, Writer, needed


class DirectFeedbackAlignment(Rule):
    """No error passes a product: what products read gets the error of the loss times a random matrix of its own.

    `spread` is the standard deviation of its elements: by default 1 over the root of the errors' number. For layers in
    a chain, each with one product, convolutions among them; not for recurrent ones, attention and residuals. Calls of
    different layers could be done side by side; they are done one after the other, as in every program.
    """

    kind: Literal["direct-feedback-alignment"]
    spread: Spread | None = None

    def derive(self, graph: Graph, loss: Loss, outputs: Sequence[str]) -> tuple[Graph, Program]:
        """Return the graph with a random matrix for each hidden result, and the program."""
        learning = graph.learning - graph.tracks.keys()
        writer = Writer(graph, passes=False)
        nodes = needed(graph.nodes, [loss.output, *outputs])
        led = writer.reached(nodes, learning)
        own = {
            cut.tensor.name: (cut, Between.of(cut, error_shape(graph, loss), "feedback", self.spread, self.kind))
            for cut in cuts(graph, nodes, led, self.kind)
        }  # fmt: skip
        writer.forward(nodes)
        phases = [("forward", writer.take())]
        error = writer.error(loss)

        def projected(cut: Cut, between: Between) -> Callable[[], int]:
            def write() -> int:
                tensor = Tensor(f"d {cut.tensor.name}", between.whole)
                number = writer.add("multiply", between.matrix.name, (error,), tensor, cut.node.layer)
                return between.shaped(writer, cut, number, back=True)

            return write

        aside = {name: projected(*each) for name, each in own.items()}
        writer.backward(nodes, [(loss.at, error)], learning, led=led, aside=aside)
        phases.append(("backward", writer.take()))
        writer.check(learning)
        writer.update(learning, loss.positions)
        writer.track(graph.learning)
        phases.append(("update", writer.take()))
        writer.maintain(learning)
        phases.append(("refresh", writer.take()))
        extra = {between.matrix.name: between.matrix for _, between in own.values()}
        program = writer.program("training", tuple(phases), outputs)
        return replace(graph, matrices={**graph.matrices, **extra}), program
