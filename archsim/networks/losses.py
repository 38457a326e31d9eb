"""Losses: what they say of an output, and where in the graph their error enters."""

from __future__ import annotations

from typing import Literal

from archsim.base.errors import ModelError
from archsim.learning.functions import Elementwise, Function, words
from archsim.learning.reductions import LossValue
from archsim.networks.graph import Graph, Tensor
from archsim.networks.rules.writer import Loss

LossName = Literal["squared", "cross-entropy", "binary-cross-entropy"]

_FUSED = {
    ("squared", "sigmoid"): "sigmoid-error",
    ("cross-entropy", "softmax"): "difference",
    ("binary-cross-entropy", "sigmoid"): "difference",
}
"""(Loss, last activation) -> operation of (target, output) that gives the error before the activation."""
_PLAIN = {"squared": "difference"}


def loss(name: LossName, graph: Graph, output: Tensor, target: str) -> Loss:
    """Return a loss of an output against a fed target of its shape.

    It is the mean over positions: all that learns from it divides its rate by their number.

    Where loss and last activation have a common, shorter derivative, the error enters before the activation.

    Raises
    ------
    ModelError
        If the loss cannot follow the output's activation.
    """
    maker, positions = graph.producer(output.name), words(output.shape[:-1])
    activation = maker.what.name if maker is not None and isinstance(maker.what, Function) else "linear"
    value = LossValue(name, output.shape)
    if maker is not None and (fused := _FUSED.get((name, activation))):
        return Loss(output.name, target, maker.inputs[0], Elementwise(fused, output.shape), positions, value)
    if plain := _PLAIN.get(name):
        return Loss(output.name, target, output.name, Elementwise(plain, output.shape), positions, value)
    suited = ", ".join(after for loss_name, after in _FUSED if loss_name == name)
    raise ModelError(f"the loss {name} of {output.origin}, after {activation!r}; expected it after {suited}")
