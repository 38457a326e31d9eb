"""Small networks for tests."""

from __future__ import annotations

from typing import Any

from archsim.base import registry
from archsim.base.streams import Streams
from archsim.chips import architecture as architectures
from archsim.chips.chip import Chip
from archsim.networks.file import NetworkFile
from archsim.networks.network import Network


def dense(name: str, units: int, activation: str, **more: Any) -> dict[str, Any]:
    """Return what a workload says of a fully connected layer."""
    return {"name": name, "kind": "dense", "units": units, "activation": activation, **more}


def conv(name: str, units: int, window: Any, activation: str = "sigmoid", **more: Any) -> dict[str, Any]:
    """Return what a workload says of a convolution."""
    return {"name": name, "units": units, "window": window, "activation": activation, "kind": "conv2d", **more}


def chain(inputs: Any, *layers: dict[str, Any], std: float, **more: Any) -> Network:
    """Return a network of layers, one after the other."""
    told = {"inputs": inputs, "initial_std": std, "layers": list(layers), **more}
    return NetworkFile.model_validate(told).build()


class Times:
    """Any time is a nanosecond."""

    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        """Return it."""
        del key, capacity_bit
        return 1e-9


def roomy(architecture: str, network: Network, samples: int) -> Chip:
    """Return a shipped chip with a network, its signal buffer large, and tiles for rules that keep more arrays."""
    shipped = architectures.document(architecture)
    room = {("digital_unit", "buffer_words"): "1000000"}
    if "tile" in shipped.data and shipped.data["tile"]["count"] < 64:
        room["tile", "count"] = "64"
    parsed = architectures.parse(shipped.with_settings(room))
    made: Chip = registry.load("chip", parsed.chip).start(parsed, network, Times(), Streams(3), samples=samples)
    return made
