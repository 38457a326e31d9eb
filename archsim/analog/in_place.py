"""The cells of an array that is written in place, of which only expectations are known: how often they are pulsed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from archsim.analog.expected import ExpectedCells, InPairs
from archsim.analog.hybrid import Looked, Programmed
from archsim.analog.paired import Refreshed
from archsim.analog.singles.single import Coincided, Pulsed
from archsim.base.arrays import F32, I64
from archsim.base.expected import expected
from archsim.learning.expected import pairs


@dataclass(frozen=True, slots=True)
class InPlace:
    """How the devices of a matrix are pulsed where they stand, as means.

    Parameters
    ----------
    slots, pulsed : float
        Of a vector's trains: slots, and pulses of a line, over the longest train.
    met_up, met_down : float
        Coincidences of a device, a vector.
    line : float
        What a pulsed line conducts, over that of a line of devices in the middle of their range.
    up, down : float
        Pulses of a device written that numbers of pulses are given to: of each in a step; of a line's in its transfer.
    turns : float
        Slots that a group of columns of a row (of all rows, if they are written at once) takes for these.
    charges : float
        Lines charged to the voltage of a pulse up for a group of columns of a row.
    crossed : float
        Elements of a line in the buffer that cross the threshold in a transfer, over all of the line.
    busiest : float
        What the busiest tile is given of the pulses of a step, over the mean of all of its matrix; from 1 on.
    reads, sets, resets, moved : float
        Of a weight that is passed on into a pair, or looked at by a refresh: reads of devices beyond the first of each,
        SET pulses, RESETs. Of one that is passed on, the pulses up that the discharge counts as; `up` and `down` then
        give back what the pair is off.
    """

    slots: float = 0.0
    pulsed: float = 0.0
    met_up: float = 0.0
    met_down: float = 0.0
    line: float = 1.0
    up: float = 0.0
    down: float = 0.0
    turns: float = 0.0
    charges: float = 0.0
    crossed: float = 0.0
    busiest: float = 1.0
    reads: float = 0.0
    sets: float = 0.0
    resets: float = 0.0
    moved: float = 0.0

    def of(self, samples: float) -> InPlace:
        """Return the same of a step of so many times as many samples.

        A step that writes numbers of pulses once writes as many a sample, with slots and charges in proportion, which
        is what they are of pulses that are few. Of a vector, and of a line's transfer, all stays what it is.
        """
        if self.slots:
            return self
        each = {name: samples * getattr(self, name) for name in ("up", "down", "turns", "charges")}
        return replace(self, **each)


NEVER, ONCE = InPlace(), InPlace(*[1.0] * 15)
"""Nothing is pulsed; each count is one, and trains are the longest."""


@dataclass(frozen=True, slots=True)
class Given:
    """Pulses that a part of an array is expected to be given, in the place of their numbers.

    Parameters
    ----------
    up, down : float
        In all.
    rows : int
        Rows of the part that are written.
    writing : InPlace
    share : float
        What this part is given over the mean of all of its matrix.
    """

    up: float
    down: float
    rows: int
    writing: InPlace
    share: float = 1.0

    def slots(self, groups: int, *, serial: bool) -> tuple[float, float, float]:
        """Return slots up and down, and lines charged upwards, of so many groups of columns.

        Slots go to either direction as pulses do.
        """
        turns = self.share * self.writing.turns * groups * (self.rows if serial else 1)
        both = self.up + self.down
        rising = turns * self.up / both if both else 0.0
        return rising, turns - rising, self.share * self.writing.charges * groups * self.rows


def given(up: float, down: float, rows: int, writing: InPlace, share: float = 1.0) -> I64:
    """Return such pulses, for whoever takes their numbers."""
    return cast("I64", Given(up, down, rows, writing, share))


@dataclass(frozen=True, slots=True)
class ExpectedPart:
    """What is expected to reach an array of trains: slots, weights met and their pulses, pulses on all lines."""

    slots: float
    index: I64
    pulses: I64
    on_rows: float
    on_columns: float


class ExpectedSingleCells(ExpectedCells):
    """An array of devices against a fixed reference, without devices.

    Parameters
    ----------
    shape : (rows, columns)
    conductance : float [S]
        Of a device, as a mean.
    middle : float [S]
        Of the middle of its range, where the reference is.
    writing : InPlace
    copies : int
        Devices that stand for a weight.
    written : int
        Of these, as many as one write reaches.
    """

    def __init__(
        self, shape: tuple[int, int], *, conductance: float, middle: float, writing: InPlace, copies: int = 1,
        written: int = 1,
    ) -> None:  # fmt: skip
        whole = copies * conductance
        super().__init__(shape, conductance=whole, writing=InPairs(), copies=copies, reference=copies * middle)
        self.per_weight, self.written, self._each = copies, written, conductance
        self.abreast, self.ways = copies, 2
        self._middle, self._line = middle, writing.line

    def pulse(self, index: I64, pulses: I64, now_ps: int) -> Pulsed:
        """Return how many pulses some devices get, which conduct what all do in the mean."""
        del now_ps
        due = cast("Given", pulses)
        up, down = self.written * due.up, self.written * due.down
        return Pulsed(up, down, up * self._each, down * self._each, index, pulses)

    def send(self, part: ExpectedPart, now_ps: int, slot_ps: int) -> Coincided:
        """Return what trains that only are expected do."""
        del slot_ps
        done = self.pulse(part.index, part.pulses, now_ps)
        along_rows, along_columns = part.on_rows * self.shape[1], part.on_columns * self.shape[0]
        conducted = (along_rows * self.abreast + along_columns * self.written) * self._middle * self._line
        up_half, down_half = (max(conducted - 2 * moment, 0.0) for moment in (done.up_moment, done.down_moment))
        return Coincided(
            done.up, done.down, done.up_moment, done.down_moment, part.on_rows, part.on_columns, up_half, down_half
        )  # fmt: skip

    def wait_batch(self, now_ps: int) -> bool:
        """Let nothing leak: it is part of the mean."""
        del now_ps
        return False


class ExpectedHybridCells(ExpectedSingleCells):
    """An array of volatile devices over pairs, without devices.

    Parameters
    ----------
    conductance : float [S]
        Of a volatile device, as a mean.
    pair : float [S]
        Of both devices of a pair together, likewise.
    gain : float
    others
        As for `ExpectedSingleCells`.
    """

    def __init__(
        self, shape: tuple[int, int], *, conductance: float, pair: float, middle: float, writing: InPlace, gain: float
    ) -> None:
        super().__init__(shape, conductance=conductance, middle=middle, writing=writing)
        self.per_weight, self.gain, self.scale, self.sign = 3, gain, 1.0, np.ones(1, np.float32)
        self._conductance += pair
        self._writing_of_pairs, self._weights = writing, shape[0] * shape[1]

    def look(self, now_ps: int) -> Looked:
        """Return a read of every device."""
        del now_ps
        return Looked(*(expected((self._weights,)) for _ in range(3)))

    def program(
        self, wanted: F32, read: Looked, now_ps: int, *, saturated: float, most_pulses: int, closed: bool
    ) -> Programmed:
        """Return what bringing pairs to wanted differences takes."""
        del read, now_ps, saturated, most_pulses, closed
        n, each = self._weights, self._writing_of_pairs
        return Programmed(wanted, n * each.reads, n * each.resets, n * each.sets)

    def discharge(self, step: float, now_ps: int, *, inverts: bool) -> float:
        """Return the pulses that bringing the volatile devices to the middle counts as."""
        del step, now_ps, inverts
        return self._weights * self._writing_of_pairs.moved

    def left(self, wanted: F32, step: float) -> tuple[I64, I64]:
        """Return the volatile devices that are given back what their pairs are off, and their pulses."""
        del wanted, step
        n, each = self._weights, self._writing_of_pairs
        return pairs(n * min(each.up + each.down, 1.0)), given(n * each.up, n * each.down, self.shape[0], each)


class ExpectedSidedCells(ExpectedSingleCells):
    """An array of pairs that are pulsed up only, without devices.

    Parameters
    ----------
    shape : (rows, columns)
    conductance : float [S]
        Of one device of a pair, as a mean.
    writing : InPlace
    """

    def __init__(self, shape: tuple[int, int], *, conductance: float, writing: InPlace) -> None:
        super().__init__(shape, conductance=conductance, middle=conductance, writing=writing)
        self.per_weight, self.abreast, self.ways = 2, 2, 1
        self._conductance, self._reference = 2 * conductance, 0.0
        self._refreshing, self._weights = writing, shape[0] * shape[1]

    def send(self, part: ExpectedPart, now_ps: int, slot_ps: int) -> Coincided:
        """Return what trains that only are expected do: all pulses go up."""
        done = super().send(part, now_ps, slot_ps)
        return replace(
            done, up=done.up + done.down, down=0.0, up_moment=done.up_moment + done.down_moment, down_moment=0.0,
            up_half=done.up_half + done.down_half, down_half=0.0,
        )  # fmt: skip

    def refresh(self, candidates: I64, now_ps: int, **rules: Any) -> Refreshed:
        """Return what a refresh of all pairs takes."""
        del candidates, now_ps, rules
        n, each = self._weights, self._refreshing
        return Refreshed(n * (2 + each.reads), n * each.resets, n * each.sets, n * each.resets / 2)
