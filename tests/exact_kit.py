"""A chip of one matrix on devices that step exactly, for tests that hold update rules against their formulas."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from network_kit import Times, chain, dense

from archsim.base.files import shipped
from archsim.base.registry import load
from archsim.base.signal import Signal, Tag
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures

ROWS, COLUMNS, DW, RATE = 6, 4, 0.002, 0.05
NETWORK = chain(ROWS - 1, dense("fc1", COLUMNS, "sigmoid"), std=0.3)  # one row more for the biases
QUIET = {("nonidealities", name): "false" for name in (
    "state_dependence", "programming_noise", "read_noise", "drift", "dac_quantisation", "adc_quantisation",
    "adc_clipping",
)}  # fmt: skip


def started(folder: Path, name: str, **settings: str) -> Any:
    """Return a chip of one matrix with devices that step by 0.002 in weight, exactly, and have bounds far away."""
    text = (shipped("tech_params") / "devices" / "ideal.yaml").read_text()
    for old, new in (("name: ideal", "name: exact"), ("step: 0.766 uS", "step: 12 nS"), ("low: 0.1 uS", "low: 1 uS"),
                     ("high: 12 uS", "high: 121 uS"), ("common: 1.6 uS", "common: 20 uS")):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    device = folder / "exact.yaml"
    device.write_text(text)
    keys = {tuple(key.replace("__", ".").split(".")): value for key, value in settings.items()}
    small = {
        ("weight", "device"): str(device),
        ("weight", "unit"): "6 uS",
        ("tile", "rows"): "4",
        ("tile", "columns"): "3",
    }
    document = architectures.document(name, {**QUIET, **small, **keys})
    parsed = architectures.parse(document)
    return load("chip", parsed.chip).start(parsed, NETWORK, Times(), Streams(7))


def operands(vectors: int, seed: int = 2) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return inputs and errors, a third of them zero, of magnitudes that differ by a decade."""
    rng = np.random.default_rng(seed)
    sizes = 10.0 ** rng.uniform(-1, 0, vectors)
    return [
        ((rng.uniform(-1, 1, ROWS) * (rng.random(ROWS) < 0.67)).astype(np.float32),
         (size * rng.uniform(-1, 1, COLUMNS) * (rng.random(COLUMNS) < 0.67)).astype(np.float32))
        for size in sizes
    ]  # fmt: skip


def driven(made: Any, data: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Let the chip learn from outer products, one by one."""

    def work() -> Any:
        for x, d in data:
            yield from made.accumulate("fc1", Signal(x[None]), Signal(d[None]), RATE, Tag("update", "fc1"))
            yield from made.apply("fc1", 1, RATE, Tag("update", "fc1"))

    made.run(work())


def whole(cells: list[list[Any]]) -> np.ndarray:
    """Return the weights of a matrix that lies on several tiles."""
    return np.concatenate([np.concatenate([one.weight for one in row], axis=1) for row in cells])


# --- A reference: floating point, loops, nothing of the package -------------------------------------------------------
def coincidences(x: np.ndarray, d: np.ndarray, k: float, longest: int, rng: np.random.Generator) -> np.ndarray:
    """Return signed coincidences of managed trains: k = rate max|x| max|d|/dw, L = min(ceil k, longest)."""
    n = np.zeros((x.size, d.size))
    x_max, d_max = abs(x).max(), abs(d).max()
    if k <= 0:
        return n
    slots = min(math.ceil(k), longest)
    lines = []
    for values, most, clipped in ((x, x_max, False), (d, d_max, True)):
        pulses = np.zeros((values.size, slots))
        for i, value in enumerate(values):
            if value != 0:
                p = abs(value) / most * math.sqrt(min(k, slots) / slots)
                if clipped and k > longest:
                    p *= k / longest
                pulses[i] = rng.random(slots, np.float32) < p
        lines.append(pulses)
    for i in range(x.size):
        for j in range(d.size):
            n[i, j] = np.sign(x[i] * d[j]) * np.sum(lines[0][i] * lines[1][j])
    return n
