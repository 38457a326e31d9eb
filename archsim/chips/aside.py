"""Matrices of a learning rule that lie in no tile: random ones in a memory or from a generator; signs of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32, I64, Arrays, stored
from archsim.base.signal import Signal, Tag
from archsim.base.verbs import Work
from archsim.chips.architecture import FeedbackFile
from archsim.chips.chip import Chip
from archsim.hardware.bus import Bus
from archsim.hardware.component import Component
from archsim.hardware.digital_unit import DigitalUnit
from archsim.hardware.mac_array import MADE, SIGNS, WEIGHT_BIT, WHOLE, Kept, MacArray
from archsim.networks.graph import Matrix
from archsim.networks.network import Network


def kept(matrix: Matrix, at: str) -> Kept:
    """Return how a matrix that does not learn lies in a memory, given where an architecture has random ones."""
    return SIGNS if matrix.role == "signs" else MADE if at == "generator" else WHOLE


def memory_words(matrices: Sequence[Matrix], at: str) -> int:
    """Return the words of 32 bits that matrices take in a memory."""
    return sum(-(-matrix.weights * kept(matrix, at).bits // WEIGHT_BIT) for matrix in matrices)


def changed_words(signs: F32, now: F32) -> int:
    """Return how many words of 32 signs, packed in the order of the matrix, differ in any."""
    return np.unique(np.flatnonzero(signs != now) // WEIGHT_BIT).size


class Aside:
    """Multiply-accumulate lanes of a chip with tiles, and their memory, for matrices that lie in no tile.

    Sole owner of the values. A chip without such matrices has no lanes either. Operands and results pass the bus in 32
    bits. A generator books a look-up a number with the digital unit (assumed, as for dropout) and keeps pace; the
    smallest memory that there is stands beside it.

    Parameters
    ----------
    matrices : sequence of Matrix
    at : str
        Where the architecture has random ones.
    array : MacArray or None
        None without matrices.
    bus, unit : the chip's
    """

    def __init__(
        self, matrices: Sequence[Matrix], at: str, array: MacArray | None, bus: Bus, unit: DigitalUnit
    ) -> None:  # fmt: skip
        self.values: dict[str, F32] = {matrix.name: np.zeros(matrix.shape, np.float32) for matrix in matrices}
        self.followed = {matrix.of: matrix.name for matrix in matrices if matrix.role == "signs"}
        """Matrix -> that of its signs."""
        self._matrices = {matrix.name: matrix for matrix in matrices}
        self._kept = {matrix.name: kept(matrix, at) for matrix in matrices}
        self._array, self._bus, self._unit = array, bus, unit

    @classmethod
    def of(cls, chip: Chip) -> Aside:
        """Return what a chip with tiles has beside them for its network, as its architecture says."""
        file, unit = chip.architecture.feedback or FeedbackFile(at="tiles"), chip.digital_unit
        matrices = beside_tiles(chip.network, file.at)
        if not matrices:
            return cls(matrices, file.at, None, chip.bus, unit)
        array = MacArray(
            chip.clock, chip.ledger, lanes=file.lanes, cycle_ps=chip.ps("digital.cycle"), skip_zero_inputs=False,
            weights=chip.sram(max(memory_words(matrices, file.at), 1), banks=file.lanes),
            operands=chip.sram(max(sum(matrix.shape) for matrix in matrices)),
        )  # fmt: skip
        return cls(matrices, file.at, array, chip.bus, unit)

    @property
    def components(self) -> list[Component]:
        """The lanes with their memory, if there are any."""
        return [] if self._array is None else [self._array]

    def load(self, initial: Mapping[str, F32]) -> None:
        """Take the values that a network starts with."""
        for name, values in self.values.items():
            values[...] = initial[name]

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the values by matrix, views."""
        return dict(self.values)

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        for name, values in self.values.items():
            values[...] = stored(name, values, arrays)

    def multiply(self, matrix: str, x: Signal, tag: Tag, *, transposed: bool = False) -> Work[Signal]:
        """Return x M, or x M^T; for signs times the matrix's spread."""
        array, unit, how = self._array, self._unit, self._kept[matrix]
        assert array is not None  # noqa: S101  there are matrices
        unit.fetch(x.elements, tag)
        yield from self._bus.send(x.elements * WEIGHT_BIT, tag)
        multiplied = array.multiply_transposed if transposed else array.multiply
        result = yield from multiplied(self.values[matrix], x.values, tag, kept=how)
        if not how.bits:
            unit.draw(array.used(x.values, result.shape[1]), tag)
        yield from self._bus.send(result.size * WEIGHT_BIT, tag)
        scale = self._matrices[matrix].initial_std if how.signs else 1.0
        return Signal((yield from unit.collect([result], tag, scale=scale)))

    def follow(self, matrix: str, rows: I64, columns: I64, negative: NDArray[np.bool_], tag: Tag) -> Work[None]:
        """Note the signs of some weights of a matrix; the words in which one changed are read and written."""
        signs = self.values[self.followed[matrix]]
        now = np.where(negative, np.float32(-1), np.float32(1))
        changed = signs[columns, rows] != now
        signs[columns, rows] = now
        words = np.unique((columns * signs.shape[1] + rows)[changed] // WEIGHT_BIT).size
        if words and self._array is not None:
            yield from self._array.rewrite(words, tag)


def beside_tiles(network: Network, at: str) -> list[Matrix]:
    """Return the matrices that lie in no tile of a chip with tiles."""
    return [matrix for matrix in network.fixed if matrix.role == "signs" or at != "tiles"]
