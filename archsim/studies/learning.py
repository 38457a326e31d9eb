"""What a learning rule needs of a chip beside what backpropagation does, told of a workload."""

from __future__ import annotations

from typing import Any

from archsim.chips.architecture import Architecture
from archsim.chips.fitting.placement import place
from archsim.networks.file import NetworkFile
from archsim.networks.graph import Matrix
from archsim.networks.network import Network
from archsim.runs.workload import Workload

BACKPROPAGATION = "backpropagation"


def rule_lines(read: Workload, network: Network, architecture: Architecture) -> list[str]:
    """Return what a learning rule other than backpropagation needs beside the weights; nothing for that."""
    kind = rule_of(read)
    if kind == BACKPROPAGATION:
        return []
    lines = ["", f"It learns by {kind}; a training step keeps {_most(network):,} words of a sample at once."]
    for matrix in network.fixed:
        where = "a memory, a bit each" if matrix.role == "signs" else _home_of(matrix, architecture)
        lines.append(f"  {matrix.name}  {matrix.rows}x{matrix.columns} {matrix.role}, in {where}")
    return lines


def rule_content(read: Workload, network: Network) -> dict[str, Any]:
    """Return the learning rule, the words of a sample kept at once, and its matrices beside the weights, as JSON."""
    fixed = [{"name": each.name, "shape": list(each.shape), "role": each.role} for each in network.fixed]
    return {"learning": rule_of(read), "words_alive": _most(network), "matrices_beside": fixed}


def rule_of(read: Workload) -> str:
    """Return the name of the learning rule of a workload's network."""
    return read.network.learning.kind if isinstance(read.network, NetworkFile) else BACKPROPAGATION


def _most(network: Network) -> int:
    return max(program.words_alive() for program in network.training)


def _home_of(matrix: Matrix, architecture: Architecture) -> str:
    """Return where an architecture has random matrices, in words."""
    at = architecture.feedback.at if architecture.feedback else "memory"
    if at == "tiles":
        tile: Any = getattr(architecture, "tile", None)
        [grid] = place({matrix.name: matrix.shape}, rows=tile.rows, columns=tile.columns).values()
        return f"{grid.tiles} tile{'s' if grid.tiles > 1 else ''} of {architecture.name}"
    return f"{'a memory' if at == 'memory' else 'no memory: a generator makes it'} on {architecture.name}"
