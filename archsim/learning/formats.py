"""Number formats of digital training: what of a product is rounded, how, and what is left at 32 bits.

In each of them products accumulate at 32 bits, and weights are updated in a copy of 32 bits (the master); what a
product reads of them is rounded. Functions between products have 32 bits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np

from archsim.base.arrays import F32
from archsim.base.expected import Expected
from archsim.base.rounding import FloatGrid, to_integers, to_largest

FormatName = Literal["fp32", "bf16", "fp8", "int8"]

BF16 = FloatGrid(mantissa=7, least=-126, most=float(np.float32(2.0**127 * (2 - 2.0**-7))))
E4M3 = FloatGrid(mantissa=3, least=-6, most=448.0)
E5M2 = FloatGrid(mantissa=2, least=-14, most=57344.0)


class Format(ABC):
    """How operands are rounded before a product.

    Parameters
    ----------
    random : generator, optional
        For the formats that round errors at random; a chip that never asks for errors has none.
    """

    bits: ClassVar[int]
    """Of an operand of a product, and of a weight as products read it."""
    scaled: ClassVar[bool]
    """Whether each operand has a scale of its own, from its largest magnitude, that the result is multiplied by."""

    def __init__(self, random: np.random.Generator | None = None) -> None:
        self.random = random

    def operand(self, x: F32) -> F32:
        """Return inputs, (vectors, size), or weights, (rows, columns), as products take them."""
        return x if isinstance(x, Expected) else self._operand(x)

    def error(self, d: F32) -> F32:
        """Return errors, (vectors, size), as products take them."""
        return d if isinstance(d, Expected) else self._error(d)

    @abstractmethod
    def _operand(self, x: F32) -> F32:
        """Round inputs or weights."""

    def _error(self, d: F32) -> F32:
        return self._operand(d)


class Bf16(Format):
    """Brain floats: the exponent of 32 bits and 7 bits of mantissa, to nearest even; no loss scaling.

    Source: Kalamkar et al., A Study of BFLOAT16 for Deep Learning Training, arXiv 1905.12322 (abstract read): its range
    is that of 32 bits, and no setting changes.
    """

    bits, scaled = 16, False

    def _operand(self, x: F32) -> F32:
        return BF16.round(x)


class Fp8(Format):
    """Floats of 8 bits: weights and inputs 4 bits of exponent and 3 of mantissa, errors 5 and 2, to nearest even.

    Each tensor has its own scale, which does for errors what scaling the loss does: here a power of two that brings its
    largest magnitude below the largest number. Source: Micikevicius et al., FP8 Formats for Deep Learning, arXiv
    2209.05433 (abstract and a summary read); it leaves scales to software, the rule of this one is assumed.
    """

    bits, scaled = 8, True

    def _operand(self, x: F32) -> F32:
        return to_largest(x, E4M3)

    def _error(self, d: F32) -> F32:
        return to_largest(d, E5M2)


class Int8(Format):
    """Integers of 8 bits, symmetric, over the largest magnitude of each tensor; errors are rounded at random.

    Source: Zhu et al., Towards Unified INT8 Training, CVPR 2020, arXiv 1912.12607 (abstract and introduction read; the
    random rounding from general knowledge), without what it adds against unstable trainings, clipping by direction and
    a rate that follows the deviation. Sums of 32-bit integers are exact there, here to 24 bits.
    """

    bits, scaled = 8, True

    def _operand(self, x: F32) -> F32:
        return to_integers(x, 127)

    def _error(self, d: F32) -> F32:
        return to_integers(d, 127, self.random)


FORMATS: dict[str, type[Format]] = {"bf16": Bf16, "fp8": Fp8, "int8": Int8}
"""Formats of fewer than 32 bits by name."""
