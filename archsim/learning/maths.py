"""Elementwise operations of a digital unit: what they compute and how many elementary operations one element takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from archsim.base.arrays import F32, F64
from archsim.base.expected import UNKNOWN, Expected
from archsim.learning import _kernels


@dataclass(frozen=True, slots=True)
class Op:
    """One elementwise operation.

    Parameters
    ----------
    kernel : callable
        Takes the operands, each float32 (vectors, size), the result to write into, and the setting if there is one.
    operands : int
    lookups, multiplies, adds, compares : int
        Elementary operations for one element; a lookup reads the activation table.
    adjoints : operand -> (operation, needs)
        The operation that gives the gradient by an operand, of (gradient of the result, *needs); a need is the number
        of an operand, or "y", the result.
    bound : float, optional
        Largest magnitude of a result.
    shrinks : bool
        Whether no result is larger in magnitude than its (one) operand.
    setting : float, optional
        What a number beside the operands is if nobody says another; the adjoints share it. None: there is none.
    """

    kernel: Callable[..., Any]
    operands: int
    lookups: int = 0
    multiplies: int = 0
    adds: int = 0
    compares: int = 0
    adjoints: Mapping[int, tuple[str, tuple[int | str, ...]]] = field(default_factory=dict)
    bound: float | None = None
    shrinks: bool = False
    setting: float | None = None

    @property
    def operations(self) -> int:
        """Elementary operations for one element."""
        return self.lookups + self.multiplies + self.adds + self.compares


def normalised(x: F32) -> tuple[F32, float]:
    """Return x, (vectors, size), over its largest magnitude, and that magnitude (zero stays zero)."""
    if isinstance(x, Expected):
        return x, UNKNOWN
    out = np.empty_like(x)
    scale: float = _kernels.normalise(x, out)
    return out, scale


def normalised_by_vector(x: F32) -> tuple[F32, F64]:
    """Return each vector of x, (vectors, size), over its largest magnitude, and these, (vectors, 1); zero stays."""
    if isinstance(x, Expected):
        return x, Expected((x.shape[0], 1))
    scales = np.abs(x).max(axis=1, keepdims=True)
    whole: F32 = np.divide(x, np.where(scales > 0, scales, np.float32(1)), dtype=np.float32)
    return whole, scales.astype(np.float64)


def _relu(x: F32, out: F32) -> None:
    np.maximum(x, 0, out=out)


def _relu_derivative(back: F32, y: F32, out: F32) -> None:
    np.multiply(back, y > 0, out=out)


def _relu6(x: F32, out: F32) -> None:
    np.clip(x, 0, 6, out=out)


def _relu6_derivative(back: F32, y: F32, out: F32) -> None:
    np.multiply(back, (y > 0) & (y < 6), out=out)


def _leaky_relu(x: F32, out: F32, slope: float) -> None:
    np.maximum(x, np.float32(slope) * x, out=out)


def _hard_sigmoid(x: F32, out: F32, slope: float) -> None:
    np.multiply(x, np.float32(slope), out=out)
    out += np.float32(0.5)
    np.clip(out, 0, 1, out=out)


def _hard_sigmoid_derivative(back: F32, y: F32, out: F32, slope: float) -> None:
    np.multiply(back, np.where((y > 0) & (y < 1), np.float32(slope), np.float32(0)), out=out)


def _hard_swish(x: F32, out: F32) -> None:
    _hard_sigmoid(x, out, _SIXTH)
    out *= x


def _hard_swish_derivative(back: F32, x: F32, out: F32) -> None:
    slope = np.where(x > -3, np.where(x < 3, x / np.float32(3) + np.float32(0.5), np.float32(1)), np.float32(0))
    np.multiply(back, slope, out=out)


def _silu(x: F32, out: F32) -> None:
    _kernels.sigmoid(x, out)
    out *= x


def _silu_derivative(back: F32, x: F32, out: F32) -> None:
    share = np.empty_like(x)
    _kernels.sigmoid(x, share)
    np.multiply(back, share * (1 + x * (1 - share)), out=out)


def _elu(x: F32, out: F32, slope: float) -> None:
    np.copyto(out, np.where(x > 0, x, np.float32(slope) * np.expm1(np.minimum(x, np.float32(0)))))


def _elu_derivative(back: F32, y: F32, out: F32, slope: float) -> None:
    np.multiply(back, np.where(y > 0, np.float32(1), y + np.float32(slope)), out=out)


def _mish(x: F32, out: F32) -> None:
    np.tanh(np.logaddexp(np.float32(0), x), out=out)
    out *= x


def _mish_derivative(back: F32, x: F32, out: F32) -> None:
    share, t = np.empty_like(x), np.tanh(np.logaddexp(np.float32(0), x))
    _kernels.sigmoid(x, share)
    np.multiply(back, t + x * share * (1 - t * t), out=out)


def _gelu_derivative(back: F32, x: F32, out: F32) -> None:
    bell = x * x
    bell *= np.float32(-0.5)
    _kernels.gelu_derivative(back, x, np.exp(bell, out=bell), out)


def _difference(target: F32, y: F32, out: F32) -> None:
    np.subtract(target, y, out=out)


def _tanh_derivative(back: F32, y: F32, out: F32) -> None:
    np.multiply(back, 1 - y * y, out=out)


SLOPE = 0.01
"""Of a leaky ReLU below zero if nobody says another: that of PyTorch."""
_SIXTH = 1 / 6
"""Slope of a hard sigmoid if nobody says another: that of PyTorch, and of a hard swish."""


def _by(name: str) -> dict[int, tuple[str, tuple[int | str, ...]]]:
    """Return the adjoint of a function of one operand whose derivative follows from its result."""
    return {0: (name, ("y",))}


OPS: dict[str, Op] = {
    "sigmoid": Op(_kernels.sigmoid, 1, lookups=1, adjoints=_by("sigmoid-derivative"), bound=1.0),
    "sigmoid-derivative": Op(_kernels.sigmoid_derivative, 2, multiplies=2, adds=1),
    "sigmoid-error": Op(_kernels.sigmoid_error, 2, multiplies=2, adds=2),
    "tanh": Op(np.tanh, 1, lookups=1, adjoints=_by("tanh-derivative"), bound=1.0),
    "tanh-derivative": Op(_tanh_derivative, 2, multiplies=2, adds=1),
    "relu": Op(_relu, 1, compares=1, adjoints=_by("relu-derivative"), shrinks=True),
    "relu-derivative": Op(_relu_derivative, 2, compares=1),
    "relu6": Op(_relu6, 1, compares=2, adjoints=_by("relu6-derivative"), bound=6.0),
    "relu6-derivative": Op(_relu6_derivative, 2, compares=2),
    "leaky-relu": Op(
        _leaky_relu, 1, compares=1, multiplies=1, adjoints=_by("leaky-relu-derivative"), shrinks=True, setting=SLOPE
    ),
    "leaky-relu-derivative": Op(_kernels.leaky_relu_derivative, 2, compares=1, multiplies=1, setting=SLOPE),
    # Phi is one look-up of the table, phi another
    "gelu": Op(_kernels.gelu, 1, lookups=1, multiplies=1, adjoints={0: ("gelu-derivative", (0,))}, shrinks=True),
    "gelu-derivative": Op(_gelu_derivative, 2, lookups=2, multiplies=2, adds=1),
    # the sigmoid is one look-up; x sigmoid'(x) follows from it
    "silu": Op(_silu, 1, lookups=1, multiplies=1, adjoints={0: ("silu-derivative", (0,))}, shrinks=True),
    "silu-derivative": Op(_silu_derivative, 2, lookups=1, multiplies=3, adds=2),
    "hard-sigmoid": Op(
        _hard_sigmoid,
        1,
        multiplies=1,
        adds=1,
        compares=2,
        adjoints=_by("hard-sigmoid-derivative"),
        bound=1.0,
        setting=_SIXTH,
    ),
    "hard-sigmoid-derivative": Op(_hard_sigmoid_derivative, 2, compares=2, multiplies=1, setting=_SIXTH),
    "hard-swish": Op(
        _hard_swish, 1, multiplies=2, adds=1, compares=2, adjoints={0: ("hard-swish-derivative", (0,))}, shrinks=True
    ),
    "hard-swish-derivative": Op(_hard_swish_derivative, 2, multiplies=2, adds=1, compares=2),
    # e^x - 1 is one look-up
    "elu": Op(_elu, 1, lookups=1, compares=1, multiplies=1, adjoints=_by("elu-derivative"), shrinks=True, setting=1.0),
    "elu-derivative": Op(_elu_derivative, 2, compares=1, adds=1, multiplies=1, setting=1.0),
    # tanh(log(1 + e^x)) is one look-up, the sigmoid another
    "mish": Op(_mish, 1, lookups=1, multiplies=1, adjoints={0: ("mish-derivative", (0,))}, shrinks=True),
    "mish-derivative": Op(_mish_derivative, 2, lookups=2, multiplies=4, adds=2),
    "multiply": Op(np.multiply, 2, multiplies=1, adjoints={0: ("multiply", (1,)), 1: ("multiply", (0,))}),
    "difference": Op(_difference, 2, adds=1),
}
"""Name -> operation, with NumPy's or Numba's kernel that computes it."""

ACTIVATIONS = (
    "sigmoid", "tanh", "relu", "relu6", "leaky-relu", "elu", "gelu", "silu", "mish", "hard-sigmoid", "hard-swish",
    "linear",
)  # fmt: skip
"""Activations of a layer; "linear" stands for none. GELU is the exact one, x Phi(x), not its approximation by tanh."""
SLOPED = tuple(name for name in ACTIVATIONS if name in OPS and OPS[name].setting is not None)
"""Activations that take a slope: that of a leaky ReLU or an ELU below zero, of a hard sigmoid at zero."""
