"""Gradients summed in a fast array and taken over line by line: what a digital buffer makes of a line that was read.

Tiki-Taka's second version and two that followed it: `Buffered`, `Chopped`, `Dynamic` (AGAD). Each keeps, for one
matrix, a buffer H in units of one pulse of the slow array, which moves by whole pulses where H passes the threshold of
one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.base.arrays import F32, F64, I64, Arrays, stored
from archsim.learning import _kernels

MEMORY = 0.99
"""Weight of what was so far in what a fast array knows of its largest operands."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one line gave, and took.

    Parameters
    ----------
    pulses : int64 array, (columns,)
        Signed pulses that are due.
    multiplies, adds, compares : int
        Of 32-bit numbers; a mean where only expectations are known, as all that follow.
    reads, writes : int
        Words of the buffer's memory.
    draws : int
        Random numbers for choppers.
    """

    pulses: I64
    multiplies: float
    adds: float
    compares: float
    reads: float
    writes: float
    draws: float


@dataclass(frozen=True, slots=True)
class Follow:
    """When lines are read, how the fast array's rate follows its operands, and how much of a read is passed on.

    Parameters
    ----------
    every : int
        Samples between two transfers of one line.
    share : float
        Part of the longest train that a product of the usual largest operands asks for.
    gamma : float
        gamma_0: samples' worth of gradients that the fast array is taken to hold when it is read.
    memory : float
        Weight of what was so far in the means of max|x| and max|d|; the first non-zero ones begin them.
    """

    every: int
    share: float
    gamma: float
    memory: float = MEMORY


class Buffered:
    """Tiki-Taka v2: H += s A_line; n = trunc(H) where |H| >= 1; then H <- m H (`forgets`) or H -= (1 - m) n.

    Lines are read in turn, one every n_s samples. The fast array learns at lambda_A = share L dw_A/(mean max|x| mean
    max|d|), so that its trains are used, and s = lambda n_s n/(gamma_0 dw_C lambda_A) for n lines: a read passes on
    what the slow array would have moved at the learning rate lambda since the line was read last. Sole owner of H and
    of what it knows of operands.

    Parameters
    ----------
    shape : (rows, columns)
    follow : Follow
    steps : (fast, slow)
        Weight that one pulse moves in either array, dw_A and dw_C.
    length : int
        The longest train L, and the most pulses a transfer gives a device.
    keep : float
        m, the part that stays.
    forgets : bool

    Source
    ------
    Rasch et al., Nat. Commun. 15:7133 (2024); ibm2021aihwkit (BufferedTransferCompound).
    """

    WORDS = 1
    """Words of memory a weight."""

    def __init__(
        self, shape: tuple[int, int], *, follow: Follow, steps: tuple[float, float], length: int, keep: float,
        forgets: bool,
    ) -> None:  # fmt: skip
        self.buffer = np.zeros(shape, np.float32)
        self.follow, self.steps, self.length, self.keep, self.forgets = follow, steps, length, keep, forgets
        self.means = np.zeros(2)  # of max|x| and max|d|
        self.counters = np.zeros(2, np.int64)  # the line that is next, samples since the last transfer

    # --- the fast array's side ------------------------------------------------------------------------------------
    def see(self, x_max: F64, d_max: F64) -> F64:
        """Follow the largest operands of vectors, (vectors,); return pulses that the largest product asks for."""
        k = np.empty(x_max.size)
        _kernels.follow(self.means, self.follow.memory, self.follow.share * self.length, x_max, d_max, k)
        return k

    def signs(self, x: F32) -> F32:
        """Return inputs, (vectors, rows), with the signs under which they are summed."""
        return x

    # --- transfers --------------------------------------------------------------------------------------------------
    def due(self, samples: int) -> list[int]:
        """Return the lines to be read after so many samples more."""
        self.counters[1] += samples
        transfers, self.counters[1] = divmod(int(self.counters[1]), self.follow.every)
        first, rows = int(self.counters[0]), self.buffer.shape[0]
        self.counters[0] = (first + transfers) % rows
        return [(first + k) % rows for k in range(transfers)]

    def take(self, line: int, read: F32, rate: float) -> Taken:
        """Add a line as it was read, in weights of the fast array, to the buffer, and take the pulses that are due.

        Parameters
        ----------
        line : int
        read : float32 array, (columns,)
        rate : float
            The learning rate.
        """
        fast, slow = self.steps
        follow, rows = self.follow, self.buffer.shape[0]
        learnt = follow.share * self.length * fast / max(float(self.means[0] * self.means[1]), np.finfo(float).tiny)
        scale = rate * follow.every * rows / (follow.gamma * slow * learnt)
        self._add(line, read, scale)
        held = self.buffer[line]
        pulses = np.clip(np.trunc(held), -self.length, self.length)
        crossed = pulses != 0
        if self.forgets:
            held[crossed] *= np.float32(self.keep)
        else:
            held -= np.float32(1 - self.keep) * pulses
        flips, due = self._turn(line), pulses.astype(np.int64)
        return self.taken(due, int(np.count_nonzero(crossed)), forgets=self.forgets, flips=flips)

    def _add(self, line: int, read: F32, scale: float) -> None:
        self.buffer[line] += np.float32(scale) * read

    def _turn(self, line: int) -> bool:
        """Note that a line was read; return whether its sign flips: never."""
        del line
        return False

    @classmethod
    def taken(cls, pulses: I64, crossed: float, *, forgets: bool, flips: float) -> Taken:
        """Return what a line of pulses took: a product and a sum an element, one of either for one that crossed.

        Parameters
        ----------
        crossed : elements that passed the threshold
        flips : whether the line's sign flipped, or how often it does in the mean
        """
        del flips
        n = pulses.size
        products, sums = (n + crossed, n) if forgets else (n, n + crossed)
        return Taken(pulses, products, sums, n, n, n, 0)

    # --- keeping ----------------------------------------------------------------------------------------------------
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that it keeps, by name."""
        return {"buffer": self.buffer, "means": self.means, "counters": self.counters}

    def restore(self, arrays: Arrays) -> None:
        """Take over what `arrays` returned, in place."""
        mine = self.arrays()
        found = {name: stored(name, array, arrays) for name, array in mine.items()}
        for name, array in mine.items():
            array[...] = found[name]


class Signed(Buffered):
    """As `Buffered`, under a sign a line that flips: A learns c times the gradient, H += c s A_line.

    What the fast array holds beside its gradients, an offset of its reference above all, is then added and taken away
    in turn.
    """

    def __init__(self, shape: tuple[int, int], **given: Any) -> None:
        super().__init__(shape, **given)
        self.choppers = np.ones(shape[0], np.float32)

    def signs(self, x: F32) -> F32:
        """Return inputs times the choppers of their lines."""
        return x * self.choppers

    def _add(self, line: int, read: F32, scale: float) -> None:
        super()._add(line, read, scale * float(self.choppers[line]))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the choppers, too."""
        return {**super().arrays(), "choppers": self.choppers}


class Chopped(Signed):
    """c-TTv2: the sign of a line flips after a transfer of it by chance.

    Parameters
    ----------
    flip : float
        Probability of a flip.
    random : Generator
        One number a transfer.
    others
        As for `Buffered`.

    Source
    ------
    Rasch et al., Nat. Commun. 15:7133 (2024); ibm2021aihwkit (ChoppedTransferCompound).
    """

    def __init__(self, shape: tuple[int, int], *, flip: float, random: np.random.Generator, **given: Any) -> None:
        super().__init__(shape, **given)
        self.flip, self._random = flip, random

    def _turn(self, line: int) -> bool:
        flips = bool(self._random.random() < self.flip)
        if flips:
            self.choppers[line] *= -1
        return flips

    @classmethod
    def taken(cls, pulses: I64, crossed: float, *, forgets: bool, flips: float) -> Taken:
        """Return what it took, a random number among it."""
        return replace(super().taken(pulses, crossed, forgets=forgets, flips=flips), draws=1)


class Dynamic(Signed):
    """AGAD: signs that flip at regular times, and a reference of the buffer's own, so that the fast array needs none.

    P <- (1 - b) P + b A_line is the recent past of a line; when its sign flips, after so many transfers of it, the
    reference P_ref becomes P. H += c s (A_line - P_ref). b = min(1, tail/period).

    Parameters
    ----------
    period : int
        Transfers of a line between two flips.
    tail : float
        Flips come after about `tail` times as many reads as the past remembers.
    others
        As for `Buffered`.

    Source
    ------
    Rasch et al., Nat. Commun. 15:7133 (2024); ibm2021aihwkit (DynamicTransferCompound).
    """

    WORDS = 3

    def __init__(self, shape: tuple[int, int], *, period: int, tail: float, **given: Any) -> None:
        super().__init__(shape, **given)
        self.period, self.weight = period, np.float32(min(1.0, tail / period))
        self.past, self.reference = np.zeros((2, *shape), np.float32)
        self.read_since = np.zeros(shape[0], np.int64)

    def _add(self, line: int, read: F32, scale: float) -> None:
        super()._add(line, read - self.reference[line], scale)
        self.past[line] *= 1 - self.weight
        self.past[line] += self.weight * read

    def _turn(self, line: int) -> bool:
        self.read_since[line] += 1
        flips = bool(self.read_since[line] >= self.period)
        if flips:
            self.read_since[line] = 0
            self.choppers[line] *= -1
            self.reference[line] = self.past[line]
        return flips

    @classmethod
    def taken(cls, pulses: I64, crossed: float, *, forgets: bool, flips: float) -> Taken:
        """Return what it took: two products more, a difference and a sum; another write where the reference changes."""
        found, n = super().taken(pulses, crossed, forgets=forgets, flips=flips), pulses.size
        return replace(
            found, multiplies=found.multiplies + 2 * n, adds=found.adds + 2 * n, reads=found.reads + 2 * n,
            writes=found.writes + n + n * flips,
        )  # fmt: skip

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the past, the reference and the reads since the last flip, too."""
        kept = {**super().arrays(), "past": self.past, "reference": self.reference}
        return {**kept, "read_since": self.read_since}
