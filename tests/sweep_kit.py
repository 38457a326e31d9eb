"""A plausible sweep for the tests of its reader, pictures and page: closed forms in place of trainings."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from archsim.base.metrics import ACCURACY
from archsim.records.sweeps.sweep import DEFINITION, PART, QUANTITIES, TABLE, Axis, metric_quantity

BITS, ROWS, PRICES = (4, 5, 6, 7, 8), (64, 128, 256), (0.5e-12, 1.6e-12, 5e-12)
AXES = (
    Axis("tile.adc.bits", "set", "", BITS),
    Axis("tile.rows", "set", "", ROWS),
    Axis("adc.conversion", "figure", "J", PRICES),
)
CHIPS = ("mixed-precision", "digital32")
PARTS = ("ADC", "arithmetic", "weight memory")


def row(point: int, values: Mapping[str, Any], chip: str) -> dict[str, Any]:
    """Return what one design and chip come to: more bits read better and cost more, larger tiles share converters."""
    bits, rows, price = (values[axis.column] for axis in AXES)
    if chip == "digital32":
        test, adc, area, time = 0.977, 0.0, 9e-6, 4e-6
        rest = 60e-9
    else:
        test = 0.975 - 0.30 * 2.0 ** (3 - bits) - 0.004 * (rows / 256)
        adc, rest = 784 * 250 / rows * price * 2.0 ** (bits - 8) * 8, 0.9e-9 * (1 + rows / 512)
        area, time = 1e-6 * (1 + 2.0 ** (bits - 8) * 128 / rows), 1e-6 * (0.4 + 0.1 * bits)
    energy = adc + rest
    return {
        "point": f"{point:012x}", "state": "done", "reason": "", "how": "trained", **values, "chip": chip,
        "technology": "bottom-up-14nm", "seeds": 3, "run": "",
        "test": test, "test.std": 0.002, "energy_per_sample_J": energy, "energy_per_sample_J.std": 0.01 * energy,
        "latency_per_sample_s": time, "latency_per_sample_s.std": 0.0, "area_m2": area,
        "edp_per_sample_Js": energy * time, "ops_per_J": 1.2e6 / energy, "energy_ratio": 60e-9 / energy,
        f"{PART}ADC": adc, f"{PART}arithmetic": rest * 0.7, f"{PART}weight memory": rest * 0.3,
    }  # fmt: skip


def frame(chips: Sequence[str] = CHIPS[:1]) -> pd.DataFrame:
    """Return the whole grid; two of its last designs failed."""
    rows = []
    grid = itertools.product(*(axis.values for axis in AXES))
    for point, values in enumerate(grid):
        named = {axis.column: value for axis, value in zip(AXES, values, strict=True)}
        rows += [row(point, named, chip) for chip in chips]
    return pd.DataFrame(rows)


def failing(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the table with its last rows failed, as a sweep records them."""
    changed = table.copy()
    last = changed.index[len(changed) - count :]
    changed.loc[last, "state"] = "failed"
    changed.loc[last, "reason"] = "tile.rows: got 256; expected what fits"
    numbers = changed.columns[changed.columns.get_loc("seeds") :].drop("run")
    changed.loc[last, numbers] = np.nan
    return changed


def write(
    folder: Path, table: pd.DataFrame | None = None, *, axes: Sequence[Axis] = AXES, metric: bool = True, **told: Any
) -> Path:
    """Write a sweep's directory and return it."""
    table = frame() if table is None else table
    quantities = [*([metric_quantity(ACCURACY)] if metric else []), *QUANTITIES.values()]
    definition = {
        "schema": 1, "kind": "sweep", "what": "training" if metric else "estimate", "workload": "mlp-mnist",
        "archsim": "0.1.0", "created": "2026-11-30T07:00:00", "axes": [each.content() for each in axes],
        "quantities": [each.content() for each in quantities if each.name in table.columns],
        "settings": {"steps": 200}, "samples": 5000, "state": "finished",
    } | told  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DEFINITION).write_text(json.dumps(definition), encoding="utf-8")
    table.to_csv(folder / TABLE, index=False)
    return folder


def random_table(count: int, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[Axis, ...]]:
    """Return a search's table of so many designs, and its axes, one of words."""
    axes = (*AXES, Axis("device", "set", "", ("pcm", "linear", "ideal")))
    rows = []
    for point in range(count):
        values = {
            AXES[0].column: int(rng.integers(3, 10)), AXES[1].column: int(2 ** rng.integers(5, 10)),
            AXES[2].column: float(10 ** rng.uniform(-13, -11)), "device": str(rng.choice(["pcm", "linear", "ideal"])),
        }  # fmt: skip
        made = row(point, values, CHIPS[0])
        made["test"] += float(rng.normal(0, 0.004)) - 0.01 * (values["device"] == "linear")
        rows.append(made)
    return pd.DataFrame(rows), axes


def grid(function: Callable[..., float], *sizes: int) -> tuple[pd.DataFrame, list[str]]:
    """Return a full grid of a function of the places 0, 1, ... on each axis, in the column "y", and its axes."""
    names = [f"a{k}" for k in range(len(sizes))]
    rows = [dict(zip(names, at, strict=True)) | {"y": function(*at)} for at in itertools.product(*map(range, sizes))]
    return pd.DataFrame(rows), names
