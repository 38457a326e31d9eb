"""Small arrays for the tests of cells."""

from __future__ import annotations

import numpy as np

from archsim.analog.paired import PairedCells
from archsim.base.streams import Streams
from archsim.devices.base import Device, Switches
from archsim.devices.library import build, device_file

US = 1e-6
SCALE = 8 * US
S = 10**12
IDEAL = (0, 0, 1.0, False)
QUIET = Switches(read_noise=False, drift=False)
STILL = Switches(drift=False)
T0_PS = int(38.6 * S)


def device(switches: Switches = QUIET, name: str = "pcm-nandakumar2018") -> Device:
    return build(device_file(name), switches)


def blank(shape: tuple[int, int], switches: Switches = QUIET, *, name: str = "pcm-nandakumar2018", seed: int = 1,
          tolerance: float = 0.01) -> PairedCells:  # fmt: skip
    return PairedCells(
        device(switches, name), shape, scale=SCALE, streams=Streams(seed), name="a/0,0", drift_tolerance=tolerance
    )


def loaded(shape: tuple[int, int], switches: Switches = QUIET, seed: int = 1) -> tuple[PairedCells, np.ndarray]:
    cells = blank(shape, switches, seed=seed)
    weight = np.random.default_rng(2).normal(0, 0.2, shape).astype(np.float32)
    cells.load(weight, 0)
    return cells, weight


def conductances(cells: PairedCells, now_ps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return G+ and G- as they conduct at a time, each (rows, columns), computed apart from the cache."""
    reading = cells.device.reading
    both = []
    for side in cells.pairs:
        age = np.maximum((now_ps - side.programmed_ps) / S, reading.shortest_s)
        both.append((side.conductance * (age / reading.reference_s) ** -reading.exponent).reshape(cells.shape))
    return both[0], both[1]
