"""How arrays that are written in place are pulsed, where no training says it: in closed form from few assumptions.

Where it is from: geometric means, rounded, of what the matrices of mlp-mnist (600 steps), lenet-mnist (16) and
lstm-text (16) did on `in-array-sgd` and `tiki-taka` with seed 1, in the second half of these steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from archsim.analog.in_place import InPlace
from archsim.chips.in_array_file import InArrayArchitecture
from archsim.chips.placement import bands
from archsim.networks.graph import Matrix

LARGEST = 0.05
"""Largest input times largest error of a vector that has any. Measured: 0.002 to 0.9, early in trainings."""
INPUT, ERROR = 0.15, 0.15
"""Mean magnitudes of inputs and errors over the largest of their vector. Measured: 0.10 to 0.38, and 0.10 to 0.23."""
LEARNT = {True: 0.8, False: 1.0}
"""Vectors that have an error other than zero, of all: whether errors passed a rectifier or a largest element."""
ALIKE = 0.75
"""Power of the number of vectors with which the magnitude of their summed products grows: 0.5 of independent ones."""
USED = 0.75
"""Of the longest train, what a fast array's trains ask for, if those of the mean largest operands ask for all."""
TAKEN = 0.01
"""Weight that the transfer of a line moves each of its weights by, at a learning rate of 1. Measured: 0.0007 to 0.3."""

OFF = {
    "rounded": {"mlp-mnist": 3.0, "lenet-mnist": 0.9, "lstm-text": 1.4, "gpt-text": 1.0, "cnn-cifar10": 1.0},
    "trains": {"mlp-mnist": 3.8, "lenet-mnist": 1.9, "lstm-text": 0.8, "gpt-text": 0.6},
    "transfer": {"mlp-mnist": 1.2, "lenet-mnist": 2.1, "lstm-text": 1.8, "gpt-text": 0.7},
}
"""What an estimate with these was over one with the measured activity of such a training, in energy of a step."""


@dataclass(frozen=True, slots=True)
class Learning:
    """What a matrix learns from in a step.

    Parameters
    ----------
    rate : float
        Learning rate.
    share : float
        Of a vector in what a step learns.
    vectors : int
        Of a step.
    learnt : float
        Of these, the share that has an error other than zero.
    """

    rate: float
    share: float
    vectors: int
    learnt: float


def trained(asked: float, longest: int, vectors: float, shape: tuple[int, int], *, managed: bool) -> InPlace:
    """Return what trains do of which the largest product asks for so many pulses: `learning.trains` has the formulas.

    Parameters
    ----------
    asked : float
        k, at vectors that have an error.
    longest : int
        L.
    vectors : float
        Of all vectors, those that have an error other than zero.
    shape : (rows, columns)
    managed : bool
        Whether trains are as long as they need be.
    """
    rows, columns = shape
    slots = min(max(asked + 0.5, 1.0), longest) if managed else longest
    of_rows = of_columns = math.sqrt(asked / slots)
    if asked > slots:
        of_rows, of_columns = 1.0, asked / slots
    r, c = of_rows * INPUT, min(of_columns * ERROR, 1.0)
    pulsed = (r * rows + c * columns) / (rows + columns)
    line = (r + c) * rows * columns / (pulsed * 2 * rows * columns)
    met = vectors * slots * r * c / 2
    part = vectors * slots / longest
    return InPlace(slots=part, pulsed=part * pulsed, met_up=met, met_down=met, line=line)


def rounded(moved: float, columns: int, rows: int, architecture: InArrayArchitecture) -> InPlace:
    """Return what numbers of pulses take, so many a device, half of them up, each of them by chance of its own.

    Parameters
    ----------
    moved : float
        Pulses a device: of all in a step, or of a line's in its transfer.
    columns : int
        Of a tile.
    rows : int
        That are written at once: 1 row by row, and of a transfer.
    architecture : InArrayArchitecture
    """
    drivers = -(-columns // architecture.update.columns_per_driver)
    each = moved / 2
    charged = -math.expm1(-each * drivers)  # a group of a row has a pulse up
    serial = architecture.update.rows == "serial"
    lines = charged * (1 + columns) if serial else charged + each * drivers
    return InPlace(up=each, down=each, turns=2 * longest(drivers * rows, each), charges=lines)


def longest(devices: int, mean: float) -> float:
    """Return the mean of the most pulses that one of so many devices gets, if each gets Poisson numbers of them."""
    from scipy.special import pdtr

    most = math.ceil(mean + 12 * math.sqrt(mean) + 12)
    return float(sum(1 - pdtr(k, mean) ** devices for k in range(most)))


def assumed_pulses(architecture: InArrayArchitecture, matrix: Matrix, of: Learning, step: float) -> InPlace:
    """Return how a matrix is pulsed.

    Parameters
    ----------
    step : float
        Weight that a pulse changes.
    """
    update, tile, transfer = architecture.update, architecture.tile, architecture.transfer
    columns = bands(matrix.columns, tile.columns)[-1].size
    if update.rounding != "trains":
        rows = 1 if update.rows == "serial" else bands(matrix.rows, tile.rows)[-1].size
        gradient = of.share * LARGEST * INPUT * ERROR * (of.learnt * of.vectors) ** ALIKE
        return rounded(of.rate * gradient / step, columns, rows, architecture)
    trains = architecture.trains
    asked = of.rate * of.share * LARGEST / step if transfer is None else transfer.share * USED * trains.length
    found = trained(asked, trains.length, of.learnt, matrix.shape, managed=trains.managed)
    if transfer is None:
        return found
    due = of.rate * TAKEN / step
    pulses = rounded(due, columns, 1, architecture)
    return replace(
        found, up=pulses.up, down=pulses.down, turns=pulses.turns, charges=pulses.charges, crossed=min(due, 1.0)
    )
