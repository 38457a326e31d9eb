"""Numba kernels of devices that trains pulse: who meets, what they are given, and the cache of their weights."""

from __future__ import annotations

import numpy as np

from archsim.base.jit import kernel
from archsim.devices.laws import drift_factor, give
from archsim.learning.trains.sending import find_met, within


@kernel()
def renew_single(index, g, programmed_ps, now_ps, drift, noise, scale, base, cache, total, row_total, column_total):
    """Renew the cache of the weights `index` in place: W = (sum of G - base)/scale, the base without noise.

    g, programmed_ps : (copies weights,), the devices of one copy after those of another; cache : (rows, 2, columns),
    weights and variances; the rest as for `renew`.
    """
    columns = cache.shape[2]
    row = begin = 0
    then, factor = programmed_ps[0], drift_factor(programmed_ps[0], now_ps, drift)
    for k in range(index.size):
        i = index[k]
        if not begin <= i < begin + columns:  # weights come row by row, and a division takes as long as all the rest
            row = i // columns
            begin = row * columns
        column = i - begin
        both = 0.0
        variance = 0.0
        for device in range(i, g.size, total.size):
            if programmed_ps[device] != then:
                then, factor = programmed_ps[device], drift_factor(programmed_ps[device], now_ps, drift)
            one = np.float32(g[device] * factor)
            sigma = noise[0] * one + noise[1]
            both += float(one)
            variance += sigma * sigma
        now = np.float32(both)
        cache[row, 0, column] = (now - base) / scale
        cache[row, 1, column] = variance / (scale * scale) if variance > 0 else 0.0
        change = float(now) - float(total[i])
        total[i] = now
        row_total[row] += change
        column_total[column] += change


@kernel()
def _chosen(turns, counters, rises, falls):
    """Return the device whose turn it is, whether updates up and updates down are let by, and move the counters.

    turns : (devices, stride, up_every, down_every); counters : as `Selection` has them; rises, falls : how
    many updates.
    """
    up = counters[1] == 0
    down = counters[2] == 0
    if turns[2] > 1 and rises:
        counters[1] = (counters[1] + 1) % turns[2]
    if turns[3] > 1 and falls:
        counters[2] = (counters[2] + 1) % turns[3]
    device = counters[0]
    counters[0] = (counters[0] + turns[1]) % turns[0]
    return device, up or turns[2] == 1, down or turns[3] == 1


@kernel()
def _give_all(law, up, devices, index, pulses, now_ps, normals):
    """Give pulses to devices; return normals used, pulses, and the sum over pulses of the mean conductance."""
    g = devices[0]
    total = 0
    moment = 0.0
    for k in range(index.size):
        total += pulses[k]
        moment += np.float64(g[index[k]]) * pulses[k]
    count = devices[3] if up else devices[4]
    used = give(law, up, g, devices[1], devices[2], count, index, pulses, now_ps, normals)
    for k in range(index.size):
        moment += np.float64(g[index[k]]) * pulses[k]
    return used, total, moment / 2


@kernel()
def _on_lines(lines, v, first, stop, totals, reference):
    """Return the pulses on lines of [first, stop) in a vector, and the sum over them of the line's conductance."""
    a, b = within(lines, v, first, stop)
    sent = 0
    conducted = 0.0
    for k in range(a, b):
        n = abs(lines[3][k])
        sent += n
        conducted += n * (totals[lines[1][k] - first] - reference)
    return sent, conducted


@kernel()
def send_trains(
    vectors, rows, columns, window, times, law, devices, turns, counters, sign, normals, reading, cache, scratch
):
    """Pulse the devices of an array by the trains of `vectors`, (first, last + 1), one after the other, in place.

    rows, columns : as `archsim.learning.trains.sending.Lines` has them; window : of the array, in its matrix's lines;
    times : (vectors in all,) int64 [ps], below 0 where nothing is sent; law : of the device; devices : (conductance,
    memory, programmed_ps, set_pulses, down_pulses); turns : (devices a weight, stride, up_every, down_every), a stride
    of 0 where all of a weight's devices are written; sign : under which all pulses are given; reading : (drift, noise,
    scale, reference) and cache : (cache, total, row_total, column_total), as `renew_single` has them; scratch :
    (index and pulses as they met, (weights,) each; device and pulses, (devices,) each, up and down), int64.

    Returns the normals used; pulses up and down; the sums over these of the mean conductance; of all lines the pulses
    on rows and on columns, and the sums of what conducts under half the voltage, up and down.
    """
    met_index, met_pulses, up_index, up_pulses, down_index, down_pulses = scratch
    copies = turns[0]
    weights = cache[1].size
    share = 1.0 / copies if turns[1] else 1.0
    used = ups = downs = on_rows = on_columns = 0
    up_moment = down_moment = up_half = down_half = 0.0
    for v in range(vectors[0], vectors[1]):
        if times[v] < 0:
            continue
        sent, along_rows = _on_lines(rows, v, window[0], window[1], cache[2], reading[3])
        on_rows += sent
        sent, along_columns = _on_lines(columns, v, window[2], window[3], cache[3], reading[3])
        on_columns += sent
        selected = along_rows + along_columns * share
        found = find_met(rows, columns, v, window, met_index, met_pulses)
        rises = 0
        for k in range(found):
            met_pulses[k] *= sign
            rises += met_pulses[k] > 0
        first, last, lets_up, lets_down = 0, copies, True, True
        if turns[1]:
            first, lets_up, lets_down = _chosen(turns, counters, rises, found - rises)
            last = first + 1
        up = down = 0
        for c in range(first, last):
            for k in range(found):
                if met_pulses[k] > 0 and lets_up:
                    up_index[up], up_pulses[up] = met_index[k] + c * weights, met_pulses[k]
                    up += 1
                elif met_pulses[k] < 0 and lets_down:
                    down_index[down], down_pulses[down] = met_index[k] + c * weights, -met_pulses[k]
                    down += 1
        rising = falling = 0.0
        if up:
            drawn, n, rising = _give_all(law, True, devices, up_index[:up], up_pulses[:up], times[v], normals[used:])
            used += drawn
            ups += n
        if down:
            drawn, n, falling = _give_all(
                law, False, devices, down_index[:down], down_pulses[:down], times[v], normals[used:]
            )
            used += drawn
            downs += n
        up_moment += rising
        down_moment += falling
        up_half += max(selected - 2 * rising, 0.0)
        down_half += max(selected - 2 * falling, 0.0)
        if not (lets_up and lets_down):
            kept = 0
            for k in range(found):
                if (met_pulses[k] > 0 and lets_up) or (met_pulses[k] < 0 and lets_down):
                    met_index[kept] = met_index[k]
                    kept += 1
            found = kept
        renew_single(
            met_index[:found], devices[0], devices[2], times[v], reading[0], reading[1], reading[2], reading[3],
            cache[0], cache[1], cache[2], cache[3],
        )  # fmt: skip
    return used, (ups, downs), (up_moment, down_moment), (on_rows, on_columns), (up_half, down_half)
