"""A small network for tests of sweeps: a layer of ten on mnist-5k, tested on fifty images, a second a thousand steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archsim.studies.sweeps.plan import Plan, plan
from archsim.studies.sweeps.study import Study, asked

TINY: dict[str, Any] = {
    "schema": 1, "kind": "workload", "name": "tiny", "title": "784-10 on mnist-5k", "dataset": "mnist-5k",
    "network": {
        "inputs": 784, "initial_std": 0.05, "loss": "squared",
        "layers": [{"name": "fc", "kind": "dense", "units": 10, "activation": "sigmoid"}],
    },
    "training": {"batch": 1, "learning_rate": 0.2, "epochs": 1, "steps": 40, "test_samples": 50},
}  # fmt: skip


def study(**options: Any) -> Study:
    """Return a sweep of the small network, 40 steps a training if nothing else is said."""
    return asked(options.pop("workload", TINY), **options)


def planned(**options: Any) -> Plan:
    """Return the plan of such a sweep."""
    how = {name: options.pop(name) for name in ("retime", "yes") if name in options}
    return plan(study(**options), **how)


def file(folder: Path) -> Path:
    """Write the small network as a file and return it."""
    import yaml

    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY, sort_keys=False), encoding="utf-8")
    return path
