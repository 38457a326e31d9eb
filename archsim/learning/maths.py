"""Elementwise operations of a digital unit: what they compute and how many elementary operations one element takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim.base.arrays import F32
from archsim.base.errors import ModelError
from archsim.learning import _kernels


@dataclass(frozen=True, slots=True)
class Op:
    """One elementwise operation.

    Parameters
    ----------
    kernel : callable
        Takes the operands, each float32 (vectors, size), and the result to write into.
    operands : int
    lookups, multiplies, adds, compares : int
        Elementary operations for one element; a lookup reads the activation table.
    """

    kernel: Callable[..., Any]
    operands: int
    lookups: int = 0
    multiplies: int = 0
    adds: int = 0
    compares: int = 0

    @property
    def operations(self) -> int:
        """Elementary operations for one element."""
        return self.lookups + self.multiplies + self.adds + self.compares

    def __call__(self, *operands: F32) -> F32:
        """Apply to operands of equal shape.

        Raises
        ------
        ModelError
            If the number or the shapes of the operands do not fit.
        """
        shape = operands[0].shape
        if len(operands) != self.operands or operands[-1].shape != shape:
            shapes = [operand.shape for operand in operands]
            raise ModelError(f"elementwise: operands of shapes {shapes}; expected {self.operands} of equal shape")
        out = np.empty(shape, np.float32)
        self.kernel(*operands, out)
        return out


def normalised(x: F32) -> tuple[F32, float]:
    """Return x, (vectors, size), over its largest magnitude, and that magnitude (zero stays zero)."""
    out = np.empty_like(x)
    scale: float = _kernels.normalise(x, out)
    return out, scale


def _copy(x: F32, out: F32) -> None:
    out[...] = x


def _pass(back: F32, y: F32, out: F32) -> None:
    del y
    out[...] = back


def _relu(x: F32, out: F32) -> None:
    np.maximum(x, 0, out=out)


def _relu_derivative(back: F32, y: F32, out: F32) -> None:
    np.multiply(back, y > 0, out=out)


def _difference(target: F32, y: F32, out: F32) -> None:
    np.subtract(target, y, out=out)


OPS: dict[str, Op] = {
    "sigmoid": Op(_kernels.sigmoid, 1, lookups=1),
    "sigmoid-error": Op(_kernels.sigmoid_error, 2, multiplies=2, adds=2),
    "sigmoid-derivative": Op(_kernels.sigmoid_derivative, 2, multiplies=2, adds=1),
    "relu": Op(_relu, 1, compares=1),
    "relu-derivative": Op(_relu_derivative, 2, compares=1),
    "linear": Op(_copy, 1),
    "linear-error": Op(_difference, 2, adds=1),
    "linear-derivative": Op(_pass, 2),
}
"""Name -> operation. An activation NAME brings NAME, NAME-derivative and, as a last layer, NAME-error."""

ACTIVATIONS = ("sigmoid", "relu", "linear")
OUTPUT_ACTIVATIONS = ("sigmoid", "linear")
"""Activations of a last layer: those with an error under the squared loss."""
