"""Numba kernels of components: how long a write of many devices takes. Plain arrays."""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel()
def longest_trains(index, pulses, columns, group):
    """Return what a write takes row by row, in groups of columns: slots up and down, trains up, devices in these.

    Each group of a row takes the longest of its trains up, then the longest of its trains down. index : flat positions
    in rising order.
    """
    up_slots = down_slots = trains = devices = 0
    up = down = 0
    groups = -(-columns // group)
    current = -1
    for k in range(index.size):
        here = index[k] // columns * groups + index[k] % columns // group
        if here != current:
            up_slots += up
            down_slots += down
            trains += up > 0
            up = down = 0
            current = here
        if pulses[k] > 0:
            devices += 1
            up = max(up, pulses[k])
        else:
            down = max(down, -pulses[k])
    return up_slots + up, down_slots + down, trains + (up > 0), devices


@kernel()
def longest_columns(index, pulses, columns, group):
    """Return what a write of all rows at once takes, in groups of columns: slots up and down, trains up, devices.

    A train up is here a row that is pulsed in one group.
    """
    groups = -(-columns // group)
    longest = np.zeros((2, groups), np.int64)
    trains = devices = 0
    current = -1
    for k in range(index.size):
        here = index[k] // columns * groups + index[k] % columns // group
        side = 0 if pulses[k] > 0 else 1
        longest[side, here % groups] = max(longest[side, here % groups], abs(pulses[k]))
        if side == 0:
            devices += 1
            trains += here != current
            current = here
    return longest[0].sum(), longest[1].sum(), trains, devices
