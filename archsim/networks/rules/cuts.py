"""Where errors end before they pass a product: the results of layers that further products read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from archsim.learning.functions import Function, Reshape, Shape, words
from archsim.networks.faults import NamedFault
from archsim.networks.graph import Graph, Matrix, Node, Product, Role, Tensor
from archsim.networks.rules.writer import Loss, Writer, needed


@dataclass(frozen=True, slots=True)
class Cut:
    """A tensor that products read.

    Parameters
    ----------
    tensor : Tensor
    node : Node
        That writes it.
    name : str
        Its own: that of its layer, with a number where that has several.
    block : tuple of Node
        What is on the way to it, and not to a cut before.
    """

    tensor: Tensor
    node: Node
    name: str
    block: tuple[Node, ...]


def cuts(graph: Graph, nodes: Sequence[Node], led: Collection[str], rule: str) -> list[Cut]:
    """Return where an error comes in aside from the readers of a tensor, in the order of the forward pass.

    Parameters
    ----------
    nodes : of the forward pass
    led : names of tensors that depend on what learns
    rule : str
        Its name, for errors.

    Raises
    ------
    NamedFault
        For a matrix of more than one product, and for a layer that takes a result of an earlier one other than by a
        product, such as a sum of residuals: no rule of this kind says what comes of those.
    """
    seen: set[str] = set()
    for node in nodes:
        if isinstance(node.what, Product):
            if node.what.matrix in seen:
                raise NamedFault(
                    f"{rule} of {node.layer}, whose matrix {node.what.matrix} has several products: expected one "
                    "product a matrix, as in dense and convolutional layers", node.layer,
                )  # fmt: skip
            seen.add(node.what.matrix)
    homes = _homes(nodes)
    read = {homes[node.inputs[0]] for node in nodes if isinstance(node.what, Product) and node.inputs[0] in led}
    ends = [node for node in nodes if node.output in read]
    many, blocks = Counter(node.layer for node in ends), _blocks(nodes, ends)
    _only_products(graph, blocks, homes, rule)
    return [
        Cut(
            graph.tensors[node.output], node, node.layer if many[node.layer] == 1 else f"{node.layer}-{number}",
            tuple(block),
        )
        for number, (node, block) in enumerate(zip(ends, blocks, strict=False))
    ]  # fmt: skip


def _homes(nodes: Sequence[Node]) -> dict[str, str]:
    """Return tensor -> the one whose words it names anew, or itself."""
    homes = {name: name for node in nodes for name in node.inputs}
    for node in nodes:
        anew = isinstance(node.what, Function) and node.what.cost.free and len(node.inputs) == 1
        homes[node.output] = homes[node.inputs[0]] if anew else node.output
    return homes


def _blocks(nodes: Sequence[Node], ends: Sequence[Node]) -> list[list[Node]]:
    """Return what is on the way to each of some nodes and to none before, and what comes after them all."""
    done: set[str] = set()
    blocks = []
    for end in ends:
        blocks.append([node for node in needed(nodes, [end.output]) if node.output not in done])
        done.update(node.output for node in blocks[-1])
    return [*blocks, [node for node in nodes if node.output not in done]]


def _only_products(graph: Graph, blocks: Sequence[Sequence[Node]], homes: dict[str, str], rule: str) -> None:
    """Refuse that anything but a product takes a result of an earlier block, under any of its names."""
    earlier: set[str] = set()
    for block in blocks:
        for node in block:
            if isinstance(node.what, Product) or homes[node.output] != node.output:
                continue
            if early := [homes[name] for name in node.inputs if homes[name] in earlier]:
                raise NamedFault(
                    f"{rule} of {node.layer}, which takes {graph.tensors[early[0]].origin} other than by a product: "
                    "expected layers in a chain", node.layer,
                )  # fmt: skip
        earlier.update(node.output for node in block)


@dataclass(frozen=True, slots=True)
class Between:
    """A random matrix between a hidden tensor and one of the loss, and under which shape it takes the hidden one.

    It is taken whole where the loss has one vector; position by position where both have the same positions.
    """

    matrix: Matrix
    whole: Shape

    @classmethod
    def of(cls, cut: Cut, end: Shape, role: Role, spread: float | None, rule: str) -> Between:
        """Return a matrix from errors (role "feedback") to the cut, or from the cut to a classification.

        Its spread is 1 over the root of its rows, if none is given.

        Raises
        ------
        NamedFault
            If the shapes suit neither way.
        """
        shape = cut.tensor.shape
        if words(end[:-1]) == 1:
            whole: Shape = (*end[:-1], words(shape))
        elif shape[:-1] == end[:-1]:
            whole = shape
        else:
            raise NamedFault(
                f"{rule} between {cut.tensor.told}, and a loss of {'x'.join(map(str, end))}: expected a loss of one "
                "vector, or as many positions in both", cut.node.layer,
            )  # fmt: skip
        rows, columns = (end[-1], whole[-1]) if role == "feedback" else (whole[-1], end[-1])
        name = f"{cut.name}-{role}"
        std = spread or 1 / math.sqrt(rows)
        return cls(Matrix(name, rows, columns, std, role=role, of=cut.tensor.name), whole)

    def shaped(self, writer: Writer, cut: Cut, number: int, *, back: bool) -> int:
        """Write the hidden tensor, or its error on the way `back`, under the other of its two shapes."""
        own = cut.tensor.shape
        if own == self.whole:
            return number
        begin, end = (self.whole, own) if back else (own, self.whole)
        name = f"d {cut.tensor.name}" if back else f"{cut.tensor.name} whole"
        return writer.add("compute", Reshape(begin, end), (number,), Tensor(name, end), cut.node.layer)


def error_shape(graph: Graph, loss: Loss) -> Shape:
    """Return the shape of a loss's error."""
    return graph.tensors[loss.at].shape
