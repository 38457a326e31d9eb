"""A measured machine beside the estimated chips: a line of reference, not simulated."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from archsim.base.files import shipped
from archsim.base.yamlfile import FileRecord, quantity, read, validate
from archsim.learning.functions import words
from archsim.networks.network import Network
from archsim.networks.program import Program

PRODUCTS = frozenset({"multiply", "multiply_transposed", "accumulate"})
"""Verbs that take a multiply-accumulate for each weight and vector."""
MACHINE = "h100-node"


class MeasuredFile(FileRecord):
    """A machine's measured power and its rated rate, whose quotient is the least that an operation takes."""

    kind: Literal["measured"]
    name: str
    title: str
    power: Annotated[float, quantity("W")]
    rate: Annotated[float, quantity("1/s")]
    source: str
    where: str


def machine() -> MeasuredFile:
    """Return the machine that ships."""
    return validate(read(shipped("tech_params") / "measured" / f"{MACHINE}.yaml"), MeasuredFile)


def reference(network: Network) -> dict[str, Any]:
    """Return the least that a training step and an inference of a sample take on the measured machine [J]."""
    found = machine()
    least = found.power / found.rate
    return {
        "name": found.name,
        "title": found.title,
        "simulated": False,
        "J_per_operation_at_least": least,
        "training_J_per_sample_at_least": 2 * macs(network, training=True) * least,
        "inference_J_per_sample_at_least": 2 * macs(network, training=False) * least,
        "source": found.source,
        "where": found.where,
    }


def macs(network: Network, *, training: bool) -> int:
    """Return the multiply-accumulates of products of one sample: forward alone, or all of a training step."""
    programs = network.training if training else [network.inference]
    return sum(_macs(program, network) for program in programs)


def _macs(program: Program, network: Network) -> int:
    return sum(
        words(program.tensors[call.inputs[0]].shape[:-1]) * network.graph.matrices[cast("str", call.target)].weights
        for call in program.calls
        if call.verb in PRODUCTS
    )
