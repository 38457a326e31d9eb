"""How arrays of a chip that updates in place would have been pulsed by a loop: from its operands and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from archsim.analog.in_place import InPlace
from archsim.base.arrays import F32, F64
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.in_array import counting_steps, weight_steps
from archsim.chips.crossbars.in_array_file import InArrayArchitecture
from archsim.learning.transfer import MEMORY
from archsim.networks.graph import Matrix
from archsim.networks.network import Network
from archsim.studies.estimate.in_place import of_rounded, refreshed
from archsim.studies.estimate.in_place import sent as as_means
from archsim.studies.meter import _kernels
from archsim.studies.meter.writes import Arrays, flat

FROM_OPERANDS = "trains of pulses: from operands and the learning rate, vector by vector, as their formulas have it"


@dataclass(frozen=True, slots=True)
class Vectors:
    """What trains hang on, of vectors that an outer product was taken of, a row each.

    Parameters
    ----------
    largest : float64 array, (vectors, 2)
        Largest magnitudes of inputs and of errors.
    filled : float64 array, (vectors, 2)
        Sums of the magnitudes of either over the largest of their vector; 0 where all is zero.
    """

    largest: F64
    filled: F64

    @classmethod
    def of(cls, x: F32, d: F32) -> Vectors:
        """Return those of inputs, (vectors, rows), and errors, (vectors, columns)."""
        largest = np.stack([np.abs(each).max(axis=1, initial=0.0) for each in (x, d)], axis=1).astype(np.float64)
        sums = np.stack([np.abs(each).sum(axis=1, dtype=np.float64) for each in (x, d)], axis=1)
        return cls(largest, np.divide(sums, largest, out=np.zeros_like(sums), where=largest > 0))


@dataclass(frozen=True, slots=True)
class Sent:
    """Trains of several steps, added up.

    Parameters
    ----------
    vectors : int
    slots, rows, columns, met : float
        Slots; pulses on all rows and on all columns; coincidences.
    """

    vectors: int = 0
    slots: float = 0.0
    rows: float = 0.0
    columns: float = 0.0
    met: float = 0.0

    def plus(self, other: Sent) -> Sent:
        """Return the sum of both."""
        return Sent(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Sent)))

    def of(self, architecture: InArrayArchitecture, shape: tuple[int, int]) -> InPlace:
        """Return these as means of a vector."""
        if not self.vectors:
            return InPlace()
        slots, rows, columns, met = (each / self.vectors for each in (self.slots, self.rows, self.columns, self.met))
        return as_means(architecture, shape, slots, (rows, columns), met)


@dataclass(slots=True)
class Trains:
    """Adds up the trains that a chip would have sent.

    Parameters
    ----------
    architecture : InArrayArchitecture
    network : Network

    Attributes
    ----------
    steps : matrix -> weight that a pulse changes
    means : matrix -> (2,), what fast arrays know of the largest inputs and errors
    """

    architecture: InArrayArchitecture
    network: Network
    steps: Mapping[str, float] = field(init=False)
    means: dict[str, F64] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = weight_steps(self.architecture, self.network)

    def send(self, matrix: str, of: Vectors, rate: float) -> Sent:
        """Return the trains of vectors at a learning rate; of a batch's mean, errors have its share in them."""
        trains, transfer = self.architecture.trains, self.architecture.transfer
        product = of.largest.prod(axis=1)
        asked = rate * product / self.steps[matrix]
        if transfer is not None:
            asked = transfer.share * trains.length * product / np.prod(self._follow(matrix, of))
        some = asked > 0
        asked, (x, d) = asked[some], of.filled[some].T
        longest = np.full_like(asked, trains.length)
        slots = np.minimum(np.ceil(asked), longest) if trains.managed else longest
        over = trains.managed & (asked > slots)
        of_rows = np.where(over, 1.0, np.sqrt(asked / slots))
        of_columns = np.where(over, asked / slots, of_rows)
        rows, columns = self.network.shapes[matrix]
        sent_x, sent_d = np.minimum(of_rows * x, rows), np.minimum(of_columns * d, columns)
        return Sent(
            len(of.largest), float(slots.sum()), float((slots * sent_x).sum()), float((slots * sent_d).sum()),
            float((slots * sent_x * sent_d).sum()),
        )  # fmt: skip

    def _follow(self, matrix: str, of: Vectors) -> F64:
        """Follow the largest operands as a fast array does, by the mean of the vectors given in place of each of them.

        Returns
        -------
        float64 array, (2,) : their means.
        """
        now = np.array([each[each > 0].mean() if each.any() else 0.0 for each in of.largest.T])
        before = self.means.get(matrix, now)
        kept = np.where(now > 0, MEMORY ** np.count_nonzero(of.largest, axis=0), 1.0)
        found: F64 = np.where(before > 0, kept * before + (1 - kept) * now, now)
        self.means[matrix] = found
        return np.where(found > 0, found, 1.0)


class Stepped:
    """Changes of weights in the steps that the digital unit counts with; nothing is kept from one to the next.

    Parameters
    ----------
    architecture : InArrayArchitecture
    network : Network
    """

    def __init__(self, architecture: InArrayArchitecture, network: Network) -> None:
        self._nearest = architecture.update.rounding == "nearest"
        self.origin = f"pulses of {architecture.name}: the change of the weights in the device's mean steps, " + (
            "each rounded" if self._nearest else "as rounding by chance has them in the mean"
        )
        self._per = {
            name: tuple(1 / step for step in counting_steps(architecture, matrix))
            for name, matrix in network.graph.matrices.items()
        }
        self._kept: dict[str, list[F32]] = {}

    def begin(self, matrix: str, weights: Arrays) -> None:
        """Note what the weights of a matrix are."""
        self._kept[matrix] = [flat(each).copy() for each in weights]

    def step(self, matrix: str, weights: Arrays) -> tuple[float, float]:
        """Return pulses up and down."""
        up = down = 0.0
        for now, before in zip(weights, self._kept[matrix], strict=True):
            found = _kernels.stepped(flat(now), before, *self._per[matrix], self._nearest)
            up, down = up + found[0], down + found[1]
        return up, down


def in_place(
    architecture: InArrayArchitecture, matrix: Matrix, sent: Sent, written: tuple[float, float], steps: int, *,
    transfers: float,
) -> InPlace:  # fmt: skip
    """Return how a matrix was pulsed in so many steps.

    Parameters
    ----------
    sent : Sent
        Trains of those that were looked at.
    written : (float, float)
        Of all of them: pulses up and down; of transfers, weights that were pulsed and their pulses.
    transfers : float
        Lines that are taken over in a step.
    """
    if architecture.update.rounding != "trains":
        return of_rounded(architecture, matrix, *(each / (steps * matrix.weights) for each in written))
    found = sent.of(architecture, matrix.shape)
    if architecture.transfer is None:
        return refreshed(found) if architecture.sides else found
    pairs, pulses = (each / (steps * transfers * matrix.columns) for each in written)
    due = of_rounded(architecture, matrix, pulses / 2, pulses / 2)
    return replace(found, up=due.up, down=due.down, turns=due.turns, charges=due.charges, crossed=min(pairs, 1.0))


def sends_trains(architecture: Architecture) -> bool:
    """Whether a chip writes by trains of pulses."""
    return isinstance(architecture, InArrayArchitecture) and architecture.update.rounding == "trains"
