"""What a network asks of any chip for one sample, from its programs: products, outer products, kinds of layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archsim.learning.functions import words
from archsim.networks.file import AnyNetwork, file_of
from archsim.networks.network import Network

WHOLE = "whole chip"
"""Kind of what is booked under no layer: memories and circuits that are powered as long as a step takes."""
PRODUCTS = ("multiply", "multiply_transposed")


@dataclass(frozen=True)
class Asked:
    """What a training step asks, a sample.

    Parameters
    ----------
    macs : phase -> multiply-accumulates of products, and of outer products in "update", zeros included
    vectors : int
        That pass a matrix on the way forward.
    matrices, weights, parameters : int
        Of the network; parameters learn in digital.
    batch : int
        Samples of a step.
    """

    macs: Mapping[str, int]
    vectors: int
    matrices: int
    weights: int
    parameters: int
    batch: int

    @property
    def total(self) -> int:
        """All multiply-accumulates."""
        return sum(self.macs.values())

    @property
    def uses(self) -> float:
        """Multiply-accumulates a weight and sample."""
        return self.total / self.weights


def asked(network: Network, batch: int) -> Asked:
    """Return what the programs of a network's training step ask."""
    macs, vectors = {"forward": 0, "backward": 0, "update": 0}, 0
    for program in network.training:
        for phase, calls in program.phases:
            for call in calls:
                if not isinstance(call.target, str) or call.verb not in {*PRODUCTS, "accumulate"}:
                    continue
                positions = words(program.tensors[call.inputs[0]].shape[:-1])
                macs[phase] += positions * network.graph.matrices[call.target].weights
                vectors += positions if phase == "forward" else 0
    return Asked(
        macs=macs, vectors=vectors, matrices=len(network.matrices), weights=network.weights,
        parameters=network.parameter_words, batch=batch,
    )  # fmt: skip


def recorded(run: Mapping[str, Any]) -> tuple[AnyNetwork, Asked]:
    """Return what a run.yaml says of its network, and what that asks."""
    told = file_of(run["workload"]["network"])
    return told, asked(told.build(), run["workload"]["training"]["batch"])


def kind_of(told: AnyNetwork, name: str) -> str:
    """Return the kind of the layer, or of the part of one, under whose name something is booked."""
    layer = told.layer(name)
    return WHOLE if layer is None else layer.kind_of(name)
