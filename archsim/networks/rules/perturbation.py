"""Node and weight perturbation: a second, disturbed pass, and the difference of two losses; no error goes backwards.

Werfel, Xie and Seung, Learning Curves for Stochastic Gradient Descent in Linear Feedforward Networks, NeurIPS 2003,
compares both. Signs are drawn here in the place of normal numbers: as white, of the same variance.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from archsim.base.errors import ModelError
from archsim.learning.functions import Elementwise, Function
from archsim.learning.perturbations import Blame, Disturb, DisturbProduct, Signs
from archsim.networks.faults import NamedFault
from archsim.networks.graph import SEED_WORDS, SEEDS, Graph, Matrix, Node, Product, Tensor
from archsim.networks.program import Program
from archsim.networks.rules.base import Rule, Spread
from archsim.networks.rules.writer import Loss, Writer, needed


class Perturbation(Rule):
    """What both kinds have in common. For layers of dense products alone, one vector a sample.

    The second pass is booked as the backward one, in whose place it stands.
    """

    spread: Spread = 0.03

    @abstractmethod
    def disturbed(self, matrix: Matrix) -> tuple[Function, bool]:
        """Return what disturbs a product's result, given that, what it is of if said so, and seeds."""

    @abstractmethod
    def learnt(self, writer: Writer, node: Node, fall: int, seeds: int) -> tuple[int, int]:
        """Write what a product's matrix learns from, rows and columns, by what the loss fell; return their numbers."""

    def derive(self, graph: Graph, loss: Loss, outputs: Sequence[str]) -> tuple[Graph, Program]:
        """Return the graph with seeds among its feeds, and the program."""
        graph = _seeded(graph)
        nodes = needed(graph.nodes, [loss.output, *outputs])
        products = _products(graph, nodes, loss, self.kind)
        learning = graph.learning
        writer = Writer(graph)
        writer.forward(nodes)
        if SEEDS not in writer.numbers:
            writer.receive(SEEDS, nodes[0].layer)
        first = self._lost(writer, loss, writer.numbers[loss.output])
        phases = [("forward", writer.take())]
        again = self._again(writer, nodes)
        second = self._lost(writer, loss, again)
        layer, seeds = nodes[-1].layer, writer.numbers[SEEDS]
        fell = writer.add("compute", Elementwise("difference", (1,)), (first, second), Tensor("fall", (1,)), layer)
        phases.append(("backward", writer.take()))
        for node, product in products:
            writer.uses[product.matrix] = [(*self.learnt(writer, node, fell, seeds), node.layer)]
            writer.update({product.matrix})
        writer.check(learning)
        phases.append(("update", writer.take()))
        writer.maintain(learning)
        phases.append(("refresh", writer.take()))
        return graph, writer.program("training", tuple(phases), outputs)

    def _again(self, writer: Writer, nodes: Sequence[Node]) -> int:
        """Write the second pass; return the number of its last result."""
        graph = writer.graph
        other = dict(writer.numbers)
        for node in nodes:
            inputs = tuple(other[name] for name in node.inputs)
            number = writer.node(node, inputs, graph.tensors[node.output])
            if isinstance(node.what, Product):
                function, takes_input = self.disturbed(graph.matrices[node.what.matrix])
                taken = (number, *(inputs if takes_input else ()), writer.numbers[SEEDS])
                number = writer.add("compute", function, taken, graph.tensors[node.output], node.layer)
            other[node.output] = number
        return other[nodes[-1].output]

    @staticmethod
    def _lost(writer: Writer, loss: Loss, output: int) -> int:
        maker = writer.graph.producer(loss.output)
        if loss.value is None or maker is None:
            raise ModelError("a loss without a value")
        inputs = (writer.feed(loss.target), output)
        return writer.add("compute", loss.value, inputs, Tensor("loss", (1,)), maker.layer)


class NodePerturbation(Perturbation):
    """Each product's result is disturbed by random signs times `spread`; inputs are kept for the update."""

    kind: Literal["node-perturbation"]

    def disturbed(self, matrix: Matrix) -> tuple[Function, bool]:
        """Return that signs are added to the result."""
        return Disturb((matrix.columns,), self.spread, matrix.name), False

    def learnt(self, writer: Writer, node: Node, fall: int, seeds: int) -> tuple[int, int]:
        """Write the undisturbed inputs, and what the loss fell by under the signs of the outputs."""
        shape = writer.graph.tensors[node.output].shape
        blame = Blame(shape, self.spread, _matrix(node))
        d = writer.add("compute", blame, (fall, seeds), Tensor(f"d {node.output}", shape), node.layer)
        return writer.numbers[node.inputs[0]], d


class WeightPerturbation(Perturbation):
    """Weights are disturbed by `spread` times the products of random signs of rows and columns; no input is kept.

    A matrix of such products is as white as one of signs drawn one by one, and needs no writing of weights: the
    disturbance is added to the product in digital, and what is learnt is an outer product again.
    """

    kind: Literal["weight-perturbation"]

    def disturbed(self, matrix: Matrix) -> tuple[Function, bool]:
        """Return that the product is disturbed as if the weights were."""
        return DisturbProduct(matrix.rows, matrix.columns, self.spread, matrix.name), True

    def learnt(self, writer: Writer, node: Node, fall: int, seeds: int) -> tuple[int, int]:
        """Write the signs of the rows, and what the loss fell by under those of the columns."""
        name, layer = _matrix(node), node.layer
        x, y = (writer.graph.tensors[each].shape for each in (node.inputs[0], node.output))
        rows = writer.add("compute", Signs(x, f"{name} rows"), (seeds,), Tensor(f"signs {name}", x), layer)
        blame = Blame(y, self.spread, f"{name} columns")
        d = writer.add("compute", blame, (fall, seeds), Tensor(f"d {node.output}", y), layer)
        return rows, d


def _matrix(node: Node) -> str:
    return node.what.matrix if isinstance(node.what, Product) else ""


def _seeded(graph: Graph) -> Graph:
    """Return the graph with seeds among its feeds."""
    if SEEDS in graph.tensors:
        return graph
    tensors = {**graph.tensors, SEEDS: Tensor(SEEDS, (SEED_WORDS,))}
    return replace(graph, feeds=(*graph.feeds, SEEDS), tensors=tensors)


def _products(graph: Graph, nodes: Sequence[Node], loss: Loss, rule: str) -> list[tuple[Node, Product]]:
    """Return the nodes with products.

    Raises
    ------
    NamedFault
        For anything that a perceptron has not.
    """
    if learning := [name for name in graph.parameters if name not in graph.tracks]:
        raise NamedFault(
            f"{rule} of {learning[0]}, a parameter in digital: expected dense layers alone", learning[0]
        )  # fmt: skip
    found: dict[str, tuple[Node, Product]] = {}
    for node in nodes:
        if not isinstance(node.what, Product):
            continue
        one = len(graph.tensors[node.output].shape) == 1
        if not one or node.what.transposed or node.what.matrix in found or loss.positions > 1:
            raise NamedFault(
                f"{rule} of {node.layer}: expected dense layers alone, each of one vector a sample and with a matrix "
                "of its own", node.layer,
            )  # fmt: skip
        found[node.what.matrix] = node, node.what
    return list(found.values())
