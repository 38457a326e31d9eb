"""Numba kernels of trains: which lines are pulsed in which slots, and where two meet. Plain arrays.

A line's train is a row of bits, slot s at bit s % 64 of word s // 64. Lines without a pulse are left out: most are.
"""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel

WORD = 64
"""Slots in a word."""


@kernel()
def ones(word):
    """Return how many bits of a uint64 are set."""
    z = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    z = (z & np.uint64(0x3333333333333333)) + ((z >> np.uint64(2)) & np.uint64(0x3333333333333333))
    z = (z + (z >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((z * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel()
def plan(x, d, k, length, managed, slots, factors):
    """Write the slots of each vector's trains, and what |x| and |d| are multiplied by for a probability.

    x : (n, rows); d : (n, columns); k : (n,), pulses that a product of 1 asks for; length, managed : as `PulseTrains`
    has them; slots : (n,) int64, 0 where nothing is asked for; factors : (n, 2) float32. Returns (n, 2), the lines of
    either side that may be pulsed.
    """
    lines = np.zeros((k.size, 2), np.int64)
    for v in range(k.size):
        slots[v] = 0
        if not k[v] > 0:
            continue
        errors = 0
        for j in range(d.shape[1]):
            errors += d[v, j] != 0
        if errors == 0:
            continue
        inputs = 0
        for i in range(x.shape[1]):
            inputs += x[v, i] != 0
        if inputs == 0:
            continue
        lines[v, 0], lines[v, 1] = inputs, errors
        slots[v] = min(np.ceil(k[v]), np.float64(length)) if managed else length
        if managed and k[v] > slots[v]:
            factors[v, 0], factors[v, 1] = 1.0, k[v] / slots[v]
        else:
            factors[v, :] = np.sqrt(k[v] / slots[v])
    return lines


@kernel()
def _train(value, slots, draws, at, word):
    """Write the train of a line that is pulsed with the probability `value` into `word`; return its pulses."""
    sent = 0
    for s in range(slots):
        if draws[at + s] < value:
            word[s // WORD] |= np.uint64(1) << np.uint64(s % WORD)
            sent += 1
    return sent


@kernel()
def draw(x, d, slots, factors, draws, rows, columns):
    """Draw the trains of vectors after each other: of each the rows, then the columns, line by line, slot by slot.

    factors : (n, 2) float32, what |x| and |d| are multiplied by for a probability; draws : uniform, float32, as many as
    are used; rows, columns : (begin, line, word, pulses), of which begin, (n + 1,), says where a vector's lines are,
    line, (at most all,), is which, word, (likewise, words), its train and pulses, likewise, how many, below zero if its
    operand is. All are written. Returns the lines of both sides.
    """
    at = row = column = 0
    for v in range(x.shape[0]):
        rows[0][v], columns[0][v] = row, column
        if slots[v]:
            for i in range(x.shape[1]):
                if x[v, i] != 0:
                    rows[2][row] = np.uint64(0)
                    sent = _train(factors[v, 0] * abs(x[v, i]), slots[v], draws, at, rows[2][row])
                    at += slots[v]
                    if sent:
                        rows[1][row], rows[3][row] = i, sent if x[v, i] > 0 else -sent
                        row += 1
            for j in range(d.shape[1]):
                if d[v, j] != 0:
                    columns[2][column] = np.uint64(0)
                    sent = _train(factors[v, 1] * abs(d[v, j]), slots[v], draws, at, columns[2][column])
                    at += slots[v]
                    if sent:
                        columns[1][column], columns[3][column] = j, sent if d[v, j] > 0 else -sent
                        column += 1
    rows[0][x.shape[0]], columns[0][x.shape[0]] = row, column
    return row, column


@kernel()
def within(lines, v, first, stop):
    """Return where, of the lines of a vector, those of [first, stop) begin and end."""
    a, b = lines[0][v], lines[0][v + 1]
    while a < b and lines[1][a] < first:
        a += 1
    while b > a and lines[1][b - 1] >= stop:
        b -= 1
    return a, b


@kernel()
def count_met(rows, columns, window):
    """Return the coincidences of each vector inside a window: (first row, last + 1, first column, last + 1)."""
    met = np.zeros(rows[0].size - 1, np.int64)
    for v in range(met.size):
        a, b = within(rows, v, window[0], window[1])
        c, e = within(columns, v, window[2], window[3])
        for r in range(a, b):
            for k in range(c, e):
                for w in range(rows[2].shape[1]):
                    met[v] += ones(rows[2][r, w] & columns[2][k, w])
    return met


@kernel()
def find_met(rows, columns, v, window, index, pulses):
    """Write where lines of a vector meet inside a window, row by row, and signed counts; return how many do."""
    a, b = within(rows, v, window[0], window[1])
    c, e = within(columns, v, window[2], window[3])
    width = window[3] - window[2]
    found = 0
    for r in range(a, b):
        start = (rows[1][r] - window[0]) * width - window[2]
        for k in range(c, e):
            met = 0
            for w in range(rows[2].shape[1]):
                met += ones(rows[2][r, w] & columns[2][k, w])
            if met:
                index[found] = start + columns[1][k]
                pulses[found] = met if (rows[3][r] > 0) == (columns[3][k] > 0) else -met
                found += 1
    return found
