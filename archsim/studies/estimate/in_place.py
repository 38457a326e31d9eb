"""How arrays that are written in place are pulsed, where no training says it: in closed form from few assumptions.

Where it is from: geometric means, rounded, of what the matrices of mlp-mnist (600 steps), lenet-mnist (16) and
lstm-text (16) did on `in-array-sgd` and `tiki-taka` with seed 1, in the second half of these steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from archsim.analog.in_place import InPlace
from archsim.chips.crossbars.in_array_file import InArrayArchitecture
from archsim.chips.fitting.placement import bands
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

SETS, GIVEN_BACK, MOVED = 0.2, 0.1, 0.05
"""Of a weight that is passed on into a pair: SET pulses; the weight that is given back to its volatile device, since
the pair is off by it; and that which the discharge takes away. RESETs are few. Measured in the first transfer, after
8,000 samples of mlp-mnist and lenet-mnist on `hybrid`: 0.07 to 1, 0.05 to 0.35, 0.025 to 0.14."""
REFRESHED = 0.002, 0.001
"""Of a weight that a refresh looks at: SET pulses, each with a read, and RESETs. Measured on `in-array-pcm`, a refresh
every 1,000 samples of mlp-mnist (3,000 samples, rate 0.02) and lenet-mnist (2,400): 0.0006 and 0.009; 0.0003, 0.005."""

OFF = {
    "rounded": {"mlp-mnist": 3.0, "lenet-mnist": 0.9, "lstm-text": 1.4, "gpt-text": 1.0, "cnn-cifar10": 1.0},
    "trains": {"mlp-mnist": 3.8, "lenet-mnist": 1.9, "lstm-text": 0.8, "gpt-text": 0.6},
    "transfer": {"mlp-mnist": 1.2, "lenet-mnist": 2.1, "lstm-text": 1.8, "gpt-text": 0.7},
    "pairs": {"mlp-mnist": 4.2},
    "sides": {"mlp-mnist": 1.6},
}
"""What an estimate with these was over one with the measured activity of such a training, in energy of a step; of sides
over a training of 2,000 samples at a learning rate of 0.02."""


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


def sent(
    architecture: InArrayArchitecture, shape: tuple[int, int], slots: float, pulses: tuple[float, float], met: float
) -> InPlace:
    """Return trains of a vector as means of lines and devices.

    Parameters
    ----------
    shape : (rows, columns)
    slots : float
    pulses : (float, float)
        On all rows and on all columns; each line is sent to every tile that it passes.
    met : float
        Coincidences in all, half of them up.
    """
    (rows, columns), (r, c), tile = shape, pulses, architecture.tile
    longest, weight = architecture.trains.length, architecture.weight
    copies, written = (1, 1) if architecture.transfer else (weight.copies, weight.copies // weight.parts)
    copies = 2 if architecture.sides else copies
    row_lines, column_lines = copies * len(bands(columns, tile.columns)), written * len(bands(rows, tile.rows))
    mean = (r * row_lines + c * column_lines) / (rows * row_lines + columns * column_lines)
    selected = r * columns * copies + c * rows * written
    line = selected / ((copies + written) * rows * columns * mean) if mean else 1.0
    each = met / (2 * rows * columns)
    return InPlace(slots=slots / longest, pulsed=mean / longest, met_up=each, met_down=each, line=line)


def trained(architecture: InArrayArchitecture, asked: float, vectors: float, shape: tuple[int, int]) -> InPlace:
    """Return what trains do of which the largest product asks for so many pulses: `learning.trains` has the formulas.

    Parameters
    ----------
    asked : float
        k, at vectors that have an error.
    vectors : float
        Of all vectors, those that have an error other than zero.
    shape : (rows, columns)
    """
    (rows, columns), trains = shape, architecture.trains
    if asked <= 0:
        return InPlace()
    slots = min(max(asked + 0.5, 1.0), trains.length) if trains.managed else trains.length
    of_rows = of_columns = math.sqrt(asked / slots)
    if asked > slots:
        of_rows, of_columns = 1.0, asked / slots
    r, c = of_rows * INPUT, min(of_columns * ERROR, 1.0)
    all_slots = vectors * slots
    pulses = all_slots * r * rows, all_slots * c * columns
    return sent(architecture, shape, all_slots, pulses, all_slots * r * c * rows * columns)


def refreshed(trains: InPlace) -> InPlace:
    """Return trains with what a refresh of pairs that are pulsed up only is taken to do."""
    sets, resets = REFRESHED
    return replace(trains, reads=sets, sets=sets, resets=resets)


def of_rounded(architecture: InArrayArchitecture, matrix: Matrix, up: float, down: float) -> InPlace:
    """Return what numbers of pulses take, so many a device either way, each of them by chance of its own.

    Parameters
    ----------
    up, down : float
        Pulses a device: of all in a step; of trains and a transfer, of the one line that it writes.
    """
    update, tile = architecture.update, architecture.tile
    columns = bands(matrix.columns, tile.columns)[-1].size
    one_by_one = update.rows == "serial" or update.rounding == "trains"
    rows = 1 if one_by_one else bands(matrix.rows, tile.rows)[-1].size
    drivers = -(-columns // update.columns_per_driver)
    charged = -math.expm1(-up * drivers)  # a group of a row has a pulse up
    copies, written = architecture.weight.copies, architecture.weight.copies // architecture.weight.parts
    lines = charged * (1 + columns) * copies if update.rows == "serial" else charged * copies + up * drivers * written
    turns = longest(drivers * rows, up) + longest(drivers * rows, down)
    return InPlace(up=up, down=down, turns=turns, charges=lines)


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
    transfer, trains, below = architecture.transfer, architecture.trains, architecture.pairs
    if architecture.update.rounding != "trains":
        gradient = of.share * LARGEST * INPUT * ERROR * (of.learnt * of.vectors) ** ALIKE
        return of_rounded(architecture, matrix, *[of.rate * gradient / step / 2] * 2)
    asked = of.rate * of.share * LARGEST / step if transfer is None else transfer.share * USED * trains.length
    found = trained(architecture, asked, of.learnt, matrix.shape)
    if below is not None:
        given = GIVEN_BACK / step
        pulses = of_rounded(architecture, matrix, given / 2, given / 2)
        return replace(
            found, up=pulses.up, down=pulses.down, turns=pulses.turns, charges=pulses.charges, moved=MOVED / step,
            sets=SETS, reads=SETS if below.loop == "closed" else 0.0,
        )  # fmt: skip
    if architecture.sides is not None:
        return refreshed(found)
    if transfer is None:
        return found
    due = of.rate * TAKEN / step
    pulses = of_rounded(architecture, matrix, due / 2, due / 2)
    return replace(
        found, up=pulses.up, down=pulses.down, turns=pulses.turns, charges=pulses.charges, crossed=min(due, 1.0)
    )
