"""Pulses of one direction, binned over the conductance before them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archsim.base.csvfile import F64
from archsim.base.errors import InputError
from archsim.base.units import show


@dataclass(frozen=True, slots=True)
class Binned:
    """Pulses of one direction, binned.

    Parameters
    ----------
    edges : float64 array [S], (bins + 1,)
    centre, mean, std : float64 arrays [S], (bins,)
        Mean conductance before the pulse; mean and standard deviation (n - 1) of the change.
    points : int array, (bins,)
    """

    edges: F64
    centre: F64
    mean: F64
    std: F64
    points: F64


def binned(before: F64, change: F64, bins: int, least: int, name: str, file: Path | None) -> Binned:
    """Return pulses of the direction `name` in at most `bins` bins of at least `least` pulses each.

    Raises
    ------
    InputError
        If fewer than two bins have enough pulses.
    """
    edges = np.linspace(before.min(), before.max(), bins + 1)
    place = np.clip(np.searchsorted(edges, before, side="right") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    kept, filled = [0], 0
    for k in range(bins):
        filled += counts[k]
        if filled >= least:
            kept.append(k + 1)
            filled = 0
    kept[-1] = bins
    if len(kept) < 3 or before.min() == before.max():
        raise InputError(
            f"nearly all {name} pulses start from one small part of the range, {show(float(before.min()), 'S', 3)} to "
            f"{show(float(before.max()), 'S', 3)}", file=file, key="conductance",
            expected=f"two bins of {least} pulses or more over the range; one stray value widens it",
        )  # fmt: skip
    place = np.searchsorted(kept[1:-1], place, side="right")
    points = np.bincount(place)
    centre, mean = (np.bincount(place, value) / points for value in (before, change))
    spread = np.sqrt(np.bincount(place, (change - mean[place]) ** 2) / (points - 1))
    return Binned(edges[kept], centre, mean, spread, points.astype(float))
