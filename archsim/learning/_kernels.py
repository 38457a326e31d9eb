"""Numba kernels of training: outer product into chi, threshold, and the 32-bit products. Plain arrays, in place."""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel()
def _codes(x, scale, levels, out):
    """Write x, (size,), rounded to 2 levels + 1 codes over +-scale into `out`, as values; return the non-zero ones."""
    up = np.float32(levels / scale)
    down = np.float32(scale / levels)
    top = np.float32(levels)
    nonzero = 0
    for i in range(x.size):
        code = min(max(np.rint(x[i] * up), -top), top)
        nonzero += code != 0
        out[i] = code * down
    return nonzero


@kernel()
def _nonzero(codes, start, stop):
    """Return how many of codes[start:stop] are not zero."""
    found = 0
    for i in range(start, stop):
        found += codes[i] != 0
    return found


@kernel()
def _count(x_codes, d_codes, skip, edges, counts):
    """Add to `counts` the elements of chi that one vector's operands change and the rows they touch, by band."""
    row_edges, column_edges = edges
    for r in range(row_edges.size - 1):
        rows = row_edges[r + 1] - row_edges[r]
        driven = _nonzero(x_codes, row_edges[r], row_edges[r + 1]) if skip else rows
        for c in range(column_edges.size - 1):
            columns = column_edges[c + 1] - column_edges[c]
            errors = _nonzero(d_codes, column_edges[c], column_edges[c + 1]) if skip else columns
            counts[r, c, 0] += driven * errors
            counts[r, c, 1] += driven if errors else 0
            counts[r, c, 2] += driven * errors


@kernel(fastmath={"contract"})
def accumulate(x, d, rate, grids, chi, step, limit, skip, edges, counts, x_codes, d_codes, crossed):
    """Add rate times the sum over vectors of the rounded x_i d_j to chi, in units of epsilon, in place.

    x : (n, rows); d : (n, columns), within +-1; grids : (x full scale, x levels, error levels);
    chi : (columns, rows) float32, so that a non-zero error sweeps one contiguous line; step : grid of chi (0: that
    of float32); limit : chi saturates at +-limit; skip : elements with a zero operand cost nothing;
    edges : (of the bands of rows, of the bands of columns), int64, the ends included;
    counts : (bands of rows, bands of columns, 3) int64, receives the products, the rows touched and the elements of
    chi changed, as many as products;
    x_codes, d_codes : scratch;
    crossed : (columns,) bool, set for every line in which a |chi| came to 1 or more. Returns whether one did, and how
    many changes ended at the limit.
    """
    columns, rows = chi.shape
    step = np.float32(step)
    limit = np.float32(limit)
    one = np.float32(1)
    found = False
    saturated = 0
    counts[:] = 0
    for v in range(x.shape[0]):
        _codes(x[v], grids[0], grids[1], x_codes)
        _codes(d[v], 1.0, grids[2], d_codes)
        _count(x_codes, d_codes, skip, edges, counts)
        for j in range(columns):
            dj = d_codes[j] * np.float32(rate)
            if dj == 0:
                continue
            over = np.int32(0)
            if step > 0:
                dj /= step  # a power of two, so nothing is rounded
                for i in range(rows):
                    q = chi[j, i] + np.rint(x_codes[i] * dj) * step
                    q = min(max(q, -limit), limit)
                    chi[j, i] = q
                    over += np.int32(abs(q) >= one)
            else:
                for i in range(rows):
                    q = min(max(chi[j, i] + x_codes[i] * dj, -limit), limit)
                    chi[j, i] = q
                    over += np.int32(abs(q) >= one)
            if over:
                crossed[j] = True
                found = True
                for i in range(rows):
                    saturated += x_codes[i] != 0 and abs(chi[j, i]) >= limit
    return found, saturated


@kernel()
def burst_codes(x, scale, levels, edges, codes, nonzero, touched):
    """Write x, (n, size), rounded to 2 levels + 1 whole codes over +-scale, into `codes`.

    edges : of the bands, the ends included; nonzero : (n, bands) int64, receives the codes that are not zero;
    touched : (size,) bool, receives whether a vector has such a code there.
    """
    up = np.float32(levels / scale)
    top = np.float32(levels)
    touched[:] = False
    for v in range(x.shape[0]):
        line, out = x[v], codes[v]
        for i in range(x.shape[1]):
            out[i] = min(max(np.rint(line[i] * up), -top), top)
        for i in range(x.shape[1]):
            touched[i] |= out[i] != 0
        for b in range(edges.size - 1):
            nonzero[v, b] = _nonzero(out, edges[b], edges[b + 1])


@kernel()
def count_burst(x_nonzero, d_nonzero, x_touched, d_touched, skip, edges, counts):
    """Add to `counts`, as `accumulate` has it, what one burst does; elements of chi are changed once each."""
    row_edges, column_edges = edges
    vectors = x_nonzero.shape[0]
    for r in range(row_edges.size - 1):
        rows = row_edges[r + 1] - row_edges[r]
        touched_rows = _nonzero(x_touched, row_edges[r], row_edges[r + 1]) if skip else rows
        for c in range(column_edges.size - 1):
            columns = column_edges[c + 1] - column_edges[c]
            touched_columns = _nonzero(d_touched, column_edges[c], column_edges[c + 1]) if skip else columns
            for v in range(vectors):
                driven = x_nonzero[v, r] if skip else rows
                errors = d_nonzero[v, c] if skip else columns
                counts[r, c, 0] += driven * errors
                counts[r, c, 1] += driven if errors else 0
            counts[r, c, 2] += touched_rows * touched_columns


@kernel(fastmath={"contract"})
def add_burst(product, factor, chi, step, limit, x_touched, d_touched, crossed):
    """Add factor times `product` to chi, both (columns, rows), rounded once to the grid of chi, in place.

    product : sums of products of whole codes; x_touched, d_touched : rows and columns with a code that is not zero;
    the rest and what is returned are as for `accumulate`.
    """
    columns, rows = chi.shape
    limit = np.float32(limit)
    grid = np.float32(step) if step > 0 else np.float32(1)
    by = np.float32(factor / step) if step > 0 else np.float32(factor)
    one = np.float32(1)
    found = False
    saturated = 0
    for j in range(columns):
        if not d_touched[j]:
            continue
        over = np.int32(0)
        if step > 0:
            for i in range(rows):
                q = min(max(chi[j, i] + np.rint(product[j, i] * by) * grid, -limit), limit)
                chi[j, i] = q
                over += np.int32(abs(q) >= one)
        else:
            for i in range(rows):
                q = min(max(chi[j, i] + product[j, i] * by, -limit), limit)
                chi[j, i] = q
                over += np.int32(abs(q) >= one)
        if over:
            crossed[j] = True
            found = True
            for i in range(rows):
                saturated += x_touched[i] and abs(chi[j, i]) >= limit
    return found, saturated


@kernel()
def take_pulses(chi, crossed, index, pulses):
    """Take trunc(chi) out of chi in the lines `crossed`, in place; return how many elements are beyond the threshold.

    chi : (columns, rows); crossed : (columns,) bool, cleared when all is taken.
    `index` receives flat positions in the (rows, columns) matrix, `pulses` the signed counts.
    If they are too short, chi is left alone.
    """
    columns, rows = chi.shape
    count = 0
    for j in range(columns):
        if not crossed[j]:
            continue
        for i in range(rows):
            if abs(chi[j, i]) >= np.float32(1):
                if count < index.size:
                    index[count] = i * columns + j
                    pulses[count] = np.int64(np.trunc(chi[j, i]))
                count += 1
    if count <= index.size:
        crossed[:] = False
        for k in range(count):
            chi[index[k] % columns, index[k] // columns] -= np.float32(pulses[k])
    return count


@kernel(fastmath={"contract"})
def dense(x, weight, out):
    """Write x W into `out`; x : (n, rows), weight : (rows, columns). Zero inputs add nothing and are passed."""
    for v in range(x.shape[0]):
        y = out[v]
        y[:] = 0
        for i in range(weight.shape[0]):
            xi = x[v, i]
            if xi != 0:
                for j in range(weight.shape[1]):
                    y[j] += xi * weight[i, j]


@kernel(fastmath={"contract", "reassoc", "nsz"})
def dense_transposed(d, weight, out):
    """Write d W^T into `out` in float32; d : (n, columns)."""
    for v in range(d.shape[0]):
        for i in range(weight.shape[0]):
            total = np.float32(0)
            for j in range(weight.shape[1]):
                total += d[v, j] * weight[i, j]
            out[v, i] = total


@kernel(fastmath={"contract"})
def add_outer(x, d, weight):
    """Add sum over vectors of x_i d_j to the weights in place."""
    for v in range(x.shape[0]):
        for i in range(weight.shape[0]):
            xi = x[v, i]
            if xi != 0:
                for j in range(weight.shape[1]):
                    weight[i, j] += xi * d[v, j]


@kernel()
def count_nonzero(x):
    """Return how many elements of (n, size) are not zero."""
    found = 0
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            found += x[v, j] != 0
    return found


@kernel()
def sigmoid(x, out):
    """Write 1/(1 + exp(-x)) into `out`, both (n, size)."""
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[v, j] = np.float32(1) / (np.float32(1) + np.exp(-x[v, j]))


@kernel()
def sigmoid_error(target, y, out):
    """Write (target - y) y (1 - y) into `out`: the descent direction of the squared error through a sigmoid."""
    for v in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[v, j] = (target[v, j] - y[v, j]) * y[v, j] * (np.float32(1) - y[v, j])


@kernel()
def sigmoid_derivative(back, y, out):
    """Write back y (1 - y) into `out`."""
    for v in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[v, j] = back[v, j] * y[v, j] * (np.float32(1) - y[v, j])


@kernel(fastmath={"contract"}, divides=True)
def _erf(x):
    """Return the error function of a float32 to about its last digit: x P(x^2) / Q(x^2), as Eigen and XLA have it."""
    x = min(max(x, np.float32(-4)), np.float32(4))
    q = x * x
    p = np.float32(-2.72614225801306e-10)
    p = p * q + np.float32(2.77068142495902e-08)
    p = p * q + np.float32(-2.10102402082508e-06)
    p = p * q + np.float32(-5.69250639462346e-05)
    p = p * q + np.float32(-7.34990630326855e-04)
    p = p * q + np.float32(-2.95459980854025e-03)
    p = p * q + np.float32(-1.60960333262415e-02)
    b = np.float32(-1.45660718464996e-05)
    b = b * q + np.float32(-2.13374055278905e-04)
    b = b * q + np.float32(-1.68282697438203e-03)
    b = b * q + np.float32(-7.37332916720468e-03)
    b = b * q + np.float32(-1.42647390514189e-02)
    return x * p / b


@kernel(fastmath={"contract"}, divides=True)
def gelu(x, out):
    """Write x Phi(x) into `out`, Phi(x) = (1 + erf(x / sqrt 2)) / 2."""
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            half = np.float32(0.5) * x[v, j]
            out[v, j] = half + half * _erf(x[v, j] * np.float32(0.7071067811865476))


@kernel(fastmath={"contract"}, divides=True)
def gelu_derivative(back, x, bell, out):
    """Write back (Phi(x) + x phi(x)) into `out`; `bell` is exp(-x^2 / 2), phi(x) times sqrt(2 pi)."""
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            phi = bell[v, j] * np.float32(0.3989422804014327)
            low = np.float32(0.5) + np.float32(0.5) * _erf(x[v, j] * np.float32(0.7071067811865476))
            out[v, j] = back[v, j] * (low + x[v, j] * phi)


@kernel()
def leaky_relu_derivative(back, y, out, slope):
    """Write back where y is positive, slope times back elsewhere, into `out`."""
    for v in range(y.shape[0]):
        for j in range(y.shape[1]):
            out[v, j] = back[v, j] * (np.float32(1) if y[v, j] > 0 else np.float32(slope))


@kernel()
def normalise(x, out):
    """Write x, (n, size), over its largest magnitude into `out` and return that magnitude (zero stays zero)."""
    top = np.float32(0)
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            top = max(top, abs(x[v, j]))
    divide = top < np.float32(1e-30) or top > np.float32(1e30)  # its reciprocal would lose digits or overflow
    factor = np.float32(1) / top if top > 0 else np.float32(0)
    for v in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[v, j] = x[v, j] / top if divide and top > 0 else x[v, j] * factor
    return float(top)


@kernel()
def extend(x, out):
    """Write x, (n, size), and a last column of ones into `out`, (n, size + 1)."""
    last = x.shape[1]
    for v in range(x.shape[0]):
        for j in range(last):
            out[v, j] = x[v, j]
        out[v, last] = 1


@kernel()
def due_pulses(x, d, sums, per_up, per_down, draws, index, pulses):
    """Write which weights are due how many signed pulses, row by row; return their number and the products taken.

    n_ij = sum_v x_vi d_vj times pulses per weight (up or down), to the nearest whole number; with `draws`, one a
    column for each row with a non-zero input, rounded up as often as its fraction says.
    x : (n, rows); d : (n, columns); sums : (rows, columns), the sums over vectors, or empty: then they are taken here;
    draws : uniform within [0, 1), or empty; index, pulses : (rows columns,) int64.
    Products of a zero operand are passed over.
    """
    columns = d.shape[1]
    found = 0
    taken = 0
    drawn = 0
    nonzero = np.zeros(x.shape[0], np.int64)
    for v in range(x.shape[0]):
        for j in range(columns):
            nonzero[v] += d[v, j] != 0
    for i in range(x.shape[1]):
        touched = False
        for v in range(x.shape[0]):
            if x[v, i] != 0:
                touched = True
                taken += nonzero[v]
        if not touched:
            continue
        for j in range(columns):
            total = 0.0
            if sums.size:
                total += sums[i, j]
            else:
                for v in range(x.shape[0]):
                    total += x[v, i] * d[v, j]
            wanted = total * per_up if total > 0 else -total * per_down
            if draws.size:
                part = draws[drawn]
                drawn += 1
            else:
                part = 0.5
            n = np.int64(wanted + part)
            if n:
                index[found] = i * columns + j
                pulses[found] = n if total > 0 else -n
                found += 1
    return found, taken


@kernel()
def drop(x, seeds, key, rate, out):
    """Write x / (1 - rate) into `out` where a random number is at least the rate, 0 elsewhere; (samples, elements).

    seeds : (samples, 2) uint64 below 2^24; the random number of an element is SplitMix64 of seeds, key and place.
    """
    below, kept = np.uint64(rate * 2.0**32), np.float32(1 / (1 - rate))
    for s in range(x.shape[0]):
        start = (seeds[s, 0] << np.uint64(24) | seeds[s, 1]) ^ key
        for i in range(x.shape[1]):
            z = start + np.uint64(i + 1) * np.uint64(0x9E3779B97F4A7C15)
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            out[s, i] = x[s, i] * kept if (z ^ (z >> np.uint64(31))) >> np.uint64(32) >= below else np.float32(0)


@kernel()
def follow(means, memory, asked, x_max, d_max, k):
    """Follow largest operands, (n,), of vectors in turn: write into k asked max|x| max|d| over the product of means.

    means : (2,), of max|x| and max|d|, begun by the first above 0, in place; memory : weight of what was so far.
    """
    for v in range(k.size):
        if x_max[v] > 0:
            means[0] = x_max[v] if means[0] == 0 else memory * means[0] + (1 - memory) * x_max[v]
        if d_max[v] > 0:
            means[1] = d_max[v] if means[1] == 0 else memory * means[1] + (1 - memory) * d_max[v]
        k[v] = asked * x_max[v] * d_max[v] / (means[0] * means[1]) if x_max[v] > 0 and d_max[v] > 0 else 0.0
