"""Full scales: those of ADCs, which follow what they convert; and whose inputs stay within that of the DACs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import Arrays, stored
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture, TrackedFile
from archsim.networks.graph import Product
from archsim.networks.network import Network
from archsim.networks.program import Call

ROOM = 1.01
"""Inputs within so many full scales of the DACs are driven as they are: the largest are clipped by a hundredth."""


class Ranges:
    """Full scales of one matrix's ADCs, forward and backward, as sums of input times weight.

    Parameters
    ----------
    file : TrackedFile or None
        How they follow; they stay as they are without it.
    forward, backward : float
        Where they begin.
    """

    def __init__(self, file: TrackedFile | None, forward: float, backward: float) -> None:
        self._file = file
        self._scales = np.array([forward, backward])
        self._samples = np.zeros(2, np.int64)  # in all, and since the last look

    def __getitem__(self, backward: bool) -> float:
        """Return the full scale of a direction."""
        return float(self._scales[int(backward)])

    @property
    def tracked(self) -> bool:
        """Whether full scales follow at all; else they stay what the tiles were built with."""
        return self._file is not None

    @property
    def due(self) -> bool:
        """Whether the next results are to be looked at: all the first samples, then once every so many."""
        return self._file is not None and (
            self._samples[0] < self._file.every or self._samples[1] >= self._file.every
        )  # fmt: skip

    def follow(self, spread: float, *, backward: bool) -> None:
        """Set a direction's full scale by the root mean square of its results, if they are not all zero."""
        if self._file is not None and spread > 0:
            self._scales[int(backward)] = self._file.deviations * spread

    def steady(self, samples: int, *, looks: bool) -> float:
        """Be as after long training, before a step of so many samples that looks at its results or not.

        Returns
        -------
        float : the share of all steps that do.
        """
        if self._file is None:
            return 0.0
        every = self._file.every
        self._samples[:] = every, every if looks else 0
        return 1.0 / (-(-every // samples) + 1)

    def count(self, samples: int) -> None:
        """Note that a batch is done."""
        self._samples[1] = 0 if self.due else self._samples[1] + samples
        self._samples[0] += samples

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return full scales and counters, views."""
        return {"scales": self._scales, "samples": self._samples}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        for name, mine in self.arrays().items():
            mine[...] = stored(name, mine, arrays)


def within_full_scale(architecture: CrossbarArchitecture, network: Network) -> frozenset[str]:
    """Return the matrices whose inputs drive the lines as they are: all known to stay within full scale."""
    dac = architecture.tile.dac
    if dac.input_scale != "bounded":
        return frozenset()
    graph, loose = network.graph, set()
    for node in graph.nodes:
        if isinstance(node.what, Product):
            bound = graph.tensors[node.inputs[0]].bound
            if node.what.transposed or bound is None or bound > ROOM * dac.full_scale:
                loose.add(node.what.matrix)
    for matrix in network.fixed:
        read = graph.tensors.get(matrix.of) if matrix.role == "classifier" else None
        if read is None or read.bound is None or read.bound > ROOM * dac.full_scale:
            loose.add(matrix.name)
    return frozenset(graph.matrices) - loose


def by_largest(architecture: CrossbarArchitecture, network: Network, call: Call) -> bool:
    """Whether a call's operands are divided by the largest element of the whole batch."""
    dac = architecture.tile.dac
    matrix = network.graph.matrices.get(str(call.target))
    inputs = dac.input_scale != "vector" and call.target not in within_full_scale(architecture, network)
    errors = dac.error_scale != "vector"
    if matrix is not None and not matrix.learns:
        if matrix.role == "signs" or architecture.feedback.at != "tiles":
            return False
        inputs = errors if matrix.role == "feedback" else inputs
    asked = {"multiply": inputs, "multiply_transposed": errors, "accumulate": inputs or errors}
    return asked.get(call.verb, False)
