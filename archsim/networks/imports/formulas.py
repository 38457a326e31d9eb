"""Activations that a graph writes out: what elementwise operations make of one signal, told by its values.

A GELU has five nodes in one order or another, or nine of its approximation by tanh. Which function of x they are is
found by computing it, so that their order decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from archsim.base.arrays import F64
from archsim.networks.imports.channels_first import Value

Function = Callable[[F64], F64]
_AT = np.linspace(-8, 8, 161)
_ZERO = 80
"""Where 0 stands in it; at both ends all that saturates has."""


def _sigmoid(x: F64) -> F64:
    return np.asarray(1 / (1 + np.exp(-x)))


def _gelu(x: F64) -> F64:
    return np.asarray(x / 2 * (1 + erf(x / math.sqrt(2))))


def _gelu_by_tanh(x: F64) -> F64:
    return np.asarray(x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))


def _softplus(x: F64) -> F64:
    return np.asarray(np.logaddexp(0, x))


@dataclass(frozen=True, slots=True)
class Activated:
    """An activation of ours; `note` says what it only stands in for."""

    kind: str
    slope: float | None = None
    note: str | None = None


BY_TANH = "Its GELU is the approximation by tanh; archsim's is the exact one."
BY_SIGMOID = "Its GELU is the approximation by a sigmoid; archsim's is the exact one."
_KNOWN: tuple[tuple[Activated, Function], ...] = (
    (Activated("relu"), lambda x: np.maximum(x, 0)), (Activated("relu6"), lambda x: np.clip(x, 0, 6)),
    (Activated("tanh"), np.tanh), (Activated("sigmoid"), _sigmoid),
    (Activated("gelu"), _gelu), (Activated("gelu", note=BY_TANH), _gelu_by_tanh),
    (Activated("gelu", note=BY_SIGMOID), lambda x: x * _sigmoid(1.702 * x)),
    (Activated("silu"), lambda x: x * _sigmoid(x)), (Activated("mish"), lambda x: x * np.tanh(_softplus(x))),
    (Activated("hard-swish"), lambda x: x * np.clip(x + 3, 0, 6) / 6),
    (Activated("hard-sigmoid"), lambda x: np.clip(x + 3, 0, 6) / 6),
    (Activated("elu"), lambda x: np.where(x > 0, x, np.expm1(x))),
)  # fmt: skip
"""Activations, and what they compute."""
_SLOPED: Mapping[str, tuple[Callable[[F64], float], Callable[[F64, float], F64]]] = {
    "leaky-relu": (lambda y: y[0] / _AT[0], lambda x, slope: np.where(x > 0, x, slope * x)),
    "elu": (lambda y: y[0] / np.expm1(_AT[0]), lambda x, slope: np.where(x > 0, x, slope * np.expm1(x))),
    "hard-sigmoid": (
        lambda y: (y[_ZERO + 1] - y[_ZERO]) / _AT[_ZERO + 1], lambda x, slope: np.clip(slope * x + 0.5, 0, 1)
    ),
}  # fmt: skip
"""Activations with a slope of their own: how to find it in what was computed, and what they compute with it."""
KINDS = ", ".join(dict.fromkeys([each.kind for each, _ in _KNOWN] + list(_SLOPED)))
UNARY: dict[str, Function] = {
    "Erf": lambda x: np.asarray(erf(x)), "Tanh": np.tanh, "Sigmoid": _sigmoid, "Sqrt": np.sqrt, "Neg": np.negative,
    "Exp": np.exp, "Softplus": _softplus, "Relu": lambda x: np.maximum(x, 0), "Reciprocal": np.reciprocal,
    "Abs": np.abs,
}  # fmt: skip
BINARY: dict[str, Callable[[F64, F64], F64]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power, "Min": np.minimum,
    "Max": np.maximum,
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """What elementwise operations make of a signal.

    Parameters
    ----------
    of : Value
    compute : function of x
    base : str
        Name of the signal in the file.
    inside : set of str
        Results of the nodes that it is made of.
    """

    of: Value
    compute: Function
    base: str
    inside: frozenset[str] = frozenset()

    def then(self, function: Function, result: str) -> Formula:
        """Return a function of it, which a node gives by the name of `result`."""
        compute = self.compute
        return Formula(self.of, lambda x: function(compute(x)), self.base, self.inside | {result})

    def always(self, number: float) -> Formula:
        """Return the formula of the same signal that gives a number everywhere."""
        return Formula(self.of, lambda x: np.full_like(x, number), self.base)

    def with_(self, other: Formula, function: Callable[[F64, F64], F64], result: str) -> Formula:
        """Return a function of it and of another formula of the same signal."""
        mine, its = self.compute, other.compute
        inside = self.inside | other.inside | {result}
        return Formula(self.of, lambda x: function(mine(x), its(x)), self.base, inside)

    def kind(self) -> Activated | None:
        """Return which activation it is; None if it is none that is known."""
        with np.errstate(all="ignore"):
            found = np.broadcast_to(self.compute(_AT), _AT.shape)
            for known, way in _KNOWN:
                if np.allclose(found, way(_AT), rtol=1e-5, atol=1e-5):
                    return known
            for kind, (slope_in, way_of) in _SLOPED.items():
                slope = float(f"{slope_in(found):.6g}")
                if 0 <= slope < 1 and np.allclose(found, way_of(_AT, slope), rtol=1e-5, atol=1e-5):
                    return Activated(kind, slope)
        return None

    def affine(self) -> tuple[float, float] | None:
        """Return (p, q) where it is p x + q; None if it is anything else."""
        with np.errstate(all="ignore"):
            found = np.broadcast_to(self.compute(_AT), _AT.shape)
        q = float(found[_ZERO])
        p = float((found[-1] - q) / _AT[-1])
        return (p, q) if np.allclose(found, p * _AT + q, rtol=1e-6, atol=1e-9) else None

    def factor(self) -> float | None:
        """Return what it multiplies its signal by; None if it does something else."""
        with np.errstate(all="ignore"):
            found = np.broadcast_to(self.compute(_AT), _AT.shape)
        factor = float(found[-1] / _AT[-1])
        return factor if np.allclose(found, factor * _AT, rtol=1e-6, atol=1e-9) else None
