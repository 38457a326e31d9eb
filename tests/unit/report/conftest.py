"""A run directory written by hand: small round numbers, two technologies, no simulation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

TECHNOLOGIES = {"first-tech": 1.0, "second_tech": 2.0}
PHASES = ("forward", "backward", "update", "refresh")
STEPS = 10
# (chip, phase, component, action, amount a step, unit, price, basis)
LINES = [
    ("mixed-precision", "forward", "tile", "adc.convert", 1000, "1", 5e-12, "published"),
    ("mixed-precision", "backward", "tile", "adc.convert", 100, "1", 5e-12, "published"),
    ("mixed-precision", "update", "outer_product_unit", "chi.write", 10_000, "1", 8e-12, "assumed"),
    ("mixed-precision", "refresh", "programmer", "set.pulse", 2, "1", 1e-11, "derived"),
    ("mixed-precision", "update", "bus", "transfer", 640, "bit", 1e-13, "derived"),
    ("digital32", "forward", "mac_array", "weights.read", 200_000, "1", 1e-11, "published"),
    ("digital32", "backward", "mac_array", "multiply", 2_000, "1", 2e-12, "derived"),
    ("digital32", "update", "mac_array", "weights.write", 200_000, "1", 1e-11, "published"),
]
# (chip, component, part, amount, unit, area of one [m^2] or None, basis); the range is half and twice of it
AREAS = [
    ("mixed-precision", "tile", "adc", 100, "1", 2e-9, "measured"),
    ("mixed-precision", "outer_product_unit", "chi", 8_000_000, "bit", 1e-13, "derived"),
    ("mixed-precision", "programmer", "driver", 1, "1", None, ""),
    ("digital32", "mac_array", "weights", 8_000_000, "bit", 1e-13, "derived"),
    ("digital32", "mac_array", "logic", 100, "1", 3e-9, "assumed"),
]
PARTS = {
    "adc": "ADC", "cells": "DAC and cells", "chi": "chi memory", "set": "programming", "transfer": "bus",
    "weights": "weight memory", "multiply": "arithmetic", "driver": "programming", "logic": "arithmetic",
}  # fmt: skip
TIMES = {
    "mixed-precision": {"forward": 2e-6, "backward": 1e-6, "update": 4e-5, "refresh": 1e-6},
    "digital32": {"forward": 4e-4, "backward": 6e-6, "update": 8e-4, "refresh": 0.0},
}


def by_phase(values: dict[str, float]) -> dict[str, float]:
    return {**values, "total": sum(values.values())}


def energies(chip: str, factor: float) -> dict[str, float]:
    return by_phase({
        phase: sum(n * price * factor for c, p, _, _, n, _, price, _ in LINES if (c, p) == (chip, phase))
        for phase in PHASES
    })  # fmt: skip


def area(chip: str) -> dict[str, Any]:
    def span(component: str | None = None) -> dict[str, float]:
        value = sum(n * (one or 0) for c, k, _, n, _, one, _ in AREAS if c == chip and component in (None, k))
        return {"value": value, "low": value / 2, "high": value * 2}

    return {
        "total": span(), "by_component": {k: span(k) for c, k, *_ in AREAS if c == chip},
        "unpriced": [f"{k}.{part}" for c, k, part, *_, one, _ in AREAS if c == chip and one is None],
    }  # fmt: skip


def summary() -> dict[str, Any]:
    def ratio(factor: float) -> dict[str, float]:
        energy = energies("digital32", factor)["total"] / energies("mixed-precision", factor)["total"]
        return {"energy": energy, "latency": 1206e-6 / 44e-6}

    chips = {
        chip: {
            "energy_per_step_J": energies(chip, 1.0), "latency_per_step_s": by_phase(TIMES[chip]),
            "energy_per_sample_J": energies(chip, 1.0), "latency_per_sample_s": by_phase(TIMES[chip]), "samples": STEPS,
            "test": 0.9, "chip": chip, "pulses_per_step": 5.0 if chip == "mixed-precision" else 0.0,
            "programmed_pairs_per_step": 4.0 if chip == "mixed-precision" else 0.0,
            "outer_product_updates_per_step": 10_000.0 if chip == "mixed-precision" else 200_000.0,
            "simulated_time_s": STEPS * by_phase(TIMES[chip])["total"], "area_m2": area(chip), "steps": STEPS, "nonidealities": ["drift"] if chip == "mixed-precision" else [],
        }
        for chip in TIMES
    }  # fmt: skip
    return {
        "schema": 3, "metric": {"name": "accuracy", "higher_is_better": True, "share": True, "chance": 0.1},
        "sample": {"name": "image", "part": None, "parts": 1}, "batch": 1, "baseline": "digital32", "workload": "tiny_net", "dataset": "toy", "dataset_origin": "toy & made up", "seed": 7,
        "steps": STEPS, "technology": {"name": "first-tech", "sha256": "a" * 64}, "architectures": chips,
        "ratio": ratio(1.0), "ratios": {"mixed-precision": ratio(1.0)},
        "published": {
            "energy_per_sample_J": {"mixed-precision": 83.2e-9, "digital32": 14.35e-6}, "energy_ratio": 172.0,
            "test_accuracy": {"mixed-precision": 0.9773, "digital32": 0.983}, "source": "the paper",
        },
        "wall_time_s": 1.0, "steps_per_s": 1000.0, "state": "finished", "weights": 200_000,
        "technologies": [
            {
                "name": name, "sha256": "a" * 64, "ratio": ratio(factor),
                "energy_per_step_J": {chip: energies(chip, factor) for chip in TIMES},
            }
            for name, factor in TECHNOLOGIES.items()
        ],
        "boundary": {"inside": ["arithmetic"], "outside": ["host link"]},
    }  # fmt: skip


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Return a complete run directory."""
    run = tmp_path / "tiny"
    run.mkdir()
    (run / "summary.json").write_text(json.dumps(summary()))
    boundary = {"inside": ["arithmetic"], "outside": ["host link"]}
    (run / "run.yaml").write_text(yaml.safe_dump({
        "schema": 3, "state": "finished", "archsim": "0.0.0", "inputs": {}, "dataset": {"name": "toy", "sha256": "d" * 64},
        "workload": {"name": "tiny_net", "training": {"batch": 1}},
        "technologies": [{"name": name, "sha256": "a" * 64, "times_s": {}} for name in TECHNOLOGIES],
        "architectures": [{"name": chip, "chip": chip, "boundary": boundary} for chip in TIMES],
    }))  # fmt: skip
    pd.DataFrame([
        {
            "architecture": chip, "phase": phase, "layer": "fc1", "component": component, "action": action,
            "key": f"{component}.{action}", "function": "arithmetic", "amount": n * STEPS, "amount_unit": unit,
            "part": PARTS[action.partition(".")[0]], "circuit": "any", "times": "", "sizes": "", "what": "made up",
        }
        for chip, phase, component, action, n, unit, _, _ in LINES
    ]).to_csv(run / "activity.csv", index=False)  # fmt: skip
    pd.DataFrame([
        {
            "technology": name, "architecture": chip, "phase": phase, "in_step": True, "layer": "fc1",
            "component": component, "action": action, "key": f"{component}.{action}", "function": "arithmetic",
            "inside_boundary": True, "amount": n * STEPS,
            "amount_unit": unit, "figure": f"{component}.figure", "price_J_per_unit": price * factor,
            "price_low_J_per_unit": price * factor / 2, "price_high_J_per_unit": price * factor * 4, "note": "",
            "energy_J": n * STEPS * price * factor, "energy_per_step_J": n * price * factor, "basis": basis, "source": "" if basis == "assumed" else "book2020",
        }
        for name, factor in TECHNOLOGIES.items()
        for chip, phase, component, action, n, unit, price, basis in LINES
    ]).to_csv(run / "energy.csv", index=False)  # fmt: skip
    pd.DataFrame([
        {
            "technology": name, "architecture": chip, "component": component, "key": f"{component}.{part}",
            "part": PARTS[part], "amount": n, "amount_unit": unit, "figure": one and f"{part}.figure", "area_m2_per_unit": one,
            "area_m2": one and n * one, "low_m2": one and n * one / 2, "high_m2": one and n * one * 2,
            "basis": basis, "source": "book2020" if basis not in ("", "assumed") else "", "note": "",
        }
        for name in TECHNOLOGIES
        for chip, component, part, n, unit, one, basis in AREAS
    ]).to_csv(run / "area.csv", index=False)  # fmt: skip
    pd.DataFrame([
        {
            "architecture": chip, "step": step, "samples": step, "epoch": step / 100, "learning_rate": 0.3,
            "running": accuracy - 0.05 if step else None,
            "test": accuracy, "simulated_time_s": step * by_phase(TIMES[chip])["total"],
            **{f"energy_J_{name}": step * energies(chip, factor)["total"] for name, factor in TECHNOLOGIES.items()},
        }
        for chip in TIMES
        for step, accuracy in ((0, 0.1), (1, 0.5), (STEPS, 0.9))
    ]).to_csv(run / "training.csv", index=False)  # fmt: skip
    return run
