"""How many pairs a step writes: from the change of the weights, as the chip would pulse it or as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from archsim.base.arrays import F32
from archsim.chips.crossbars.mixed_precision import build_device
from archsim.chips.crossbars.mixed_precision_file import MixedPrecisionArchitecture
from archsim.networks.network import Network
from archsim.studies.meter import _kernels

Arrays = Sequence[F32]
"""The weights of a matrix, its bias apart: float32, each contiguous, in any shape."""


class Writes(Protocol):
    """Counts what is written to matrices."""

    origin: str

    def begin(self, matrix: str, weights: Arrays) -> None:
        """Note what the weights of a matrix are."""

    def step(self, matrix: str, weights: Arrays) -> tuple[float, float]:
        """Return pairs pulsed since the last time, and the SET pulses that they are given; or pulses up and down."""


class Accumulated:
    """Changes add up in chi, in units of what one pulse changes; its whole parts are pulses, as on the chip.

    Parameters
    ----------
    steps : matrix -> weight that a pulse changes
    """

    origin = "pulses: the change of the weights, added up in chi and taken out in whole mean steps of the chip's device"

    def __init__(self, steps: Mapping[str, float]) -> None:
        self._up = {name: 1 / step for name, step in steps.items()}
        self._kept: dict[str, list[tuple[F32, F32]]] = {}

    def begin(self, matrix: str, weights: Arrays) -> None:
        """Note what the weights are, and that chi is empty."""
        self._kept[matrix] = [(flat(each).copy(), np.zeros(each.size, np.float32)) for each in weights]

    def step(self, matrix: str, weights: Arrays) -> tuple[int, int]:
        """Return pairs with a pulse due, and pulses."""
        pairs = pulses = 0
        for each, (before, chi) in zip(weights, self._kept[matrix], strict=True):
            found = _kernels.take(flat(each), before, chi, self._up[matrix])
            pairs, pulses = pairs + int(found[0]), pulses + int(found[1])
        return pairs, pulses


def pair_steps(architecture: MixedPrecisionArchitecture, network: Network) -> dict[str, float]:
    """Return matrix -> the weight that one SET pulse of a pair changes, in the mean."""
    epsilon, unit = build_device(architecture).epsilon, architecture.weight.unit_of
    return {name: epsilon / unit(one.initial_std) for name, one in network.graph.matrices.items()}


class Changed:
    """Weights that are not what they were: devices that the loop's own model of them has pulsed, once at least."""

    origin = "pulses: weights that changed, one pulse each, which is the least that can have been"

    def __init__(self) -> None:
        self._kept: dict[str, list[F32]] = {}

    def begin(self, matrix: str, weights: Arrays) -> None:
        """Note what the weights are."""
        self._kept[matrix] = [flat(each).copy() for each in weights]

    def step(self, matrix: str, weights: Arrays) -> tuple[float, float]:
        """Return how many changed, twice."""
        each = zip(weights, self._kept[matrix], strict=True)
        found = sum(int(_kernels.changed(flat(now), before)) for now, before in each)
        return found, found


class ChangedEitherWay(Changed):
    """As `Changed`, of devices that are pulsed both ways: half of them up, half of them down."""

    def step(self, matrix: str, weights: Arrays) -> tuple[float, float]:
        """Return half of those that changed, twice."""
        found = super().step(matrix, weights)[0] / 2
        return found, found


def flat(weights: F32) -> F32:
    """Return weights in one line: the same memory where they are contiguous."""
    return np.ascontiguousarray(weights, np.float32).reshape(-1)
