"""Numba kernels of images: what windows see, the sum of what they say, pooling. Arrays of samples, channels last."""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel


@kernel()
def _inside(i, j, count, image):
    """Return which of `count` neighbours from (i, j) on stand in the image: the first, and one past the last."""
    if i < 0 or i >= image[0]:
        return 0, 0
    return min(max(-j, 0), count), min(max(image[1] - j, 0), count)


@kernel()
def windows(x, window, out):
    """Write what a window sees at each of its places; what stands beside the image is 0.

    x : (samples, rows, columns, channels); window : (rows, columns, strides down and across, padding, dilation);
    out : (samples, places, places, window x channels), or one element more, which becomes 1.
    """
    rows, columns, down, across, edge, dilation = window
    image, channels = x.shape[1:3], x.shape[3]
    together = columns if dilation == 1 else 1  # neighbours in the window are neighbours in the image
    flat = x.reshape(x.shape[0], x.shape[1], x.shape[2] * channels)
    for s in range(out.shape[0]):
        for p in range(out.shape[1]):
            for q in range(out.shape[2]):
                line = out[s, p, q]
                k = 0
                for a in range(rows):
                    i = p * down - edge + a * dilation
                    for b in range(0, columns, together):
                        j = q * across - edge + b * dilation
                        first, last = _inside(i, j, together, image)
                        stop = k + together * channels
                        if last - first < together:
                            line[k:stop] = 0
                        if last > first:
                            seen = flat[s, i, (j + first) * channels : (j + last) * channels]
                            line[k + first * channels : k + last * channels] = seen
                        k = stop
                if k < line.size:
                    line[k] = 1


@kernel()
def fold(seen, window, out):
    """Write the sum of what the windows say of each element into `out`; the adjoint of `windows`, shapes likewise."""
    rows, columns, down, across, edge, dilation = window
    image, channels = out.shape[1:3], out.shape[3]
    together = columns if dilation == 1 else 1
    flat = out.reshape(out.shape[0], out.shape[1], out.shape[2] * channels)
    for s in range(seen.shape[0]):
        flat[s] = 0
        for p in range(seen.shape[1]):
            for q in range(seen.shape[2]):
                line = seen[s, p, q]
                k = 0
                for a in range(rows):
                    i = p * down - edge + a * dilation
                    for b in range(0, columns, together):
                        j = q * across - edge + b * dilation
                        first, last = _inside(i, j, together, image)
                        if last > first:
                            told = line[k + first * channels : k + last * channels]
                            element = flat[s, i, (j + first) * channels : (j + last) * channels]
                            for c in range(told.size):  # of slices, whose indices are never below 0
                                element[c] += told[c]
                        k += together * channels


@kernel()
def largest(x, window, out):
    """Write the largest element under each window into `out`, (samples, places, places, channels)."""
    rows, columns, down, across, edge, _ = window
    for s in range(out.shape[0]):
        for p in range(out.shape[1]):
            top, bottom = max(p * down - edge, 0), min(p * down - edge + rows, x.shape[1])
            for q in range(out.shape[2]):
                left, right = max(q * across - edge, 0), min(q * across - edge + columns, x.shape[2])
                found = out[s, p, q]
                found[:] = x[s, top, left]
                for i in range(top, bottom):
                    for j in range(left, right):
                        for c in range(x.shape[3]):
                            found[c] = max(found[c], x[s, i, j, c])


@kernel()
def to_largest(d, x, window, out):
    """Add what is said of each window's largest element to the first of that size; `out` starts as zeros, like x."""
    rows, columns, down, across, edge, _ = window
    best, where = np.empty(x.shape[3], np.float32), np.empty(x.shape[3], np.int32)
    for s in range(d.shape[0]):
        for p in range(d.shape[1]):
            top, bottom = max(p * down - edge, 0), min(p * down - edge + rows, x.shape[1])
            for q in range(d.shape[2]):
                left, right = max(q * across - edge, 0), min(q * across - edge + columns, x.shape[2])
                best[:] = x[s, top, left]
                where[:] = 0
                for i in range(top, bottom):
                    for j in range(left, right):
                        place = np.int32((i - top) * columns + j - left)
                        for c in range(x.shape[3]):
                            larger = x[s, i, j, c] > best[c]
                            best[c] = x[s, i, j, c] if larger else best[c]
                            where[c] = place if larger else where[c]
                for c in range(x.shape[3]):
                    out[s, top + where[c] // columns, left + where[c] % columns, c] += d[s, p, q, c]
