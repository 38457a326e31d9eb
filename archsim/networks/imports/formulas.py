"""Activations that a graph writes out: what elementwise operations make of one signal, told by its values.

A GELU has five nodes in one order or another, or nine of its approximation by tanh. Which function of x they are is
found by computing it, so that their order decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erf

from archsim.base.arrays import F64
from archsim.networks.imports.channels_first import Value

Function = Callable[[F64], F64]
_AT = np.linspace(-6, 6, 121)


def _gelu(x: F64) -> F64:
    return np.asarray(x / 2 * (1 + erf(x / math.sqrt(2))))


def _gelu_by_tanh(x: F64) -> F64:
    return np.asarray(x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))


BY_TANH = "Its GELU is the approximation by tanh; archsim's is the exact one."
_KNOWN: dict[str, tuple[Function, ...]] = {
    "gelu": (_gelu, _gelu_by_tanh), "relu6": (lambda x: np.clip(x, 0, 6),), "tanh": (np.tanh,),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)),),
}  # fmt: skip
"""Activation -> what it computes, and what stands in for it."""
UNARY: dict[str, Function] = {
    "Erf": lambda x: np.asarray(erf(x)), "Tanh": np.tanh, "Sigmoid": lambda x: 1 / (1 + np.exp(-x)), "Sqrt": np.sqrt,
    "Neg": np.negative,
}  # fmt: skip
BINARY: dict[str, Callable[[F64, F64], F64]] = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power,
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

    def kind(self) -> tuple[str, bool] | None:
        """Return which activation it is, and whether it only stands in for it; None if it is none that is known."""
        with np.errstate(all="ignore"):
            found = np.broadcast_to(self.compute(_AT), _AT.shape)
            for name, ways in _KNOWN.items():
                for k, way in enumerate(ways):
                    if np.allclose(found, way(_AT), rtol=1e-5, atol=1e-5):
                        return name, k > 0
        return None

    def factor(self) -> float | None:
        """Return what it multiplies its signal by; None if it does something else."""
        with np.errstate(all="ignore"):
            found = np.broadcast_to(self.compute(_AT), _AT.shape)
        factor = float(found[-1] / _AT[-1])
        return factor if np.allclose(found, factor * _AT, rtol=1e-6, atol=1e-9) else None
