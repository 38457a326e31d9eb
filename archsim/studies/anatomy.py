"""What a network is made of: its layers, and its nodes in order, with what each takes; repeated steps told once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from archsim.chips.architecture import Architecture
from archsim.chips.fitting.placement import place
from archsim.learning.functions import words
from archsim.networks.graph import Graph, Node, Product
from archsim.networks.network import Network

LEAST = 3
"""Steps alike, one after the other, that are told as one."""
LONGEST = 80
"""Nodes of a step, at most."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of a sample's forward pass.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of what it gives.
    macs : int
        Multiply-accumulates of its products.
    weights, parameters : int
        Of matrices, and numbers that learn in digital, where they are named first.
    tiles : int or None
        That its matrices take; None on a chip without.
    """

    name: str
    shape: tuple[int, ...]
    macs: int
    weights: int
    parameters: int
    tiles: int | None


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node of the forward pass, or all of its repetitions.

    Parameters
    ----------
    layer, what : str
    shape : tuple of int
        Of what it writes.
    macs, weights, tiles : as for a layer, of one repetition; 0 for a function
    matrix : str or None
        The one that a product names.
    times : int
        Repetitions.
    reads : tuple of int
        Rows that it reads, below 0 the feeds; of itself and later rows, what they wrote one repetition before.
    """

    layer: str
    what: str
    shape: tuple[int, ...]
    macs: int
    weights: int
    matrix: str | None
    tiles: int | None
    times: int
    reads: tuple[int, ...]


@dataclass(frozen=True)
class Anatomy:
    """A network in rows; `folds` are the rows (first, last) of steps that are repeated."""

    feeds: tuple[tuple[str, tuple[int, ...]], ...]
    layers: tuple[LayerRow, ...]
    nodes: tuple[NodeRow, ...]
    folds: tuple[tuple[int, int], ...]
    architecture: str | None

    def content(self) -> dict[str, Any]:
        """Return what `--json` says."""
        return {
            "feeds": {name: list(shape) for name, shape in self.feeds},
            "layers": [asdict(layer) for layer in self.layers], "nodes": [asdict(node) for node in self.nodes],
            "multiply_accumulates": sum(layer.macs for layer in self.layers),
            "weights": sum(layer.weights for layer in self.layers), "tiles_on": self.architecture,
        }  # fmt: skip


def anatomy(network: Network, architecture: Architecture | None = None) -> Anatomy:
    """Return what a network is made of, and the tiles that its matrices take on a chip.

    Parameters
    ----------
    network : Network
    architecture : Architecture, optional
        A chip; without tiles in its file, none are told.
    """
    graph, tiles = network.graph, _tiles(network, architecture)
    kept, owner = _folded(graph)
    reads = {name: -1 - k for k, name in enumerate(graph.feeds)}
    row_of = {graph.nodes[k].output: owner[k] for k in range(len(graph.nodes))} | reads
    nodes, seen = [], set[str]()
    for first, times, step in kept:
        node = graph.nodes[first]
        inputs = list(node.inputs)
        if times > 1:  # the second repetition reads what the first one wrote
            inputs += graph.nodes[first + step].inputs
        matrix = node.what.matrix if isinstance(node.what, Product) else None
        nodes.append(
            NodeRow(
                layer=node.layer, what=_named(node), shape=graph.tensors[node.output].shape, macs=_macs(graph, node),
                weights=graph.matrices[matrix].weights if matrix else 0, matrix=matrix,
                tiles=tiles.get(matrix or ""), times=times,
                reads=tuple(dict.fromkeys(row_of[name] for name in inputs if name in row_of)),
            )
        )  # fmt: skip
    layers = [_layer(graph, name, tiles, seen) for name in dict.fromkeys(node.layer for node in graph.nodes)]
    return Anatomy(
        feeds=tuple((name, graph.tensors[name].shape) for name in graph.feeds), layers=tuple(layers),
        nodes=tuple(nodes), folds=_folds(kept), architecture=architecture.name if tiles and architecture else None,
    )  # fmt: skip


def _tiles(network: Network, architecture: Architecture | None) -> dict[str, int]:
    """Return the tiles that each matrix takes; none on a chip without."""
    tile = getattr(architecture, "tile", None)
    if tile is None:
        return {}
    return {name: grid.tiles for name, grid in place(network.shapes, rows=tile.rows, columns=tile.columns).items()}


def _macs(graph: Graph, node: Node) -> int:
    if not isinstance(node.what, Product):
        return 0
    return words(graph.tensors[node.inputs[0]].shape[:-1]) * graph.matrices[node.what.matrix].weights


def _layer(graph: Graph, name: str, tiles: Mapping[str, int], seen: set[str]) -> LayerRow:
    """Return the row of a layer; adds to `seen` the matrices and parameters that it names first."""
    nodes = [node for node in graph.nodes if node.layer == name]
    named = dict.fromkeys(node.what.matrix for node in nodes if isinstance(node.what, Product))
    read = dict.fromkeys(each for node in nodes for each in node.inputs if each in graph.parameters)
    matrices, parameters = ([each for each in found if each not in seen] for found in (named, read))
    seen.update(matrices, parameters)
    return LayerRow(
        name=name, shape=graph.tensors[nodes[-1].output].shape, macs=sum(_macs(graph, node) for node in nodes),
        weights=sum(graph.matrices[each].weights for each in matrices),
        parameters=sum(words(graph.parameters[each].shape) for each in parameters),
        tiles=sum(tiles[each] for each in matrices) if tiles else None,
    )  # fmt: skip


def _named(node: Node) -> str:
    """Return what a node does, without the shapes, which stand beside it."""
    if isinstance(node.what, Product):
        return f"x {node.what.matrix}^T" if node.what.transposed else f"x {node.what.matrix}"
    name = str(node.what).partition("(")[0].strip()
    return re.sub(r"^row \d+$", "row t", name)


def _alike(node: Node) -> tuple[str, str]:
    """Return what two repetitions of a node have in common; which row of its operand it takes is left out."""
    return node.layer, re.sub(r"^row \d+", "row", str(node.what))


def _folded(graph: Graph) -> tuple[list[tuple[int, int, int]], dict[int, int]]:
    """Return (node, times, nodes from one repetition to the next) of each row, and the row of every node."""
    marks = [_alike(node) for node in graph.nodes]
    kept: list[tuple[int, int, int]] = []
    owner: dict[int, int] = {}
    at = 0
    while at < len(marks):
        step, times = _repeated(marks, at)
        first = len(kept)
        kept += [(at + k, times, step) for k in range(step)]
        owner |= {at + k: first + k % step for k in range(step * times)}
        at += step * times
    return kept, owner


def _repeated(marks: Sequence[tuple[str, str]], at: int) -> tuple[int, int]:
    """Return the nodes of the shortest step that is repeated from a node on, and how often; (1, 1) without."""
    for step in range(1, min(LONGEST, (len(marks) - at) // LEAST) + 1):
        times = 1
        while marks[at + times * step : at + (times + 1) * step] == marks[at : at + step]:
            times += 1
        if times >= LEAST:
            return step, times
    return 1, 1


def _folds(kept: Sequence[tuple[int, int, int]]) -> tuple[tuple[int, int], ...]:
    found, row = [], 0
    while row < len(kept):
        _, times, step = kept[row]
        if times > 1:
            found.append((row, row + step - 1))
        row += step if times > 1 else 1
    return tuple(found)
