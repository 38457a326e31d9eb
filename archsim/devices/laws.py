"""What kernels need to know of a device to pulse it many times over: the numbers of its mean steps and their spread."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from archsim.base.csvfile import F64
from archsim.devices._kernels import BOUNDED, EXACT, TABLE, drift_factor, give

__all__ = ["BOUNDED", "EXACT", "TABLE", "Law", "PlainLaw", "Side", "drift_factor", "give"]

_NONE = np.empty(0)
PlainLaw = tuple[Any, ...]


class Side(NamedTuple):
    """Pulses in one direction: of a formula, `Bounded`'s; of a table, its columns [S]; of exact devices, the step."""

    step: float = 0.0
    far: float = 0.0
    span: float = 1.0
    left: float = 1.0
    exponent: float = 1.0
    knots: F64 = _NONE
    mean: F64 = _NONE
    std: F64 = _NONE


class Law(NamedTuple):
    """How a device steps, for `_kernels.give`, which then does as `set_pulses` and `down_pulses`, to the bit.

    Parameters
    ----------
    kind : BOUNDED, TABLE or EXACT
    up, down : Side
    of_step, absolute : float, float [S]
        Of a formula: the spread of a pulse, of its mean and beside it.
    devices : float
        Spread of the devices' own factors of the mean step, 0 where they are alike; `lognormal` or normal.
    low, high : float [S]
    """

    kind: int
    up: Side
    down: Side
    of_step: float
    absolute: float
    devices: float
    lognormal: bool
    low: float
    high: float

    @property
    def plain(self) -> PlainLaw:
        """The same as tuples without names, which kernels are called with in a twentieth of the time."""
        kind, up, down, *rest = self
        return (kind, tuple(up), tuple(down), *rest)
