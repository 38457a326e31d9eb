"""Where errors end before they pass a product: the results of layers that further products read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from archsim.learning.functions import Function, Reshape, Shape, words
from archsim.networks.faults import NamedFault
from archsim.networks.graph import Graph, Matrix, Node, Product, Role, Tensor
from archsim.networks.rules.writer import Loss, Writer


@dataclass(frozen=True, slots=True)
class Cut:
    """A tensor that products read, the node that writes it, and a name of its own."""

    tensor: Tensor
    node: Node
    name: str


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
        For a matrix of more than one product, and for a tensor that not only products read: neither rule says what
        comes of those.
    """
    makers = {node.output: node for node in nodes}
    readers: dict[str, list[Node]] = {}
    seen: set[str] = set()
    for node in nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
        if isinstance(node.what, Product):
            if node.what.matrix in seen:
                raise NamedFault(
                    f"{rule} of {node.layer}, whose matrix {node.what.matrix} has several products: expected one "
                    "product a matrix, as in dense and convolutional layers", node.layer,
                )  # fmt: skip
            seen.add(node.what.matrix)
    found: dict[str, Node] = {}
    for node in nodes:
        if not isinstance(node.what, Product) or node.inputs[0] not in led:
            continue
        name = node.inputs[0]
        while name in makers and _names_anew(makers[name]):
            [name] = makers[name].inputs
        _only_products(name, readers, rule)
        found[name] = makers[name]
    many = Counter(node.layer for node in found.values())
    return [
        Cut(graph.tensors[name], node, node.layer if many[node.layer] == 1 else f"{node.layer}-{number}")
        for number, (name, node) in enumerate((node.output, node) for node in nodes if node.output in found)
    ]


def _names_anew(node: Node) -> bool:
    return isinstance(node.what, Function) and node.what.cost.free and len(node.inputs) == 1


def _only_products(name: str, readers: dict[str, list[Node]], rule: str) -> None:
    """Refuse a tensor that something other than a product reads, under this name or another one of the same words."""
    for node in readers.get(name, []):
        if _names_anew(node):
            _only_products(node.output, readers, rule)
        elif not isinstance(node.what, Product):
            raise NamedFault(
                f"{rule} into what {node.layer} reads, beside a product or in the place of one: expected layers in "
                "a chain, each read by products alone", node.layer,
            )  # fmt: skip


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
