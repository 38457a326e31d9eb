"""Numba kernels of cells: plain float32 arrays, results written into `out` arguments.

Noise: the sum over a column of independent Gaussian device noises is Gaussian with variance sum x_i^2 s_ij^2, so one
draw per column is exact in distribution. The draws come from a table of 16,384 quantile means of the standard normal
(unit variance; tails end at 4.1 sigma) indexed by SplitMix64 as a counter generator: a draw is a function of the
stream's key, the number of the vector and the line, and hangs on no order. A physics test holds their distribution.
"""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel
from archsim.devices.laws import drift_factor

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_MASK = np.uint64(16383)


@kernel()
def random_word(key, number):
    """Return output `number`, from 0 on, of SplitMix64 (Steele, Lea, Flood 2014) from the seed `key`; both uint64."""
    z = key + (number + np.uint64(1)) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    return z ^ (z >> np.uint64(31))


@kernel()
def add_noise(y, variance, key, vector, table, words, normals):
    """Add Normal(0, variance) to each line of `y`, (size,), in place: the draws of the vector of that number.

    Four draws from each random word: a vector takes the next ceil(size/4) words of its key. One loop for each thing
    done, so that the compiler does many elements at a time.

    words, normals : scratch for a vector, as `scratch` makes it.
    """
    taken = (y.size + 3) // 4
    first = vector * np.uint64(taken)
    for w in range(taken):
        words[w] = random_word(key, first + np.uint64(w))
    for w in range(taken):
        bits, j = words[w], 4 * w
        normals[j] = table[bits & _MASK]
        normals[j + 1] = table[(bits >> np.uint64(16)) & _MASK]
        normals[j + 2] = table[(bits >> np.uint64(32)) & _MASK]
        normals[j + 3] = table[(bits >> np.uint64(48)) & _MASK]
    for j in range(y.size):
        y[j] += np.sqrt(variance[j]) * normals[j]


@kernel()
def scratch(size):
    """Return room for the random words and the normals of `add_noise` on `size` lines."""
    taken = (size + 3) // 4
    return np.empty(taken, np.uint64), np.empty(4 * taken, np.float32)


@kernel()
def encode(x, levels, codes, squares, driven, magnitude):
    """Write x, (n, lines), within +-1, on the grid of a DAC of `levels` to each side (0: as it is) into `codes`.

    squares : (n, lines), receives the squares of the codes, or (n, 0);
    driven, magnitude : (lines,) int32 and float64, to which the vectors whose code is not zero and the sum of their
    |code| are added.
    """
    top = np.float32(levels)
    down = np.float32(1 / levels) if levels > 0 else np.float32(1)
    for v in range(x.shape[0]):
        line, out, square = x[v], codes[v], squares[v]
        if levels > 0:
            for i in range(line.size):
                out[i] = min(max(np.rint(line[i] * top), -top), top) * down
        else:
            out[:] = line
        for i in range(square.size):
            square[i] = out[i] * out[i]
        for i in range(line.size):
            driven[i] += np.int32(out[i] != 0)
            magnitude[i] += abs(out[i])


@kernel()
def finish(y, column, variance, stream, table, converters):
    """Add the noise of the stream's next vectors to their sums and convert them, in place.

    y : (n, any), the sums from `column` on; variance : (n, lines), of each line, noisy or all zero and then without
    rows; stream : (key, vectors read), uint64, goes on by n. Returns how many results were clipped.
    """
    clipped = 0
    noisy, lines = variance.shape
    words, normals = scratch(lines if noisy else 0)
    for v in range(y.shape[0]):
        line = y[v][column : column + lines]
        if noisy:
            add_noise(line, variance[v], stream[0], stream[1] + np.uint64(v), table, words, normals)
        clipped += to_codes(line, converters)
    stream[1] += np.uint64(y.shape[0])
    return clipped


@kernel()
def _convert(value, up, down, top):
    """Return a value on the grid of a converter; top = 0 stands for an ideal one."""
    if top == 0:
        return value
    return min(max(np.rint(value * up), -top), top) * down


@kernel(fastmath={"contract"})
def multiply(x, pairs, row_total, noisy, stream, table, converters, out, spread, order, codes):
    """Write the ADC codes of x W into `out`; return lines driven, outputs clipped, and sum of |x_i| row_total_i.

    x : (n, rows), within +-1 of the DAC's full scale; pairs : (rows, 2, columns), each row's weights and then the
    variances of one read of them; row_total : (rows,) float64; stream : of the noise, as `finish` has it;
    converters : (DAC levels, ADC levels, ADC full scale, ADC clips?); out : (n, columns); spread : (columns,), order
    and codes : (rows,) are scratch. Rows are taken four at a time, zero codes skipped.
    """
    rows, _, columns = pairs.shape
    top = np.float32(converters[0])
    down = np.float32(1 / converters[0]) if top > 0 else np.float32(1)
    driven = 0
    clipped = 0
    moment = 0.0
    words, normals = scratch(columns if noisy else 0)
    for v in range(x.shape[0]):
        found = 0
        for i in range(rows):
            code = _convert(x[v, i], top, down, top)
            if code != 0:
                order[found] = i
                codes[found] = code
                found += 1
                moment += abs(code) * row_total[i]
        for k in range(found, min(found + 3, rows)):
            order[k] = 0
            codes[k] = 0
        driven += found
        y = out[v]
        y[:] = 0
        spread[:] = 0
        k = 0
        while k < found:
            last = min(k + 4, rows)  # the tail of a group of four has code 0, or lies outside and is not touched
            a = order[k]
            b = order[k + 1] if k + 1 < last else 0
            c = order[k + 2] if k + 2 < last else 0
            d = order[k + 3] if k + 3 < last else 0
            xa = codes[k]
            xb = codes[k + 1] if k + 1 < last else np.float32(0)
            xc = codes[k + 2] if k + 2 < last else np.float32(0)
            xd = codes[k + 3] if k + 3 < last else np.float32(0)
            for j in range(columns):
                y[j] += xa * pairs[a, 0, j] + xb * pairs[b, 0, j] + xc * pairs[c, 0, j] + xd * pairs[d, 0, j]
            if noisy:
                sa, sb, sc, sd = xa * xa, xb * xb, xc * xc, xd * xd
                for j in range(columns):
                    spread[j] += sa * pairs[a, 1, j] + sb * pairs[b, 1, j] + sc * pairs[c, 1, j] + sd * pairs[d, 1, j]
            k += 4
        if noisy:
            add_noise(y, spread, stream[0], stream[1] + np.uint64(v), table, words, normals)
        clipped += to_codes(y, converters)
    stream[1] += np.uint64(x.shape[0])
    return driven, clipped, moment


@kernel(fastmath={"contract", "reassoc", "nsz"})
def multiply_transposed(d, pairs, column_total, noisy, stream, table, converters, out, spread, codes):
    """Write the ADC codes of d W^T into `out`; return lines driven, outputs clipped, and sum of |d_j| column_total_j.

    d : (n, columns), within +-1; out : (n, rows); spread : (rows,) and codes : (columns,) are scratch.
    """
    rows, _, columns = pairs.shape
    top = np.float32(converters[0])
    down = np.float32(1 / converters[0]) if top > 0 else np.float32(1)
    driven = 0
    clipped = 0
    moment = 0.0
    words, normals = scratch(rows if noisy else 0)
    for v in range(d.shape[0]):
        for j in range(columns):
            code = _convert(d[v, j], top, down, top)
            codes[j] = code
            driven += code != 0
            moment += abs(code) * column_total[j]
        y = out[v]
        for i in range(rows):
            total = np.float32(0)
            for j in range(columns):
                total += codes[j] * pairs[i, 0, j]
            y[i] = total
        if noisy:
            for i in range(rows):
                total = np.float32(0)
                for j in range(columns):
                    total += codes[j] * codes[j] * pairs[i, 1, j]
                spread[i] = total
            add_noise(y, spread, stream[0], stream[1] + np.uint64(v), table, words, normals)
        clipped += to_codes(y, converters)
    stream[1] += np.uint64(d.shape[0])
    return driven, clipped, moment


@kernel()
def to_codes(y, converters):
    """Round and clip a line's results, (size,), in place, as the ADC does; return how many were clipped."""
    full = beyond = np.float32(converters[2])
    clipped = np.int32(0)  # as wide as an element, so that many are counted at a time
    if converters[1] > 0:
        up = np.float32(converters[1] / converters[2])
        down = np.float32(converters[2] / converters[1])
        for j in range(y.size):
            y[j] = np.rint(y[j] * up) * down
        beyond = max(full, np.float32(converters[1]) * down)  # rounding may lift the last code above full scale
    if converters[3]:
        for j in range(y.size):
            clipped += np.int32(abs(y[j]) > beyond)
            y[j] = min(max(y[j], -full), full)
    return clipped


@kernel()
def read_devices(g, programmed_ps, index, now_ps, drift, noise, normals, out):
    """Write one read [S] of each of the devices `index` into `out`; noise = (slope, offset)."""
    for k in range(index.size):
        i = index[k]
        true = g[i] * drift_factor(programmed_ps[i], now_ps, drift)
        out[k] = true + (noise[0] * true + noise[1]) * normals[k]


@kernel()
def renew(index, g, programmed_ps, now_ps, drift, noise, scale, pairs, total, row_total, column_total):
    """Renew the cache of the weights `index`, flat positions, in place: the sum of a weight's pairs over `scale`.

    g, programmed_ps : (2 copies weights,), first all G+, the pairs of one copy after those of another, then all G-;
    pairs : (rows, 2, columns), weights and variances; total : (weights,); row_total, column_total : float64.
    """
    columns = pairs.shape[2]
    half = g.size // 2
    then, factor = programmed_ps[0], drift_factor(programmed_ps[0], now_ps, drift)
    for k in range(index.size):
        i = index[k]
        row, column = i // columns, i % columns
        difference = 0.0
        variance = 0.0
        both = 0.0
        for plus in range(i, half, total.size):
            minus = plus + half
            if programmed_ps[plus] != then:  # most were loaded together, and a power takes longer than all the rest
                then, factor = programmed_ps[plus], drift_factor(programmed_ps[plus], now_ps, drift)
            gp = g[plus] * factor
            if programmed_ps[minus] != then:
                then, factor = programmed_ps[minus], drift_factor(programmed_ps[minus], now_ps, drift)
            gm = g[minus] * factor
            sp = noise[0] * gp + noise[1]
            sm = noise[0] * gm + noise[1]
            difference += gp - gm
            variance += sp * sp + sm * sm
            both += gp + gm
        pairs[row, 0, column] = difference / scale
        pairs[row, 1, column] = variance / (scale * scale)
        now = np.float32(both)
        change = float(now) - float(total[i])
        total[i] = now
        row_total[row] += change
        column_total[column] += change


@kernel()
def sides(index, pulses, weights, copies, side, due):
    """Write device and number of pulses for each signed count and each copy of its pair; return the pulses in all.

    Pair i of copy c is i + c weights; its G+ is the device of that number, its G- that of copies weights more.
    """
    total = 0
    k = 0
    for c in range(copies):
        for j in range(index.size):
            side[k] = index[j] + weights * (c if pulses[j] > 0 else c + copies)
            due[k] = abs(pulses[j])
            total += due[k]
            k += 1
    return total
