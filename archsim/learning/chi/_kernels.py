"""Numba kernels of chi: outer products added, thresholds crossed, pulses taken out. Plain arrays, in place."""

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
    part = codes[start:stop]
    found = np.int32(0)  # as wide as a code, and from 0 on, so that many are counted at a time
    for i in range(part.size):
        found += np.int32(part[i] != 0)
    return np.int64(found)


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
def burst_codes(x, scale, levels, edges, burst, codes, nonzero, touched):
    """Write x, (n, size), rounded to 2 levels + 1 whole codes over +-scale, into `codes`.

    edges : of the bands, the ends included; burst : vectors of one, the last may be shorter;
    nonzero : (n, bands) int64, receives the codes that are not zero;
    touched : (bursts, size) bool, receives whether a vector of the burst has such a code there.
    """
    up = np.float32(levels / scale)
    top = np.float32(levels)
    touched[:] = False
    for v in range(x.shape[0]):
        line, out, met = x[v], codes[v], touched[v // burst]
        for i in range(x.shape[1]):
            out[i] = min(max(np.rint(line[i] * up), -top), top)
        for i in range(x.shape[1]):
            met[i] |= out[i] != 0
        for b in range(edges.size - 1):
            nonzero[v, b] = _nonzero(out, edges[b], edges[b + 1])


@kernel()
def count_bursts(x_nonzero, d_nonzero, x_touched, d_touched, skip, edges, counts):
    """Add to `counts`, as `accumulate` has it, what bursts do; a burst changes elements of chi once each.

    The first four are what `burst_codes` has of either operand.
    """
    row_edges, column_edges = edges
    vectors = x_nonzero.shape[0]
    for r in range(row_edges.size - 1):
        rows = row_edges[r + 1] - row_edges[r]
        for c in range(column_edges.size - 1):
            columns = column_edges[c + 1] - column_edges[c]
            for v in range(vectors):
                driven = x_nonzero[v, r] if skip else rows
                errors = d_nonzero[v, c] if skip else columns
                counts[r, c, 0] += driven * errors
                counts[r, c, 1] += driven if errors else 0
            for b in range(x_touched.shape[0]):
                changed_rows = _nonzero(x_touched[b], row_edges[r], row_edges[r + 1]) if skip else rows
                changed = _nonzero(d_touched[b], column_edges[c], column_edges[c + 1]) if skip else columns
                counts[r, c, 2] += changed_rows * changed


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
