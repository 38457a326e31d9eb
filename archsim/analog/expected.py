"""The cells of a tile of which only expectations are known: they hold no device, and count what devices would do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from archsim.analog.cells import Grids, Into, Read
from archsim.analog.paired import Refreshed
from archsim.base.arrays import F32, I64
from archsim.base.expected import Events, Expected, expected


@dataclass(frozen=True, slots=True)
class InPairs:
    """How often the weights of a matrix are written, as means a training step.

    Parameters
    ----------
    pairs : float
        Of all weights of the matrix, the share that is given pulses in a step.
    pulses : float
        SET pulses of such a weight, in all its pairs.
    looked : float
        Of the weights given pulses, the share that a refresh looks at: below 1 where it finds the same one twice.
    reads, resets, repeats : float
        Reads, RESET pulses and SET pulses of a refresh, a weight looked at.
    """

    pairs: float = 0.0
    pulses: float = 1.0
    looked: float = 1.0
    reads: float = 2.0
    resets: float = 0.0
    repeats: float = 0.0

    def of(self, samples: float) -> InPairs:
        """Return the same of a step of so many times as many samples."""
        return replace(self, pairs=min(self.pairs * samples, 1.0))

    def times(self, groups: int) -> InPairs:
        """Return what writing as many groups of the same weights takes."""
        each = {name: groups * getattr(self, name) for name in ("pulses", "reads", "resets", "repeats")}
        return replace(self, **each)


class ExpectedCells:
    """An array of weights in pairs of devices, without devices.

    Parameters
    ----------
    shape : (rows, columns)
    conductance : float [S]
        Of the devices of a weight together, as a mean.
    writing : InPairs
    copies : int
        Pairs of a weight.
    reference : float [S]
        Conductance of a line of reference devices beside the array, which every read drives too; 0 without one.
    """

    def __init__(
        self, shape: tuple[int, int], *, conductance: float, writing: InPairs, copies: int = 1, reference: float = 0.0
    ) -> None:
        self.shape, self.copies, self.per_weight = shape, copies, 2 * copies
        self._conductance, self._writing, self._reference = conductance, writing, reference

    def multiply(self, x: F32, phase: str, converters: Grids, into: Into | None = None) -> Read:
        """Return the expected codes of x W, lines driven and conductance times codes; nothing is clipped."""
        del phase, converters, into
        return self._read(x, self.shape[1])

    def multiply_transposed(self, d: F32, phase: str, converters: Grids, into: Into | None = None) -> Read:
        """Return the same of d W^T."""
        del phase, converters, into
        return self._read(d, self.shape[0])

    def _read(self, x: F32, outputs: int) -> Read:
        if not isinstance(x, Expected):
            raise TypeError(f"{type(x).__name__} in place of an expected array")
        full = x.size * (outputs * self._conductance + self._reference)
        driven = x.size * x.shares.driven
        return expected((x.shape[0], outputs)), driven, 0, full * x.shares.conducted

    def age(self, now_ps: int) -> None:
        """Leave the devices as they are: what drift does to their conductance is part of the mean."""
        del now_ps

    def set_pulses(self, index: I64, pulses: I64, now_ps: int) -> float:
        """Return how many pulses some pairs get."""
        del pulses, now_ps
        return Events(index.size * self._writing.pulses)

    def refresh(self, candidates: I64, now_ps: int, **rules: Any) -> Refreshed:
        """Return what a refresh of so many candidates takes."""
        del now_ps, rules
        looked, writing = candidates.size, self._writing
        resets = looked * writing.resets
        return Refreshed(looked * writing.reads, resets, looked * writing.repeats, resets / 2)
