"""Which of a weight's devices a write goes to: counters that all weights of an array share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from archsim.base.arrays import I64


@dataclass(frozen=True, slots=True)
class Turns:
    """How counters go round.

    Parameters
    ----------
    per : weight or write
        Whether the counters move with each weight that is written, or with each write of the array, all of whose
        weights then have the same turn.
    stride : int
        By how much the selection counter moves. It shares no factor with the number of devices.
    up_every, down_every : int
        One of so many updates that go up, and of those that go down, is let through.
    """

    per: Literal["weight", "write"] = "weight"
    stride: int = 1
    up_every: int = 1
    down_every: int = 1


class Selection:
    """A selection counter, whose device is programmed, and a potentiation and a depression counter that let updates by.

    An update that is let through goes, with all of its pulses, to the device at which the selection counter stands,
    which then moves by a fixed amount; one that is not is lost, and the selection counter stays. Sole owner of the
    counters.

    Parameters
    ----------
    devices : int
        That stand for a weight.
    turns : Turns

    Source
    ------
    Boybat et al., Nat. Commun. 9:2514 (2018), caption of Figure 1. That an update of several pulses is one turn, and
    that an update which is not let through leaves the selection counter alone, is this repository's reading.
    """

    def __init__(self, devices: int, turns: Turns) -> None:
        self.devices, self.turns = devices, turns
        self.counters = np.zeros(3, np.int64)  # the device that is next; updates up, and down, since one was let by

    def choose(self, pulses: I64) -> tuple[I64, I64]:
        """Return which of the updates, in the order of a write, are let through, and the device of each of these.

        Parameters
        ----------
        pulses : int64 array
            Signed pulses of each update, none of them 0.
        """
        turns, counters = self.turns, self.counters
        passed = np.ones(pulses.size, bool)
        for k, (going, every) in enumerate(((pulses > 0, turns.up_every), (pulses < 0, turns.down_every)), 1):
            if every == 1:
                continue
            asked = int(np.count_nonzero(going))
            if turns.per == "weight":
                passed[going] = (counters[k] + np.arange(asked)) % every == 0
            elif asked:
                passed[going] = counters[k] == 0
                asked = 1
            counters[k] = (counters[k] + asked) % every
        given = np.flatnonzero(passed)
        moves = np.arange(given.size) if turns.per == "weight" else np.zeros(given.size, np.int64)
        chosen = (counters[0] + turns.stride * moves) % self.devices
        moved = given.size if turns.per == "weight" else 1
        counters[0] = (counters[0] + turns.stride * moved) % self.devices
        return given, chosen
