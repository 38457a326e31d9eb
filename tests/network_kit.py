"""Small networks for tests."""

from __future__ import annotations

from typing import Any

from archsim.networks.file import NetworkFile
from archsim.networks.network import Network


def dense(name: str, units: int, activation: str, **more: Any) -> dict[str, Any]:
    """Return what a workload says of a fully connected layer."""
    return {"name": name, "kind": "dense", "units": units, "activation": activation, **more}


def chain(inputs: Any, *layers: dict[str, Any], std: float, **more: Any) -> Network:
    """Return a network of layers, one after the other."""
    told = {"inputs": inputs, "initial_std": std, "layers": list(layers), **more}
    return NetworkFile.model_validate(told).build()
