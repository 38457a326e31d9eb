"""Local losses: each hidden layer learns from a fixed random classifier of its own result; no error leaves a layer.

Mostafa, Ramesh and Cauwenberghs, Deep Supervised Learning Using Local Errors, Front. Neurosci. 12:608 (2018), with
fixed random classifiers, as there; their error comes back by the classifier's own transposed matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from archsim.learning.functions import Function
from archsim.networks.faults import NamedFault
from archsim.networks.graph import Graph, Node, Tensor
from archsim.networks.program import Call, Program
from archsim.networks.rules.base import Rule, Spread
from archsim.networks.rules.cuts import Between, Cut, cuts, error_shape
from archsim.networks.rules.writer import Loss, Writer, needed


class LocalLosses(Rule):
    """Each hidden result is classified by a fixed random matrix, as the output is, and its layer learns from that loss.

    A layer learns as soon as its result is there, before the next one: what it needed is kept no longer. The phases of
    a step come again for each layer. `spread` is the standard deviation of a classifier's elements: by default 1 over
    the root of its rows. For layers in a chain, as direct feedback alignment.
    """

    kind: Literal["local-losses"]
    spread: Spread | None = None

    def derive(self, graph: Graph, loss: Loss, outputs: Sequence[str]) -> tuple[Graph, Program]:
        """Return the graph with a classifier for each hidden result, and the program."""
        learning = graph.learning - graph.tracks.keys()
        writer = Writer(graph, passes=False)
        nodes = needed(graph.nodes, [loss.output, *outputs])
        led = writer.reached(nodes, learning)
        phases: list[tuple[str, tuple[Call, ...]]] = []
        made = {}
        done: set[str] = set()
        for cut in cuts(graph, nodes, led, self.kind):
            between = Between.of(cut, error_shape(graph, loss), "classifier", self.spread, self.kind)
            made[between.matrix.name] = between.matrix
            done.update(node.output for node in cut.block)
            writer.forward(cut.block)
            phases.append(("forward", writer.take()))
            error = _classified(writer, loss, cut, between)
            phases += _learnt(writer, cut.block, (cut.tensor.name, error), learning, loss.positions, led)
            _alone(graph, cut.block, nodes, self.kind)
        last = [node for node in nodes if node.output not in done]
        writer.forward(last)
        phases.append(("forward", writer.take()))
        phases += _learnt(writer, last, (loss.at, writer.error(loss)), learning, loss.positions, led)
        writer.track(graph.learning)
        phases.append(("update", writer.take()))
        writer.check(learning)
        program = writer.program("training", tuple(phases), outputs)
        return replace(graph, matrices={**graph.matrices, **made}), program


def _alone(graph: Graph, block: Sequence[Node], nodes: Sequence[Node], rule: str) -> None:
    """Refuse a parameter that layers beyond a block read too: it would have to learn twice in a step."""
    own = {name for node in block for name in node.inputs if name in graph.parameters}
    for node in nodes:
        if node not in block and (shared := own.intersection(node.inputs)):
            raise NamedFault(
                f"{rule} of {node.layer}, whose {min(shared)} another layer learns too: expected a layer that learns "
                "by itself", node.layer,
            )  # fmt: skip


def _classified(writer: Writer, loss: Loss, cut: Cut, between: Between) -> int:
    """Write the classification of a hidden result, its loss's error, and the error of the result; return its number."""
    graph, layer = writer.graph, cut.node.layer
    hidden = between.shaped(writer, cut, writer.numbers[cut.tensor.name], back=False)
    shape = error_shape(graph, loss)
    number = writer.add("multiply", between.matrix.name, (hidden,), Tensor(f"{layer} class", shape), layer)
    maker = graph.producer(loss.output)
    if loss.at != loss.output and maker is not None and isinstance(maker.what, Function):
        number = writer.add("compute", maker.what, (number,), Tensor(f"{layer} said", shape), layer)
    error = writer.error(loss, (number, layer))
    back = Tensor(f"d {cut.tensor.name}", between.whole)
    found = writer.add("multiply_transposed", between.matrix.name, (error,), back, layer)
    return between.shaped(writer, cut, found, back=True)


def _learnt(
    writer: Writer, block: Sequence[Node], error: tuple[str, int], learning: set[str], positions: int, led: set[str]
) -> list[tuple[str, tuple[Call, ...]]]:
    """Write what a block learns from the error of its result; return the phases."""
    before = writer.uses.keys() | writer.slopes.keys()
    writer.backward(block, [error], learning, led=led)
    phases = [("backward", writer.take())]
    own = (writer.uses.keys() | writer.slopes.keys()) - before
    writer.update(own, positions)
    phases.append(("update", writer.take()))
    writer.maintain(own)
    return [*phases, ("refresh", writer.take())]
