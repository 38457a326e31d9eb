"""In which order a layer asks the verbs of a chip, and what it remembers between forward and backward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archsim.base.arrays import F32
from archsim.base.signal import Signal
from archsim.base.verbs import Verbs, Work
from archsim.learning import _kernels
from archsim.learning.network import Dense


@dataclass(slots=True)
class Trace:
    """What a layer remembers of one forward pass: its input, with the bias element if it has one, and its output."""

    x: Signal
    y: Signal


def with_bias(values: F32) -> F32:
    """Return (vectors, size) with one more column of ones."""
    vectors, size = values.shape
    out = np.empty((vectors, size + 1), np.float32)
    _kernels.extend(values, out)
    return out


def without_bias(values: F32) -> F32:
    """Return (vectors, size) without the last column, contiguous."""
    inner = values[:, :-1]
    return inner if values.shape[0] == 1 else np.ascontiguousarray(inner)


def forward(layer: Dense, chip: Verbs, x: Signal, phase: str) -> Work[Trace]:
    """Return the trace of y = f(x W + b)."""
    tag = layer.tags[phase]
    extended = Signal(with_bias(x.values), positions=x.positions) if layer.bias else x
    z = yield from chip.multiply(layer.name, extended, tag)
    y = yield from chip.elementwise(layer.activation, (z,), tag)
    return Trace(extended, y)


def error(layer: Dense, chip: Verbs, trace: Trace, target: Signal) -> Work[Signal]:
    """Return the descent direction of the squared error before the last activation."""
    return chip.elementwise(f"{layer.activation}-error", (target, trace.y), layer.tags["backward"])


def backward(layer: Dense, below: Dense, chip: Verbs, d: Signal, trace_below: Trace) -> Work[Signal]:
    """Return the direction before the activation of the layer below: (d W^T without the bias) f'(z)."""
    back = yield from chip.multiply_transposed(layer.name, d, layer.tags["backward"])
    inner = Signal(without_bias(back.values), positions=back.positions) if layer.bias else back
    return (
        yield from chip.elementwise(f"{below.activation}-derivative", (inner, trace_below.y), below.tags["backward"])
    )
